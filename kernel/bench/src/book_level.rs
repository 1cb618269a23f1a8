//! Book and matcher alone: orders by shuffled ids, price and time priority, fills told to a counter.

use crate::clock::Clock;
use crate::random::mix;
use crate::shapes::{Kind, Message, Tape};
use cambist_engine::book::{Book, NONE, Place, Places, opposite, reaches};
use cambist_engine::table::Table;
use cambist_engine::types::Side;
use std::hint::black_box;

/// Messages between two looks at what changed.
const BATCH: usize = 1_024;

/// One event, as numbers: what happened, the order, two figures.
type Told = [u64; 4];

const ADDED: u64 = 1;
const TRADED: u64 = 2;
const CHANGED: u64 = 3;
const GONE: u64 = 4;
const REFUSED: u64 = 5;

#[derive(Default)]
struct Exchange {
    book: Book,
    places: Places,
    live: Table,
    /// Ids of resting orders by handle.
    ids: Vec<u64>,
    told: Vec<Told>,
    trades: u64,
}

impl Exchange {
    fn enter(&mut self, message: &Message, id: u64, lots: i64) {
        let side = if message.is_buy {
            Side::Buy
        } else {
            Side::Sell
        };
        let left = self.take(message, id, side, lots);
        if left == 0 || message.kind == Kind::Ioc {
            return;
        }
        let handle = self.places.take(Place {
            shown_lots: left,
            previous: NONE,
            next: NONE,
            level: NONE,
            group: 0,
            account: 0,
            market: 0,
        });
        if handle as usize == self.ids.len() {
            self.ids.push(id);
        } else {
            self.ids[handle as usize] = id;
        }
        self.live.insert(id, handle);
        self.book
            .insert(&mut self.places, handle, side, message.price_ticks);
        self.told.push([ADDED, id, left.cast_unsigned(), 0]);
    }

    fn take(&mut self, message: &Message, id: u64, side: Side, mut left: i64) -> i64 {
        let other = opposite(side);
        while left > 0
            && let Some(best) = self.book.best(other)
            && reaches(side, message.price_ticks, best.price_ticks)
        {
            let maker_lots = self.places[best.handle].shown_lots;
            let lots = left.min(maker_lots);
            left -= lots;
            self.trades += 1;
            let maker = self.ids[best.handle as usize];
            self.told.push([TRADED, id, maker, lots.cast_unsigned()]);
            if lots == maker_lots {
                self.forget(best.handle);
            } else {
                self.book.shrink(&mut self.places, best.handle, lots);
            }
        }
        left
    }

    fn forget(&mut self, handle: u32) {
        self.book.remove(&mut self.places, handle);
        self.live.remove(self.ids[handle as usize]);
        self.places.free(handle);
    }

    fn apply(&mut self, message: &Message) {
        let id = mix(u64::from(message.order));
        if matches!(message.kind, Kind::New | Kind::Ioc) {
            return self.enter(message, id, message.quantity_lots);
        }
        let Some(handle) = self.live.get(id) else {
            return self.told.push([REFUSED, id, 0, 0]);
        };
        let leaves = self.places[handle].shown_lots;
        match message.kind {
            Kind::Cancel => {
                self.forget(handle);
                self.told.push([GONE, id, 0, 0]);
            }
            Kind::Reduce if message.quantity_lots < leaves => {
                let lots = leaves - message.quantity_lots;
                self.book.shrink(&mut self.places, handle, lots);
                self.told.push([CHANGED, id, lots.cast_unsigned(), 0]);
            }
            Kind::Move => {
                self.forget(handle);
                self.enter(message, id, leaves);
            }
            _ => self.told.push([REFUSED, id, 0, 0]),
        }
    }

    fn run(&mut self, messages: &[Message], batch: &mut u64) {
        for part in messages.chunks(BATCH) {
            *batch += 1;
            self.book.start_batch(*batch);
            for message in part {
                self.apply(message);
            }
            black_box(&self.told);
            self.told.clear();
        }
    }
}

/// Messages per second over a tape.
pub fn rate(tape: &Tape) -> f64 {
    let mut exchange = Exchange::default();
    let mut batch = 0;
    let start = tape.blocks[tape.filling].first;
    exchange.run(&tape.messages[..start], &mut batch);
    let started = Clock::start();
    exchange.run(&tape.messages[start..], &mut batch);
    let seconds = started.seconds();
    black_box(exchange.trades);
    tape.measured() as f64 / seconds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes::SHAPES;

    /// What became of the messages of a shape: shares of a thousand.
    struct Census {
        new: usize,
        ioc: usize,
        cancel: usize,
        modify: usize,
        stale: usize,
        filled: usize,
    }

    fn census(tape: &Tape, exchange: &mut Exchange) -> Census {
        let start = tape.blocks[tape.filling].first;
        let (filling, measured) = tape.messages.split_at(start);
        exchange.book.start_batch(1);
        for message in filling {
            exchange.apply(message);
        }
        exchange.told.clear();
        for message in measured {
            exchange.apply(message);
        }
        let count = |wanted: fn(&Message) -> bool| measured.iter().filter(|m| wanted(m)).count();
        let told = |what| exchange.told.iter().filter(|told| told[0] == what).count();
        let new = count(|m| matches!(m.kind, Kind::New | Kind::Ioc));
        let cancel = count(|m| m.kind == Kind::Cancel);
        Census {
            new: new * 1_000 / measured.len(),
            ioc: count(|m| m.kind == Kind::Ioc) * 1_000 / new,
            cancel: cancel * 1_000 / measured.len(),
            modify: count(|m| matches!(m.kind, Kind::Move | Kind::Reduce)) * 1_000 / measured.len(),
            stale: told(REFUSED) * 1_000 / measured.len(),
            filled: (cancel - told(GONE).min(cancel)) * 1_000 / cancel,
        }
    }

    #[test]
    fn shapes_have_the_mix_of_the_design() {
        for shape in SHAPES {
            let tape = Tape::new(&[shape], 1_000_000, 1);
            let mut exchange = Exchange::default();
            let found = census(&tape, &mut exchange);
            let name = shape.name;
            assert!((450..550).contains(&found.new), "{name}: new {}", found.new);
            assert!((120..180).contains(&found.ioc), "{name}: IOC {}", found.ioc);
            assert!(
                (370..430).contains(&found.cancel),
                "{name}: cancels {}",
                found.cancel
            );
            assert!(
                (80..120).contains(&found.modify),
                "{name}: modifies {}",
                found.modify
            );
            assert!(
                (5..60).contains(&found.stale),
                "{name}: stale {}",
                found.stale
            );
            // Of the orders that rest, what is filled before its cancel comes.
            assert!(
                (10..100).contains(&found.filled),
                "{name}: filled {}",
                found.filled
            );
            assert!(
                exchange.trades > 20_000,
                "{name}: trades {}",
                exchange.trades
            );
        }
    }
}
