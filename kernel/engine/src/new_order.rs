//! `NewOrder`: an order that `order_checks` let pass is matched, then what is left rests or goes.

use crate::book::{NONE, Place};
use crate::engine::Engine;
use crate::fee_tiers::Fees;
use crate::firm::{Context, Done};
use crate::icebergs::Iceberg;
use crate::limits::DAY_NS;
use crate::matcher::{End, Taker};
use crate::orders::{Order, ruling};
use crate::refusal::Refusal;
use crate::sink::Sink;
use crate::types::{CancelReason, ExecType, ExecutionReport, NewOrder, OrderType, TimeInForce};
use crate::waits::is_waiting_type;

/// Whether what is left of an order rests.
#[inline]
pub(crate) fn can_rest(order: &NewOrder) -> bool {
    rests(order.time_in_force)
}

/// Whether what is left of orders with a time in force rests.
#[inline]
pub(crate) fn rests(time_in_force: TimeInForce) -> bool {
    matches!(
        time_in_force,
        TimeInForce::Gtc | TimeInForce::Gtd | TimeInForce::Day
    )
}

impl Engine {
    /// A taker for an order that was judged, without rows and order id.
    pub(crate) fn taker_of(&self, order: &NewOrder, account: u32, place: u32) -> Taker {
        let market = &self.markets[place];
        let budget = order.quote_budget_atoms;
        let owner = &self.accounts[account];
        let fees = Fees::of(&market.parameters);
        let fees = self.fee_tiers.fees(owner.account_id, order.market_id, fees);
        Taker {
            account,
            group: owner.group,
            market: place,
            market_id: order.market_id,
            quote_asset_id: market.quote_asset_id,
            side: order.side,
            is_market: order.order_type == OrderType::Market,
            is_protected: order.order_type == OrderType::Market,
            mode: ruling(order.self_trade_prevention),
            maker_fee_ppm: fees.maker_ppm,
            taker_fee_ppm: fees.taker_ppm,
            base_row: NONE,
            quote_row: NONE,
            cl_ord_id: order.cl_ord_id,
            order_id: 0,
            price_ticks: order.price_ticks,
            quantity_lots: order.quantity_lots,
            leaves_lots: order.quantity_lots,
            cum_lots: 0,
            cum_tick_lots: 0,
            held_atoms: 0,
            budget_atoms: (budget != 0).then_some(budget),
        }
    }

    /// A new order.
    pub(crate) fn new_order<S: Sink>(
        &mut self,
        account: u32,
        order: &NewOrder,
        context: &Context,
        sink: &mut S,
    ) -> Result<Done, Refusal> {
        let taker = self.judge_order(account, order, context)?;
        self.start(order, taker, context, sink)
    }

