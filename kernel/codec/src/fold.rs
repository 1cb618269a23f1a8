//! fold64: the hash of a command's body, by which a repeat is told from an id that is used again.

const START: u64 = 0x243F_6A88_85A3_08D3;
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
const FINISH: u64 = 0xD6E8_FEB8_6659_FD93;

/// A fold in progress.
#[derive(Clone, Copy, Debug)]
pub struct Fold64(u64);

impl Fold64 {
    /// Starts with the member number of the command.
    #[inline]
    #[must_use]
    pub fn new(member: u64) -> Self {
        Self(START).word(member)
    }

    /// One word.
    #[inline]
    #[must_use]
    pub fn word(self, word: u64) -> Self {
        Self((self.0 ^ word).wrapping_mul(STEP).rotate_left(29))
    }

    /// A `uint32`, an enum's number or a bool.
    #[inline]
    #[must_use]
    pub fn small(self, value: u32) -> Self {
        self.word(u64::from(value))
    }

    /// A signed integer.
    #[inline]
    #[must_use]
    pub fn signed(self, value: i64) -> Self {
        self.word(value.cast_unsigned())
    }

    /// Sixteen bytes as two words.
    #[inline]
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the lower and the upper half"
    )]
    pub fn sixteen(self, bytes: [u8; 16]) -> Self {
        let both = u128::from_le_bytes(bytes);
        self.word(both as u64).word((both >> 64) as u64)
    }

    /// A string: its length in bytes, then its bytes in zero-padded words.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        let mut fold = self.word(text.len() as u64);
        for chunk in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            fold = fold.word(u64::from_le_bytes(word));
        }
        fold
    }

    /// The hash.
    #[inline]
    #[must_use]
    pub fn finish(self) -> u64 {
        let mixed = (self.0 ^ (self.0 >> 32)).wrapping_mul(FINISH);
        mixed ^ (mixed >> 32)
    }
}
