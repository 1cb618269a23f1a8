//! An engine that writes rows where the venue's writes frames.

use crate::columns::Columns;
use cambist_codec::encoder::Encoder;
use cambist_codec::kernel::Batch;
use cambist_codec::{Snapshot, SnapshotRefused, StateMachine};
use cambist_engine::Engine;

/// The engine and its sink.
#[derive(Debug)]
pub struct Recorder {
    /// The engine.
    pub engine: Engine,
    /// What it told.
    pub columns: Columns,
}

impl Recorder {
    fn around(engine: Engine) -> Self {
        Self {
            engine,
            columns: Columns::default(),
        }
    }
}

impl StateMachine for Recorder {
    fn new(shard: u32, rules_newest: u32) -> Self {
        Self::around(Engine::knowing(shard, rules_newest))
    }

    fn restore(snapshot: &Snapshot<'_>, rules_newest: u32) -> Result<Self, SnapshotRefused> {
        Engine::from_snapshot_knowing(snapshot, rules_newest).map(Self::around)
    }

    fn apply(&mut self, batch: &Batch<'_>, _: &mut Encoder) {
        self.columns.start(batch.head.time_ns);
        self.engine.apply_batch(batch, &mut self.columns);
    }

    fn session_numbers(&self, session_id: u64) -> (u64, u64) {
        self.engine.session_numbers(session_id)
    }

    fn snapshot(&self) -> Snapshot<'_> {
        self.engine.to_snapshot()
    }

    fn shard(&self) -> u32 {
        self.engine.shard()
    }

    fn last_seq(&self) -> u64 {
        self.engine.last_seq()
    }

    fn time_ns(&self) -> i64 {
        self.engine.time_ns()
    }

    fn next_timer_ns(&self) -> i64 {
        self.engine.next_timer_ns()
    }

    fn open_cursors(&self) -> usize {
        self.engine.open_cursors()
    }
}
