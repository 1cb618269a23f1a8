//! From the hash of an id to its entry: buckets of sixteen slots, each one cache line, so that a look nearly always ends
//! in the line where it began. It is never iterated: its order decides nothing.

use cambist_prefetch::prefetch;

const BUCKET_SLOTS: usize = 16;
const BUCKETS_MIN: usize = 1;
/// Bits of a slot that name its entry; the others are the upper bits of the hash.
const ENTRY_BITS: u32 = 17;
const HASH_BITS: u32 = u32::BITS - ENTRY_BITS;
/// Most entries: far more than an account may have ids.
const ENTRIES_MAX: u32 = (1 << ENTRY_BITS) - 1;

/// Upper bits of the hash, then entry + 1; those that are 0 are empty and come last.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Bucket([u32; BUCKET_SLOTS]);

impl Bucket {
    #[inline]
    fn is_full(&self) -> bool {
        self.0[BUCKET_SLOTS - 1] != 0
    }

    #[inline]
    fn add(&mut self, slot: u32) {
        let at = self.0.iter().position(|slot| *slot == 0);
        self.0[at.expect("it is not full")] = slot;
    }

    /// Takes a slot out; the last one takes its place.
    #[inline]
    fn take(&mut self, at: usize) -> u32 {
        let count = self.0.iter().take_while(|slot| **slot != 0).count();
        let taken = self.0[at];
        self.0[at] = self.0[count - 1];
        self.0[count - 1] = 0;
        taken
    }
}

/// The part of a hash that a slot has.
#[inline]
fn part(hash: u32) -> u32 {
    hash >> ENTRY_BITS
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

/// The table. A slot is in the bucket of its hash or, when that and all between are full, in one behind it.
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
        let wanted = part(hash);
        let mut at = self.home(wanted);
        loop {
            let bucket = self.buckets.get(at)?;
            for slot in bucket.0 {
                if slot == 0 {
                    return None;
                }
                let (part, entry) = split(slot);
                if part == wanted && is_it(entry) {
                    return Some(entry);
                }
            }
            at = self.behind(at);
        }
    }

    /// Adds an entry that is not there.
    #[inline]
    pub fn insert(&mut self, hash: u32, entry: u32) {
        if self.used as usize + 1 > self.buckets.len() * (BUCKET_SLOTS * 3 / 4) {
            self.grow();
        }
        self.used += 1;
        self.put(slot_of(hash, entry));
    }

    #[inline]
    fn put(&mut self, slot: u32) {
        let mut at = self.home(part(slot));
        while self.buckets[at].is_full() {
            at = self.behind(at);
        }
        self.buckets[at].add(slot);
    }

    #[cold]
    fn grow(&mut self) {
        let count = (self.buckets.len() * 2).max(BUCKETS_MIN);
        let old = std::mem::replace(
            &mut self.buckets,
            vec![Bucket::default(); count].into_boxed_slice(),
        );
        for bucket in old {
            for slot in bucket.0.into_iter().filter(|slot| *slot != 0) {
                self.put(slot);
            }
        }
    }

    /// Takes an entry away.
    ///
    /// # Panics
    /// When it is not there.
    #[inline]
    pub fn remove(&mut self, hash: u32, entry: u32) {
        let wanted = slot_of(hash, entry);
        let mut bucket = self.home(part(hash));
        loop {
            let slots = &self.buckets[bucket].0;
            if let Some(at) = slots.iter().position(|slot| *slot == wanted) {
                self.used -= 1;
                let was_full = self.buckets[bucket].is_full();
                self.buckets[bucket].take(at);
                if was_full {
                    self.pull_back(bucket);
                }
                return;
            }
            assert!(self.buckets[bucket].is_full(), "every entry has a slot");
            bucket = self.behind(bucket);
        }
    }

    /// A full bucket has room again: one that had to go behind it comes back, and so on.
    #[cold]
    fn pull_back(&mut self, mut room: usize) {
        let count = self.buckets.len();
        let mut at = self.behind(room);
        loop {
            let was_full = self.buckets[at].is_full();
            let distance = |from: usize, to: usize| (to + count - from) % count;
            let went = self.buckets[at].0.iter().position(|slot| {
                let home = self.home(part(*slot));
                *slot != 0 && distance(home, at) >= distance(room, at)
            });
            if let Some(place) = went {
                let slot = self.buckets[at].take(place);
                self.buckets[room].add(slot);
                room = at;
            }
            at = self.behind(at);
            if !was_full || at == room {
                return;
            }
        }
    }

    /// Asks for the bucket of a hash.
    #[inline]
    pub(crate) fn prefetch(&self, hash: u32) {
        prefetch(&self.buckets, self.home(part(hash)));
    }

    /// All entries, in no order that matters.
    pub fn entries(&self) -> impl Iterator<Item = u32> + '_ {
        let slots = self.buckets.iter().flat_map(|bucket| bucket.0);
        slots.filter(|slot| *slot != 0).map(|slot| split(slot).1)
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
