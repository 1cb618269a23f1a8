//! Protobuf batches in, event rows out: what the venue runs.

use crate::clock::Clock;
use crate::commands::{Numbers, commands};
use crate::shapes::Tape;
use crate::venue::{engine, market_id};
use crate::wire::batches;
use cambist_codec::Kernel;
use cambist_engine::Engine;
use std::hint::black_box;

/// The kernel, with a market number that was not used yet.
pub struct BytesLevel {
    kernel: Kernel<Engine>,
    numbers: Numbers,
    market: u32,
}

impl BytesLevel {
    /// With room for so many markets.
    pub fn new(markets: u32) -> Self {
        let (engine, numbers) = engine(markets);
        Self {
            kernel: Kernel::around(engine, [0; 32]),
            numbers,
            market: 0,
        }
    }

    fn play(&mut self, batches: &[Vec<u8>]) {
        for batch in batches {
            black_box(self.kernel.apply(batch).expect("well formed"));
        }
    }

    /// Messages per second over a tape, in so many fresh markets.
    pub fn rate(&mut self, tape: &Tape, markets: u32) -> f64 {
        let [filling, measured] = commands(tape, &mut self.numbers, market_id(self.market));
        self.market += markets;
        let last_seq = |kernel: &Kernel<Engine>| kernel.machine().last_seq();
        self.play(&batches(&filling, last_seq(&self.kernel) + 1));
        let before = last_seq(&self.kernel);
        let measured = batches(&measured, before + 1);
        let started = Clock::start();
        self.play(&measured);
        let seconds = started.seconds();
        let count = last_seq(&self.kernel) - before;
        count as f64 / seconds
    }
}
