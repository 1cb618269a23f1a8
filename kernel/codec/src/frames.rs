//! Collects the events of one batch by frame and lays them out as an event row.
//!
//! Events are appended to one log in the order they happen, each with the number of its frame; the row is put together
//! at the end, when the length of every frame is known. All buffers are kept from batch to batch, so that no event
//! allocates once they have grown.

use crate::row::{FrameKind, HEAD_BYTES, LAYOUT, RECORD_BYTES, Record};

/// Kinds of frames, whose numbers begin with 1.
const KINDS: usize = FrameKind::ALL.len();

/// One frame of the present batch.
#[derive(Clone, Copy, Debug)]
struct Frame {
    kind: FrameKind,
    key: u64,
    events: u32,
    first: u64,
    last: u64,
    length: u32,
    /// Where its next event goes in the row; set when the row is put together.
    cursor: u32,
}

/// One event in the log.
#[derive(Clone, Copy, Debug)]
struct Entry {
    frame: u32,
    length: u32,
}

/// The frames of one batch.
#[derive(Debug)]
pub struct Frames {
    log: Vec<u8>,
    entries: Vec<Entry>,
    list: Vec<Frame>,
    /// Keys and numbers of the frames as the directory has them.
    order: Vec<(u64, u32)>,
    index: Index,
}

impl Default for Frames {
    fn default() -> Self {
        Self {
            log: Vec::new(),
            entries: Vec::new(),
            list: Vec::new(),
            order: Vec::new(),
            index: Index::new(),
        }
    }
}

impl Frames {
    /// Forgets the last batch.
    pub fn clear(&mut self) {
        self.log.clear();
        self.entries.clear();
        self.list.clear();
        self.index.clear();
    }

    /// The number of a frame, which is made when it is new.
    #[inline]
    pub fn frame(&mut self, kind: FrameKind, key: u64) -> u32 {
        let frames = &self.list;
        let matches = |frame: u32| {
            frames
                .get(frame as usize)
                .is_some_and(|found| found.key == key && found.kind == kind)
        };
        if let Some(frame) = self.index.find(kind, key, matches) {
            return frame;
        }
        self.add_frame(kind, key)
    }

    #[cold]
    fn add_frame(&mut self, kind: FrameKind, key: u64) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a batch has far fewer frames"
        )]
        let number = self.list.len() as u32;
        self.list.push(Frame {
            kind,
            key,
            events: 0,
            first: 0,
            last: 0,
            length: 0,
            cursor: 0,
        });
        let frames = &self.list;
        self.index.insert(number, |frame| {
            let found = &frames[frame as usize];
            (found.kind, found.key)
        });
        number
    }

    /// Appends an event that `write` puts into the log. `number` is its place in its sequence.
    #[inline]
    pub fn event(&mut self, frame: u32, number: u64, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.log.len();
        write(&mut self.log);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a batch is far below 4 GiB"
        )]
        let length = (self.log.len() - start) as u32;
        self.entries.push(Entry { frame, length });
        let frame = &mut self.list[frame as usize];
        if frame.events == 0 {
            frame.first = number;
        }
        frame.last = number;
        frame.events += 1;
        frame.length += length;
    }

    /// Sets what the directory says of a frame instead of its first and last event.
    pub fn set_range(&mut self, frame: u32, first: u64, last: u64) {
        let frame = &mut self.list[frame as usize];
        frame.first = first;
        frame.last = last;
    }

    /// Sets what the directory says of every frame of a kind, by its key.
    pub fn set_ranges(&mut self, kind: FrameKind, mut range: impl FnMut(u64) -> (u64, u64)) {
        for frame in self.list.iter_mut().filter(|frame| frame.kind == kind) {
            (frame.first, frame.last) = range(frame.key);
        }
    }

    /// How many frames there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is no frame.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Puts the row together in `out`, whose old content is dropped.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a batch is far below 4 GiB"
    )]
    pub fn write_row(&mut self, out: &mut Vec<u8>) {
        self.sort();
        let frames = &mut self.list;
        let payloads_at = HEAD_BYTES + frames.len() * RECORD_BYTES;
        // Every byte is written below, so those of an old row need not be cleared.
        out.resize(payloads_at + self.log.len(), 0);
        let (directory, payloads) = out.split_at_mut(payloads_at);
        let (head, records) = directory.split_at_mut(HEAD_BYTES);
        head[..4].copy_from_slice(&LAYOUT.to_le_bytes());
        head[4..].copy_from_slice(&(frames.len() as u32).to_le_bytes());
        let mut offset = 0_u32;
        let places = records.as_chunks_mut::<RECORD_BYTES>().0.iter_mut();
        for (place, (_, number)) in places.zip(&self.order) {
            let frame = &mut frames[*number as usize];
            frame.cursor = offset;
            let Frame {
                kind,
                key,
                events,
                first,
                last,
                length,
                ..
            } = *frame;
            let record = Record {
                kind,
                events,
                key,
                first,
                last,
                offset,
                length,
            };
            *place = record.bytes();
            offset += length;
        }
        let mut log = self.log.as_slice();
        for entry in &self.entries {
            let (event, rest) = log.split_at(entry.length as usize);
            log = rest;
            let frame = &mut frames[entry.frame as usize];
            let at = frame.cursor as usize;
            payloads[at..at + event.len()].copy_from_slice(event);
            frame.cursor += entry.length;
        }
    }

    /// Puts the frames in the order of the directory: by kind, and those of a kind by key. Many kinds come in that
    /// order already, which is seen at once when each is sorted alone.
    fn sort(&mut self) {
        self.order.clear();
        self.order.resize(self.list.len(), (0, 0));
        let mut starts = [0_usize; KINDS + 1];
        for frame in &self.list {
            starts[frame.kind as usize] += 1;
        }
        let mut end = 0;
        for start in &mut starts {
            let count = *start;
            *start = end;
            end += count;
        }
        let mut ends = starts;
        for (number, frame) in (0..).zip(&self.list) {
            let end = &mut ends[frame.kind as usize];
            self.order[*end] = (frame.key, number);
            *end += 1;
        }
        for (start, end) in starts.into_iter().zip(ends) {
            self.order[start..end].sort_unstable_by_key(|(key, _)| *key);
        }
    }
}

