//! A state machine without rules: it answers every `NewOrder` as if it rested. Enough to drive the bytes around it.

use cambist_codec::encoder::{Cause, Encoder, Level2};
use cambist_codec::kernel::{Batch, Commands, StateMachine};
use cambist_codec::messages::{
    BatchApplied, Command, ExecType, ExecutionReport, L2Level, L3Action, L3Event, NewOrder,
    PrivateEvent, SessionEvent,
};
use cambist_codec::writer::{put_bytes, put_message, put_u64};
use cambist_codec::{Snapshot, SnapshotRefused};

pub const ACCOUNT: u64 = 4_096;
pub const MARKET: u32 = (1 << 16) + 1;

#[derive(Debug, Default)]
pub struct Echo {
    shard: u32,
    last_seq: u64,
    time_ns: i64,
    account_seqs: Vec<u64>,
    market_seq: u64,
}

impl Echo {
    fn new_order(&mut self, order: &NewOrder, cause: Cause, events: &mut Encoder) {
        let account_seq =
            &mut self.account_seqs[usize::try_from(order.account_id % 64).unwrap_or(0)];
        *account_seq += 1;
        self.market_seq += 1;
        events.cause(cause);
        let report = ExecutionReport {
            cl_ord_id: Some(order.cl_ord_id),
            order_id: cause.seq,
            market_id: order.market_id,
            exec_type: ExecType::New,
            side: order.side,
            price_ticks: order.price_ticks,
            quantity_lots: order.quantity_lots,
            leaves_lots: order.quantity_lots,
            order_type: order.order_type,
            time_in_force: order.time_in_force,
            public_order_id: self.market_seq,
            ..ExecutionReport::default()
        };
        events.private(
            order.account_id,
            *account_seq,
            &PrivateEvent::ExecutionReport(report),
        );
        let added = L3Event {
            market_seq: self.market_seq,
            action: L3Action::Add,
            public_order_id: self.market_seq,
            side: order.side,
            price_ticks: order.price_ticks,
            quantity_lots: order.quantity_lots,
            ..L3Event::default()
        };
        events.l3(order.market_id, &added);
    }
}

impl StateMachine for Echo {
    fn new(shard: u32, _rules_newest: u32) -> Self {
        Self {
            shard,
            account_seqs: vec![0; 64],
            ..Self::default()
        }
    }

    fn restore(snapshot: &Snapshot<'_>, _rules_newest: u32) -> Result<Self, SnapshotRefused> {
        let Snapshot {
            shard,
            last_seq,
            time_ns,
            ..
        } = *snapshot;
        Ok(Self {
            shard,
            last_seq,
            time_ns,
            ..Self::default()
        })
    }

    fn apply(&mut self, batch: &Batch<'_>, events: &mut Encoder) {
        self.time_ns = batch.head.time_ns;
        let first_market_seq = self.market_seq + 1;
        for (envelope, commands) in batch.envelopes() {
            let Commands::Firm(commands, count) = commands else {
                continue;
            };
            for command in &commands[..count] {
                self.last_seq += 1;
                let cause = Cause {
                    seq: self.last_seq,
                    received_ns: envelope.received_ns,
                };
                if let Command::NewOrder(order) = command {
                    self.new_order(order, cause, events);
                }
            }
            let applied = BatchApplied {
                command_class: envelope.command_class,
                first_seq_no: envelope.first_seq_no,
                count: envelope.count,
            };
            events.session(envelope.session_id, 1, &SessionEvent::Applied(applied));
        }
        let level = L2Level {
            price_ticks: 1,
            quantity_lots: 2,
            order_count: 3,
        };
        let delta = Level2 {
            first_market_seq,
            last_market_seq: self.market_seq,
            bids: &[level],
            ..Level2::default()
        };
        events.l2(MARKET, &delta);
    }

    fn session_numbers(&self, session_id: u64) -> (u64, u64) {
        (session_id * 10, 3)
    }

    fn snapshot(&self) -> Snapshot<'_> {
        let Self {
            shard,
            last_seq,
            time_ns,
            ..
        } = *self;
        Snapshot {
            shard,
            last_seq,
            time_ns,
            rules_version: 1,
            ..Snapshot::default()
        }
    }

    fn shard(&self) -> u32 {
        self.shard
    }

    fn last_seq(&self) -> u64 {
        self.last_seq
    }

    fn time_ns(&self) -> i64 {
        self.time_ns
    }

    fn next_timer_ns(&self) -> i64 {
        0
    }

    fn open_cursors(&self) -> usize {
        0
    }
}

/// A batch of `envelopes` envelopes with `orders` orders each.
pub fn batch(first_seq: u64, time_ns: i64, envelopes: u64, orders: u64) -> Vec<u8> {
    let mut out = Vec::new();
    put_u64(&mut out, 1, 1);
    put_u64(&mut out, 2, first_seq);
    put_u64(&mut out, 3, time_ns.cast_unsigned());
    for number in 0..envelopes {
        put_message(&mut out, 4, |envelope| {
            for (field, value) in [
                (1, 1),
                (2, number + 1),
                (3, 1),
                (4, 1),
                (5, orders),
                (6, 1 << 60),
            ] {
                put_u64(envelope, field, value);
            }
            put_message(envelope, 8, |body| {
                for order in 0..orders {
                    put_order(body, number * 1_000 + order);
                }
            });
        });
    }
    out
}

fn put_order(body: &mut Vec<u8>, number: u64) {
    put_message(body, 1, |command| {
        put_message(command, 1, |order| {
            put_bytes(order, 1, &u128::from(number + 1).to_le_bytes());
            let market = u64::from(MARKET);
            for (field, value) in [
                (2, ACCOUNT + number % 50),
                (3, market),
                (4, 1),
                (5, 1),
                (6, 1),
            ] {
                put_u64(order, field, value);
            }
            put_u64(order, 7, 30_000 + number);
            put_u64(order, 8, 10);
            put_u64(order, 10, 1_700_000_000_000_000_000);
        });
    });
}
