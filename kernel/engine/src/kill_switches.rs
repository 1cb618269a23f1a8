//! Kill switches of accounts, markets, firms and the shard. `docs/semantics.md` section 8, `docs/semantics/risk.md`.
//!
//! A switch refuses from its own command on. One that may meet more orders than one command may touch cancels them in
//! the work at the start of the next batches, never at once.

use crate::book::NONE;
use crate::engine::Engine;
use crate::limits::FULL_RULES;
use crate::refusal::refuse_if;
use crate::sink::Sink;
use crate::system::{Ask, Outcome};
use crate::types::{CancelReason, KillScope, KillSwitch, RejectReason, SystemEvent};
use std::collections::BTreeSet;

/// The switches that stop more than one account.
#[derive(Debug, Default)]
pub struct WideSwitches {
    /// That of the whole shard is on.
    pub shard: bool,
    /// Firms whose switch is on.
    pub firms: BTreeSet<u32>,
}

impl Engine {
    pub(crate) fn kill_switch<S: Sink>(
        &mut self,
        switch: &KillSwitch,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        let is_full = self.rules.version >= FULL_RULES;
        match switch.scope {
            KillScope::Account => return self.kill_account(switch, ask, sink),
            KillScope::Market => self.kill_market(switch)?,
            KillScope::Firm if is_full => self.kill_firm(switch)?,
            KillScope::All if is_full => self.kill_all(switch)?,
            KillScope::Unspecified => return Err(RejectReason::InvalidParameter),
            _ => return Err(RejectReason::Unsupported),
        }
        ask.done(sink);
        sink.system(&SystemEvent::KillSwitch(*switch));
        Ok(())
    }

    /// The flag, then its orders, in any phase.
    fn kill_account<S: Sink>(&mut self, switch: &KillSwitch, ask: Ask, sink: &mut S) -> Outcome {
        let place = self.account_of(switch.target_id)?;
        self.accounts[place].killed = switch.active;
        ask.done(sink);
        sink.system(&SystemEvent::KillSwitch(*switch));
        self.tell_status(place, sink);
        if switch.active {
            let mut handles = std::mem::take(&mut self.scratch);
            self.collect(place, |_, _| true, &mut handles);
            for handle in &handles {
                self.cancel_resting(*handle, CancelReason::Killed, None, sink);
            }
            self.scratch = handles;
        }
        Ok(())
    }

    /// The flag; its book is cleared through a cursor.
    fn kill_market(&mut self, switch: &KillSwitch) -> Outcome {
        let market_id = u32::try_from(switch.target_id);
        let place = self.market_of(market_id.map_err(|_| RejectReason::UnknownMarket)?)?;
        self.markets[place].killed = switch.active;
        if switch.active {
            self.clear_market(place);
        }
        Ok(())
    }

    /// The flag; the timers of its accounts with open orders are due at once.
    fn kill_firm(&mut self, switch: &KillSwitch) -> Outcome {
        let firm_id = u32::try_from(switch.target_id).map_err(|_| RejectReason::UnknownFirm)?;
        refuse_if(
            !self.firms.contains_key(&firm_id),
            RejectReason::UnknownFirm,
        )?;
        if !switch.active {
            self.switches.firms.remove(&firm_id);
            return Ok(());
        }
        self.switches.firms.insert(firm_id);
        for place in self.accounts.sorted() {
            let account = &self.accounts[place];
            let is_due = (1..=self.time_ns).contains(&self.dead_mans.of(place));
            let is_met = self.accounts.firm_of(place) == firm_id && account.first_order != NONE;
            if is_met && !is_due {
                self.dead_mans.arm(place, account.account_id, self.time_ns);
            }
        }
        Ok(())
    }

    /// The flag of the shard; every book is cleared through its cursor.
    fn kill_all(&mut self, switch: &KillSwitch) -> Outcome {
        refuse_if(switch.target_id != 0, RejectReason::InvalidParameter)?;
        self.switches.shard = switch.active;
        if switch.active {
            let places: Vec<u32> = self.markets.sorted().collect();
            for place in places {
                self.clear_market(place);
            }
        }
        Ok(())
    }

    /// Begins to clear a market that has open orders, unless that is under way.
    fn clear_market(&mut self, place: u32) {
        let market = &mut self.markets[place];
        if market.open_orders() > 0 && !market.clearing {
            market.clearing = true;
            market.cleared_count = 0;
            let market_id = market.market_id;
            self.markets.clearing.insert(market_id);
        }
    }

    /// Whether a switch of the account, its firm or the shard is on.
    #[inline]
    pub(crate) fn is_killed(&self, account: u32) -> bool {
        self.accounts[account].killed || self.switches.shard || self.is_firm_killed(account)
    }

    /// Whether the switch of an account's firm is on.
    #[inline]
    pub(crate) fn is_firm_killed(&self, account: u32) -> bool {
        let firms = &self.switches.firms;
        // Nearly always none is: the firm need not be looked up.
        !firms.is_empty() && firms.contains(&self.accounts.firm_of(account))
    }
}
