//! Maps by ids that the venue gave out itself: nobody outside can choose them to collide, so little hashing is enough.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};

/// A map by id.
pub type IdMap<V> = HashMap<u64, V, IdHash<false>>;
/// A map by ids that are counted up without gaps: neighbours lie side by side, which orders of one time profit from.
pub type CountedMap<V> = HashMap<u64, V, IdHash<true>>;

const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
/// The map compares these bits of a hash before it looks at a key.
const TOP_BITS: u64 = 0x7F << 57;

/// Hashes one id.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdHash<const IS_COUNTED: bool>;

/// The hash so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdHasher<const IS_COUNTED: bool>(u64);

impl<const IS_COUNTED: bool> BuildHasher for IdHash<IS_COUNTED> {
    type Hasher = IdHasher<IS_COUNTED>;

    fn build_hasher(&self) -> Self::Hasher {
        IdHasher::default()
    }
}

impl<const IS_COUNTED: bool> Hasher for IdHasher<IS_COUNTED> {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    #[inline]
    fn write_u64(&mut self, id: u64) {
        let mixed = (self.0 ^ id).wrapping_mul(MIX);
        self.0 = if IS_COUNTED {
            id & !TOP_BITS | mixed & TOP_BITS
        } else {
            mixed ^ mixed >> 32
        };
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}