/// A table from (kind, key) to the number of a frame: open addressing, emptied by a new generation.
#[derive(Debug)]
struct Index {
    slots: Vec<(u32, u32)>,
    generation: u32,
    used: usize,
}

const INDEX_SLOTS_MIN: usize = 256;

impl Index {
    fn new() -> Self {
        Self {
            slots: vec![(0, 0); INDEX_SLOTS_MIN],
            generation: 1,
            used: 0,
        }
    }

    fn clear(&mut self) {
        self.used = 0;
        self.generation = self.generation.wrapping_add(1);
        if self.generation == 0 {
            self.slots.fill((0, 0));
            self.generation = 1;
        }
    }

    #[inline]
    fn start(&self, kind: FrameKind, key: u64) -> usize {
        let mixed = (key ^ (kind as u64) << 59).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> 32) as usize & (self.slots.len() - 1)
    }

    #[inline]
    fn find(&self, kind: FrameKind, key: u64, matches: impl Fn(u32) -> bool) -> Option<u32> {
        let mut slot = self.start(kind, key);
        loop {
            let (generation, frame) = self.slots[slot];
            if generation != self.generation {
                return None;
            }
            if matches(frame) {
                return Some(frame);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }

    fn insert(&mut self, frame: u32, place: impl Fn(u32) -> (FrameKind, u64)) {
        self.used += 1;
        if self.used * 2 > self.slots.len() {
            self.grow(&place);
        }
        self.put(frame, place(frame));
    }

    fn put(&mut self, frame: u32, (kind, key): (FrameKind, u64)) {
        let mut slot = self.start(kind, key);
        while self.slots[slot].0 == self.generation {
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        self.slots[slot] = (self.generation, frame);
    }

    fn grow(&mut self, place: impl Fn(u32) -> (FrameKind, u64)) {
        let old = std::mem::take(&mut self.slots);
        self.slots = vec![(0, 0); old.len() * 2];
        for (generation, frame) in old {
            if generation == self.generation {
                self.put(frame, place(frame));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Row;

    #[test]
    fn frames_are_sorted_and_keep_the_order_of_their_events() {
        let mut frames = Frames::default();
        let mut out = Vec::new();
        for _ in 0..3 {
            frames.clear();
            for number in 0..2_000_u64 {
                let kind = if number % 2 == 0 {
                    FrameKind::L3
                } else {
                    FrameKind::Private
                };
                let key = number * 7 % 1_000;
                let frame = frames.frame(kind, key);
                frames.event(frame, number, |log| {
                    log.extend_from_slice(&number.to_le_bytes());
                });
            }
            frames.write_row(&mut out);
            let row = Row::open(&out).expect("well formed");
            let mut total = 0;
            for frame in row.frames() {
                let numbers: Vec<u64> = frame
                    .payload
                    .as_chunks::<8>()
                    .0
                    .iter()
                    .map(|chunk| u64::from_le_bytes(*chunk))
                    .collect();
                assert!(numbers.is_sorted());
                assert!(
                    numbers
                        .iter()
                        .all(|number| number * 7 % 1_000 == frame.record.key)
                );
                assert_eq!(numbers.first(), Some(&frame.record.first));
                assert_eq!(numbers.last(), Some(&frame.record.last));
                assert_eq!(numbers.len(), frame.record.events as usize);
                total += numbers.len();
            }
            assert_eq!(total, 2_000);
        }
    }

    #[test]
    fn an_empty_batch_is_a_row_without_frames() {
        let mut out = vec![1, 2, 3];
        Frames::default().write_row(&mut out);
        assert_eq!(out, [1, 0, 0, 0, 0, 0, 0, 0]);
    }
}
