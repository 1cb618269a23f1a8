//! `Amend`: another price or total quantity for a resting order. `docs/semantics.md` section 6.

use crate::book::NONE;
use crate::engine::Engine;
use crate::firm::{Context, Done};
use crate::limits::FULL_RULES;
use crate::matcher::{End, Taker};
use crate::orders::ruling;
use crate::refusal::{Refusal, refuse_if};
use crate::sink::Sink;
use crate::trading_limits::{Asked, Extent};
use crate::types::{
    Amend, ExecType, ExecutionReport, Id, L3Action, L3Event, MarketPhase, RejectReason, Side,
};
use crate::waits::WAITING;

/// A judged amendment.
#[derive(Clone, Copy)]
struct Change {
    handle: u32,
    request_id: Id,
    price_ticks: i64,
    quantity_lots: i64,
    display_lots: i64,
    keeps_place: bool,
}

impl Engine {
    /// An amendment.
    pub(crate) fn amend<S: Sink>(
        &mut self,
        account: u32,
        amend: &Amend,
        context: &Context,
        sink: &mut S,
    ) -> Result<Done, Refusal> {
        let change = self.judge_amend(account, amend, context)?;
        let mut taker = self.taker_of_resting(change.handle);
        self.move_hold(&mut taker, &change)?;
        self.count_out(change.handle);
        if self.places[change.handle].level == WAITING {
            self.amend_waiting(&taker, &change, sink);
            self.count_in(change.handle);
            return Ok(Done::order(taker.order_id));
        }
        self.touch(taker.market);
        let order = &mut self.orders[change.handle as usize];
        order.quantity_lots = change.quantity_lots;
        if order.iceberg != NONE {
            self.icebergs[order.iceberg].display_lots = change.display_lots;
        }
        let done = Done::order(taker.order_id);
        if change.keeps_place {
            self.amend_in_place(&taker, &change, sink);
            self.count_in(change.handle);
        } else {
            self.amend_to_tail(&mut taker, &change, sink);
        }
        Ok(done)
    }

    fn judge_amend(
        &self,
        account: u32,
        amend: &Amend,
        context: &Context,
    ) -> Result<Change, Refusal> {
        Self::judge_named(amend.orig_cl_ord_id, amend.order_id)?;
        refuse_if(
            amend.display_lots != 0 && self.rules.version < FULL_RULES,
            RejectReason::Unsupported,
        )?;
        refuse_if(
            (amend.price_ticks | amend.quantity_lots | amend.display_lots) == 0,
            RejectReason::NothingToAmend,
        )?;
        let handle = self.target(account, amend.orig_cl_ord_id, amend.order_id)?;
        let place = &self.places[handle];
        self.judge_rights(account, place.market, context)?;
        let market = &self.markets[place.market];
        if !matches!(
            market.phase,
            MarketPhase::Continuous | MarketPhase::PostOnly
        ) {
            return Err(Refusal::by_phase(market.phase));
        }
        if self.is_due(place.market) {
            return Err(Refusal::by_phase(MarketPhase::CancelOnly));
        }
        let order = &self.orders[handle as usize];
        let (price_before, side) = self.price_and_side(place);
        let wait = self.wait_of(place);
        if let Some(wait) = wait {
            refuse_if(
                (amend.price_ticks != 0 && wait.price_ticks == 0)
                    || (amend.quantity_lots != 0 && wait.budget_atoms != 0),
                RejectReason::InvalidCombination,
            )?;
        }
        let or = |value, before| if value == 0 { before } else { value };
        let price_ticks = or(amend.price_ticks, price_before);
        let quantity_lots = or(amend.quantity_lots, order.quantity_lots);
        let display_before = self.display_of(handle);
        let display_lots = or(amend.display_lots, display_before);
        refuse_if(
            amend.display_lots != 0
                && (display_before == 0 || !(1..=quantity_lots).contains(&display_lots)),
            RejectReason::InvalidCombination,
        )?;
        if amend.price_ticks != 0 {
            market.judge_price(price_ticks)?;
            market.judge_band(side, price_ticks)?;
        }
        if amend.quantity_lots != 0 {
            market.judge_quantity(quantity_lots)?;
        }
        market.judge_display(amend.display_lots)?;
        refuse_if(
            quantity_lots <= order.quantity_lots - self.leaves_of(handle),
            RejectReason::QuantityBelowFilled,
        )?;
        let same_price = price_ticks == price_before;
        let same_size = quantity_lots == order.quantity_lots && display_lots == display_before;
        refuse_if(same_price && same_size, RejectReason::NothingToAmend)?;
        market.judge_notional((price_ticks != 0).then_some(price_ticks), quantity_lots)?;
        let (_, before) = self.extent_of(handle);
        let after = Extent {
            quantity_lots,
            leaves_lots: before.leaves_lots + (quantity_lots - order.quantity_lots),
            price_ticks,
            ..before
        };
        let asked = Asked {
            side,
            before: Some(before),
            after,
            stays: true,
        };
        self.judge_limits(account, place.market, &asked)?;
        let post_only = order.post_only || market.phase == MarketPhase::PostOnly;
        refuse_if(
            post_only
                && wait.is_none()
                && !same_price
                && market.book.would_trade(side, price_ticks),
            RejectReason::PostOnlyWouldCross,
        )?;
        Ok(Change {
            handle,
            request_id: amend.request_id,
            price_ticks,
            quantity_lots,
            display_lots,
            keeps_place: same_price
                && quantity_lots <= order.quantity_lots
                && display_lots <= display_before,
        })
    }

    /// A taker for an order that rests now.
    fn taker_of_resting(&self, handle: u32) -> Taker {
        let (price_ticks, side) = self.price_and_side(&self.places[handle]);
        self.taker_again(handle, price_ticks, side)
    }

