//! `CommandPoisoned`: stands in the place of a command that stopped the engine. `docs/semantics.md` section 8.

use crate::engine::{Engine, Head};
use crate::sink::Sink;
use crate::system::Ask;
use crate::types::{
    CommandClass, CommandPoisoned, MarketPhase, PoisonNoted, RejectReason, SystemEvent,
};
use cambist_codec::check_envelope;
use cambist_codec::envelope::Envelope;

impl Engine {
    /// Halts the market and gives the sender of the command its answer.
    pub(crate) fn command_poisoned<S: Sink>(
        &mut self,
        poisoned: &CommandPoisoned<'_>,
        ask: Ask,
        seq: u64,
        sink: &mut S,
    ) {
        ask.done(sink);
        let market = self.markets.find(poisoned.market_id);
        let market_id = market.map_or(0, |_| poisoned.market_id);
        sink.system(&SystemEvent::PoisonNoted(PoisonNoted { market_id }));
        if let Some(place) = market {
            self.enter(place, MarketPhase::Halted, sink);
        }
        let Ok(envelope) = Envelope::open(poisoned.envelope) else {
            return;
        };
        if envelope.count != 1 || check_envelope(poisoned.envelope).is_err() {
            return;
        }
        if envelope.command_class == CommandClass::System {
            let ask = Ask {
                correlation: envelope.correlation,
                index: 0,
            };
            return ask.answer(RejectReason::Poisoned, sink);
        }
        let mut commands = Vec::new();
        if envelope.commands(&mut commands).is_ok() {
            let head = Head::of(&envelope);
            self.firm_commands(&head, &commands, 1, (seq, true), sink);
        }
    }
}
