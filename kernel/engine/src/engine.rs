//! The state of a shard and the steps of a batch: cursors, timers, envelopes, closing.

use crate::accounts::Accounts;
use crate::balances::Balances;
use crate::book::{NONE, Places, told};
use crate::cancel_all::DeadMansTimers;
use crate::custody::{Assets, Custody};
use crate::disconnect::DisconnectWindows;
use crate::fee_tiers::FeeTiers;
use crate::icebergs::{Icebergs, Queue};
use crate::kill_switches::WideSwitches;
use crate::limits::WORK_ORDERS_MAX;
use crate::live::Live;
use crate::markets::Markets;
use crate::orders::Order;
use crate::sessions::Sessions;
use crate::sink::Sink;
use crate::timers::Timers;
use crate::trading_limits::TradingLimits;
use crate::types::{
    BalanceUpdate, BestBidOffer, CancelReason, CommandClass, CursorClosed, ExecutionReport,
    L2Level, L3Event, PrivateEvent, Side, SystemEvent,
};
use crate::waits::Waits;
use crate::warm::Ahead;
use cambist_codec::RULES_DEFAULT;
use cambist_codec::encoder::{Cause, Level2};
use std::collections::BTreeMap;

/// The fields of an envelope that the rules look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Class of all its commands.
    pub command_class: CommandClass,
    /// Session, 0 without one.
    pub session_id: u64,
    /// Connection of the session, 0 without one.
    pub connection: u32,
    /// Number of the first command, 0 without a session.
    pub first_seq_no: u64,
    /// When it was received.
    pub received_ns: i64,
    /// Echoed in answers.
    pub correlation: u64,
}

/// Rules versions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Of this batch.
    pub version: u32,
    /// Of the next batch.
    pub next: u32,
    /// The newest that may be switched to.
    pub newest: u32,
}

/// The state of one shard.
#[derive(Debug)]
pub struct Engine {
    pub(crate) shard: u32,
    pub(crate) last_seq: u64,
    pub(crate) time_ns: i64,
    pub(crate) next_order_id: u64,
    pub(crate) assets: Assets,
    pub(crate) balances: Balances,
    pub(crate) custody: Custody,
    pub(crate) firms: BTreeMap<u32, Box<str>>,
    pub(crate) accounts: Accounts,
    pub(crate) markets: Markets,
    pub(crate) sessions: Sessions,
    pub(crate) places: Places,
    /// By the handle of the place.
    pub(crate) orders: Vec<Order>,
    pub(crate) live: Live,
    pub(crate) timers: Timers,
    pub(crate) rules: Rules,
    /// Of orders that wait, by the `next` of their place.
    pub(crate) waits: Waits,
    /// By the `iceberg` of their order.
    pub(crate) icebergs: Icebergs,
    /// While lots are counted: icebergs of a level that come again.
    pub(crate) met: Queue,
    pub(crate) dead_mans: DeadMansTimers,
    pub(crate) windows: DisconnectWindows,
    pub(crate) switches: WideSwitches,
    pub(crate) fee_tiers: FeeTiers,
    pub(crate) trading_limits: TradingLimits,
    /// While an order is judged as if this one were gone; else `NONE`.
    pub(crate) without: u32,
    /// Prices of the trades of the taker under way that waiting orders have not seen.
    pub(crate) trade_prices: Vec<(u32, i64)>,
    /// How many resting orders takers have touched since this object was made: no part of the state.
    pub(crate) touches: u64,
    /// Number of the present batch, from 1 since this object was made: no part of the state.
    pub(crate) batch: u64,
    /// Sequence of the next command of the present batch.
    pub(crate) next_seq: u64,
    touched: Vec<u32>,
    bids: Vec<L2Level>,
    asks: Vec<L2Level>,
    pub(crate) scratch: Vec<u32>,
    pub(crate) ahead: Ahead,
}

impl Engine {
    /// An empty shard.
    #[must_use]
    pub fn new(shard: u32) -> Self {
        Self::knowing(shard, RULES_DEFAULT)
    }

