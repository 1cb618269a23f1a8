//! `Replace`: an order goes and another comes, or nothing happens. `docs/semantics/requests.md`, section 3.

use crate::book::{NONE, opposite, reaches};
use crate::engine::Engine;
use crate::firm::{Context, Done};
use crate::matcher::Taker;
use crate::refusal::{Refusal, refuse_if};
use crate::sink::Sink;
use crate::types::{CancelReason, MarketPhase, NewOrder, RejectReason, Replace};

impl Engine {
    /// A replacement.
    pub(crate) fn replace<S: Sink>(
        &mut self,
        account: u32,
        replace: &Replace,
        context: &Context,
        sink: &mut S,
    ) -> Result<Done, Refusal> {
        let order = &replace.new_order;
        let named = replace.orig_cl_ord_id;
        refuse_if(named.is_none(), RejectReason::InvalidCombination)?;
        let old = match self.target(account, named, 0) {
            Ok(handle) => handle,
            Err(_) if replace.allow_missing => {
                return self.new_order(account, order, context, sink);
            }
            Err(reason) => return Err(reason.into()),
        };
        let phase = self.markets[self.places[old].market].phase;
        if phase == MarketPhase::Halted {
            return Err(Refusal::by_phase(phase));
        }
        let taker = self.judge_without(old, account, order, context)?;
        let request_id = Some(order.cl_ord_id);
        self.cancel_resting(old, CancelReason::Requested, request_id, sink);
        self.start(order, taker, context, sink)
    }

    /// Judges an order as if another were gone, and leaves that one where it is.
    fn judge_without(
        &mut self,
        old: u32,
        account: u32,
        order: &NewOrder,
        context: &Context,
    ) -> Result<Taker, Refusal> {
        let (row, held) = self.held_by(old);
        self.balances.change(row).give_back(held);
        self.accounts[account].open_orders -= 1;
        self.count_out(old);
        self.without = old;
        let judged = self.judge_order(account, order, context);
        self.without = NONE;
        self.count_in(old);
        self.accounts[account].open_orders += 1;
        self.balances.change(row).hold(held);
        judged
    }

    /// How many orders of a market are looked past: see `without`.
    #[inline]
    pub(crate) fn gone_from(&self, market: u32) -> u32 {
        u32::from(self.without != NONE && self.places[self.without].market == market)
    }

    /// Whether an order would trade on entry.
    pub(crate) fn would_trade(&self, market: u32, order: &NewOrder) -> bool {
        let book = &self.markets[market].book;
        if self.gone_from(market) == 0 {
            return book.would_trade(order.side, order.price_ticks);
        }
        let mut makers = book.handles(&self.places, opposite(order.side));
        makers
            .find(|(_, handle)| *handle != self.without)
            .is_some_and(|(price_ticks, _)| reaches(order.side, order.price_ticks, price_ticks))
    }
}
