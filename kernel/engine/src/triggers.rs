//! Waiting orders see prices and are entered. `docs/semantics/triggers.md`, sections 4 and 5.

use crate::book::{NONE, Place};
use crate::engine::Engine;
use crate::limits::{CASCADE_ORDERS_MAX, CASCADE_TOUCHES_MAX, FULL_RULES};
use crate::matcher::{End, Taker};
use crate::orders::Order;
use crate::sink::Sink;
use crate::types::{CancelReason, ExecType, ExecutionReport, MarketPhase, Side};
use crate::waits::{WAITING, Wait, is_limit_kind};

/// A sell without a price takes every bid.
const LOWEST_PRICE_TICKS: i64 = 1;

impl Engine {
    /// The row of an order, if it waits.
    #[inline]
    pub(crate) fn wait_of(&self, place: &Place) -> Option<&Wait> {
        (place.level == WAITING).then(|| &self.waits[place.next])
    }

    /// Price and side of an order that rests or waits.
    #[inline]
    pub(crate) fn price_and_side(&self, place: &Place) -> (i64, Side) {
        match self.wait_of(place) {
            Some(wait) => (wait.price_ticks, wait.side),
            None => self.markets[place.market].book.price_and_side(place),
        }
    }

    /// Remembers the price of a trade, which waiting orders see when the taker has stopped.
    #[inline]
    pub(crate) fn note_price(&mut self, market: u32, price_ticks: i64) {
        if self.rules.version < FULL_RULES {
            return;
        }
        self.markets[market].triggers.last_price_ticks = price_ticks;
        // A price that is seen twice in a row reaches nothing more.
        if self.trade_prices.last() != Some(&(market, price_ticks)) {
            self.trade_prices.push((market, price_ticks));
        }
    }

    /// Lists an order that waits.
    pub(crate) fn list_waiting(&mut self, mut place: Place, order: Order, wait: Wait) -> u32 {
        place.level = WAITING;
        place.next = self.waits.take(wait);
        let handle = self.list(place, order);
        let triggers = &mut self.markets[place.market].triggers;
        triggers.add(&wait, order.order_id, handle);
        self.count_in(handle);
        handle
    }

    /// An order that was accepted sees the last price, if there is one.
    pub(crate) fn see_last_price(&mut self, handle: u32) {
        let place = self.places[handle];
        let order_id = self.orders[handle as usize].order_id;
        let triggers = &mut self.markets[place.market].triggers;
        let price_ticks = triggers.last_price_ticks;
        if price_ticks != 0 {
            let wait = &mut self.waits[place.next];
            triggers.see_alone(wait, price_ticks, order_id, handle);
            self.note_ready(place.market);
        }
    }

    /// Keeps the list of markets with ready orders.
    pub(crate) fn note_ready(&mut self, market: u32) {
        let market = &self.markets[market];
        let market_id = market.market_id;
        if market.triggers.first_ready().is_some() {
            self.markets.ready.insert(market_id);
        } else {
            self.markets.ready.remove(&market_id);
        }
    }

    /// An order waits no more; its place is nowhere.
    pub(crate) fn stop_waiting(&mut self, handle: u32) -> Wait {
        let place = &mut self.places[handle];
        let (market, number) = (place.market, place.next);
        (place.level, place.next) = (NONE, NONE);
        let wait = self.waits[number];
        self.waits.free(number);
        let order_id = self.orders[handle as usize].order_id;
        let triggers = &mut self.markets[market].triggers;
        triggers.remove(&wait, order_id, handle);
        if wait.seen_price_ticks != 0 {
            self.note_ready(market);
        }
        wait
    }

    /// The trades of the taker that has stopped, one after the other.
    fn see_trades(&mut self) {
        let mut prices = std::mem::take(&mut self.trade_prices);
        for (market, price_ticks) in prices.drain(..) {
            let triggers = &mut self.markets[market].triggers;
            if !triggers.is_empty() {
                triggers.see(&mut self.waits, &self.places, price_ticks);
                self.note_ready(market);
            }
        }
        self.trade_prices = prices;
    }