    /// An order that was judged is accepted, and waits, or trades and rests.
    #[cfg_attr(
        not(feature = "plant-fok-trades-then-refused"),
        expect(clippy::unnecessary_wraps, reason = "a planted bug refuses late")
    )]
    #[inline]
    pub(crate) fn start<S: Sink>(
        &mut self,
        order: &NewOrder,
        mut taker: Taker,
        context: &Context,
        sink: &mut S,
    ) -> Result<Done, Refusal> {
        if is_waiting_type(order.order_type) {
            return Ok(self.start_waiting(order, taker, context, sink));
        }
        let market = taker.market;
        self.touch(market);
        taker.order_id = self.next_order_id;
        self.next_order_id += 1;
        let mut public_order_id = 0;
        if can_rest(order) {
            let market = &mut self.markets[market];
            market.public_order_id += 1;
            public_order_id = market.public_order_id;
        }
        if taker.held_atoms != 0 {
            self.balances
                .change(taker.held_row())
                .hold(taker.held_atoms);
        }
        self.tell_new(order, &taker, public_order_id, sink);
        let end = self.execute(&mut taker, sink);
        let reason = match end {
            End::Filled | End::Closed => return Ok(Done::order(taker.order_id)),
            #[cfg(feature = "plant-fok-trades-then-refused")]
            End::Cancel(_) | End::Left if order.time_in_force == TimeInForce::Fok => {
                self.give_back_all(&mut taker);
                return Err(crate::types::RejectReason::FokNotFillable.into());
            }
            End::Cancel(reason) => reason,
            End::Left if can_rest(order) || cfg!(feature = "plant-ioc-rests") => {
                let handle = self.rest_taker(order, &taker, public_order_id, context, sink);
                return Ok(Done {
                    handle,
                    ..Done::order(taker.order_id)
                });
            }
            End::Left => CancelReason::Ioc,
        };
        self.cancel_taker(&mut taker, reason, sink);
        Ok(Done::order(taker.order_id))
    }

    pub(crate) fn tell_new<S: Sink>(
        &mut self,
        order: &NewOrder,
        taker: &Taker,
        public_order_id: u64,
        sink: &mut S,
    ) {
        let report = ExecutionReport {
            price_ticks: order.price_ticks,
            quantity_lots: order.quantity_lots,
            leaves_lots: order.quantity_lots,
            order_type: order.order_type,
            time_in_force: order.time_in_force,
            tag: order.tag,
            expire_time_ns: self.end_of(order),
            quote_budget_atoms: order.quote_budget_atoms,
            public_order_id,
            trigger_price_ticks: order.trigger_price_ticks,
            trailing_offset_ticks: order.trailing_offset_ticks,
            trailing_offset_ppm: order.trailing_offset_ppm,
            display_lots: order.display_lots,
            ..taker.report(ExecType::New)
        };
        self.tell_report(taker.account, &report, sink);
    }

    /// When an order expires; 0 = never.
    #[inline]
    pub(crate) fn end_of(&self, order: &NewOrder) -> i64 {
        if order.time_in_force == TimeInForce::Day {
            return (self.time_ns.div_euclid(DAY_NS) + 1) * DAY_NS;
        }
        order.expire_time_ns
    }

    fn rest_taker<S: Sink>(
        &mut self,
        order: &NewOrder,
        taker: &Taker,
        public_order_id: u64,
        context: &Context,
        sink: &mut S,
    ) -> u32 {
        let (mut place, mut details) = self.parts_of(order, taker, public_order_id, context);
        if order.display_lots != 0 {
            place.shown_lots = taker.leaves_lots.min(order.display_lots);
            details.iceberg = self.icebergs.take(Iceberg {
                display_lots: order.display_lots,
                hidden_lots: taker.leaves_lots - place.shown_lots,
            });
        }
        self.rest(place, details, taker.side, taker.price_ticks, sink)
    }

    /// What is kept of an order that stays; it is listed nowhere yet.
    #[inline]
    pub(crate) fn parts_of(
        &self,
        order: &NewOrder,
        taker: &Taker,
        public_order_id: u64,
        context: &Context,
    ) -> (Place, Order) {
        let place = Place {
            shown_lots: taker.leaves_lots,
            previous: NONE,
            next: NONE,
            level: NONE,
            group: taker.group,
            account: taker.account,
            market: taker.market,
        };
        let details = Order {
            cum_tick_lots: taker.cum_tick_lots,
            order_id: taker.order_id,
            quantity_lots: taker.quantity_lots,
            public_order_id,
            session_id: context.session_id,
            expire_time_ns: self.end_of(order),
            maker_fee_ppm: taker.maker_fee_ppm,
            taker_fee_ppm: taker.taker_fee_ppm,
            base_row: taker.base_row,
            quote_row: taker.quote_row,
            key: NONE,
            page: NONE,
            previous: NONE,
            next: NONE,
            iceberg: NONE,
            tag: order.tag,
            post_only: order.post_only,
            mode: order.self_trade_prevention,
        };
        (place, details)
    }
}
