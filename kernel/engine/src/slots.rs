//! From the hash of an id to its entry: buckets of twelve slots, each one cache line, so that a look nearly always ends
//! in the line where it began. It is never iterated: its order decides nothing.
//!
//! A slot names its bucket by bits of the hash. In a table of many buckets few of those bits tell the slots of one
//! bucket apart, and each that only seems to match costs a look at its entry, which is far away. So a bucket has a mark
//! of each slot too: other bits of the hash, all compared at once.

use cambist_prefetch::prefetch;

const BUCKET_SLOTS: usize = 12;
/// Slots of a bucket that are used before the table grows, on average.
const BUCKET_LOAD: usize = BUCKET_SLOTS * 3 / 4;
const BUCKETS_MIN: usize = 1;
/// Bits of a slot that name its entry; the others are the upper bits of the hash.
const ENTRY_BITS: u32 = 17;
const HASH_BITS: u32 = u32::BITS - ENTRY_BITS;
/// Most entries: far more than an account may have ids.
const ENTRIES_MAX: u32 = (1 << ENTRY_BITS) - 1;
const MARK_BITS: u32 = 8;
/// The upper bit of each byte, which every mark has.
const USED: u128 = u128::MAX / 0xFF * 0x80;
/// The lowest bit of each byte.
const ONES: u128 = u128::MAX / 0xFF;

/// Slots are upper bits of the hash, then entry + 1; those that are 0 are empty and come last.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Bucket {
    slots: [u32; BUCKET_SLOTS],
    /// The marks of the first eight slots, and of the others.
    marks: (u64, u32),
    /// How many slots would be here or before, had there been room, and are in a bucket behind.
    passed: u32,
}

impl Bucket {
    #[inline]
    fn is_full(&self) -> bool {
        self.slots[BUCKET_SLOTS - 1] != 0
    }

    #[inline]
    fn marks(&self) -> u128 {
        u128::from(self.marks.1) << 64 | u128::from(self.marks.0)
    }

    #[inline]
    fn count(&self) -> usize {
        (u128::BITS - self.marks().leading_zeros()).div_ceil(MARK_BITS) as usize
    }

    /// The places of the slots with a mark and, seldom, of others behind the first of them.
    #[inline]
    fn marked(&self, mark: u8) -> Places {
        let wanted = u64::from(mark) * (u64::MAX / 0xFF);
        let differ = self.marks() ^ (u128::from(wanted) << 64 | u128::from(wanted));
        // A byte that is 0 borrows from its upper bit, unless that is the one of an empty slot.
        Places(differ.wrapping_sub(ONES) & !differ & USED)
    }

    #[inline]
    fn mark(&self, at: usize) -> u8 {
        self.marks().to_le_bytes()[at]
    }

    #[inline]
    fn set(&mut self, at: usize, slot: u32, mark: u8) {
        self.slots[at] = slot;
        let shift = at % 8 * MARK_BITS as usize;
        if at < 8 {
            self.marks.0 = self.marks.0 & !(0xFF << shift) | u64::from(mark) << shift;
        } else {
            self.marks.1 = self.marks.1 & !(0xFF << shift) | u32::from(mark) << shift;
        }
    }

    #[inline]
    fn add(&mut self, slot: u32, mark: u8) {
        debug_assert!(!self.is_full());
        self.set(self.count(), slot, mark);
    }

    /// Takes a slot out; the last one takes its place.
    #[inline]
    fn take(&mut self, at: usize) {
        let last = self.count() - 1;
        self.set(at, self.slots[last], self.mark(last));
        self.set(last, 0, 0);
    }

    /// The slots that are used, with their marks.
    fn used(&self) -> impl Iterator<Item = (u32, u8)> + use<> {
        let used = self.slots.into_iter().zip(self.marks().to_le_bytes());
        used.take_while(|(slot, _)| *slot != 0)
    }
}

/// Places in a bucket: the upper bit of each byte.
struct Places(u128);

impl Iterator for Places {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let place = self.0.trailing_zeros() / MARK_BITS;
        self.0 &= self.0 - 1;
        Some(place as usize)
    }
}

