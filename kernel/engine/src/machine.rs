//! The engine as the codec drives it.

use crate::engine::{Engine, Head};
use crate::sink::Sink;
use cambist_codec::encoder::Encoder;
use cambist_codec::envelope::Envelope;
use cambist_codec::kernel::{Batch, Commands};
use cambist_codec::{Snapshot, SnapshotRefused, StateMachine};

impl Head {
    /// What the rules look at of an envelope.
    #[must_use]
    pub fn of(envelope: &Envelope<'_>) -> Self {
        Self {
            command_class: envelope.command_class,
            session_id: envelope.session_id,
            connection: envelope.connection,
            first_seq_no: envelope.first_seq_no,
            received_ns: envelope.received_ns,
            correlation: envelope.correlation,
        }
    }
}

impl Engine {
    /// Applies a batch that was judged wholly.
    pub fn apply_batch<S: Sink>(&mut self, batch: &Batch<'_>, sink: &mut S) {
        self.begin(batch.head.time_ns, sink);
        for (envelope, commands) in batch.envelopes() {
            let head = Head::of(envelope);
            match commands {
                Commands::Firm(commands, count) => {
                    self.firm_envelope_ahead(&head, commands, count, sink);
                }
                Commands::System(commands) => self.system_envelope(&head, commands, sink),
            }
        }
        self.end(sink);
    }
}

impl StateMachine for Engine {
    fn new(shard: u32, rules_newest: u32) -> Self {
        Self::knowing(shard, rules_newest)
    }

    fn restore(snapshot: &Snapshot<'_>, rules_newest: u32) -> Result<Self, SnapshotRefused> {
        Self::from_snapshot_knowing(snapshot, rules_newest)
    }

    fn apply(&mut self, batch: &Batch<'_>, events: &mut Encoder) {
        self.apply_batch(batch, events);
    }

    fn session_numbers(&self, session_id: u64) -> (u64, u64) {
        self.session_numbers(session_id)
    }

    fn snapshot(&self) -> Snapshot<'_> {
        self.to_snapshot()
    }

    fn shard(&self) -> u32 {
        self.shard()
    }

    fn last_seq(&self) -> u64 {
        self.last_seq()
    }

    fn time_ns(&self) -> i64 {
        self.time_ns()
    }

    fn next_timer_ns(&self) -> i64 {
        self.next_timer_ns()
    }

    fn open_cursors(&self) -> usize {
        self.open_cursors()
    }
}
