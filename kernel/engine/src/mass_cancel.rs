//! `MassCancel`: all resting orders of an account within filters. `docs/semantics.md` section 6.

use crate::book::NONE;
use crate::engine::Engine;
use crate::firm::{Context, Done};
use crate::refusal::{Refusal, refuse_if};
use crate::sink::Sink;
use crate::types::{
    CancelReason, CommandClass, EarlyCancel, MarketPhase, MassCancel, MassCancelReport,
    PrivateEvent, RejectReason, Side,
};

impl Engine {
    /// A mass cancel.
    pub(crate) fn mass_cancel<S: Sink>(
        &mut self,
        account: u32,
        mass: &MassCancel,
        context: &Context,
        sink: &mut S,
    ) -> Result<Done, Refusal> {
        if mass.market_id != 0 {
            self.market_of(mass.market_id)?;
        }
        refuse_if(
            mass.this_session_only && context.class == CommandClass::Unary,
            RejectReason::InvalidCombination,
        )?;
        let overtakes = self.overtakes(mass.after_order_seq_no, context);
        refuse_if(
            overtakes && self.sessions[context.session].is_full(),
            RejectReason::TooManyPending,
        )?;
        let mut handles = std::mem::take(&mut self.scratch);
        self.collect(
            account,
            |engine, handle| engine.is_named(handle, mass, context),
            &mut handles,
        );
        #[cfg(feature = "plant-mass-cancel-unordered")]
        handles.reverse();
        let affected_count = u32::try_from(handles.len()).expect("bounded by open orders");
        let report = MassCancelReport {
            request_id: mass.request_id,
            affected_count,
            ..MassCancelReport::default()
        };
        self.tell(account, &PrivateEvent::MassCancelReport(report), sink);
        for handle in &handles {
            self.cancel_resting(*handle, CancelReason::MassCancel, None, sink);
        }
        self.scratch = handles;
        if overtakes {
            let early = EarlyCancel {
                account_id: mass.account_id,
                market_id: mass.market_id,
                side: mass.side,
                tag: mass.tag,
                up_to_order_seq_no: mass.after_order_seq_no,
            };
            self.sessions[context.session].early_cancels.push(early);
        }
        Ok(Done {
            detail: affected_count,
            ..Done::order(0)
        })
    }

    /// Replaces `handles` with the resting orders of an account that `named` takes, ascending by order id.
    pub(crate) fn collect(
        &self,
        account: u32,
        named: impl Fn(&Self, u32) -> bool,
        handles: &mut Vec<u32>,
    ) {
        handles.clear();
        let mut at = self.accounts[account].first_order;
        while at != NONE {
            if named(self, at) {
                handles.push(at);
            }
            at = self.orders[at as usize].next;
        }
    }

    fn is_named(&self, handle: u32, mass: &MassCancel, context: &Context) -> bool {
        let place = &self.places[handle];
        let order = &self.orders[handle as usize];
        let market = &self.markets[place.market];
        market.phase != MarketPhase::Halted
            && (mass.market_id == 0 || mass.market_id == market.market_id)
            && (mass.side == Side::Unspecified || mass.side == self.price_and_side(place).1)
            && (!mass.this_session_only || order.session_id == context.session_id)
            && (mass.tag == 0 || mass.tag == order.tag)
    }
}
