//! Commands of the venue: each is answered first, then what it caused is told. `docs/semantics.md` sections 7 and 8.

use crate::engine::{Engine, Head};
use crate::refusal::refuse_if;
use crate::sink::Sink;
use crate::types::{EpochStarted, RejectReason, SystemAnswer, SystemCommand, SystemEvent};
use cambist_codec::encoder::Cause;

/// Who asked: where the answer goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    pub correlation: u64,
    pub index: u32,
}

impl Ask {
    pub(crate) fn answer<S: Sink>(self, reason: RejectReason, sink: &mut S) {
        sink.system(&SystemEvent::Answer(SystemAnswer {
            correlation: self.correlation,
            index: self.index,
            reason,
        }));
    }

    /// It is done.
    pub(crate) fn done<S: Sink>(self, sink: &mut S) {
        self.answer(RejectReason::Unspecified, sink);
    }
}

/// What a command came to: when it was carried out, it was answered already.
pub(crate) type Outcome = Result<(), RejectReason>;

impl Engine {
    /// Applies an envelope of class SYSTEM.
    pub fn system_envelope<S: Sink>(
        &mut self,
        head: &Head,
        commands: &[SystemCommand<'_>],
        sink: &mut S,
    ) {
        for (index, command) in (0..).zip(commands) {
            let seq = self.next_seq;
            self.next_seq += 1;
            sink.cause(Cause {
                seq,
                received_ns: head.received_ns,
            });
            let ask = Ask {
                correlation: head.correlation,
                index,
            };
            if let Err(reason) = self.system_command(command, ask, seq, sink) {
                ask.answer(reason, sink);
            }
            self.cascade(sink);
        }
    }

    fn system_command<S: Sink>(
        &mut self,
        command: &SystemCommand<'_>,
        ask: Ask,
        seq: u64,
        sink: &mut S,
    ) -> Outcome {
        use SystemCommand as C;
        match command {
            C::CreateAsset(value) => self.create_asset(value, ask, sink),
            C::CreateMarket(value) => self.create_market(value, ask, sink),
            C::UpdateMarket(value) => self.update_market(value, ask, sink),
            C::SetPhase(value) => self.set_phase(*value, ask, sink),
            C::Halt(value) => self.halt(*value, ask, sink),
            C::Resume(value) => self.resume(*value, ask, sink),
            C::CreateFirm(value) => self.create_firm(value, ask, sink),
            C::CreateAccount(value) => self.create_account(value, ask, sink),
            C::SetAccountLimits(value) => self.set_account_limits(value, ask, sink),
            C::SetFeeTier(value) => self.set_fee_tier(value, ask, sink),
            C::SetTradingLimits(value) => self.set_trading_limits(value, ask, sink),
            C::KillSwitch(value) => self.kill_switch(value, ask, sink),
            C::CommandPoisoned(value) => {
                self.command_poisoned(value, ask, seq, sink);
                Ok(())
            }
            C::EpochStarted(value) => {
                self.epoch_started(*value, ask, sink);
                Ok(())
            }
            C::SwitchRules(value) => {
                self.switch_rules(value.version)?;
                ask.done(sink);
                Ok(())
            }
            C::Clock(_) | C::SkipPoisonCommand(_) => {
                ask.done(sink);
                Ok(())
            }
            C::SetReferencePrice(value) => self.set_reference_price(*value, ask, sink),
            C::BustTrade(_) | C::CorrectTrade(_) => Err(RejectReason::Unsupported),
            C::SessionEstablished(value) => self.session_established(value, ask, sink),
            C::SessionLost(value) => self.session_lost(*value, ask, sink),
            C::SessionEnded(value) => self.session_ended(*value, ask, sink),
            C::GatewayLost(value) => {
                self.gateway_lost(*value, ask, sink);
                Ok(())
            }
            _ => self.money_command(command, ask, sink),
        }
    }

    /// Commands that have a source.
    fn money_command<S: Sink>(
        &mut self,
        command: &SystemCommand<'_>,
        ask: Ask,
        sink: &mut S,
    ) -> Outcome {
        use SystemCommand as C;
        macro_rules! sourced {
            ($value:expr, $method:ident) => {{
                self.custody
                    .take_number($value.source_id, $value.source_seq)?;
                self.$method($value, ask, sink)
            }};
        }
        match command {
            C::Credit(value) => sourced!(value, credit),
            C::ReverseCredit(value) => sourced!(value, reverse_credit),
            C::FinalizeCredit(value) => sourced!(value, finalize_credit),
            C::StartWithdrawal(value) => sourced!(value, start_withdrawal),
            C::SettleWithdrawal(value) => sourced!(value, settle_withdrawal),
            C::ReleaseWithdrawal(value) => sourced!(value, release_withdrawal),
            C::ReopenWithdrawal(value) => sourced!(value, reopen_withdrawal),
            C::FinalizeWithdrawal(value) => sourced!(value, finalize_withdrawal),
            C::ShardTransferOut(value) => sourced!(value, shard_transfer_out),
            C::ShardTransferIn(value) => sourced!(value, shard_transfer_in),
            C::Adjust(value) => sourced!(value, adjust),
            _ => unreachable!("these have no source"),
        }
    }

    /// Other rules from the next batch on; never older ones.
    fn switch_rules(&mut self, version: u32) -> Outcome {
        let known = 1..=self.rules.newest;
        refuse_if(!known.contains(&version), RejectReason::UnknownRulesVersion)?;
        refuse_if(version < self.rules.next, RejectReason::InvalidParameter)?;
        self.rules.next = version;
        Ok(())
    }

    /// A process became primary: every connection was to another one.
    fn epoch_started<S: Sink>(&mut self, started: EpochStarted, ask: Ask, sink: &mut S) {
        ask.done(sink);
        sink.system(&SystemEvent::EpochStarted(started));
        self.windows_of_epoch();
        self.sessions.disconnect_all();
    }
}
