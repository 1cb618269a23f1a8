//! Resting orders beside their queue places: who owns them, what they hold, how they end.

use crate::book::{NONE, Place};
use crate::engine::Engine;
use crate::money::{buy_hold, sell_hold};
use crate::sink::Sink;
use crate::types::{
    CancelReason, ExecType, ExecutionReport, Id, L3Action, L3Event, SelfTradePrevention, Side,
};
use crate::waits::WAITING;

/// What is known of a resting order besides its place in the book and its key, which has its id. `quantity - leaves` is
/// what is filled. Ending it takes the first of its two cache lines.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Order {
    /// Venue's order id.
    pub order_id: u64,
    /// Total quantity.
    pub quantity_lots: i64,
    /// Id of its queue place in the public feed.
    pub public_order_id: u64,
    /// End of a GTD order; 0 = GTC.
    pub expire_time_ns: i64,
    /// Its id among the owner's.
    pub key: u32,
    /// Its page among the resting orders.
    pub page: u32,
    /// The owner's resting order with the next smaller order id.
    pub previous: u32,
    /// The owner's resting order with the next larger order id.
    pub next: u32,
    /// The owner's balances in the base asset.
    pub base_row: u32,
    /// The owner's balances in the quote asset.
    pub quote_row: u32,
    /// Fee frozen at entry.
    pub taker_fee_ppm: i32,
    /// Its row among the icebergs, `NONE` without one.
    pub iceberg: u32,
    /// Sum of price × lots over all fills.
    pub cum_tick_lots: i128,
    /// Session that entered it; 0 = none.
    pub session_id: u64,
    /// Fee frozen at entry.
    pub maker_fee_ppm: i32,
    /// The firm's tag.
    pub tag: u32,
    /// Refuses to trade on entry, also after an amendment.
    pub post_only: bool,
    /// Mode when it is the taker, as it was sent.
    pub mode: SelfTradePrevention,
}

/// The mode that rules.
#[inline]
#[must_use]
pub fn ruling(mode: SelfTradePrevention) -> SelfTradePrevention {
    match mode {
        SelfTradePrevention::Unspecified => SelfTradePrevention::CancelNewest,
        other => other,
    }
}

impl Engine {
    /// Client order id of an order that rests.
    #[inline]
    pub(crate) fn cl_ord_id(&self, handle: u32) -> Id {
        let owner = &self.accounts[self.places[handle].account];
        owner.keys.get(self.orders[handle as usize].key).id()
    }

    /// What an order that rests holds, and in which row.
    #[inline]
    pub(crate) fn held_by(&self, handle: u32) -> (u32, i128) {
        let place = &self.places[handle];
        let market = &self.markets[place.market];
        let order = &self.orders[handle as usize];
        if let Some(wait) = self.wait_of(place)
            && wait.budget_atoms != 0
        {
            return (order.quote_row, wait.budget_atoms);
        }
        match self.price_and_side(place) {
            (_, Side::Sell) => (
                order.base_row,
                sell_hold(self.leaves_of(handle), market.lot_size_atoms),
            ),
            (price, _) => {
                let (tick_value, ppm) = (market.tick_value, order.taker_fee_ppm);
                (
                    order.quote_row,
                    buy_hold(price, self.leaves_of(handle), tick_value, ppm),
                )
            }
        }
    }

    /// Puts an order that was accepted into the book, at the tail of its level, and into the tables.
    pub(crate) fn rest<S: Sink>(
        &mut self,
        place: Place,
        order: Order,
        side: Side,
        price_ticks: i64,
        sink: &mut S,
    ) -> u32 {
        let handle = self.list(place, order);
        let market = &mut self.markets[place.market];
        market
            .book
            .insert(&mut self.places, handle, side, price_ticks);
        self.count_in(handle);
        self.tell_added(handle, side, price_ticks, sink);
        handle
    }

