//! Canonical protobuf bytes: ascending fields, defaults left out, shortest varints.
//!
//! [`Writer`] fills one fixed array, so that the length of a small message is known before it is copied to its place;
//! the free functions append to a vector, for messages without a bound on their length.

/// Longest bytes of a varint.
pub const VARINT_BYTES_MAX: usize = 10;

/// The tag of a field, as the bytes of its varint.
#[must_use]
pub const fn tag(number: u32, wire_type: u32) -> u32 {
    number << 3 | wire_type
}

/// Appends a varint.
#[inline]
pub fn put_varint(out: &mut Vec<u8>, value: u64) {
    if value < 0x80 {
        #[expect(clippy::cast_possible_truncation, reason = "below 0x80")]
        out.push(value as u8);
        return;
    }
    let (bytes, length) = varint_bytes(value);
    out.extend_from_slice(&bytes[..length]);
}

/// The bytes of a varint and how many they are.
#[inline]
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "seven bits at a time")]
pub fn varint_bytes(value: u64) -> ([u8; VARINT_BYTES_MAX], usize) {
    let mut bytes = [0; VARINT_BYTES_MAX];
    let mut rest = value;
    let mut length = 0;
    while rest >= 0x80 {
        bytes[length] = rest as u8 | 0x80;
        rest >>= 7;
        length += 1;
        if length == VARINT_BYTES_MAX - 1 {
            break;
        }
    }
    bytes[length] = rest as u8;
    (bytes, length + 1)
}

/// Appends a varint field unless it is 0.
#[inline]
pub fn put_u64(out: &mut Vec<u8>, number: u32, value: u64) {
    if value != 0 {
        put_varint(out, u64::from(tag(number, 0)));
        put_varint(out, value);
    }
}

/// Appends a signed varint field unless it is 0.
#[inline]
pub fn put_i64(out: &mut Vec<u8>, number: u32, value: i64) {
    put_u64(out, number, value.cast_unsigned());
}

/// Appends a `uint32` or enum field unless it is 0.
#[inline]
pub fn put_u32(out: &mut Vec<u8>, number: u32, value: u32) {
    put_u64(out, number, u64::from(value));
}

/// Appends a bool field unless it is false.
#[inline]
pub fn put_bool(out: &mut Vec<u8>, number: u32, value: bool) {
    put_u64(out, number, u64::from(value));
}

/// Appends a length-delimited field unless it is empty.
#[inline]
pub fn put_bytes(out: &mut Vec<u8>, number: u32, value: &[u8]) {
    if !value.is_empty() {
        put_message_bytes(out, number, value);
    }
}

