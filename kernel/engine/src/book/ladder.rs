//! The prices of one side, best last: short sorted arrays behind a sorted directory.
//!
//! Near the touch an insertion moves a few numbers of one array; far from it at most one array, whatever the number of
//! levels; wide empty gaps cost nothing.

/// Most levels of one array.
const CHUNK_LEVELS: usize = 64;

#[derive(Clone, Debug)]
struct Chunk {
    keys: [i64; CHUNK_LEVELS],
    levels: [u32; CHUNK_LEVELS],
    used: usize,
}

impl Chunk {
    const EMPTY: Self = Self {
        keys: [0; CHUNK_LEVELS],
        levels: [0; CHUNK_LEVELS],
        used: 0,
    };

    #[inline]
    fn position(&self, key: i64) -> usize {
        let keys = &self.keys[..self.used];
        // Most of what happens is near the touch.
        let near = keys.len().saturating_sub(4);
        if keys.get(near).is_some_and(|first| *first < key) {
            return near + keys[near..].iter().filter(|other| **other < key).count();
        }
        keys.partition_point(|other| *other < key)
    }

    #[inline]
    fn insert(&mut self, at: usize, key: i64, level: u32) {
        self.keys.copy_within(at..self.used, at + 1);
        self.levels.copy_within(at..self.used, at + 1);
        self.keys[at] = key;
        self.levels[at] = level;
        self.used += 1;
    }

    #[inline]
    fn remove(&mut self, at: usize) {
        self.keys.copy_within(at + 1..self.used, at);
        self.levels.copy_within(at + 1..self.used, at);
        self.used -= 1;
    }
}

/// The prices of one side. A key is a price, negated on the side where the lowest is best.
#[derive(Debug, Default)]
pub struct Ladder {
    chunks: Vec<Chunk>,
    free: Vec<u32>,
    /// The first key of each array in use, ascending.
    firsts: Vec<i64>,
    /// The arrays in use, in the same order.
    directory: Vec<u32>,
    best: Option<(i64, u32)>,
}

impl Ladder {
    /// Key and level of the best price.
    #[inline]
    #[must_use]
    pub fn best(&self) -> Option<(i64, u32)> {
        self.best
    }

    /// The place in the directory of the array where a key is or belongs.
    #[inline]
    fn chunk_of(&self, key: i64) -> usize {
        let last = self.firsts.len() - 1;
        if self.firsts[last] <= key {
            return last;
        }
        self.firsts
            .partition_point(|first| *first <= key)
            .saturating_sub(1)
    }

    /// The level of a key.
    #[inline]
    #[must_use]
    pub fn get(&self, key: i64) -> Option<u32> {
        let (best, level) = self.best?;
        if best == key {
            return Some(level);
        }
        if key > best {
            return None;
        }
        let chunk = &self.chunks[self.directory[self.chunk_of(key)] as usize];
        let at = chunk.position(key);
        (at < chunk.used && chunk.keys[at] == key).then(|| chunk.levels[at])
    }

    /// Adds a key that is not there.
    pub fn insert(&mut self, key: i64, level: u32) {
        if self.best.is_none_or(|(best, _)| key > best) {
            self.best = Some((key, level));
        }
        if self.firsts.is_empty() {
            let chunk = self.new_chunk();
            self.firsts.push(key);
            self.directory.push(chunk);
        }
        let mut place = self.chunk_of(key);
        let mut number = self.directory[place] as usize;
        let mut at = self.chunks[number].position(key);
        if self.chunks[number].used == CHUNK_LEVELS {
            self.split(place, at);
            place = self.chunk_of(key);
            number = self.directory[place] as usize;
            at = self.chunks[number].position(key);
        }
        self.chunks[number].insert(at, key, level);
        if at == 0 {
            self.firsts[place] = key;
        }
    }

    fn new_chunk(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.chunks.push(Chunk::EMPTY);
            u32::try_from(self.chunks.len() - 1).expect("bounded by resting orders")
        })
    }

    /// Makes room in a full array for a key at `at`: a key behind the last one leaves the array nearly whole.
    #[cold]
    fn split(&mut self, place: usize, at: usize) {
        let middle = if at == CHUNK_LEVELS {
            CHUNK_LEVELS - 1
        } else {
            CHUNK_LEVELS / 2
        };
        let fresh = self.new_chunk();
        let number = self.directory[place] as usize;
        let old = self.chunks[number].clone();
        let chunk = &mut self.chunks[fresh as usize];
        chunk.used = CHUNK_LEVELS - middle;
        chunk.keys[..chunk.used].copy_from_slice(&old.keys[middle..]);
        chunk.levels[..chunk.used].copy_from_slice(&old.levels[middle..]);
        self.firsts.insert(place + 1, chunk.keys[0]);
        self.directory.insert(place + 1, fresh);
        self.chunks[number].used = middle;
    }

    /// Takes a key away that is there.
    pub fn remove(&mut self, key: i64) {
        let place = self.chunk_of(key);
        let number = self.directory[place];
        let chunk = &mut self.chunks[number as usize];
        let at = chunk.position(key);
        debug_assert_eq!(chunk.keys[at], key);
        chunk.remove(at);
        if chunk.used == 0 {
            self.firsts.remove(place);
            self.directory.remove(place);
            self.free.push(number);
        } else if at == 0 {
            self.firsts[place] = chunk.keys[0];
        }
        if self.best.is_some_and(|(best, _)| best == key) {
            self.best = self.last();
        }
    }

    #[inline]
    fn last(&self) -> Option<(i64, u32)> {
        let chunk = &self.chunks[*self.directory.last()? as usize];
        let at = chunk.used - 1;
        Some((chunk.keys[at], chunk.levels[at]))
    }

    /// The levels, best first.
    pub fn levels(&self) -> impl Iterator<Item = u32> + '_ {
        self.directory.iter().rev().flat_map(|number| {
            let chunk = &self.chunks[*number as usize];
            chunk.levels[..chunk.used].iter().rev().copied()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn check(ladder: &Ladder, map: &BTreeMap<i64, u32>) {
        let best = map.iter().next_back().map(|(key, level)| (*key, *level));
        assert_eq!(ladder.best(), best);
        let levels: Vec<u32> = map.values().rev().copied().collect();
        assert_eq!(ladder.levels().collect::<Vec<_>>(), levels);
    }

    proptest! {
        #[test]
        fn a_ladder_is_a_sorted_map(keys in prop::collection::vec(0_i64..1_000, 1..2_000)) {
            let mut ladder = Ladder::default();
            let mut map = BTreeMap::new();
            for (level, key) in (0_u32..).zip(keys) {
                prop_assert_eq!(ladder.get(key), map.get(&key).copied());
                if map.remove(&key).is_some() {
                    ladder.remove(key);
                } else {
                    ladder.insert(key, level);
                    map.insert(key, level);
                }
                prop_assert_eq!(ladder.get(key), map.get(&key).copied());
            }
            check(&ladder, &map);
        }
    }

    #[test]
    fn prices_that_rise_and_fall_keep_their_order() {
        let mut ladder = Ladder::default();
        let mut map = BTreeMap::new();
        for key in (0..500).chain((-500..0).rev()) {
            let level = u32::try_from(key + 500).expect("small");
            ladder.insert(key, level);
            map.insert(key, level);
            check(&ladder, &map);
        }
        for key in -500..500 {
            ladder.remove(key);
            map.remove(&key);
            check(&ladder, &map);
        }
        assert_eq!(ladder.best(), None);
    }
}