    /// Enters ready orders, market by market, within the bounds of one cascade.
    #[inline]
    pub(crate) fn cascade<S: Sink>(&mut self, sink: &mut S) {
        if self.rules.version >= FULL_RULES {
            self.run_cascade(sink);
        }
    }

    fn run_cascade<S: Sink>(&mut self, sink: &mut S) {
        #[cfg(feature = "plant-trigger-one-command-late")]
        let late = std::mem::take(&mut self.trade_prices);
        #[cfg(not(feature = "plant-trigger-one-command-late"))]
        self.see_trades();
        self.enter_all_ready(sink);
        #[cfg(feature = "plant-trigger-one-command-late")]
        {
            self.trade_prices = late;
            self.see_trades();
        }
    }

    fn enter_all_ready<S: Sink>(&mut self, sink: &mut S) {
        let (mut entered, touches_before) = (0, self.touches);
        let mut from = 0;
        while let Some(market_id) = self.markets.ready.range(from..).next().copied() {
            from = market_id + 1;
            let place = self.markets.find(market_id).expect("it exists");
            if !self.takes_triggered(place) || self.is_due(place) {
                continue;
            }
            while let Some(handle) = self.markets[place].triggers.first_ready() {
                let touches = self.touches - touches_before;
                if touches >= CASCADE_TOUCHES_MAX || entered >= CASCADE_ORDERS_MAX {
                    return;
                }
                self.enter_ready(handle, sink);
                entered += 1;
                self.see_trades();
            }
        }
    }

    /// Whether ready orders of a market may be entered.
    pub(crate) fn takes_triggered(&self, place: u32) -> bool {
        let market = &self.markets[place];
        market.phase == MarketPhase::Continuous && !market.killed && !market.clearing
    }

    /// A taker for an order that waits.
    fn taker_of_waiting(&self, handle: u32, wait: &Wait) -> Taker {
        let budget = wait.budget_atoms;
        Taker {
            is_market: budget != 0,
            is_protected: !is_limit_kind(wait.order_type),
            budget_atoms: (budget != 0).then_some(budget),
            ..self.taker_again(handle, wait.price_ticks, wait.side)
        }
    }

    /// The first ready order becomes a limit or a market order, unless its firm is killed. It is listed under its account and its timer all the
    /// while; only its place is new.
    fn enter_ready<S: Sink>(&mut self, handle: u32, sink: &mut S) {
        let place = self.places[handle];
        if self.is_firm_killed(place.account) {
            self.cancel_resting(handle, CancelReason::Killed, None, sink);
            return;
        }
        let wait = self.waits[place.next];
        let mut taker = self.taker_of_waiting(handle, &wait);
        self.touch(place.market);
        self.count_out(handle);
        self.stop_waiting(handle);
        let may_rest =
            is_limit_kind(wait.order_type) && crate::new_order::rests(wait.time_in_force);
        if may_rest {
            let market = &mut self.markets[place.market];
            market.public_order_id += 1;
            self.orders[handle as usize].public_order_id = market.public_order_id;
        }
        let report = ExecutionReport {
            price_ticks: taker.price_ticks,
            quantity_lots: taker.quantity_lots,
            leaves_lots: taker.leaves_lots,
            order_type: wait.order_type,
            time_in_force: wait.time_in_force,
            public_order_id: self.orders[handle as usize].public_order_id,
            trigger_price_ticks: wait.trigger(),
            last_price_ticks: wait.seen_price_ticks,
            ..taker.report(ExecType::Triggered)
        };
        self.tell_report(taker.account, &report, sink);
        if taker.is_market {
            self.give_back_all(&mut taker);
        }
        let mut reason = CancelReason::Ioc;
        if taker.price_ticks == 0 && !taker.is_market {
            taker.price_ticks = LOWEST_PRICE_TICKS;
            reason = CancelReason::NoLiquidity;
        }
        match self.execute(&mut taker, sink) {
            End::Left if may_rest => {
                self.rest_taken(&taker, handle, sink);
                return;
            }
            End::Left => self.cancel_taker(&mut taker, reason, sink),
            End::Cancel(reason) => self.cancel_taker(&mut taker, reason, sink),
            End::Filled | End::Closed => {}
        }
        self.unlist(handle);
    }
}
