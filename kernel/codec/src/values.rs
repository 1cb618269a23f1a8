//! Values of fields that the decoders of commands share.

use crate::messages::{Id, WireEnum};
use crate::reader::{Decoded, MalformedReason, Reader, fault};

/// `EXPIRES_AFTER_MS_MAX`.
const EXPIRES_AFTER_MS_MAX: u32 = 60_000;

/// An amount in atoms; absent bytes are zero.
#[inline]
pub fn amount(reader: &mut Reader<'_>, field: u32) -> Decoded<i128> {
    Ok(reader.sixteen(field)?.map_or(0, i128::from_le_bytes))
}

/// An enum of the contract.
#[inline]
pub fn enumeration<T: WireEnum>(reader: &mut Reader<'_>, field: u32) -> Decoded<T> {
    reader.enumeration(field, T::from_number)
}

/// `expires_after_ms`, which has a bound of its own.
#[inline]
pub fn expires_after_ms(reader: &mut Reader<'_>, field: u32) -> Decoded<u32> {
    let value = reader.u32(field)?;
    if value > EXPIRES_AFTER_MS_MAX {
        return fault(MalformedReason::OutOfRange, field);
    }
    Ok(value)
}

/// An integer of a packed list.
pub trait Packed: Copy + Ord {
    /// Reads one item.
    ///
    /// # Errors
    /// As for a field of this type.
    fn read(reader: &mut Reader<'_>, field: u32) -> Decoded<Self>;
}

impl Packed for u64 {
    fn read(reader: &mut Reader<'_>, field: u32) -> Decoded<Self> {
        reader.varint(field)
    }
}

impl Packed for u32 {
    fn read(reader: &mut Reader<'_>, field: u32) -> Decoded<Self> {
        reader.u32(field)
    }
}

/// Appends a piece of a packed list.
pub fn packed<T: Packed>(reader: &mut Reader<'_>, field: u32, items: &mut Vec<T>) -> Decoded<()> {
    let mut piece = reader.message(field)?;
    while !piece.is_empty() {
        items.push(T::read(&mut piece, field)?);
    }
    Ok(())
}

/// Judges the bounds of a list.
pub fn ascending<T: Packed>(items: &[T], fewest: usize, most: usize, field: u32) -> Decoded<()> {
    let fits = (fewest..=most).contains(&items.len());
    if fits && items.is_sorted_by(|a, b| a < b) {
        return Ok(());
    }
    fault(MalformedReason::BadList, field)
}

/// An id that must be there.
#[inline]
pub fn required_id(id: Option<Id>, field: u32) -> Decoded<Id> {
    id.map_or_else(|| fault(MalformedReason::BadLength, field), Ok)
}

/// A string that must not be empty.
pub fn required_text(text: &str, field: u32) -> Decoded<&str> {
    if text.is_empty() {
        return fault(MalformedReason::BadLength, field);
    }
    Ok(text)
}
