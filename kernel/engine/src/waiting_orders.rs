//! Orders that wait for a price: what they may be, and how they are accepted. `docs/semantics/triggers.md`, section 3.

use crate::engine::Engine;
use crate::firm::{Context, Done};
use crate::limits::{AMOUNT_ATOMS_MAX, PRICE_TICKS_MAX, TRAILING_PPM_MAX};
use crate::markets::Market;
use crate::matcher::Taker;
use crate::new_order::rests;
use crate::refusal::refuse_if;
use crate::sink::Sink;
use crate::types::{NewOrder, OrderType, RejectReason, SelfTradePrevention, Side, TimeInForce};
use crate::waits::{Wait, is_limit_kind};

/// Whether time in force, price, quantity and budget go together.
fn pays_rightly(order: &NewOrder) -> bool {
    let has_budget = order.quote_budget_atoms != 0;
    if is_limit_kind(order.order_type) {
        let times = rests(order.time_in_force) || order.time_in_force == TimeInForce::Ioc;
        return times && !has_budget;
    }
    if !rests(order.time_in_force) {
        return false;
    }
    if order.side == Side::Sell {
        return !has_budget;
    }
    if has_budget {
        return order.quantity_lots == 0
            && order.price_ticks == 0
            && order.self_trade_prevention != SelfTradePrevention::Decrement;
    }
    order.price_ticks != 0
}

/// Check 6 of waiting types.
pub(crate) fn judge_combination(order: &NewOrder) -> Result<(), RejectReason> {
    let ticks = order.trailing_offset_ticks != 0;
    let ppm = order.trailing_offset_ppm != 0;
    let clash = if order.order_type == OrderType::TrailingStop {
        order.trigger_price_ticks != 0 || ticks == ppm
    } else {
        ticks || ppm
    };
    let expires = order.expire_time_ns != 0 && order.time_in_force != TimeInForce::Gtd;
    refuse_if(
        clash
            || order.post_only
            || (order.minimum_lots | order.display_lots) != 0
            || expires
            || !pays_rightly(order),
        RejectReason::InvalidCombination,
    )
}

impl Market {
    /// Checks 7 to 9 of waiting types.
    pub(crate) fn judge_waiting(&self, order: &NewOrder) -> Result<(), RejectReason> {
        if order.order_type == OrderType::TrailingStop {
            let fits = (0..=PRICE_TICKS_MAX).contains(&order.trailing_offset_ticks)
                && order.trailing_offset_ppm <= TRAILING_PPM_MAX;
            refuse_if(!fits, RejectReason::InvalidPrice)?;
        } else {
            self.judge_price(order.trigger_price_ticks)?;
        }
        if order.price_ticks != 0 || is_limit_kind(order.order_type) {
            self.judge_price(order.price_ticks)?;
            self.judge_band(order.side, order.price_ticks)?;
        }
        if order.quote_budget_atoms != 0 {
            let fits = (1..=AMOUNT_ATOMS_MAX).contains(&order.quote_budget_atoms);
            return refuse_if(!fits, RejectReason::InvalidQuantity);
        }
        self.judge_quantity(order.quantity_lots)?;
        let price = (order.price_ticks != 0).then_some(order.price_ticks);
        self.judge_notional(price, order.quantity_lots)
    }
}

impl Engine {
    /// Accepts an order that was judged; it waits.
    #[cold]
    pub(crate) fn start_waiting<S: Sink>(
        &mut self,
        order: &NewOrder,
        mut taker: Taker,
        context: &Context,
        sink: &mut S,
    ) -> Done {
        taker.order_id = self.next_order_id;
        self.next_order_id += 1;
        self.balances
            .change(taker.held_row())
            .hold(taker.held_atoms);
        self.tell_new(order, &taker, 0, sink);
        let (slot, details) = self.parts_of(order, &taker, 0, context);
        let wait = Wait {
            side: order.side,
            order_type: order.order_type,
            time_in_force: order.time_in_force,
            price_ticks: order.price_ticks,
            trigger_price_ticks: order.trigger_price_ticks,
            trailing_offset_ticks: order.trailing_offset_ticks,
            trailing_offset_ppm: order.trailing_offset_ppm,
            budget_atoms: order.quote_budget_atoms,
            ..Wait::default()
        };
        let handle = self.list_waiting(slot, details, wait);
        self.see_last_price(handle);
        Done {
            handle,
            ..Done::order(taker.order_id)
        }
    }
}
