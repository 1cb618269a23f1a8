//! `Resolve`: what became of an id; an id that is unknown and not too old is burnt. `docs/semantics.md` section 6.

use crate::engine::Engine;
use crate::firm::Context;
use crate::keys::Key;
use crate::sink::Sink;
use crate::types::{KeyKind, PrivateEvent, RejectReason, Resolve, ResolveReport, ResolveState};

impl Engine {
    /// A question for an id.
    pub(crate) fn resolve<S: Sink>(
        &mut self,
        account: u32,
        resolve: &Resolve,
        context: &Context,
        sink: &mut S,
    ) {
        let keys = &self.accounts[account].keys;
        let mut report = if let Some(key) = keys.find(resolve.id) {
            self.told_of(key)
        } else if self.is_recent(resolve.sent_time_ns, keys.stale_floor_ns) {
            let mut key = Key::closed(
                resolve.id,
                KeyKind::Burnt,
                resolve.sent_time_ns,
                context.seq,
            );
            key.reason = RejectReason::Burnt;
            self.remember(account, key);
            state(ResolveState::NeverApplied)
        } else {
            state(ResolveState::Forgotten)
        };
        report.id = resolve.id;
        self.tell(account, &PrivateEvent::ResolveReport(report), sink);
    }

    fn told_of(&self, key: &Key) -> ResolveReport {
        if key.kind == KeyKind::Burnt {
            return state(ResolveState::NeverApplied);
        }
        let mut report = ResolveReport {
            first_answer_seq: key.answer_seq,
            ..state(ResolveState::Applied)
        };
        if key.reason != RejectReason::Unspecified {
            report.state = ResolveState::Rejected;
            report.reject_reason = key.reason;
            return report;
        }
        report.order_id = key.order_id;
        if let Some(handle) = key.open_handle() {
            report.state = ResolveState::Open;
            report.leaves_lots = self.leaves_of(handle);
            report.cum_lots = self.orders[handle as usize].quantity_lots - report.leaves_lots;
        }
        report
    }
}

fn state(state: ResolveState) -> ResolveReport {
    ResolveReport {
        state,
        ..ResolveReport::default()
    }
}