    /// A limit order that is listed, as a taker.
    pub(crate) fn taker_again(&self, handle: u32, price_ticks: i64, side: Side) -> Taker {
        let place = &self.places[handle];
        let order = &self.orders[handle as usize];
        let market = &self.markets[place.market];
        let leaves_lots = self.leaves_of(handle);
        Taker {
            account: place.account,
            group: place.group,
            market: place.market,
            market_id: market.market_id,
            quote_asset_id: market.quote_asset_id,
            side,
            is_market: false,
            is_protected: false,
            mode: ruling(order.mode),
            maker_fee_ppm: order.maker_fee_ppm,
            taker_fee_ppm: order.taker_fee_ppm,
            base_row: order.base_row,
            quote_row: order.quote_row,
            cl_ord_id: self.cl_ord_id(handle),
            order_id: order.order_id,
            price_ticks,
            quantity_lots: order.quantity_lots,
            leaves_lots,
            cum_lots: order.quantity_lots - leaves_lots,
            cum_tick_lots: order.cum_tick_lots,
            held_atoms: self.held_by(handle).1,
            budget_atoms: None,
        }
    }

    /// Gives the taker its new price and quantity, and moves its hold.
    fn move_hold(&mut self, taker: &mut Taker, change: &Change) -> Result<(), RejectReason> {
        let before = taker.held_atoms;
        taker.price_ticks = change.price_ticks;
        taker.quantity_lots = change.quantity_lots;
        taker.leaves_lots = change.quantity_lots - taker.cum_lots;
        let market = &self.markets[taker.market];
        let hold = taker.hold(taker.leaves_lots, market.tick_value, market.lot_size_atoms);
        let row = taker.held_row();
        refuse_if(
            hold > before + self.balances.get(row).available_atoms,
            RejectReason::InsufficientFunds,
        )?;
        #[cfg(feature = "plant-amend-keeps-hold")]
        let before = before.max(hold);
        self.balances.change(row).hold(hold - before);
        taker.held_atoms = hold;
        Ok(())
    }

    fn tell_replaced<S: Sink>(&mut self, change: &Change, leaves_lots: i64, sink: &mut S) {
        let order = &self.orders[change.handle as usize];
        let report = ExecutionReport {
            request_id: Some(change.request_id),
            price_ticks: change.price_ticks,
            quantity_lots: change.quantity_lots,
            leaves_lots,
            cum_lots: change.quantity_lots - leaves_lots,
            public_order_id: order.public_order_id,
            display_lots: change.display_lots,
            ..self.report_of(change.handle, ExecType::Replaced)
        };
        self.tell_report(self.places[change.handle].account, &report, sink);
    }

    /// An order that waits keeps its place, whatever changes.
    fn amend_waiting<S: Sink>(&mut self, taker: &Taker, change: &Change, sink: &mut S) {
        let handle = change.handle;
        self.orders[handle as usize].quantity_lots = change.quantity_lots;
        let place = &mut self.places[handle];
        place.shown_lots = taker.leaves_lots;
        self.waits[place.next].price_ticks = change.price_ticks;
        self.tell_replaced(change, taker.leaves_lots, sink);
    }

    /// Same price, nothing larger.
    fn amend_in_place<S: Sink>(&mut self, taker: &Taker, change: &Change, sink: &mut S) {
        let handle = change.handle;
        let public_order_id = self.orders[handle as usize].public_order_id;
        self.tell_replaced(change, taker.leaves_lots, sink);
        if !self.lower(handle, taker.leaves_lots) {
            return;
        }
        let event = L3Event {
            action: L3Action::Modify,
            public_order_id,
            quantity_lots: self.places[handle].shown_lots,
            ..L3Event::default()
        };
        self.tell_l3(taker.market, event, sink);
    }

    /// Anything else: the order leaves its place, trades, and what is left goes to a tail.
    fn amend_to_tail<S: Sink>(&mut self, taker: &mut Taker, change: &Change, sink: &mut S) {
        let handle = change.handle;
        let market = &mut self.markets[taker.market];
        market.public_order_id += 1;
        let fresh = market.public_order_id;
        let order = &mut self.orders[handle as usize];
        let old = std::mem::replace(&mut order.public_order_id, fresh);
        self.tell_replaced(change, taker.leaves_lots, sink);
        let book = &mut self.markets[taker.market].book;
        #[cfg(feature = "plant-amend-drops-sibling")]
        let left = self.places[handle];
        book.remove(&mut self.places, handle);
        #[cfg(feature = "plant-amend-drops-sibling")]
        book.drop_sibling(&mut self.places, &left);
        self.tell_deleted(taker.market, old, sink);
        match self.execute(taker, sink) {
            End::Left => self.rest_taken(taker, handle, sink),
            End::Cancel(reason) => {
                self.cancel_taker(taker, reason, sink);
                self.unlist(handle);
            }
            End::Filled | End::Closed => self.unlist(handle),
        }
    }

    /// What is left of an order that was listed all the while goes to the tail of its level.
    pub(crate) fn rest_taken<S: Sink>(&mut self, taker: &Taker, handle: u32, sink: &mut S) {
        let order = &mut self.orders[handle as usize];
        order.quantity_lots = taker.quantity_lots;
        order.cum_tick_lots = taker.cum_tick_lots;
        self.show(handle, taker.leaves_lots);
        let place = &mut self.places[handle];
        (place.previous, place.next, place.level) = (NONE, NONE, NONE);
        let book = &mut self.markets[taker.market].book;
        book.insert(&mut self.places, handle, taker.side, taker.price_ticks);
        self.count_in(handle);
        self.tell_added(handle, taker.side, taker.price_ticks, sink);
    }
}
