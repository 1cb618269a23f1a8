//! Strict reader of protobuf bytes: tags, varints, lengths, by the rules of section 2 of `docs/semantics.md`.
//!
//! Used by every decoder of this crate and by the feed. It stops at the first fault and never panics, whatever comes.

use std::fmt;

/// Largest field number of protobuf.
const FIELD_NUMBER_MAX: u64 = (1 << 29) - 1;

/// Why bytes are malformed; numbers as in `cambist.internal.matching.v1.MalformedReason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum MalformedReason {
    /// The bytes end too early, or a length points past the end.
    Truncated = 1,
    /// A field that this version does not know.
    UnknownField = 2,
    /// A singular field twice.
    DuplicateField = 3,
    /// A field with another wire type.
    WrongWireType = 4,
    /// A varint longer than its value needs.
    OverlongVarint = 5,
    /// A number that does not fit its field.
    OutOfRange = 6,
    /// An enum value that this version does not know.
    UnknownEnumValue = 7,
    /// A string that is not UTF-8.
    BadUtf8 = 8,
    /// Bytes or a string of a length that is not allowed.
    BadLength = 9,
    /// A command without a member.
    EmptyCommand = 10,
    /// A command of another class than its envelope.
    WrongClass = 11,
    /// `count` is not what the bytes hold.
    CountMismatch = 12,
    /// More commands or bytes than allowed.
    TooLarge = 13,
    /// Fields of the envelope that do not go together.
    BadEnvelope = 14,
    /// A list that must ascend does not, or has too many items.
    BadList = 15,
}

/// The first fault of a scan: why, and the number of the innermost field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Why.
    pub reason: MalformedReason,
    /// Field number, 0 when none can be told.
    pub field: u32,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} at field {}", self.reason, self.field)
    }
}

/// What a decoder returns.
pub type Decoded<T> = Result<T, Fault>;

/// A fault as an error; out of line, since it is rare.
///
/// # Errors
/// Always.
#[cold]
pub fn fault<T>(reason: MalformedReason, field: u32) -> Decoded<T> {
    Err(Fault { reason, field })
}

/// How a value lies in the bytes.
pub mod wire {
    /// A varint.
    pub const VARINT: u32 = 0;
    /// Eight bytes.
    pub const FIXED64: u32 = 1;
    /// A length and that many bytes.
    pub const LENGTH: u32 = 2;
    /// Start of a group; never accepted.
    pub const GROUP_START: u32 = 3;
    /// End of a group; never accepted.
    pub const GROUP_END: u32 = 4;
    /// Four bytes.
    pub const FIXED32: u32 = 5;
}

/// The bit of each of eight bytes that says that the varint goes on.
const CONTINUATION: u64 = 0x8080_8080_8080_8080;

/// The value of a varint of at most eight bytes, which lie in `word` from its lowest byte.
#[inline]
fn without_continuation(word: u64) -> u64 {
    let word = word & !CONTINUATION;
    let pairs = (word & 0x007F_007F_007F_007F) | ((word & 0x7F00_7F00_7F00_7F00) >> 1);
    let fours = (pairs & 0x0000_3FFF_0000_3FFF) | ((pairs & 0x3FFF_0000_3FFF_0000) >> 2);
    (fours & 0x0FFF_FFFF) | ((fours & 0x0FFF_FFFF_0000_0000) >> 4)
}

