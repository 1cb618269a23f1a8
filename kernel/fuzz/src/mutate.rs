//! Changes bytes a little, from a seed: the same seed gives the same bytes on every machine.

/// Bytes beyond this are not interesting: no bound of the codec lies there.
const LENGTH_MAX: usize = 4_096;

/// A small generator of numbers (splitmix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which must not be 0.
    #[expect(clippy::cast_possible_truncation, reason = "below a length")]
    pub fn below(&mut self, end: usize) -> usize {
        (self.number() % end as u64) as usize
    }

    fn byte(&mut self) -> u8 {
        const EDGES: [u8; 8] = [0, 1, 0x7F, 0x80, 0xFF, 0x0A, 0x08, 16];
        match self.below(3) {
            0 => EDGES[self.below(EDGES.len())],
            _ => self.number().to_le_bytes()[0],
        }
    }
}

/// One to four changes: a bit, a byte, a cut, an insertion, a copy of a part of these or of other bytes.
pub fn mutate(random: &mut Random, bytes: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = random.byte(),
            2 => bytes.truncate(at),
            3 if at < bytes.len() => {
                let end = (at + 1 + random.below(8)).min(bytes.len());
                bytes.drain(at..end);
            }
            4 if !other.is_empty() => {
                let start = random.below(other.len());
                let end = (start + 1 + random.below(64)).min(other.len());
                bytes.splice(at..at, other[start..end].iter().copied());
            }
            _ => bytes.insert(at, random.byte()),
        }
    }
    bytes.truncate(LENGTH_MAX);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let made = |seed| {
            let mut random = Random::new(seed);
            let mut bytes = b"something to start from".to_vec();
            for _ in 0..50 {
                mutate(&mut random, &mut bytes, b"others");
            }
            bytes
        };
        assert_eq!(made(1), made(1));
        assert_ne!(made(1), made(2));
    }
}
