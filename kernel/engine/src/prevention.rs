//! Self-trade prevention: what happens when a taker meets an order of its own group. The taker's mode rules.

use crate::book::Best;
use crate::engine::Engine;
use crate::matcher::{End, Taker};
use crate::sink::Sink;
use crate::types::{
    CancelReason, ExecType, ExecutionReport, L3Action, L3Event, Liquidity, PreventedMatch,
    PrivateEvent, SelfTradePrevention,
};

impl Engine {
    /// Prevents a match; gives how the taker ends, if it does.
    #[cold]
    pub(crate) fn prevent<S: Sink>(
        &mut self,
        taker: &mut Taker,
        best: Best,
        sink: &mut S,
    ) -> Option<End> {
        let maker_lots = self.leaves_of(best.handle);
        let lots = if taker.budget_atoms.is_some() {
            maker_lots
        } else {
            taker.leaves_lots.min(maker_lots)
        };
        self.tell_prevented(taker, best, lots, sink);
        match taker.mode {
            SelfTradePrevention::CancelOldest => {
                self.cancel_resting(best.handle, CancelReason::SelfTrade, None, sink);
                None
            }
            SelfTradePrevention::CancelBoth => {
                self.cancel_resting(best.handle, CancelReason::SelfTrade, None, sink);
                Some(End::Cancel(CancelReason::SelfTrade))
            }
            SelfTradePrevention::Decrement => self.decrement(taker, best.handle, lots, sink),
            _ => Some(End::Cancel(CancelReason::SelfTrade)),
        }
    }

    fn tell_prevented<S: Sink>(&mut self, taker: &Taker, best: Best, lots: i64, sink: &mut S) {
        let prevented = PreventedMatch {
            market_id: taker.market_id,
            order_id: taker.order_id,
            side: taker.side,
            price_ticks: best.price_ticks,
            quantity_lots: lots,
            mode: taker.mode,
            liquidity: Liquidity::Taker,
        };
        self.tell(
            taker.account,
            &PrivateEvent::PreventedMatch(prevented),
            sink,
        );
        let maker = PreventedMatch {
            order_id: self.orders[best.handle as usize].order_id,
            side: crate::book::opposite(taker.side),
            liquidity: Liquidity::Maker,
            ..prevented
        };
        let account = self.places[best.handle].account;
        self.tell(account, &PrivateEvent::PreventedMatch(maker), sink);
    }

    fn decrement<S: Sink>(
        &mut self,
        taker: &mut Taker,
        handle: u32,
        lots: i64,
        sink: &mut S,
    ) -> Option<End> {
        let end = self.decrement_taker(taker, lots, sink);
        if self.leaves_of(handle) == lots {
            self.cancel_resting(handle, CancelReason::SelfTrade, None, sink);
        } else {
            self.decrement_maker(handle, lots, sink);
        }
        end
    }

    fn decrement_taker<S: Sink>(
        &mut self,
        taker: &mut Taker,
        lots: i64,
        sink: &mut S,
    ) -> Option<End> {
        if taker.leaves_lots == lots {
            self.cancel_taker(taker, CancelReason::SelfTrade, sink);
            taker.leaves_lots = 0;
            return Some(End::Closed);
        }
        taker.quantity_lots -= lots;
        taker.leaves_lots -= lots;
        if !taker.is_market {
            let market = &self.markets[taker.market];
            let hold = taker.hold(taker.leaves_lots, market.tick_value, market.lot_size_atoms);
            let less = taker.held_atoms - hold;
            self.balances.change(taker.held_row()).give_back(less);
            taker.held_atoms = hold;
        }
        let report = ExecutionReport {
            quantity_lots: taker.quantity_lots,
            leaves_lots: taker.leaves_lots,
            cum_lots: taker.cum_lots,
            last_lots: lots,
            ..taker.report(ExecType::Restated)
        };
        self.tell_report(taker.account, &report, sink);
        None
    }

    fn decrement_maker<S: Sink>(&mut self, handle: u32, lots: i64, sink: &mut S) {
        let (row, before) = self.held_by(handle);
        let market = self.places[handle].market;
        let leaves_lots = self.leaves_of(handle) - lots;
        self.count_out(handle);
        let shows_less = self.lower(handle, leaves_lots);
        self.count_in(handle);
        #[cfg(feature = "plant-decrement-requeues")]
        {
            let book = &mut self.markets[market].book;
            let (price_ticks, side) = book.price_and_side(&self.places[handle]);
            book.remove(&mut self.places, handle);
            book.insert(&mut self.places, handle, side, price_ticks);
        }
        let (_, after) = self.held_by(handle);
        self.balances.change(row).give_back(before - after);
        self.orders[handle as usize].quantity_lots -= lots;
        let place = self.places[handle];
        let order = &self.orders[handle as usize];
        let public_order_id = order.public_order_id;
        let report = ExecutionReport {
            quantity_lots: order.quantity_lots,
            leaves_lots,
            cum_lots: order.quantity_lots - leaves_lots,
            last_lots: lots,
            ..self.report_of(handle, ExecType::Restated)
        };
        self.tell_report(place.account, &report, sink);
        if !shows_less {
            return;
        }
        let event = L3Event {
            action: L3Action::Modify,
            public_order_id,
            quantity_lots: place.shown_lots,
            ..L3Event::default()
        };
        self.tell_l3(market, event, sink);
    }
}