/// A position in the bytes of one message.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader of one whole message.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether the message ends here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes are left.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next tag as (number, wire type), or nothing at the end. The number is judged by the caller, with
    /// [`Reader::expect`] or [`unknown_field`].
    ///
    /// # Errors
    /// TRUNCATED or `OVERLONG_VARINT` at field 0; `UNKNOWN_FIELD` when the number is beyond what a field can have.
    #[inline]
    pub fn tag(&mut self) -> Decoded<Option<(u32, u32)>> {
        let Some((&first, rest)) = self.rest.split_first() else {
            return Ok(None);
        };
        if first < 0x80 {
            self.rest = rest;
            return Ok(Some((u32::from(first) >> 3, u32::from(first) & 7)));
        }
        let raw = self.long_varint(0)?;
        if let Ok(raw) = u32::try_from(raw) {
            return Ok(Some((raw >> 3, raw & 7)));
        }
        debug_assert!(
            raw >> 3 > FIELD_NUMBER_MAX,
            "a larger tag has a larger number"
        );
        fault(MalformedReason::UnknownField, 0)
    }

    /// A varint.
    ///
    /// # Errors
    /// TRUNCATED, `OVERLONG_VARINT`.
    #[inline]
    pub fn varint(&mut self, field: u32) -> Decoded<u64> {
        match self.rest.split_first() {
            Some((&first, rest)) if first < 0x80 => {
                self.rest = rest;
                Ok(u64::from(first))
            }
            _ => self.long_varint(field),
        }
    }

    /// A varint of which the first eight bytes are read at once.
    fn long_varint(&mut self, field: u32) -> Decoded<u64> {
        let Some(chunk) = self.rest.first_chunk::<8>() else {
            return self.varint_by_bytes(field);
        };
        let word = u64::from_le_bytes(*chunk);
        let ends = !word & CONTINUATION;
        if ends == 0 {
            return self.longest_varint(word, field);
        }
        let bits = ends.trailing_zeros() + 1;
        let word = word & (u64::MAX >> (64 - bits));
        if bits > 8 && word >> (bits - 8) == 0 {
            return fault(MalformedReason::OverlongVarint, field);
        }
        self.rest = &self.rest[(bits / 8) as usize..];
        Ok(without_continuation(word))
    }

    /// A varint of nine or ten bytes, such as a time, of which `word` is the first eight.
    fn longest_varint(&mut self, word: u64, field: u32) -> Decoded<u64> {
        let low = without_continuation(word);
        let (value, length) = match self.rest.get(8..) {
            Some(&[ninth, ..]) if ninth < 0x80 && ninth > 0 => (low | u64::from(ninth) << 56, 9),
            Some(&[ninth, 1, ..]) if ninth >= 0x80 => {
                (low | u64::from(ninth & 0x7F) << 56 | 1 << 63, 10)
            }
            _ => return self.varint_by_bytes(field),
        };
        self.rest = &self.rest[length..];
        Ok(value)
    }

    fn varint_by_bytes(&mut self, field: u32) -> Decoded<u64> {
        let mut value = 0_u64;
        for (count, &byte) in self.rest.iter().take(10).enumerate() {
            if count == 9 && byte > 1 {
                return fault(MalformedReason::OverlongVarint, field);
            }
            value |= u64::from(byte & 0x7F) << (7 * count);
            if byte < 0x80 {
                if byte == 0 && count > 0 {
                    return fault(MalformedReason::OverlongVarint, field);
                }
                self.rest = &self.rest[count + 1..];
                return Ok(value);
            }
        }
        fault(MalformedReason::Truncated, field)
    }

    /// A `uint32`.
    ///
    /// # Errors
    /// As [`Reader::varint`]; `OUT_OF_RANGE`.
    #[inline]
    pub fn u32(&mut self, field: u32) -> Decoded<u32> {
        let value = self.varint(field)?;
        u32::try_from(value).or_else(|_| fault(MalformedReason::OutOfRange, field))
    }

    /// An `int64`.
    ///
    /// # Errors
    /// As [`Reader::varint`].
    #[inline]
    pub fn i64(&mut self, field: u32) -> Decoded<i64> {
        Ok(self.varint(field)?.cast_signed())
    }

    /// An `int32`, which lies in the bytes as a sign-extended 64-bit varint.
    ///
    /// # Errors
    /// As [`Reader::varint`]; `OUT_OF_RANGE`.
    #[inline]
    pub fn i32(&mut self, field: u32) -> Decoded<i32> {
        let value = self.varint(field)?.cast_signed();
        i32::try_from(value).or_else(|_| fault(MalformedReason::OutOfRange, field))
    }

    /// A `bool`.
    ///
    /// # Errors
    /// As [`Reader::varint`]; `OUT_OF_RANGE` unless 0 or 1.
    #[inline]
    pub fn bool(&mut self, field: u32) -> Decoded<bool> {
        match self.varint(field)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => fault(MalformedReason::OutOfRange, field),
        }
    }

    /// An enum whose numbers `known` turns into values.
    ///
    /// # Errors
    /// As [`Reader::varint`]; `UNKNOWN_ENUM_VALUE`.
    #[inline]
    pub fn enumeration<T>(&mut self, field: u32, known: impl Fn(u64) -> Option<T>) -> Decoded<T> {
        let number = self.varint(field)?;
        known(number).map_or_else(|| fault(MalformedReason::UnknownEnumValue, field), Ok)
    }

    /// The bytes of a length-delimited value.
    ///
    /// # Errors
    /// As [`Reader::varint`]; TRUNCATED when the length runs past the end of the message.
    #[inline]
    pub fn bytes(&mut self, field: u32) -> Decoded<&'a [u8]> {
        let length = self.varint(field)?;
        match usize::try_from(length) {
            Ok(length) if length <= self.rest.len() => {
                let (value, rest) = self.rest.split_at(length);
                self.rest = rest;
                Ok(value)
            }
            _ => fault(MalformedReason::Truncated, field),
        }
    }

    /// A message inside: a reader of its bytes.
    ///
    /// # Errors
    /// As [`Reader::bytes`].
    #[inline]
    pub fn message(&mut self, field: u32) -> Decoded<Reader<'a>> {
        Ok(Reader::new(self.bytes(field)?))
    }

    /// A field of sixteen bytes; empty stands for sixteen zeros and is told apart by `None`.
    ///
    /// # Errors
    /// As [`Reader::bytes`]; `BAD_LENGTH`.
    #[inline]
    pub fn sixteen(&mut self, field: u32) -> Decoded<Option<[u8; 16]>> {
        Ok(self.sixteen_in_place(field)?.copied())
    }

    /// As [`Reader::sixteen`], where they lie: a value is put together from halves only just stored, which is slow.
    ///
    /// # Errors
    /// As [`Reader::bytes`]; `BAD_LENGTH`.
    #[inline]
    pub fn sixteen_in_place(&mut self, field: u32) -> Decoded<Option<&'a [u8; 16]>> {
        let value = self.bytes(field)?;
        match value.try_into() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(_) if value.is_empty() => Ok(None),
            Err(_) => fault(MalformedReason::BadLength, field),
        }
    }

    /// A string of at most `characters_max` characters.
    ///
    /// # Errors
    /// As [`Reader::bytes`]; `BAD_UTF8`, `BAD_LENGTH`.
    pub fn string(&mut self, field: u32, characters_max: usize) -> Decoded<&'a str> {
        let Ok(text) = std::str::from_utf8(self.bytes(field)?) else {
            return fault(MalformedReason::BadUtf8, field);
        };
        if text.chars().count() > characters_max {
            return fault(MalformedReason::BadLength, field);
        }
        Ok(text)
    }

    /// Four bytes, little-endian.
    ///
    /// # Errors
    /// TRUNCATED.
    pub fn fixed32(&mut self, field: u32) -> Decoded<u32> {
        match self.rest.split_first_chunk::<4>() {
            Some((value, rest)) => {
                self.rest = rest;
                Ok(u32::from_le_bytes(*value))
            }
            None => fault(MalformedReason::Truncated, field),
        }
    }

    /// Eight bytes, little-endian.
    ///
    /// # Errors
    /// TRUNCATED.
    pub fn fixed64(&mut self, field: u32) -> Decoded<u64> {
        match self.rest.split_first_chunk::<8>() {
            Some((value, rest)) => {
                self.rest = rest;
                Ok(u64::from_le_bytes(*value))
            }
            None => fault(MalformedReason::Truncated, field),
        }
    }
}

