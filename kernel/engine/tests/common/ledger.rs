//! What the events alone say of orders, books and balances, to be compared with the state.

use super::recorder::{Delta, Event};
use cambist_codec::Snapshot;
use cambist_engine::types::*;
use std::collections::BTreeMap;

/// An order as its owner knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    pub account_id: u64,
    pub quantity_lots: i64,
    pub leaves_lots: i64,
    pub cum_lots: i64,
}

/// The levels of one side: price to lots and number of orders.
pub type Levels = BTreeMap<i64, (i64, u32)>;

/// The public book of one market.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicBook {
    /// By public id: side, price, lots.
    pub orders: BTreeMap<u64, (Side, i64, i64)>,
    /// From L2: by side.
    pub levels: [Levels; 2],
    market_seq: u64,
    l2_seq: u64,
    quote: BestBidOffer,
}

#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub open: BTreeMap<u64, Known>,
    pub books: BTreeMap<u32, PublicBook>,
    pub balances: BTreeMap<(u64, u32), (i128, i128, i128)>,
    account_seqs: BTreeMap<u64, u64>,
    /// Lots entered by NEW and REPLACED, traded (both sides), ended without a trade.
    pub volume: [i64; 3],
}

impl Ledger {
    pub fn of(snapshot: &Snapshot<'_>) -> Self {
        let mut ledger = Self::default();
        for row in &snapshot.money.balances {
            let amounts = (row.available_atoms, row.held_atoms, row.in_flight_atoms);
            ledger
                .balances
                .insert((row.account_id, row.asset_id), amounts);
        }
        for book in &snapshot.books.books {
            let public = PublicBook {
                market_seq: book.market_seq,
                l2_seq: book.last_l2_market_seq,
                ..PublicBook::default()
            };
            ledger.books.insert(book.market.market_id, public);
        }
        for row in &snapshot.limits.accounts {
            let seqs = &mut ledger.account_seqs;
            seqs.insert(row.account.account_id, row.account_seq);
        }
        ledger
    }

    pub fn take(&mut self, events: &[Event]) {
        for event in events {
            match event {
                Event::Private(account_id, account_seq, event) => {
                    let last = self.account_seqs.entry(*account_id).or_default();
                    assert_eq!(*account_seq, *last + 1, "no gap in an account");
                    *last = *account_seq;
                    if let PrivateEvent::ExecutionReport(report) = event
                        && !report.repeat
                    {
                        self.report(*account_id, report);
                    }
                }
                Event::L3(market_id, event) => {
                    self.books.get_mut(market_id).expect("known").l3(event);
                }
                Event::L2(market_id, delta) => {
                    self.books.get_mut(market_id).expect("known").l2(delta);
                }
                Event::Bbo(market_id, quote) => {
                    self.books.get_mut(market_id).expect("known").quote = *quote;
                }
                Event::Balance(update) => {
                    let key = (update.account_id, update.asset_id);
                    let amounts = (
                        update.available_atoms,
                        update.held_atoms,
                        update.in_flight_atoms,
                    );
                    let before = self.balances.insert(key, amounts);
                    assert_ne!(before, Some(amounts), "told without a change");
                }
                _ => {}
            }
        }
    }

    fn report(&mut self, account_id: u64, report: &ExecutionReport) {
        let [entered, traded, ended] = &mut self.volume;
        let order_id = report.order_id;
        match report.exec_type {
            ExecType::New => {
                *entered += report.quantity_lots;
                let known = Known {
                    account_id,
                    quantity_lots: report.quantity_lots,
                    leaves_lots: report.leaves_lots,
                    cum_lots: 0,
                };
                assert_eq!(self.open.insert(order_id, known), None);
            }
            ExecType::Trade => {
                assert!(report.last_lots > 0, "a trade of nothing");
                let known = self.open.get_mut(&order_id).expect("open");
                known.cum_lots += report.last_lots;
                if known.quantity_lots == 0 {
                    // By budget.
                    *entered += report.last_lots;
                } else {
                    known.leaves_lots -= report.last_lots;
                }
                *traded += report.last_lots;
                let told = (report.leaves_lots, report.cum_lots);
                assert_eq!(told, (known.leaves_lots, known.cum_lots));
                if known.leaves_lots == 0 && known.quantity_lots != 0 {
                    self.open.remove(&order_id);
                }
            }
            ExecType::Canceled | ExecType::Expired => {
                let known = self.open.remove(&order_id).expect("open");
                *ended += known.leaves_lots;
                let told = (report.quantity_lots, report.cum_lots);
                assert_eq!(told, (known.quantity_lots, known.cum_lots));
            }
            ExecType::Replaced | ExecType::Restated => {
                let known = self.open.get_mut(&order_id).expect("open");
                *entered += report.quantity_lots - known.quantity_lots;
                known.leaves_lots += report.quantity_lots - known.quantity_lots;
                known.quantity_lots = report.quantity_lots;
                let told = (report.leaves_lots, report.cum_lots);
                assert_eq!(told, (known.leaves_lots, known.cum_lots));
            }
            ExecType::Rejected | ExecType::Triggered | ExecType::Unspecified => {}
        }
    }

