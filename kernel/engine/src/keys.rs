//! Ids of commands of one account: what each was used for and how it was answered, for a bounded number of ids.
//!
//! An id of an open order stays; of the others the one with the smallest (sent time, id) goes when there are too many,
//! and the stale floor rises to its time. Ids mostly arrive in the order of their times, so they wait in a queue; only
//! those that come late go through a heap.

use crate::types::{Id, KeyKind, KeyState, RejectReason};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

const NONE: u32 = u32::MAX;
const SLOTS_MIN: usize = 16;

/// One id.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The id; as a number it sorts like its bytes.
    id: u128,
    /// Hash of the body; 0 when burnt.
    pub body_hash: u64,
    /// When the client sent it.
    pub sent_time_ns: i64,
    /// Journal sequence of the first answer.
    pub answer_seq: u64,
    /// The order made, cancelled or amended; 0 = none.
    pub order_id: u64,
    /// Orders cancelled, or the phase that refused.
    pub detail: u32,
    /// The resting order while open; the next free entry when free.
    handle: u32,
    /// What it was used for.
    pub kind: KeyKind,
    /// Reason of the first answer.
    pub reason: RejectReason,
    open: bool,
    queued: bool,
}

impl Key {
    /// A key of a command that is not an open order.
    #[must_use]
    pub fn closed(id: Id, kind: KeyKind, sent_time_ns: i64, answer_seq: u64) -> Self {
        Self {
            id: u128::from_be_bytes(id),
            body_hash: 0,
            sent_time_ns,
            answer_seq,
            order_id: 0,
            detail: 0,
            handle: NONE,
            kind,
            reason: RejectReason::Unspecified,
            open: false,
            queued: false,
        }
    }

    /// The same for an order that rests.
    #[must_use]
    pub fn open(self, handle: u32) -> Self {
        Self {
            handle,
            open: true,
            ..self
        }
    }

    /// The resting order, while it is open.
    #[inline]
    #[must_use]
    pub fn open_handle(&self) -> Option<u32> {
        self.open.then_some(self.handle)
    }

    fn age(&self) -> (i64, u128) {
        (self.sent_time_ns, self.id)
    }

    /// The row of a snapshot.
    #[must_use]
    pub fn state(&self) -> KeyState {
        KeyState {
            id: self.id.to_be_bytes(),
            kind: self.kind,
            body_hash: self.body_hash,
            sent_time_ns: self.sent_time_ns,
            answer_seq: self.answer_seq,
            reason: self.reason,
            order_id: self.order_id,
            open: self.open,
            detail: self.detail,
        }
    }

    /// From a row of a snapshot, with the resting order of an open one.
    #[must_use]
    pub fn from_state(state: &KeyState, handle: u32) -> Self {
        Self {
            handle,
            body_hash: state.body_hash,
            reason: state.reason,
            order_id: state.order_id,
            open: state.open,
            detail: state.detail,
            ..Self::closed(state.id, state.kind, state.sent_time_ns, state.answer_seq)
        }
    }
}

/// The ids of one account.
#[derive(Debug)]
pub struct Keys {
    /// Hash in the upper half, entry + 1 in the lower; 0 = empty.
    slots: Vec<u64>,
    entries: Vec<Key>,
    free: u32,
    used: u32,
    closed: u32,
    /// Ids with a time at or below this are stale when unknown.
    pub stale_floor_ns: i64,
    queue: VecDeque<u32>,
    newest: (i64, u128),
    late: BinaryHeap<Reverse<(i64, u128, u32)>>,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            entries: Vec::new(),
            free: NONE,
            used: 0,
            closed: 0,
            stale_floor_ns: 0,
            queue: VecDeque::new(),
            newest: (i64::MIN, 0),
            late: BinaryHeap::new(),
        }
    }
}

