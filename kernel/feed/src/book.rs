//! The book of one market, kept from order-by-order events.

use crate::error::FeedBroken;
use crate::events::{L3Action, L3Event};
use crate::ids::CountedMap;
use crate::level::Level;
use cambist_codec::writer::{Writer, put_i64, put_message, put_message_bytes, put_u64};
use std::collections::BTreeMap;
use std::collections::hash_map::Entry;

/// Levels per side that the CRC covers.
const CRC_LEVELS: usize = 10;
/// `MARKET_PHASE_HALTED`.
const PHASE_HALTED: u32 = 9;
const ACTION_ADD: u64 = 1;
const BUY: u32 = 1;
const SELL: u32 = 2;

/// An order where it rests.
#[derive(Clone, Copy, Debug)]
struct Resting {
    price: i64,
    lots: i64,
    side: u32,
}

/// The book of one market: levels, and each order by its id.
///
/// Queue order is the order of ids, since an order takes a new one at every queue place. Nobody keeps it: it is made
/// when the book is told order by order.
#[derive(Debug, Default)]
pub struct Book {
    pub market_seq: u64,
    pub phase: u32,
    bids: BTreeMap<i64, Level>,
    asks: BTreeMap<i64, Level>,
    orders: CountedMap<Resting>,
}

impl Book {
    /// The book of a market that was only just created.
    pub fn created() -> Self {
        Self {
            phase: PHASE_HALTED,
            ..Self::default()
        }
    }

    fn side(&mut self, side: u32) -> &mut BTreeMap<i64, Level> {
        if side == BUY {
            &mut self.bids
        } else {
            &mut self.asks
        }
    }

    fn best_bids(&self) -> impl Iterator<Item = (i64, &Level)> {
        self.bids.iter().rev().map(|(price, level)| (*price, level))
    }

    fn best_asks(&self) -> impl Iterator<Item = (i64, &Level)> {
        self.asks.iter().map(|(price, level)| (*price, level))
    }

    /// Puts an order at the tail of its level.
    pub fn add(&mut self, id: u64, side: u32, price: i64, lots: i64) -> Result<(), FeedBroken> {
        let is_known = self
            .orders
            .insert(id, Resting { price, lots, side })
            .is_some();
        if is_known || lots < 1 || !(BUY..=SELL).contains(&side) {
            return Err(FeedBroken::UnknownOrder);
        }
        self.side(side).entry(price).or_default().add(lots);
        Ok(())
    }

    /// Gives an order `change(present)` lots; at zero it leaves.
    fn change(
        &mut self,
        id: u64,
        change: impl FnOnce(i64) -> Option<i64>,
    ) -> Result<(), FeedBroken> {
        let Entry::Occupied(mut order) = self.orders.entry(id) else {
            return Err(FeedBroken::UnknownOrder);
        };
        let Resting { price, lots, side } = *order.get();
        let left = change(lots)
            .filter(|left| *left >= 0)
            .ok_or(FeedBroken::UnknownOrder)?;
        if left == 0 {
            order.remove();
        } else {
            order.get_mut().lots = left;
        }
        let levels = self.side(side);
        let level = levels.get_mut(&price).ok_or(FeedBroken::UnknownOrder)?;
        level.change(lots, left);
        if level.is_empty() {
            levels.remove(&price);
        }
        Ok(())
    }

    /// Applies one event.
    pub fn apply(&mut self, event: &L3Event) -> Result<(), FeedBroken> {
        if Some(event.market_seq) != self.market_seq.checked_add(1) {
            return Err(FeedBroken::MarketGap);
        }
        self.market_seq = event.market_seq;
        let (id, lots) = (event.public_order_id, event.quantity_lots);
        match event.action {
            L3Action::Add => self.add(id, event.side, event.price_ticks, lots),
            L3Action::Modify => self.change(id, |_| Some(lots)),
            L3Action::Delete => self.change(id, |_| Some(0)),
            L3Action::Execute => self.change(id, |present| present.checked_sub(lots)),
            L3Action::Phase => {
                self.phase = event.phase;
                Ok(())
            }
        }
    }

    /// CRC32 over the best levels.
    pub fn crc(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        let bids = self.best_bids().take(CRC_LEVELS);
        for (price, level) in bids.chain(self.best_asks().take(CRC_LEVELS)) {
            hasher.update(&price.to_le_bytes());
            hasher.update(&level.told().to_le_bytes());
        }
        hasher.finalize()
    }

    /// `BestBidOffers` with the present best prices.
    pub fn bbo(&self) -> Vec<u8> {
        let mut quote = Writer::<64>::default();
        quote.u64(1, self.market_seq);
        if let Some((price, level)) = self.best_bids().next() {
            quote.i64(2, price);
            quote.i64(3, level.told());
        }
        if let Some((price, level)) = self.best_asks().next() {
            quote.i64(4, price);
            quote.i64(5, level.told());
        }
        one(quote.as_slice())
    }

    /// `MarketStatuses` with the present phase.
    pub fn status(&self) -> Vec<u8> {
        let mut status = Writer::<32>::default();
        status.u64(1, self.market_seq);
        status.u32(2, self.phase);
        one(status.as_slice())
    }

    /// `L2Deltas` with one delta: `depth` levels of each side (0 = all), best first.
    pub fn l2(&self, depth: usize) -> Vec<u8> {
        let depth = if depth == 0 { usize::MAX } else { depth };
        let mut out = Vec::new();
        put_message(&mut out, 1, |delta| {
            put_u64(delta, 2, self.market_seq);
            for (price, level) in self.best_bids().take(depth) {
                put_level(delta, 4, price, level);
            }
            for (price, level) in self.best_asks().take(depth) {
                put_level(delta, 5, price, level);
            }
            let mut tail = Writer::<8>::default();
            tail.fixed32(6, self.crc());
            delta.extend_from_slice(tail.as_slice());
        });
        out
    }

    /// `L3Events`: an ADD for every order, `market_seq` 0, bids and then asks, best first, in queue order.
    pub fn l3(&self) -> Vec<u8> {
        let mut orders: Vec<_> = self.orders.iter().collect();
        orders.sort_unstable_by_key(|(id, order)| {
            // For bids -1 - price: the highest first, and never an overflow.
            let better = if order.side == BUY {
                !order.price
            } else {
                order.price
            };
            (order.side, better, **id)
        });
        let mut out = Vec::new();
        for (id, order) in orders {
            put_message(&mut out, 1, |event| {
                put_u64(event, 2, ACTION_ADD);
                put_u64(event, 3, *id);
                put_u64(event, 4, u64::from(order.side));
                put_i64(event, 5, order.price);
                put_i64(event, 6, order.lots);
            });
        }
        out
    }
}

fn put_level(out: &mut Vec<u8>, number: u32, price: i64, level: &Level) {
    put_message(out, number, |inner| {
        put_i64(inner, 1, price);
        put_i64(inner, 2, level.told());
        put_u64(inner, 3, level.count() as u64);
    });
}

fn one(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 3);
    put_message_bytes(&mut out, 1, message);
    out
}