/// Judges the wire type of a known field.
///
/// # Errors
/// `WRONG_WIRE_TYPE`, or `UNKNOWN_FIELD` for a group.
#[inline]
pub fn expect_wire_type(number: u32, wire_type: u32, wanted: u32) -> Decoded<()> {
    if wire_type == wanted {
        return Ok(());
    }
    match wire_type {
        wire::GROUP_START | wire::GROUP_END => unknown_field(number),
        _ => fault(MalformedReason::WrongWireType, number),
    }
}

/// The fault of a field that the message does not have.
///
/// # Errors
/// Always.
pub fn unknown_field<T>(number: u32) -> Decoded<T> {
    fault(MalformedReason::UnknownField, number)
}

/// Marks a singular field as met. `bit` is a number below 64 that is the field's own, or that of its oneof.
///
/// # Errors
/// `DUPLICATE_FIELD` when it was met before.
#[inline]
pub fn mark(seen: &mut u64, bit: u32, number: u32) -> Decoded<()> {
    let mask = 1_u64 << bit;
    if *seen & mask != 0 {
        return fault(MalformedReason::DuplicateField, number);
    }
    *seen |= mask;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn varint_of(bytes: &[u8]) -> Decoded<u64> {
        Reader::new(bytes).varint(7)
    }

    #[test]
    fn varints_are_judged_byte_by_byte() {
        use MalformedReason::{OverlongVarint, Truncated};
        let full = [0xFF; 9];
        let mut largest = full.to_vec();
        largest.push(1);
        let mut too_large = full.to_vec();
        too_large.push(2);
        let mut too_long = full.to_vec();
        too_long.push(0x81);
        for (bytes, wanted) in [
            (&[0][..], Ok(0)),
            (&[0x7F], Ok(127)),
            (&[0x80, 1], Ok(128)),
            (&largest, Ok(u64::MAX)),
            (&[], Err(Truncated)),
            (&[0x80], Err(Truncated)),
            (&full, Err(Truncated)),
            (&[0x80, 0], Err(OverlongVarint)),
            (&[0xFF, 0x80, 0], Err(OverlongVarint)),
            (&too_large, Err(OverlongVarint)),
            (&too_long, Err(OverlongVarint)),
        ] {
            let wanted = wanted.map_err(|reason| Fault { reason, field: 7 });
            assert_eq!(varint_of(bytes), wanted, "{bytes:?}");
        }
    }

    #[test]
    fn varints_read_at_once_are_those_read_by_bytes() {
        for shift in 0..64 {
            for value in [1_u64 << shift, (1_u64 << shift) - 1, u64::MAX >> shift] {
                let mut bytes = Vec::new();
                crate::writer::put_varint(&mut bytes, value);
                bytes.extend_from_slice(&[0xFF; 10]);
                let mut reader = Reader::new(&bytes);
                assert_eq!(reader.varint(1), Ok(value));
                assert_eq!(reader.remaining(), 10);
            }
        }
        for length in 2..=10 {
            let mut bytes = vec![0x80; length - 1];
            bytes.extend_from_slice(&[0; 11]);
            let wanted = Fault {
                reason: MalformedReason::OverlongVarint,
                field: 1,
            };
            assert_eq!(Reader::new(&bytes).varint(1), Err(wanted), "{length}");
        }
    }

    #[test]
    fn a_tag_beyond_the_largest_field_number_is_field_zero() {
        // 2^29 << 3 needs 33 bits.
        let bytes = [0x80, 0x80, 0x80, 0x80, 0x10];
        let wanted = Fault {
            reason: MalformedReason::UnknownField,
            field: 0,
        };
        assert_eq!(Reader::new(&bytes).tag(), Err(wanted));
        let largest = [0xFA, 0xFF, 0xFF, 0xFF, 0x0F];
        assert_eq!(Reader::new(&largest).tag(), Ok(Some(((1 << 29) - 1, 2))));
    }

    #[test]
    fn integers_keep_to_their_types() {
        let minus_one = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1];
        assert_eq!(Reader::new(&minus_one).i32(1), Ok(-1));
        assert_eq!(Reader::new(&minus_one).i64(1), Ok(-1));
        let out = Fault {
            reason: MalformedReason::OutOfRange,
            field: 1,
        };
        assert_eq!(Reader::new(&minus_one).u32(1), Err(out));
        assert_eq!(Reader::new(&[0x80, 0x80, 0x80, 0x80, 8]).i32(1), Err(out));
        assert_eq!(Reader::new(&[2]).bool(1), Err(out));
    }

    #[test]
    fn strings_are_counted_in_characters() {
        let text = [4, 0xC3, 0xA4, 0xC3, 0xA4];
        assert_eq!(Reader::new(&text).string(2, 2), Ok("ää"));
        let long = Fault {
            reason: MalformedReason::BadLength,
            field: 2,
        };
        assert_eq!(Reader::new(&text).string(2, 1), Err(long));
        let bad = Fault {
            reason: MalformedReason::BadUtf8,
            field: 2,
        };
        assert_eq!(Reader::new(&[1, 0xFF]).string(2, 9), Err(bad));
    }
}
