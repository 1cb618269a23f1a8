//! Dead man's timers: accounts whose open orders go unless they renew. `docs/semantics/requests.md`, section 4.

use crate::book::NONE;
use crate::engine::Engine;
use crate::firm::Done;
use crate::limits::CANCEL_ALL_AFTER_MS_MAX;
use crate::refusal::{Refusal, refuse_if};
use crate::sink::Sink;
use crate::types::{CancelAllAfter, CancelReason, MassCancelReport, PrivateEvent, RejectReason};
use std::collections::{BTreeMap, BTreeSet};

/// The timers that are armed.
#[derive(Debug, Default)]
pub struct DeadMansTimers {
    /// When, of which account, and the account's place.
    due: BTreeSet<(i64, u64, u32)>,
    /// By the place of the account.
    by_place: BTreeMap<u32, i64>,
}

impl DeadMansTimers {
    /// When the timer of an account is due; 0 = off.
    #[must_use]
    pub fn of(&self, place: u32) -> i64 {
        self.by_place.get(&place).copied().unwrap_or(0)
    }

    /// When the next one is due; 0 = none.
    #[must_use]
    pub fn next_ns(&self) -> i64 {
        self.due.first().map_or(0, |first| first.0)
    }

    /// Sets the timer of an account; 0 = off.
    pub fn arm(&mut self, place: u32, account_id: u64, time_ns: i64) {
        if let Some(before) = self.by_place.remove(&place) {
            self.due.remove(&(before, account_id, place));
        }
        if time_ns != 0 {
            self.by_place.insert(place, time_ns);
            self.due.insert((time_ns, account_id, place));
        }
    }

    /// Places of the accounts that are due, by time and account.
    fn due(&self, now_ns: i64) -> Vec<u32> {
        let due = self.due.iter();
        due.take_while(|timer| timer.0 <= now_ns)
            .map(|timer| timer.2)
            .collect()
    }
}

impl Engine {
    /// Arms, renews or disarms the timer of an account.
    pub(crate) fn cancel_all_after<S: Sink>(
        &mut self,
        account: u32,
        sent: &CancelAllAfter,
        sink: &mut S,
    ) -> Result<Done, Refusal> {
        refuse_if(
            sent.timeout_ms > CANCEL_ALL_AFTER_MS_MAX,
            RejectReason::InvalidParameter,
        )?;
        let end_ns = match sent.timeout_ms {
            0 => 0,
            timeout_ms => self.time_ns + i64::from(timeout_ms) * 1_000_000,
        };
        // A firm that is killed cannot put off the cancels of its switch.
        if !self.is_firm_killed(account) {
            let account_id = self.accounts[account].account_id;
            self.dead_mans.arm(account, account_id, end_ns);
        }
        let report = MassCancelReport {
            request_id: sent.request_id,
            ..MassCancelReport::default()
        };
        self.tell(account, &PrivateEvent::MassCancelReport(report), sink);
        Ok(Done::order(0))
    }

    /// Timers that are due cancel, within what is left of the work of the batch.
    pub(crate) fn run_dead_mans<S: Sink>(&mut self, work: &mut u32, sink: &mut S) {
        let next_ns = self.dead_mans.next_ns();
        if next_ns == 0 || next_ns > self.time_ns {
            return;
        }
        for place in self.dead_mans.due(self.time_ns) {
            let reason = if self.is_firm_killed(place) {
                CancelReason::Killed
            } else {
                CancelReason::Timer
            };
            while *work > 0 && self.accounts[place].first_order != NONE {
                let handle = self.accounts[place].first_order;
                self.cancel_resting(handle, reason, None, sink);
                *work -= 1;
            }
            if self.accounts[place].first_order == NONE {
                let account_id = self.accounts[place].account_id;
                self.dead_mans.arm(place, account_id, 0);
            }
        }
    }
}
