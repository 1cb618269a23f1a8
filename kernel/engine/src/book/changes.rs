//! What a batch changed in a book: levels that differ from its start, the best prices, the CRC of the best levels.

use super::{Book, Level, key_of};
use crate::limits::CRC_LEVELS;
use crate::types::{L2Level, Side};

/// A level as it was when the batch touched it first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    key: i64,
    /// Place among the changes: of several with one key the first counts.
    number: u32,
    orders: u32,
    quantity_lots: i128,
    price_ticks: i64,
    side: Side,
}

/// Best prices and their quantities; an absent side has quantity 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quote {
    /// Best bid.
    pub bid_price_ticks: i64,
    /// Its quantity.
    pub bid_lots: i128,
    /// Best offer.
    pub ask_price_ticks: i64,
    /// Its quantity.
    pub ask_lots: i128,
}

/// A quantity of a level as it is told: 2^63 - 1 stands for anything larger.
#[inline]
#[must_use]
pub fn told(quantity_lots: i128) -> i64 {
    i64::try_from(quantity_lots).unwrap_or(i64::MAX)
}

impl Book {
    /// Remembers a level as it is, unless this batch touched it before.
    #[inline]
    pub(super) fn note(&mut self, number: u32) {
        let level = &mut self.levels[number as usize];
        if level.batch == self.batch {
            return;
        }
        level.batch = self.batch;
        let change = Change {
            key: key_of(level.side, level.price_ticks),
            number: u32::try_from(self.changes.len()).expect("bounded by the work of a batch"),
            orders: level.orders,
            quantity_lots: level.quantity_lots,
            price_ticks: level.price_ticks,
            side: level.side,
        };
        self.changes.push(change);
    }

    /// Starts a batch, whose number was never used before and is not 0.
    #[inline]
    pub fn start_batch(&mut self, batch: u64) {
        self.batch = batch;
        self.changes.clear();
    }

    fn level_at(&self, side: Side, key: i64) -> Option<&Level> {
        let number = self.ladder(side).get(key)?;
        Some(&self.levels[number as usize])
    }

    /// Replaces `bids` and `asks` with the levels that differ from the start of the batch, best first.
    pub fn changed_levels(&mut self, bids: &mut Vec<L2Level>, asks: &mut Vec<L2Level>) {
        bids.clear();
        asks.clear();
        let mut changes = std::mem::take(&mut self.changes);
        changes.sort_unstable_by_key(|change| {
            (change.side, std::cmp::Reverse(change.key), change.number)
        });
        let mut last = None;
        for change in &changes {
            let place = (change.side, change.key);
            if last == Some(place) {
                continue;
            }
            last = Some(place);
            let (quantity_lots, orders) = self
                .level_at(change.side, change.key)
                .map_or((0, 0), |level| (level.quantity_lots, level.orders));
            if (quantity_lots, orders) == (change.quantity_lots, change.orders) {
                continue;
            }
            let levels = if change.side == Side::Sell {
                &mut *asks
            } else {
                &mut *bids
            };
            levels.push(L2Level {
                price_ticks: change.price_ticks,
                quantity_lots: told(quantity_lots),
                order_count: orders,
            });
        }
        changes.clear();
        self.changes = changes;
    }

    /// The best prices.
    #[inline]
    #[must_use]
    pub fn quote(&self) -> Quote {
        let side = |side| {
            self.ladder(side).best().map_or((0, 0), |(_, number)| {
                let level = &self.levels[number as usize];
                (level.price_ticks, level.quantity_lots)
            })
        };
        let (bid_price_ticks, bid_lots) = side(Side::Buy);
        let (ask_price_ticks, ask_lots) = side(Side::Sell);
        Quote {
            bid_price_ticks,
            bid_lots,
            ask_price_ticks,
            ask_lots,
        }
    }

    /// The levels of a side, best first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = L2Level> + '_ {
        self.ladder(side).levels().map(|number| {
            let level = &self.levels[number as usize];
            L2Level {
                price_ticks: level.price_ticks,
                quantity_lots: told(level.quantity_lots),
                order_count: level.orders,
            }
        })
    }

    /// CRC32 over price and quantity of the best levels: bids, then asks.
    #[must_use]
    pub fn crc32(&self) -> u32 {
        let mut bytes = [0_u8; CRC_LEVELS * 2 * 16];
        let levels = self
            .levels(Side::Buy)
            .take(CRC_LEVELS)
            .chain(self.levels(Side::Sell).take(CRC_LEVELS));
        let mut used = 0;
        for (chunk, level) in bytes.as_chunks_mut::<16>().0.iter_mut().zip(levels) {
            chunk[..8].copy_from_slice(&level.price_ticks.to_le_bytes());
            chunk[8..].copy_from_slice(&level.quantity_lots.to_le_bytes());
            used += 16;
        }
        crc32fast::hash(&bytes[..used])
    }
}
