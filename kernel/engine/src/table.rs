//! A small open-addressing table from numbers to places in a slab. It is never iterated: its order decides nothing.

use cambist_prefetch::prefetch;

const EMPTY: u32 = u32::MAX;
const SLOTS_MIN: usize = 16;

#[derive(Clone, Copy, Debug)]
struct Slot {
    key: u64,
    value: u32,
}

/// From a number to a place below `u32::MAX`; grows by doubling when half full, never shrinks.
#[derive(Debug)]
pub struct Table {
    slots: Vec<Slot>,
    shift: u32,
    used: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self::with_slots(SLOTS_MIN)
    }
}

impl Table {
    fn with_slots(slots: usize) -> Self {
        Self {
            slots: vec![
                Slot {
                    key: 0,
                    value: EMPTY
                };
                slots
            ],
            shift: 64 - slots.trailing_zeros(),
            used: 0,
        }
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.used
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Where a key belongs: eight that follow one another lie side by side, groups of eight anywhere.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the shift leaves fewer bits"
    )]
    fn home(&self, key: u64) -> usize {
        let group = key >> 3;
        let mixed = (group ^ group >> 29).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        ((mixed >> self.shift) + (key & 7)) as usize & (self.slots.len() - 1)
    }

    /// Asks for the slot of a key.
    #[inline]
    pub fn prefetch(&self, key: u64) {
        prefetch(&self.slots, self.home(key));
    }

    /// The place of a key.
    #[inline]
    #[must_use]
    pub fn get(&self, key: u64) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut at = self.home(key);
        loop {
            let slot = self.slots[at & mask];
            if slot.value == EMPTY {
                return None;
            }
            if slot.key == key {
                return Some(slot.value);
            }
            at += 1;
        }
    }

    /// Adds a key that is not there.
    #[inline]
    pub fn insert(&mut self, key: u64, value: u32) {
        if (self.used + 1) * 2 > self.slots.len() {
            self.grow();
        }
        self.used += 1;
        self.put(Slot { key, value });
    }

    fn put(&mut self, slot: Slot) {
        let mask = self.slots.len() - 1;
        let mut at = self.home(slot.key);
        while self.slots[at].value != EMPTY {
            at = (at + 1) & mask;
        }
        self.slots[at] = slot;
    }

    #[cold]
    fn grow(&mut self) {
        let slots = self.slots.len() * 2;
        let old = std::mem::replace(self, Self::with_slots(slots));
        self.used = old.used;
        for slot in old.slots.into_iter().filter(|slot| slot.value != EMPTY) {
            self.put(slot);
        }
    }

    /// Takes a key away; those behind it move up, so that no gap stays.
    #[inline]
    pub fn remove(&mut self, key: u64) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut gap = self.home(key);
        while self.slots[gap].key != key || self.slots[gap].value == EMPTY {
            if self.slots[gap].value == EMPTY {
                return None;
            }
            gap = (gap + 1) & mask;
        }
        let value = self.slots[gap].value;
        self.used -= 1;
        let mut at = gap;
        loop {
            at = (at + 1) & mask;
            let slot = self.slots[at];
            if slot.value == EMPTY {
                break;
            }
            let displaced = at.wrapping_sub(self.home(slot.key)) & mask;
            if displaced >= at.wrapping_sub(gap) & mask {
                self.slots[gap] = slot;
                gap = at;
            }
        }
        self.slots[gap].value = EMPTY;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn a_table_is_a_map(steps in prop::collection::vec((0_u64..64, any::<bool>()), 1..500)) {
            let mut table = Table::default();
            let mut map = BTreeMap::new();
            for (number, (key, insert)) in (0_u32..).zip(steps) {
                // Keys that lie side by side, and keys that share homes.
                let key = if key % 2 == 0 { key } else { key << 57 };
                if insert && !map.contains_key(&key) {
                    table.insert(key, number);
                    map.insert(key, number);
                } else {
                    prop_assert_eq!(table.remove(key), map.remove(&key));
                }
                prop_assert_eq!(table.len(), map.len());
                for probe in (0..64).chain((0..64).map(|key| key << 57)) {
                    prop_assert_eq!(table.get(probe), map.get(&probe).copied());
                }
            }
        }
    }

    #[test]
    fn an_empty_table_knows_nothing() {
        let mut table = Table::default();
        assert!(table.is_empty());
        assert_eq!(table.get(0), None);
        assert_eq!(table.remove(0), None);
    }
}