#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "both halves of the id, and the upper half of the hash"
)]
fn hash_of(id: u128) -> u32 {
    let mixed = (id as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (id >> 64) as u64;
    ((mixed ^ mixed >> 29).wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 32) as u32
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the two halves of a slot")]
fn halves(slot: u64) -> (u32, u32) {
    ((slot >> 32) as u32, slot as u32)
}

impl Keys {
    #[inline]
    fn home(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.slots.len() as u64) >> 32) as usize
    }

    /// The slot and the entry of an id.
    #[inline]
    fn locate(&self, id: u128) -> Option<(usize, u32)> {
        if self.slots.is_empty() {
            return None;
        }
        let mask = self.slots.len() - 1;
        let hash = hash_of(id);
        let mut at = self.home(hash);
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return None;
            }
            let (other, entry) = halves(slot);
            if other == hash && self.entries[entry as usize - 1].id == id {
                return Some((at, entry - 1));
            }
            at = (at + 1) & mask;
        }
    }

    /// The entry of an id.
    #[inline]
    #[must_use]
    pub fn find(&self, id: Id) -> Option<&Key> {
        let (_, entry) = self.locate(u128::from_be_bytes(id))?;
        Some(&self.entries[entry as usize])
    }

    /// The number of the entry of an id.
    #[must_use]
    pub fn entry(&self, id: Id) -> Option<u32> {
        Some(self.locate(u128::from_be_bytes(id))?.1)
    }

    /// What an entry says.
    #[must_use]
    pub fn get(&self, entry: u32) -> &Key {
        &self.entries[entry as usize]
    }

    /// How many ids are kept.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.used
    }

    /// Whether no id is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Adds an id that is not there and gives its entry; then [`Keys::trim`].
    pub fn insert(&mut self, mut key: Key) -> u32 {
        if (self.used as usize + 1) * 4 > self.slots.len() * 3 {
            self.grow();
        }
        self.used += 1;
        self.closed += u32::from(!key.open);
        let in_order = self.queue.is_empty() || key.age() >= self.newest;
        key.queued = in_order;
        let entry = self.take_entry(key);
        self.put(hash_of(key.id), entry);
        if in_order {
            self.newest = key.age();
            self.queue.push_back(entry);
        } else if !key.open {
            self.late.push(Reverse((key.sent_time_ns, key.id, entry)));
        }
        entry
    }

    #[inline]
    fn take_entry(&mut self, key: Key) -> u32 {
        if self.free != NONE {
            let entry = self.free;
            let slot = &mut self.entries[entry as usize];
            self.free = slot.handle;
            *slot = key;
            return entry;
        }
        if self.entries.len() == self.entries.capacity() {
            self.entries
                .reserve_exact((self.entries.len() / 4).max(SLOTS_MIN));
        }
        self.entries.push(key);
        u32::try_from(self.entries.len() - 1).expect("bounded by id_capacity and open orders")
    }

    #[inline]
    fn put(&mut self, hash: u32, entry: u32) {
        let mask = self.slots.len() - 1;
        let mut at = self.home(hash);
        while self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = u64::from(hash) << 32 | u64::from(entry + 1);
    }

    #[cold]
    fn grow(&mut self) {
        let slots = (self.slots.len() * 2).max(SLOTS_MIN);
        let old = std::mem::replace(&mut self.slots, vec![0; slots]);
        for slot in old.into_iter().filter(|slot| *slot != 0) {
            let (hash, entry) = halves(slot);
            self.put(hash, entry - 1);
        }
    }

    /// The order of an id was closed: from now on the id counts against the capacity. Then [`Keys::trim`].
    #[inline]
    pub fn close(&mut self, entry: u32) {
        let key = &mut self.entries[entry as usize];
        debug_assert!(key.open);
        key.open = false;
        key.handle = NONE;
        self.closed += 1;
        if !key.queued {
            self.late.push(Reverse((key.sent_time_ns, key.id, entry)));
        }
    }

    /// Drops the oldest ids that are not of open orders until at most `capacity` are left.
    #[inline]
    pub fn trim(&mut self, capacity: u32) {
        while self.closed > capacity {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        while let Some(front) = self.queue.front() {
            let key = &mut self.entries[*front as usize];
            if !key.open {
                break;
            }
            // It waits outside; closing it brings it to the heap.
            key.queued = false;
            self.queue.pop_front();
        }
        let front = self.queue.front().copied();
        let oldest_late = self.late.peek().map(|Reverse((time, id, _))| (*time, *id));
        let entry = match (front, oldest_late) {
            (Some(entry), None) => {
                self.queue.pop_front();
                entry
            }
            (Some(entry), Some(age)) if self.entries[entry as usize].age() <= age => {
                self.queue.pop_front();
                entry
            }
            _ => {
                let Reverse((_, _, entry)) =
                    self.late.pop().expect("a closed id is in one of the two");
                entry
            }
        };
        self.forget(entry);
    }

    fn forget(&mut self, entry: u32) {
        let key = self.entries[entry as usize];
        self.stale_floor_ns = self.stale_floor_ns.max(key.sent_time_ns);
        let (slot, _) = self.locate(key.id).expect("every entry has a slot");
        self.close_gap(slot);
        self.entries[entry as usize].handle = self.free;
        self.free = entry;
        self.used -= 1;
        self.closed -= 1;
    }

    #[inline]
    fn close_gap(&mut self, mut gap: usize) {
        let mask = self.slots.len() - 1;
        let mut at = gap;
        loop {
            at = (at + 1) & mask;
            let slot = self.slots[at];
            if slot == 0 {
                break;
            }
            let displaced = at.wrapping_sub(self.home(halves(slot).0)) & mask;
            if displaced >= at.wrapping_sub(gap) & mask {
                self.slots[gap] = slot;
                gap = at;
            }
        }
        self.slots[gap] = 0;
    }

    /// How many ids count against the capacity.
    #[must_use]
    pub fn closed(&self) -> u32 {
        self.closed
    }

    /// All ids in the order of their bytes.
    #[must_use]
    pub fn sorted(&self) -> Vec<&Key> {
        let entries = self.slots.iter().filter(|slot| **slot != 0);
        let mut keys: Vec<&Key> = entries
            .map(|slot| &self.entries[halves(*slot).1 as usize - 1])
            .collect();
        keys.sort_unstable_by_key(|key| key.id);
        keys
    }
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