/// Appends a length-delimited field, also when it is empty: what a present message is.
#[inline]
pub fn put_message_bytes(out: &mut Vec<u8>, number: u32, value: &[u8]) {
    put_varint(out, u64::from(tag(number, 2)));
    put_varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// Appends a message that `body` writes. One byte is reserved for its length; a longer one is moved up.
#[inline]
pub fn put_message(out: &mut Vec<u8>, number: u32, body: impl FnOnce(&mut Vec<u8>)) {
    put_varint(out, u64::from(tag(number, 2)));
    let start = out.len();
    out.push(0);
    body(out);
    let length = out.len() - start - 1;
    if length < 0x80 {
        #[expect(clippy::cast_possible_truncation, reason = "below 0x80")]
        let byte = length as u8;
        out[start] = byte;
        return;
    }
    let (bytes, count) = varint_bytes(length as u64);
    out.resize(out.len() + count - 1, 0);
    out.copy_within(start + 1..start + 1 + length, start + count);
    out[start..start + count].copy_from_slice(&bytes[..count]);
}

/// Appends a field of sixteen bytes unless all are zero.
#[inline]
pub fn put_sixteen(out: &mut Vec<u8>, number: u32, value: [u8; 16]) {
    if value != [0; 16] {
        put_message_bytes(out, number, &value);
    }
}

/// Appends an id, also one of sixteen zeros: it is there.
#[inline]
pub fn put_id(out: &mut Vec<u8>, number: u32, id: [u8; 16]) {
    put_message_bytes(out, number, &id);
}

/// Appends an id if there is one.
#[inline]
pub fn put_optional_id(out: &mut Vec<u8>, number: u32, id: Option<[u8; 16]>) {
    if let Some(id) = id {
        put_id(out, number, id);
    }
}

/// Appends four bytes unless they are 0.
pub fn put_fixed32(out: &mut Vec<u8>, number: u32, value: u32) {
    if value != 0 {
        put_varint(out, u64::from(tag(number, 5)));
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// Appends eight bytes unless they are 0.
pub fn put_fixed64(out: &mut Vec<u8>, number: u32, value: u64) {
    if value != 0 {
        put_varint(out, u64::from(tag(number, 1)));
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// Appends a packed list unless it is empty.
pub fn put_packed(out: &mut Vec<u8>, number: u32, items: impl ExactSizeIterator<Item = u64>) {
    if items.len() > 0 {
        put_message(out, number, |list| {
            items.for_each(|item| put_varint(list, item));
        });
    }
}

/// Appends an amount unless it is 0.
#[inline]
pub fn put_amount(out: &mut Vec<u8>, number: u32, atoms: i128) {
    put_sixteen(out, number, atoms.to_le_bytes());
}

/// Bytes of one small message in a fixed array, which must be large enough for all its fields and
/// [`Writer::SLACK`] bytes more, since varints are stored eight bytes at a time.
#[derive(Clone, Debug)]
pub struct Writer<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Default for Writer<N> {
    fn default() -> Self {
        Self {
            bytes: [0; N],
            length: 0,
        }
    }
}

impl<const N: usize> Writer<N> {
    /// Bytes beyond the message that may be written over.
    pub const SLACK: usize = 8;

    /// Forgets what was written.
    #[inline]
    pub fn clear(&mut self) {
        self.length = 0;
    }

    /// What was written.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    #[inline]
    fn store<const K: usize>(&mut self, bytes: [u8; K], length: usize) {
        if let Some(place) = self.bytes[self.length..].first_chunk_mut() {
            *place = bytes;
        }
        self.length += length;
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "one or two bytes of a constant"
    )]
    fn tag(&mut self, number: u32, wire_type: u32) {
        let (tag, length) = tag_bytes(number, wire_type);
        if length == 1 {
            self.store([tag as u8], 1);
        } else {
            self.store(tag.to_le_bytes(), 2);
        }
    }

    /// A varint behind its tag: together in one store, unless they are longer than that.
    #[inline(never)]
    fn field(&mut self, (tag, tag_length): (u16, usize), value: u64) {
        if value < 1 << 42 {
            let length = varint_length(value);
            let going_on = CONTINUATION & !(u64::MAX << (8 * (length - 1)));
            let word = (spread(value) | going_on) << (8 * tag_length) | u64::from(tag);
            self.store(word.to_le_bytes(), tag_length + length);
        } else {
            self.store(tag.to_le_bytes(), tag_length);
            self.varint(value);
        }
    }

    /// A varint without a tag.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "below 0x80")]
    pub fn varint(&mut self, value: u64) {
        if value < 0x80 {
            self.store([value as u8], 1);
        } else if value < 1 << 56 {
            let length = varint_length(value);
            let word = spread(value) | (CONTINUATION >> (72 - 8 * length));
            self.store(word.to_le_bytes(), length);
        } else {
            self.store((spread(value) | CONTINUATION).to_le_bytes(), 8);
            let rest = value >> 56;
            if rest < 0x80 {
                self.store([rest as u8], 1);
            } else {
                self.store([rest as u8, 1], 2);
            }
        }
    }

    /// A varint field, left out when 0.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "below 0x80")]
    pub fn u64(&mut self, number: u32, value: u64) {
        if value == 0 {
            return;
        }
        let (tag, length) = tag_bytes(number, 0);
        if value < 0x80 {
            let word = (value as u32) << (8 * length) | u32::from(tag);
            self.store(word.to_le_bytes(), length + 1);
        } else {
            self.field((tag, length), value);
        }
    }

    /// A `uint32` or enum field, left out when 0.
    #[inline]
    pub fn u32(&mut self, number: u32, value: u32) {
        self.u64(number, u64::from(value));
    }

    /// A signed varint field, left out when 0.
    #[inline]
    pub fn i64(&mut self, number: u32, value: i64) {
        self.u64(number, value.cast_unsigned());
    }

    /// A bool field, left out when false.
    #[inline]
    pub fn bool(&mut self, number: u32, value: bool) {
        self.u64(number, u64::from(value));
    }

    /// An id, also one of sixteen zeros: it is there.
    #[inline]
    pub fn id(&mut self, number: u32, id: [u8; 16]) {
        self.tag(number, 2);
        self.store([16], 1);
        self.store(id, 16);
    }

    /// An id if there is one.
    #[inline]
    pub fn optional_id(&mut self, number: u32, id: Option<[u8; 16]>) {
        if let Some(id) = id {
            self.id(number, id);
        }
    }

    /// An amount, left out when 0.
    #[inline]
    pub fn amount(&mut self, number: u32, atoms: i128) {
        if atoms != 0 {
            self.id(number, atoms.to_le_bytes());
        }
    }

    /// Four bytes, left out when 0.
    #[inline]
    pub fn fixed32(&mut self, number: u32, value: u32) {
        if value != 0 {
            self.tag(number, 5);
            self.store(value.to_le_bytes(), 4);
        }
    }

    /// The tag and the length of a message of `length` bytes that follows.
    #[inline]
    pub fn message(&mut self, number: u32, length: usize) {
        self.tag(number, 2);
        self.varint(length as u64);
    }

    /// Bytes that are canonical already.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }
}

/// The bytes of a tag, and how many they are.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "field numbers are below 2,048"
)]
const fn tag_bytes(number: u32, wire_type: u32) -> (u16, usize) {
    let tag = tag(number, wire_type);
    if tag < 0x80 {
        (tag as u16, 1)
    } else {
        ((tag & 0x7F | 0x80 | tag >> 7 << 8) as u16, 2)
    }
}

/// Bytes of a varint that is not 0.
#[inline]
fn varint_length(value: u64) -> usize {
    // A byte for every seven bits that were begun, without dividing.
    let bits = u64::BITS - value.leading_zeros();
    ((bits * 9 + 64) / 64) as usize
}

/// The bit of each of eight bytes that says that the varint goes on.
const CONTINUATION: u64 = 0x8080_8080_8080_8080;

/// The lowest 56 bits, seven to a byte.
#[inline]
fn spread(value: u64) -> u64 {
    let fours = (value & 0x0FFF_FFFF) | ((value & 0x00FF_FFFF_F000_0000) << 4);
    let pairs = (fours & 0x0000_3FFF_0000_3FFF) | ((fours & 0x0FFF_C000_0FFF_C000) << 2);
    (pairs & 0x007F_007F_007F_007F) | ((pairs & 0x3F80_3F80_3F80_3F80) << 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::Reader;

    #[test]
    fn varints_come_back() {
        for shift in 0..64 {
            for value in [1_u64 << shift, (1 << shift) - 1, (1_u64 << shift) | 1] {
                let mut out = Vec::new();
                put_varint(&mut out, value);
                let mut writer = Writer::<24>::default();
                writer.varint(value);
                assert_eq!(writer.as_slice(), out);
                let mut reader = Reader::new(&out);
                assert_eq!(reader.varint(1), Ok(value));
                assert!(reader.is_empty());
            }
        }
    }

    #[test]
    fn a_long_message_is_moved_up() {
        for length in [0, 1, 127, 128, 16_383, 16_384, 100_000] {
            let body = vec![7; length];
            let mut out = vec![9];
            put_message(&mut out, 3, |inner| inner.extend_from_slice(&body));
            let mut plain = vec![9];
            put_message_bytes(&mut plain, 3, &body);
            assert_eq!(out, plain);
        }
    }
}
