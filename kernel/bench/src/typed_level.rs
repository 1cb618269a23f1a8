//! Typed commands to typed events, with everything on.

use crate::clock::Clock;
use crate::commands::{Numbers, Sent, commands};
use crate::shapes::Tape;
use crate::venue::{Counter, engine, market_id};
use cambist_engine::Engine;

/// The engine, with a market number that was not used yet.
pub struct TypedLevel {
    engine: Engine,
    numbers: Numbers,
    market: u32,
}

impl TypedLevel {
    /// With room for so many markets.
    pub fn new(markets: u32) -> Self {
        let (engine, numbers) = engine(markets);
        Self {
            engine,
            numbers,
            market: 0,
        }
    }

    fn play(&mut self, sent: &[Sent]) -> u64 {
        let mut sink = Counter::default();
        for batch in sent {
            self.engine.begin(batch.time_ns(), &mut sink);
            let mut commands = &batch.commands[..];
            for (head, count) in &batch.envelopes {
                self.engine
                    .firm_envelope_ahead(head, commands, *count, &mut sink);
                commands = &commands[*count..];
            }
            self.engine.end(&mut sink);
        }
        sink.events
    }

    /// Messages per second over a tape, in so many fresh markets.
    pub fn rate(&mut self, tape: &Tape, markets: u32) -> f64 {
        let [filling, measured] = commands(tape, &mut self.numbers, market_id(self.market));
        self.market += markets;
        self.play(&filling);
        let started = Clock::start();
        let events = self.play(&measured);
        let seconds = started.seconds();
        assert!(events as usize > tape.measured());
        tape.measured() as f64 / seconds
    }
}
