//! Why an image is broken.

use cambist_codec::reader::Fault;
use cambist_codec::row::RowFault;
use std::fmt;

/// Why a row or a snapshot does not fit the image. After `WrongSeq` and `WrongShard` the image is as before; after
/// every other one it must be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedBroken {
    /// The row's first seq is not the next one, or its last is below its first.
    WrongSeq,
    /// A snapshot or a market of another shard.
    WrongShard,
    /// A gap in `market_seq`.
    MarketGap,
    /// A gap in `account_seq`.
    AccountGap,
    /// The book does not have the CRC that the row says.
    CrcDiffers,
    /// An event about an order, market or level that the image does not have.
    UnknownOrder,
    /// Bytes that are not a row or a snapshot of this build.
    Malformed,
}

impl FeedBroken {
    /// The reason's name, as Python sees it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::WrongSeq => "WRONG_SEQ",
            Self::WrongShard => "WRONG_SHARD",
            Self::MarketGap => "MARKET_GAP",
            Self::AccountGap => "ACCOUNT_GAP",
            Self::CrcDiffers => "CRC_DIFFERS",
            Self::UnknownOrder => "UNKNOWN_ORDER",
            Self::Malformed => "MALFORMED",
        }
    }
}

impl fmt::Display for FeedBroken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl std::error::Error for FeedBroken {}

impl From<Fault> for FeedBroken {
    fn from(_: Fault) -> Self {
        Self::Malformed
    }
}

impl From<RowFault> for FeedBroken {
    fn from(_: RowFault) -> Self {
        Self::Malformed
    }
}
