//! Phases of markets. `docs/semantics.md` section 8.

use crate::engine::Engine;
use crate::refusal::refuse_if;
use crate::sink::Sink;
use crate::system::{Ask, Outcome};
use crate::types::{
    Halt, L3Action, L3Event, MarketPhase, MarketStatus, RejectReason, Resume, SetPhase,
};

impl Engine {
    pub(crate) fn set_phase<S: Sink>(&mut self, set: SetPhase, ask: Ask, sink: &mut S) -> Outcome {
        let place = self.market_of(set.market_id)?;
        match set.phase {
            MarketPhase::Unspecified => return Err(RejectReason::InvalidParameter),
            MarketPhase::Continuous
            | MarketPhase::PostOnly
            | MarketPhase::CancelOnly
            | MarketPhase::Halted => {}
            _ => return Err(RejectReason::Unsupported),
        }
        ask.done(sink);
        self.enter(place, set.phase, sink);
        Ok(())
    }

    /// A market enters a phase; nothing is told when it is in it already.
    pub(crate) fn enter<S: Sink>(&mut self, place: u32, phase: MarketPhase, sink: &mut S) {
        if self.markets[place].phase == phase {
            return;
        }
        self.touch(place);
        self.markets[place].phase = phase;
        let event = L3Event {
            action: L3Action::Phase,
            phase,
            ..L3Event::default()
        };
        let market_seq = self.tell_l3(place, event, sink);
        let status = MarketStatus { market_seq, phase };
        sink.status(self.markets[place].market_id, &status);
    }

    /// The markets that a command names, ascending; 0 names those of the given kind.
    fn named(
        &self,
        market_id: u32,
        of_all: impl Fn(MarketPhase) -> bool,
    ) -> Result<Vec<u32>, RejectReason> {
        if market_id != 0 {
            return Ok(vec![self.market_of(market_id)?]);
        }
        let places = self.markets.sorted();
        Ok(places
            .filter(|place| of_all(self.markets[*place].phase))
            .collect())
    }

    pub(crate) fn halt<S: Sink>(&mut self, halt: Halt, ask: Ask, sink: &mut S) -> Outcome {
        let places = self.named(halt.market_id, |_| true)?;
        ask.done(sink);
        for place in places {
            self.enter(place, MarketPhase::Halted, sink);
        }
        Ok(())
    }

    pub(crate) fn resume<S: Sink>(&mut self, resume: Resume, ask: Ask, sink: &mut S) -> Outcome {
        let opens = matches!(
            resume.phase,
            MarketPhase::CancelOnly | MarketPhase::PostOnly | MarketPhase::Continuous
        );
        refuse_if(!opens, RejectReason::InvalidParameter)?;
        let is_halted = |phase| phase == MarketPhase::Halted;
        let places = self.named(resume.market_id, is_halted)?;
        let halted = places
            .iter()
            .all(|place| is_halted(self.markets[*place].phase));
        refuse_if(!halted, RejectReason::Phase)?;
        ask.done(sink);
        for place in places {
            self.enter(place, resume.phase, sink);
        }
        Ok(())
    }
}
