//! `cambist_kernel.testing`: makes a command stop the engine, so that what is built around it can be tested. Off unless
//! a test turns it on; the rules know nothing of it.

use cambist_codec::encoder::Encoder;
use cambist_codec::kernel::{Batch, Commands};
use cambist_codec::messages::Command;
use cambist_codec::{Snapshot, SnapshotRefused, StateMachine};
use cambist_engine::Engine;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering};

/// The tag of orders that stop an engine of this process; 0 = none.
static PANIC_TAG: AtomicU32 = AtomicU32::new(0);

/// From now on a `NewOrder` with this tag stops every engine of this process; 0 ends that.
#[pyfunction]
pub fn panic_on_tag(tag: u32) {
    PANIC_TAG.store(tag, Ordering::Relaxed);
}

/// The engine, which stops when it was told to: after the batch, so that its state is one that must not be used.
#[derive(Debug)]
pub struct Hooked(Engine);

fn has_tag(batch: &Batch<'_>, tag: u32) -> bool {
    batch.envelopes().any(|(_, commands)| match commands {
        Commands::Firm(commands, count) => commands[..count]
            .iter()
            .any(|command| matches!(command, Command::NewOrder(order) if order.tag == tag)),
        Commands::System(_) => false,
    })
}

impl StateMachine for Hooked {
    fn new(shard: u32, rules_newest: u32) -> Self {
        Self(Engine::knowing(shard, rules_newest))
    }

    fn restore(snapshot: &Snapshot<'_>, rules_newest: u32) -> Result<Self, SnapshotRefused> {
        Engine::from_snapshot_knowing(snapshot, rules_newest).map(Self)
    }

    fn apply(&mut self, batch: &Batch<'_>, events: &mut Encoder) {
        self.0.apply_batch(batch, events);
        let tag = PANIC_TAG.load(Ordering::Relaxed);
        assert!(
            tag == 0 || !has_tag(batch, tag),
            "stopped by cambist_kernel.testing"
        );
    }

    fn session_numbers(&self, session_id: u64) -> (u64, u64) {
        self.0.session_numbers(session_id)
    }

    fn snapshot(&self) -> Snapshot<'_> {
        self.0.to_snapshot()
    }

    fn shard(&self) -> u32 {
        self.0.shard()
    }

    fn last_seq(&self) -> u64 {
        self.0.last_seq()
    }

    fn time_ns(&self) -> i64 {
        self.0.time_ns()
    }

    fn next_timer_ns(&self) -> i64 {
        self.0.next_timer_ns()
    }

    fn open_cursors(&self) -> usize {
        self.0.open_cursors()
    }
}