    /// Compares all of it with the state.
    pub fn check(&self, snapshot: &Snapshot<'_>) {
        let mut resting = BTreeMap::new();
        for book in &snapshot.books.books {
            for row in book.bids.iter().chain(&book.asks) {
                let known = Known {
                    account_id: row.account_id,
                    quantity_lots: row.quantity_lots,
                    leaves_lots: row.leaves_lots,
                    cum_lots: row.cum_lots,
                };
                resting.insert(row.order_id, known);
            }
            self.books[&book.market.market_id].check(book);
        }
        assert_eq!(self.open, resting, "orders as told and as they rest");
        let [entered, traded, ended] = self.volume;
        let rest: i64 = resting.values().map(|known| known.leaves_lots).sum();
        assert_eq!(entered, traded + ended + rest, "volume");
        for row in &snapshot.money.balances {
            let amounts = (row.available_atoms, row.held_atoms, row.in_flight_atoms);
            let told = self.balances[&(row.account_id, row.asset_id)];
            assert_eq!(told, amounts, "balances as told and as they are");
        }
        for asset in &snapshot.money.assets {
            let rows = snapshot.money.balances.iter();
            let rows = rows.filter(|row| row.asset_id == asset.asset_id);
            let sum: i128 = rows
                .map(|row| row.available_atoms + row.held_atoms + row.in_flight_atoms)
                .sum();
            assert_eq!(sum, 0, "money is neither made nor lost");
        }
    }
}

impl PublicBook {
    fn l3(&mut self, event: &L3Event) {
        self.market_seq += 1;
        assert_eq!(event.market_seq, self.market_seq, "no gap in a market");
        let id = event.public_order_id;
        match event.action {
            L3Action::Add => {
                let order = (event.side, event.price_ticks, event.quantity_lots);
                assert_eq!(self.orders.insert(id, order), None);
            }
            L3Action::Modify => self.orders.get_mut(&id).expect("there").2 = event.quantity_lots,
            L3Action::Delete => assert!(self.orders.remove(&id).is_some()),
            L3Action::Execute => {
                let order = self.orders.get_mut(&id).expect("there");
                order.2 -= event.quantity_lots;
                assert!(order.2 >= 0);
                if order.2 == 0 {
                    self.orders.remove(&id);
                }
            }
            L3Action::Phase | L3Action::Unspecified => {}
        }
    }

    fn l2(&mut self, delta: &Delta) {
        assert_eq!(
            (delta.previous, delta.first),
            (self.l2_seq, self.l2_seq + 1)
        );
        self.l2_seq = delta.last;
        for (levels, changed) in self.levels.iter_mut().zip([&delta.bids, &delta.asks]) {
            for level in changed {
                if level.quantity_lots == 0 {
                    assert!(levels.remove(&level.price_ticks).is_some());
                } else {
                    let sums = (level.quantity_lots, level.order_count);
                    assert_ne!(levels.insert(level.price_ticks, sums), Some(sums));
                }
            }
        }
    }

    fn check(&self, book: &BookState<'_>) {
        assert_eq!(self.market_seq, book.market_seq);
        let mut levels = [Levels::new(), Levels::new()];
        for (number, rows) in [&book.bids, &book.asks].into_iter().enumerate() {
            for row in rows {
                let side = [Side::Buy, Side::Sell][number];
                let told = self.orders[&row.public_order_id];
                assert_eq!(told, (side, row.price_ticks, row.leaves_lots));
                let sums = levels[number].entry(row.price_ticks).or_default();
                sums.0 += row.leaves_lots;
                sums.1 += 1;
            }
        }
        assert_eq!(self.orders.len(), book.bids.len() + book.asks.len());
        assert_eq!(self.levels, levels, "L2 is the sum of L3");
        let best = |row: Option<&OrderState>| row.map_or(0, |row| row.price_ticks);
        let (bid, ask) = (best(book.bids.first()), best(book.asks.first()));
        assert!(bid == 0 || ask == 0 || bid < ask, "a crossed book");
        let told = (self.quote.bid_price_ticks, self.quote.ask_price_ticks);
        assert_eq!(told, (bid, ask), "best prices as told and as they are");
    }
}
