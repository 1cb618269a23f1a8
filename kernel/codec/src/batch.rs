//! The head of a batch and why a batch is refused.

use crate::reader::{Decoded, Reader};
use crate::scan;
use std::fmt;

/// `BATCH_ENVELOPES_MAX`.
pub const BATCH_ENVELOPES_MAX: usize = 4_096;
/// `BATCH_COMMANDS_MAX`.
pub const BATCH_COMMANDS_MAX: u32 = 10_000;

/// Why a batch is refused; nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchRefused {
    /// A fault in the batch's own fields.
    MalformedBatch,
    /// Not this shard.
    WrongShard,
    /// `first_seq` is not the next one.
    WrongSeq,
    /// `time_ns` is below that of the last batch.
    TimeBackwards,
    /// A batch without envelopes.
    NoEnvelope,
    /// More envelopes or more commands than allowed.
    TooLarge,
}

impl BatchRefused {
    /// Its name in `docs/semantics.md`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MalformedBatch => "MALFORMED_BATCH",
            Self::WrongShard => "WRONG_SHARD",
            Self::WrongSeq => "WRONG_SEQ",
            Self::TimeBackwards => "TIME_BACKWARDS",
            Self::NoEnvelope => "NO_ENVELOPE",
            Self::TooLarge => "TOO_LARGE",
        }
    }
}

impl fmt::Display for BatchRefused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl std::error::Error for BatchRefused {}

/// The fields of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchHead {
    /// Shard.
    pub shard: u32,
    /// Journal sequence of the first command.
    pub first_seq: u64,
    /// Engine time.
    pub time_ns: i64,
}

/// Reads a batch: its head, and the bytes of its envelopes into `envelopes`.
///
/// # Errors
/// A fault in the batch's own fields.
pub fn open_batch<'a>(bytes: &'a [u8], envelopes: &mut Vec<&'a [u8]>) -> Decoded<BatchHead> {
    let mut reader = Reader::new(bytes);
    let mut head = BatchHead::default();
    scan!(reader, {
        1 once VARINT => head.shard = reader.u32(1)?,
        2 once VARINT => head.first_seq = reader.varint(2)?,
        3 once VARINT => head.time_ns = reader.i64(3)?,
        4 many LENGTH => envelopes.push(reader.bytes(4)?),
    });
    Ok(head)
}