/// The hash of an id.
#[inline]
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "both halves of the id, and the upper half of the hash"
)]
pub fn hash_of(id: u128) -> u32 {
    let mixed = (id as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (id >> 64) as u64;
    ((mixed ^ mixed >> 29).wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 32) as u32
}

/// The part of a hash that a slot has.
#[inline]
fn part(hash: u32) -> u32 {
    hash >> ENTRY_BITS
}

/// The mark of a hash: bits that its slot does not have, and one that says that there is a slot.
#[inline]
fn mark_of(hash: u32) -> u8 {
    hash.to_le_bytes()[1] | 0x80
}

/// The part of the hash, and the entry.
#[inline]
fn split(slot: u32) -> (u32, u32) {
    (part(slot), (slot & ENTRIES_MAX) - 1)
}

#[inline]
fn slot_of(hash: u32, entry: u32) -> u32 {
    debug_assert!(entry < ENTRIES_MAX);
    part(hash) << ENTRY_BITS | (entry + 1)
}

/// The table. A slot is in the bucket of its hash or, when that and all between were full, in one behind it; each bucket
/// counts those that passed it, and a look ends where none did.
#[derive(Debug, Default)]
pub struct Slots {
    buckets: Box<[Bucket]>,
    used: u32,
}

impl Slots {
    /// How many there are.
    #[inline]
    #[must_use]
    pub fn len(&self) -> u32 {
        self.used
    }

    /// Whether there is none.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    #[inline]
    fn home(&self, part: u32) -> usize {
        (part as usize * self.buckets.len()) >> HASH_BITS
    }

    #[inline]
    fn behind(&self, bucket: usize) -> usize {
        if bucket + 1 == self.buckets.len() {
            0
        } else {
            bucket + 1
        }
    }

    /// The first entry that seems to have a hash and `is_it`.
    #[inline]
    pub fn find(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let (wanted, mark) = (part(hash), mark_of(hash));
        let home = self.home(wanted);
        let mut at = home;
        loop {
            let bucket = self.buckets.get(at)?;
            for place in bucket.marked(mark) {
                let (part, entry) = split(bucket.slots[place]);
                if part == wanted && is_it(entry) {
                    return Some(entry);
                }
            }
            if bucket.passed == 0 {
                return None;
            }
            at = self.behind(at);
            // Every bucket may have been passed, by slots that others left since.
            if at == home {
                return None;
            }
        }
    }

    /// Adds an entry that is not there.
    #[inline]
    pub fn insert(&mut self, hash: u32, entry: u32) {
        if self.used as usize + 1 > self.buckets.len() * BUCKET_LOAD {
            self.grow();
        }
        self.used += 1;
        self.put(slot_of(hash, entry), mark_of(hash));
    }

    #[inline]
    fn put(&mut self, slot: u32, mark: u8) {
        let mut at = self.home(part(slot));
        while self.buckets[at].is_full() {
            self.buckets[at].passed += 1;
            at = self.behind(at);
        }
        self.buckets[at].add(slot, mark);
    }

    #[cold]
    fn grow(&mut self) {
        let count = (self.buckets.len() * 2).max(BUCKETS_MIN);
        let old = std::mem::replace(
            &mut self.buckets,
            vec![Bucket::default(); count].into_boxed_slice(),
        );
        for bucket in old {
            for (slot, mark) in bucket.used() {
                self.put(slot, mark);
            }
        }
    }

    /// Takes an entry away.
    ///
    /// # Panics
    /// When it is not there.
    #[inline]
    pub fn remove(&mut self, hash: u32, entry: u32) {
        let (wanted, mark) = (slot_of(hash, entry), mark_of(hash));
        let mut at = self.home(part(hash));
        loop {
            let bucket = &mut self.buckets[at];
            let place = bucket.marked(mark).find(|at| bucket.slots[*at] == wanted);
            if let Some(place) = place {
                bucket.take(place);
                self.used -= 1;
                return;
            }
            bucket.passed = bucket
                .passed
                .checked_sub(1)
                .expect("every entry has a slot");
            at = self.behind(at);
        }
    }

    /// Asks for the bucket of a hash.
    #[inline]
    pub(crate) fn prefetch(&self, hash: u32) {
        prefetch(&self.buckets, self.home(part(hash)));
    }

    /// All entries, in no order that matters.
    pub fn entries(&self) -> impl Iterator<Item = u32> + '_ {
        let slots = self.buckets.iter().flat_map(Bucket::used);
        slots.map(|(slot, _)| split(slot).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn slots_are_a_map(steps in prop::collection::vec((0_u32..48, 0_u32..3, any::<bool>()), 1..800)) {
            let mut slots = Slots::default();
            let mut hashes = BTreeMap::new();
            let mut map = BTreeMap::new();
            for (entry, (number, spread, insert)) in (0_u32..).zip(steps) {
                // Many hashes of one bucket, at its beginning, its end, and anywhere.
                let hash = [number << 17, u32::MAX - number, number << 26][spread as usize];
                match map.remove(&hash) {
                    Some(found) => slots.remove(hash, found),
                    None if insert => {
                        slots.insert(hash, entry);
                        map.insert(hash, entry);
                        hashes.insert(entry, hash);
                    }
                    None => {}
                }
                prop_assert_eq!(slots.len() as usize, map.len());
                for hash in hashes.values() {
                    let found = slots.find(*hash, |entry| hashes[&entry] == *hash);
                    prop_assert_eq!(found, map.get(hash).copied());
                }
            }
            let mut entries: Vec<u32> = slots.entries().collect();
            entries.sort_unstable();
            let mut wanted: Vec<u32> = map.into_values().collect();
            wanted.sort_unstable();
            prop_assert_eq!(entries, wanted);
        }
    }

    #[test]
    fn a_look_ends_when_every_bucket_was_passed() {
        let mut slots = Slots::default();
        let (first, second) = (
            |number: u32| number << 8,
            |number: u32| 1 << 31 | number << 8,
        );
        let load = 18;
        for entry in 0..load {
            slots.insert(first(entry), entry);
        }
        for entry in 0..12 {
            slots.remove(first(entry), entry);
            slots.insert(second(entry), load + entry);
        }
        assert!(slots.buckets.iter().all(|bucket| bucket.passed > 0));
        assert_eq!(slots.buckets.len(), 2);
        for number in 0..load {
            let (old, new) = (number >= 12, number < 12);
            let found = slots.find(first(number), |_| true);
            assert_eq!(found, old.then_some(number));
            let found = slots.find(second(number), |_| true);
            assert_eq!(found, new.then_some(load + number));
        }
    }

    #[test]
    fn entries_with_one_hash_are_told_apart() {
        let mut slots = Slots::default();
        for entry in 0..40 {
            slots.insert(7, entry);
        }
        assert_eq!(slots.find(7, |entry| entry == 13), Some(13));
        slots.remove(7, 13);
        assert_eq!(slots.find(7, |entry| entry == 13), None);
        assert_eq!(slots.find(7, |entry| entry == 39), Some(39));
        assert!(!slots.is_empty());
    }
}
