//! The book of one market: levels with queues, best prices, and what a batch changed.
//!
//! The matcher asks for the best order and fills it; everything else adds, shrinks or removes by handle. The book knows
//! nothing of money and accounts.

mod changes;
mod ladder;
mod places;

pub use changes::{Quote, told};
pub use places::{NONE, Place, Places};

use crate::types::Side;
use cambist_prefetch::prefetch;
use changes::Change;
use ladder::Ladder;

/// One price.
#[derive(Clone, Copy, Debug)]
struct Level {
    quantity_lots: i128,
    price_ticks: i64,
    /// The batch that changed it last.
    batch: u64,
    head: u32,
    tail: u32,
    orders: u32,
    side: Side,
}

/// The best order of a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Best {
    /// Its price.
    pub price_ticks: i64,
    /// Its handle.
    pub handle: u32,
}

/// The book of one market.
#[derive(Debug, Default)]
pub struct Book {
    bids: Ladder,
    asks: Ladder,
    levels: Vec<Level>,
    free: Vec<u32>,
    orders: u32,
    batch: u64,
    changes: Vec<Change>,
}

/// Prices as a ladder sorts them: the best of a side is the largest.
#[inline]
fn key_of(side: Side, price_ticks: i64) -> i64 {
    #[cfg(feature = "plant-price-wraps")]
    #[expect(clippy::cast_possible_truncation, reason = "a planted bug")]
    let price_ticks = i64::from(price_ticks as i32);
    match side {
        Side::Sell => -price_ticks,
        _ => price_ticks,
    }
}

/// The other side.
#[inline]
#[must_use]
pub fn opposite(side: Side) -> Side {
    match side {
        Side::Buy => Side::Sell,
        _ => Side::Buy,
    }
}

impl Book {
    #[inline]
    fn ladder(&self, side: Side) -> &Ladder {
        match side {
            Side::Sell => &self.asks,
            _ => &self.bids,
        }
    }

    #[inline]
    fn ladder_mut(&mut self, side: Side) -> &mut Ladder {
        match side {
            Side::Sell => &mut self.asks,
            _ => &mut self.bids,
        }
    }

    /// How many orders rest.
    #[inline]
    #[must_use]
    pub fn orders(&self) -> u32 {
        self.orders
    }

    /// The best order of a side.
    #[inline]
    #[must_use]
    pub fn best(&self, side: Side) -> Option<Best> {
        let (_, level) = self.ladder(side).best()?;
        let level = &self.levels[level as usize];
        Some(Best {
            price_ticks: level.price_ticks,
            handle: level.head,
        })
    }

    /// Whether an order of a side at a price would trade with the best of the other side.
    #[inline]
    #[must_use]
    pub fn would_trade(&self, side: Side, price_ticks: i64) -> bool {
        self.best(opposite(side))
            .is_some_and(|best| reaches(side, price_ticks, best.price_ticks))
    }

    /// Price and side of a resting order.
    #[inline]
    #[must_use]
    pub fn price_and_side(&self, place: &Place) -> (i64, Side) {
        let level = &self.levels[place.level as usize];
        (level.price_ticks, level.side)
    }

    /// Asks for the line of a level.
    #[inline]
    pub(crate) fn prefetch(&self, place: &Place) {
        prefetch(&self.levels, place.level as usize);
    }

    /// Puts an order at the tail of its level. Its `shown_lots` are set already.
    pub fn insert(&mut self, places: &mut Places, handle: u32, side: Side, price_ticks: i64) {
        let key = key_of(side, price_ticks);
        let number = self
            .ladder(side)
            .get(key)
            .unwrap_or_else(|| self.new_level(side, price_ticks, key));
        self.note(number);
        let level = &mut self.levels[number as usize];
        let place = &mut places[handle];
        place.level = number;
        place.previous = level.tail;
        place.next = NONE;
        level.quantity_lots += i128::from(place.shown_lots);
        level.orders += 1;
        if level.tail == NONE {
            level.head = handle;
        } else {
            places[level.tail].next = handle;
        }
        level.tail = handle;
        self.orders += 1;
    }

    #[cold]
    #[inline(never)]
    fn new_level(&mut self, side: Side, price_ticks: i64, key: i64) -> u32 {
        let level = Level {
            quantity_lots: 0,
            price_ticks,
            batch: 0,
            head: NONE,
            tail: NONE,
            orders: 0,
            side,
        };
        let number = if let Some(number) = self.free.pop() {
            self.levels[number as usize] = level;
            number
        } else {
            self.levels.push(level);
            u32::try_from(self.levels.len() - 1).expect("bounded by resting orders")
        };
        self.ladder_mut(side).insert(key, number);
        number
    }

    /// Takes an order out of its queue. Its place stays taken.
    pub fn remove(&mut self, places: &mut Places, handle: u32) {
        let Place {
            shown_lots,
            previous,
            next,
            level: number,
            ..
        } = places[handle];
        self.note(number);
        let level = &mut self.levels[number as usize];
        level.quantity_lots -= i128::from(shown_lots);
        level.orders -= 1;
        self.orders -= 1;
        if previous == NONE {
            level.head = next;
        } else {
            places[previous].next = next;
        }
        if next == NONE {
            level.tail = previous;
        } else {
            places[next].previous = previous;
        }
        #[cfg(feature = "plant-cancel-drops-queue")]
        if next != NONE && previous != NONE {
            places[previous].next = NONE;
            level.tail = previous;
        }
        if level.orders == 0 {
            self.drop_level(number);
        }
    }

    #[cold]
    #[inline(never)]
    fn drop_level(&mut self, number: u32) {
        let Level {
            price_ticks, side, ..
        } = self.levels[number as usize];
        self.ladder_mut(side).remove(key_of(side, price_ticks));
        self.free.push(number);
    }

    /// Forgets the order behind a queue place that was just left.
    #[cfg(feature = "plant-amend-drops-sibling")]
    pub fn drop_sibling(&mut self, places: &mut Places, left: &Place) {
        if left.next != NONE && left.previous != NONE {
            places[left.previous].next = places[left.next].next;
        }
    }

    /// Takes `lots` off an order that keeps its place; something is left of it.
    #[inline]
    pub fn shrink(&mut self, places: &mut Places, handle: u32, lots: i64) {
        let number = places[handle].level;
        self.note(number);
        places[handle].shown_lots -= lots;
        self.levels[number as usize].quantity_lots -= i128::from(lots);
        #[cfg(feature = "plant-partial-fill-loses-place")]
        {
            let (price_ticks, side) = self.price_and_side(&places[handle]);
            self.remove(places, handle);
            self.insert(places, handle, side, price_ticks);
        }
    }

    /// The handles of a side, best price first, queue order within.
    pub fn handles<'a>(
        &'a self,
        places: &'a Places,
        side: Side,
    ) -> impl Iterator<Item = (i64, u32)> + 'a {
        self.ladder(side).levels().flat_map(move |number| {
            let level = &self.levels[number as usize];
            let mut at = level.head;
            std::iter::from_fn(move || {
                let handle = at;
                if handle == NONE {
                    return None;
                }
                at = places[handle].next;
                Some((level.price_ticks, handle))
            })
        })
    }
}

/// Whether a limit reaches a price of the other side.
#[inline]
#[must_use]
pub fn reaches(side: Side, limit_ticks: i64, price_ticks: i64) -> bool {
    match side {
        Side::Sell => price_ticks >= limit_ticks,
        _ => price_ticks <= limit_ticks,
    }
}

#[cfg(test)]
mod tests;