    /// Gives an order a handle and puts it into every table but the book.
    pub(crate) fn list(&mut self, place: Place, order: Order) -> u32 {
        let handle = self.places.take(place);
        let account = &mut self.accounts[place.account];
        let last = account.last_order;
        let linked = Order {
            page: self.live.insert(order.order_id, handle),
            previous: last,
            next: NONE,
            ..order
        };
        if handle as usize == self.orders.len() {
            self.orders.push(linked);
        } else {
            self.orders[handle as usize] = linked;
        }
        account.last_order = handle;
        account.open_orders += 1;
        if last == NONE {
            account.first_order = handle;
        } else {
            self.orders[last as usize].next = handle;
        }
        if order.expire_time_ns != 0 {
            self.timers
                .insert(order.expire_time_ns, order.order_id, handle);
        }
        handle
    }

    /// L3 ADD of an order that joined its level.
    pub(crate) fn tell_added<S: Sink>(
        &mut self,
        handle: u32,
        side: Side,
        price_ticks: i64,
        sink: &mut S,
    ) {
        let Place {
            shown_lots, market, ..
        } = self.places[handle];
        let event = L3Event {
            action: L3Action::Add,
            public_order_id: self.orders[handle as usize].public_order_id,
            side,
            price_ticks,
            quantity_lots: shown_lots,
            ..L3Event::default()
        };
        self.tell_l3(market, event, sink);
    }

    /// Forgets an order that has left the book.
    pub(crate) fn unlist(&mut self, handle: u32) {
        let account_place = self.places[handle].account;
        let Order {
            order_id,
            expire_time_ns,
            previous,
            next,
            key,
            page,
            iceberg,
            ..
        } = self.orders[handle as usize];
        let account = &mut self.accounts[account_place];
        account.open_orders -= 1;
        if previous == NONE {
            account.first_order = next;
        } else {
            self.orders[previous as usize].next = next;
        }
        if next == NONE {
            account.last_order = previous;
        } else {
            self.orders[next as usize].previous = previous;
        }
        account.keys.close(key, account.limits.id_capacity);
        self.live.remove(order_id, page);
        if expire_time_ns != 0 {
            self.timers.remove(handle);
        }
        if iceberg != NONE {
            self.icebergs.free(iceberg);
        }
        self.places.free(handle);
    }

    /// What an event says of any order.
    #[inline]
    pub(crate) fn report_of(&self, handle: u32, exec_type: ExecType) -> ExecutionReport {
        let place = &self.places[handle];
        let market = &self.markets[place.market];
        let order = &self.orders[handle as usize];
        ExecutionReport {
            cl_ord_id: Some(self.cl_ord_id(handle)),
            order_id: order.order_id,
            market_id: market.market_id,
            exec_type,
            side: self.price_and_side(place).1,
            ..ExecutionReport::default()
        }
    }

    /// Ends a resting or waiting order: hold back, CANCELED (or EXPIRED without a reason), L3 DELETE.
    pub(crate) fn cancel_resting<S: Sink>(
        &mut self,
        handle: u32,
        reason: CancelReason,
        request_id: Option<Id>,
        sink: &mut S,
    ) {
        self.count_out(handle);
        let (row, held) = self.held_by(handle);
        self.balances.change(row).give_back(held);
        let exec_type = if reason == CancelReason::Unspecified {
            ExecType::Expired
        } else {
            ExecType::Canceled
        };
        let place = self.places[handle];
        let order = &self.orders[handle as usize];
        let public_order_id = order.public_order_id;
        let report = ExecutionReport {
            request_id,
            quantity_lots: order.quantity_lots,
            cum_lots: order.quantity_lots - self.leaves_of(handle),
            cancel_reason: reason,
            ..self.report_of(handle, exec_type)
        };
        self.tell_report(place.account, &report, sink);
        if place.level == WAITING {
            self.stop_waiting(handle);
            self.unlist(handle);
            return;
        }
        self.touch(place.market);
        self.markets[place.market]
            .book
            .remove(&mut self.places, handle);
        self.tell_deleted(place.market, public_order_id, sink);
        self.unlist(handle);
    }

    /// L3 DELETE.
    pub(crate) fn tell_deleted<S: Sink>(
        &mut self,
        market: u32,
        public_order_id: u64,
        sink: &mut S,
    ) {
        let event = L3Event {
            action: L3Action::Delete,
            public_order_id,
            ..L3Event::default()
        };
        self.tell_l3(market, event, sink);
    }
}
