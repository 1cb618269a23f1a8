//! The layout of an event row: a directory of frames, then their payloads.
//!
//! Written by the encoder, read by the feed and by tests.

use std::fmt;

/// Layout number at the head of a row.
pub const LAYOUT: u32 = 1;
/// Bytes before the first record.
pub const HEAD_BYTES: usize = 8;
/// Bytes of one record.
pub const RECORD_BYTES: usize = 40;

/// Kind of a frame; numbers as in `cambist.internal.journal.v1.FrameKind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum FrameKind {
    /// Key session.
    Session = 1,
    /// Key account.
    Private = 2,
    /// Key account.
    Balance = 3,
    /// Key market.
    L3 = 4,
    /// Key market.
    Trades = 5,
    /// Key market.
    L2 = 6,
    /// Key market.
    Bbo = 7,
    /// Key market.
    Status = 8,
    /// Key 0.
    System = 9,
}

impl FrameKind {
    /// Every kind, ascending.
    pub const ALL: [Self; 9] = [
        Self::Session,
        Self::Private,
        Self::Balance,
        Self::L3,
        Self::Trades,
        Self::L2,
        Self::Bbo,
        Self::Status,
        Self::System,
    ];

    /// The kind with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// One record of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Kind of the frame.
    pub kind: FrameKind,
    /// Events in it.
    pub events: u32,
    /// Session, account or market, by kind.
    pub key: u64,
    /// First number covered.
    pub first: u64,
    /// Last number covered.
    pub last: u64,
    /// Where the payload starts in the payload area.
    pub offset: u32,
    /// Bytes of the payload.
    pub length: u32,
}

impl Record {
    /// The record as the directory has it.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> [u8; RECORD_BYTES] {
        let mut bytes = [0; RECORD_BYTES];
        bytes[0] = self.kind as u8;
        bytes[4..8].copy_from_slice(&self.events.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.key.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.last.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.offset.to_le_bytes());
        bytes[36..40].copy_from_slice(&self.length.to_le_bytes());
        bytes
    }
}

/// What is wrong with the bytes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowFault {
    /// Shorter or longer than its directory says.
    Length,
    /// A layout that this build does not know.
    Layout,
    /// A kind that this build does not know, or padding that is not zero.
    Record,
    /// Records that do not ascend, or payloads with gaps.
    Order,
}

impl fmt::Display for RowFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Length => "the row is not as long as its directory says",
            Self::Layout => "the row has a layout that this build does not know",
            Self::Record => "the directory has a record that this build does not know",
            Self::Order => "the frames of the row are out of order",
        })
    }
}

/// A frame of a row: its record and its payload.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The record.
    pub record: Record,
    /// The container message.
    pub payload: &'a [u8],
}

/// An event row whose directory was judged.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    records: &'a [u8],
    payloads: &'a [u8],
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |chunk| u32::from_le_bytes(*chunk))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

impl<'a> Row<'a> {
    /// Judges the directory of a row.
    ///
    /// # Errors
    /// The first [`RowFault`].
    pub fn open(bytes: &'a [u8]) -> Result<Self, RowFault> {
        let (head, rest) = bytes.split_at_checked(HEAD_BYTES).ok_or(RowFault::Length)?;
        if u32_at(head, 0) != LAYOUT {
            return Err(RowFault::Layout);
        }
        let directory_bytes = u64::from(u32_at(head, 4)) * RECORD_BYTES as u64;
        let (records, payloads) = usize::try_from(directory_bytes)
            .ok()
            .and_then(|length| rest.split_at_checked(length))
            .ok_or(RowFault::Length)?;
        let row = Self { records, payloads };
        let mut end = 0_u64;
        let mut before = None;
        for record in records.chunks_exact(RECORD_BYTES) {
            let record = parse(record).ok_or(RowFault::Record)?;
            let place = Some((record.kind, record.key));
            if place <= before || u64::from(record.offset) != end {
                return Err(RowFault::Order);
            }
            before = place;
            end += u64::from(record.length);
        }
        if end != payloads.len() as u64 {
            return Err(RowFault::Length);
        }
        Ok(row)
    }

    /// The frames, ascending by (kind, key).
    pub fn frames(&self) -> impl Iterator<Item = Frame<'a>> + use<'a> {
        let payloads = self.payloads;
        self.records
            .chunks_exact(RECORD_BYTES)
            .filter_map(parse)
            .map(move |record| {
                let start = record.offset as usize;
                Frame {
                    record,
                    payload: &payloads[start..start + record.length as usize],
                }
            })
    }
}

fn parse(bytes: &[u8]) -> Option<Record> {
    if bytes[1..4] != [0; 3] {
        return None;
    }
    Some(Record {
        kind: FrameKind::from_number(bytes[0])?,
        events: u32_at(bytes, 4),
        key: u64_at(bytes, 8),
        first: u64_at(bytes, 16),
        last: u64_at(bytes, 24),
        offset: u32_at(bytes, 32),
        length: u32_at(bytes, 36),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(records: &[Record], payload: &[u8]) -> Vec<u8> {
        let mut out = LAYOUT.to_le_bytes().to_vec();
        out.extend_from_slice(&u32::try_from(records.len()).unwrap_or(0).to_le_bytes());
        for record in records {
            out.extend_from_slice(&record.bytes());
        }
        out.extend_from_slice(payload);
        out
    }

    fn record(kind: FrameKind, key: u64, offset: u32, length: u32) -> Record {
        Record {
            kind,
            events: 1,
            key,
            first: 5,
            last: 6,
            offset,
            length,
        }
    }

    #[test]
    fn a_row_gives_its_frames_back() {
        let records = [
            record(FrameKind::Private, 7, 0, 2),
            record(FrameKind::L3, 1, 2, 1),
        ];
        let bytes = row(&records, b"abc");
        let frames: Vec<_> = Row::open(&bytes).expect("well formed").frames().collect();
        assert_eq!(frames.len(), 2);
        assert_eq!(
            (frames[0].record, frames[0].payload),
            (records[0], &b"ab"[..])
        );
        assert_eq!(
            (frames[1].record, frames[1].payload),
            (records[1], &b"c"[..])
        );
    }

    #[test]
    fn faults_of_a_row_have_names() {
        let one = [record(FrameKind::L3, 1, 0, 1)];
        let descending = [
            record(FrameKind::L3, 2, 0, 1),
            record(FrameKind::L3, 1, 1, 1),
        ];
        let gap = [
            record(FrameKind::L3, 1, 0, 1),
            record(FrameKind::L3, 2, 2, 1),
        ];
        let mut layout = row(&one, b"a");
        layout[0] = 2;
        let mut kind = row(&one, b"a");
        kind[HEAD_BYTES] = 10;
        let mut padding = row(&one, b"a");
        padding[HEAD_BYTES + 2] = 1;
        for (bytes, wanted) in [
            (Vec::new(), RowFault::Length),
            (row(&one, b""), RowFault::Length),
            (row(&one, b"ab"), RowFault::Length),
            (row(&one, b"a")[..40].to_vec(), RowFault::Length),
            (layout, RowFault::Layout),
            (kind, RowFault::Record),
            (padding, RowFault::Record),
            (row(&descending, b"ab"), RowFault::Order),
            (row(&gap, b"abc"), RowFault::Order),
        ] {
            assert_eq!(Row::open(&bytes).err(), Some(wanted));
        }
    }
}