    /// An empty shard that may switch to rules versions up to `rules_newest`.
    #[must_use]
    pub fn knowing(shard: u32, rules_newest: u32) -> Self {
        Self {
            shard,
            last_seq: 0,
            time_ns: 0,
            next_order_id: 1,
            assets: Assets::default(),
            balances: Balances::default(),
            custody: Custody::default(),
            firms: BTreeMap::new(),
            accounts: Accounts::default(),
            markets: Markets::default(),
            sessions: Sessions::default(),
            places: Places::default(),
            orders: Vec::new(),
            live: Live::default(),
            timers: Timers::default(),
            rules: Rules {
                version: 1,
                next: 1,
                newest: rules_newest,
            },
            waits: Waits::default(),
            icebergs: Icebergs::default(),
            met: Queue::default(),
            dead_mans: DeadMansTimers::default(),
            windows: DisconnectWindows::default(),
            switches: WideSwitches::default(),
            fee_tiers: FeeTiers::default(),
            trading_limits: TradingLimits::default(),
            without: NONE,
            trade_prices: Vec::new(),
            touches: 0,
            batch: 0,
            next_seq: 1,
            touched: Vec::new(),
            bids: Vec::new(),
            asks: Vec::new(),
            scratch: Vec::new(),
            ahead: Ahead::default(),
        }
    }

    /// Starts the batch at `time_ns`: cursors go on, timers fire. `time_ns` is not below the last.
    pub fn begin<S: Sink>(&mut self, time_ns: i64, sink: &mut S) {
        self.batch += 1;
        #[cfg(feature = "plant-clock-step-fires-all")]
        let is_step = time_ns - self.time_ns > 60_000_000_000;
        self.time_ns = time_ns;
        self.next_seq = self.last_seq + 1;
        self.balances.start_batch(self.batch);
        self.touched.clear();
        self.ahead.start_batch();
        sink.cause(Cause {
            seq: self.next_seq,
            received_ns: time_ns,
        });
        let mut work = WORK_ORDERS_MAX;
        self.run_cursors(&mut work, sink);
        #[cfg(feature = "plant-clock-step-fires-all")]
        while is_step && let Some(handle) = self.timers.due(i64::MAX) {
            self.cancel_resting(handle, CancelReason::Unspecified, None, sink);
        }
        self.run_dead_mans(&mut work, sink);
        self.run_timers(work, sink);
        self.cascade(sink);
    }

    /// Ends the batch: L2, best prices and balances as they are after it.
    pub fn end<S: Sink>(&mut self, sink: &mut S) {
        self.run_windows(sink);
        self.last_seq = self.next_seq - 1;
        self.rules.version = self.rules.next;
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable_by_key(|place| self.markets[*place].market_id);
        for place in &touched {
            self.close_market(*place, sink);
        }
        self.touched = touched;
        let (accounts, seq) = (&self.accounts, self.last_seq);
        let account_id = |holder| accounts.id_of_holder(holder);
        self.balances.each_changed(account_id, |account_id, row| {
            sink.balance(&BalanceUpdate {
                seq,
                account_id,
                asset_id: row.asset_id,
                available_atoms: row.available_atoms,
                held_atoms: row.held_atoms,
                in_flight_atoms: row.in_flight_atoms,
            });
        });
    }

    fn close_market<S: Sink>(&mut self, place: u32, sink: &mut S) {
        let market = &mut self.markets[place];
        if market.market_seq == market.last_l2_market_seq {
            return;
        }
        market.book.changed_levels(&mut self.bids, &mut self.asks);
        let delta = Level2 {
            first_market_seq: market.last_l2_market_seq + 1,
            last_market_seq: market.market_seq,
            prev_market_seq: market.last_l2_market_seq,
            bids: &self.bids,
            asks: &self.asks,
            crc32: market.book.crc32(),
        };
        sink.l2(market.market_id, &delta);
        market.last_l2_market_seq = market.market_seq;
        let quote = market.book.quote();
        #[cfg(feature = "plant-cancel-keeps-best")]
        if quote.bid_price_ticks < market.quote_at_start.bid_price_ticks {
            return;
        }
        if quote != market.quote_at_start {
            let told = BestBidOffer {
                market_seq: market.market_seq,
                bid_price_ticks: quote.bid_price_ticks,
                bid_lots: told(quote.bid_lots),
                ask_price_ticks: quote.ask_price_ticks,
                ask_lots: told(quote.ask_lots),
            };
            sink.bbo(market.market_id, &told);
        }
    }

    /// Says that something is about to change in a market.
    #[inline]
    pub(crate) fn touch(&mut self, place: u32) {
        let market = &mut self.markets[place];
        if market.batch != self.batch {
            market.batch = self.batch;
            market.book.start_batch(self.batch);
            market.quote_at_start = market.book.quote();
            self.touched.push(place);
        }
    }

