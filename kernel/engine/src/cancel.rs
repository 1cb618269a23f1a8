//! `Cancel`, and how Cancel and Amend name their order. `docs/semantics.md` section 6.

use crate::book::NONE;
use crate::engine::Engine;
use crate::firm::{Context, Done};
use crate::keys::Key;
use crate::refusal::{Refusal, refuse_if};
use crate::sink::Sink;
use crate::types::{Cancel, CancelReason, CommandClass, Id, KeyKind, MarketPhase, RejectReason};

impl Engine {
    /// Exactly one of the two names an order.
    pub(crate) fn judge_named(
        orig_cl_ord_id: Option<Id>,
        order_id: u64,
    ) -> Result<(), RejectReason> {
        refuse_if(
            orig_cl_ord_id.is_some() == (order_id != 0),
            RejectReason::InvalidCombination,
        )
    }

    /// The resting order of an account that a request names by one of the two.
    pub(crate) fn target(
        &self,
        account: u32,
        orig_cl_ord_id: Option<Id>,
        order_id: u64,
    ) -> Result<u32, RejectReason> {
        let Some(id) = orig_cl_ord_id else {
            let handle = self.live.get(order_id);
            return handle
                .filter(|handle| self.places[*handle].account == account)
                .ok_or(RejectReason::UnknownOrder);
        };
        let key = self.accounts[account].keys.find(id);
        let key = key
            .filter(|key| key.kind == KeyKind::NewOrder && key.reason == RejectReason::Unspecified)
            .ok_or(RejectReason::UnknownOrder)?;
        key.open_handle().ok_or(RejectReason::OrderClosed)
    }

    /// A cancel.
    pub(crate) fn cancel<S: Sink>(
        &mut self,
        account: u32,
        cancel: &Cancel,
        context: &Context,
        sink: &mut S,
    ) -> Result<Done, Refusal> {
        Self::judge_named(cancel.orig_cl_ord_id, cancel.order_id)?;
        let handle = match self.target(account, cancel.orig_cl_ord_id, cancel.order_id) {
            Ok(handle) => handle,
            #[cfg(feature = "plant-stale-cancel-acknowledged")]
            Err(RejectReason::OrderClosed) => return Ok(Done::order(0)),
            #[cfg(feature = "plant-unknown-cancel-crashes")]
            Err(RejectReason::UnknownOrder) if cancel.order_id > self.next_order_id => {
                panic!("a planted bug")
            }
            Err(reason) => {
                self.burn_overtaken(account, cancel, context);
                return Err(reason.into());
            }
        };
        let phase = self.markets[self.places[handle].market].phase;
        if phase == MarketPhase::Halted {
            return Err(Refusal::by_phase(phase));
        }
        #[cfg(feature = "plant-cancel-refused-when-full")]
        {
            let market = &self.markets[self.places[handle].market];
            refuse_if(
                market.book.orders() >= market.parameters.resting_orders_max,
                RejectReason::BookFull,
            )?;
        }
        let order_id = self.orders[handle as usize].order_id;
        let request_id = Some(cancel.request_id);
        self.cancel_resting(handle, CancelReason::Requested, request_id, sink);
        Ok(Done::order(order_id))
    }

    /// Whether a request was sent after orders of its session that have not arrived yet.
    pub(crate) fn overtakes(&self, after_order_seq_no: u64, context: &Context) -> bool {
        context.class == CommandClass::Cancel
            && context.session != NONE
            && after_order_seq_no > self.sessions[context.session].last_order_seq_no
    }

    /// Burns an id that a cancel names and that is still on its way, so that the order is refused on arrival.
    fn burn_overtaken(&mut self, account: u32, cancel: &Cancel, context: &Context) {
        let Some(id) = cancel.orig_cl_ord_id else {
            return;
        };
        if id == cancel.request_id
            || !self.overtakes(cancel.after_order_seq_no, context)
            || self.accounts[account].keys.find(id).is_some()
        {
            return;
        }
        let mut key = Key::closed(id, KeyKind::Burnt, cancel.sent_time_ns, context.seq);
        key.reason = RejectReason::CancelledBeforeEntry;
        self.remember(account, key);
    }
}