    fn run_cursors<S: Sink>(&mut self, work: &mut u32, sink: &mut S) {
        if self.markets.clearing.is_empty() {
            return;
        }
        for market_id in self.markets.clearing.clone() {
            let place = self.markets.find(market_id).expect("it exists");
            for side in [Side::Buy, Side::Sell] {
                while let Some(best) = self.markets[place].book.best(side)
                    && *work > 0
                {
                    self.cancel_resting(best.handle, CancelReason::MarketCleared, None, sink);
                    self.markets[place].cleared_count += 1;
                    *work -= 1;
                }
            }
            while *work > 0
                && let Some(handle) = self.markets[place].triggers.first()
            {
                self.cancel_resting(handle, CancelReason::MarketCleared, None, sink);
                self.markets[place].cleared_count += 1;
                *work -= 1;
            }
            if self.markets[place].open_orders() == 0 {
                self.close_cursor(place, sink);
            }
        }
    }

    fn close_cursor<S: Sink>(&mut self, place: u32, sink: &mut S) {
        let market = &mut self.markets[place];
        market.clearing = false;
        let closed = CursorClosed {
            market_id: market.market_id,
            cancelled_count: std::mem::take(&mut market.cleared_count),
        };
        self.markets.clearing.remove(&closed.market_id);
        sink.system(&SystemEvent::CursorClosed(closed));
    }

    fn run_timers<S: Sink>(&mut self, mut work: u32, sink: &mut S) {
        #[cfg(feature = "plant-timer-one-batch-late")]
        let now = self.time_ns - 1;
        #[cfg(not(feature = "plant-timer-one-batch-late"))]
        let now = self.time_ns;
        while let Some(handle) = self.timers.due(now) {
            if work == 0 {
                self.freeze_due();
                return;
            }
            self.cancel_resting(handle, CancelReason::Unspecified, None, sink);
            work -= 1;
        }
    }

    /// Markets with expired orders left over take no orders in this batch.
    fn freeze_due(&mut self) {
        let (places, markets, batch) = (&self.places, &mut self.markets, self.batch);
        self.timers.each_due(self.time_ns, |handle| {
            markets[places[handle].market].due_batch = batch;
        });
    }

    /// An event of an account.
    #[inline]
    pub(crate) fn tell<S: Sink>(&mut self, account: u32, event: &PrivateEvent, sink: &mut S) {
        let account = &mut self.accounts[account];
        account.account_seq += 1;
        sink.private(account.account_id, account.account_seq, event);
    }

    /// An execution report of an account.
    #[inline]
    pub(crate) fn tell_report<S: Sink>(
        &mut self,
        account: u32,
        report: &ExecutionReport,
        sink: &mut S,
    ) {
        let account = &mut self.accounts[account];
        account.account_seq += 1;
        sink.report(account.account_id, account.account_seq, report);
    }

    /// An order-by-order event, which takes the market's next number.
    #[inline]
    pub(crate) fn tell_l3<S: Sink>(&mut self, place: u32, event: L3Event, sink: &mut S) -> u64 {
        let market = &mut self.markets[place];
        market.market_seq += 1;
        let market_seq = market.market_seq;
        sink.l3(
            market.market_id,
            &L3Event {
                market_seq,
                ..event
            },
        );
        market_seq
    }

    /// The shard.
    #[must_use]
    pub fn shard(&self) -> u32 {
        self.shard
    }

    /// Journal sequence of the last command.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Engine time of the last batch.
    #[must_use]
    pub fn time_ns(&self) -> i64 {
        self.time_ns
    }

    /// When the next timer is due, 0 without one.
    #[must_use]
    pub fn next_timer_ns(&self) -> i64 {
        let firsts = [
            self.timers.next_ns(),
            self.dead_mans.next_ns(),
            self.windows.next_ns(),
        ];
        firsts
            .into_iter()
            .filter(|time| *time != 0)
            .min()
            .unwrap_or(0)
    }

    /// How many markets are being cleared, or have ready orders that may be entered.
    ///
    /// # Panics
    /// When a ready order is of no market, which never is.
    #[must_use]
    pub fn open_cursors(&self) -> usize {
        let ready = self.markets.ready.iter().filter(|market_id| {
            let place = self.markets.find(**market_id).expect("it exists");
            self.takes_triggered(place)
        });
        self.markets.clearing.len() + ready.count()
    }

    /// How many orders rest in all markets.
    #[must_use]
    pub fn resting_orders(&self) -> u32 {
        self.places.used()
    }

    /// Last order-class and cancel-class number of a session, (0, 0) when there is none.
    #[must_use]
    pub fn session_numbers(&self, session_id: u64) -> (u64, u64) {
        self.sessions.find(session_id).map_or((0, 0), |place| {
            let session = &self.sessions[place];
            (session.last_order_seq_no, session.last_cancel_seq_no)
        })
    }
}
