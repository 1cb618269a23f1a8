//! A tape as typed commands in envelopes of sessions: 10,000 accounts in self-trade groups of four.

use crate::random::mix;
use crate::shapes::{Block, Kind, Message, SESSIONS, Tape};
use cambist_engine::Head;
use cambist_engine::types::{
    Amend, Cancel, Command, CommandClass, Id, NewOrder, OrderType, Side, TimeInForce,
};

pub const SHARD: u32 = 1;
pub const ACCOUNTS: u64 = 10_000;
pub const FIRST_ACCOUNT: u64 = 4_096;
const PER_SESSION: u64 = ACCOUNTS / SESSIONS as u64;
pub const START_NS: i64 = 1_700_000_000_000_000_000;
/// Time between two commands.
pub const STEP_NS: i64 = 1_000;
/// Blocks of a batch.
pub const BATCH_BLOCKS: usize = 32;

/// Accounts of a session, ascending.
pub fn accounts_of(session: usize) -> impl Iterator<Item = u64> {
    let first = FIRST_ACCOUNT + session as u64 * PER_SESSION;
    first..first + PER_SESSION
}

/// An id of its own for each number, without an order that shows.
pub fn id_of(number: u64) -> Id {
    (u128::from(mix(number)) << 64 | u128::from(number)).to_be_bytes()
}

/// Numbers that go on from tape to tape on one engine.
#[derive(Debug)]
pub struct Numbers {
    /// Time of the next command.
    pub time_ns: i64,
    /// Last numbers of each session: orders, cancels.
    seq_nos: [[u64; 2]; SESSIONS],
    /// Ids used.
    used: u64,
    /// Tapes played.
    pub tapes: u64,
}

impl Numbers {
    pub fn new(time_ns: i64) -> Self {
        Self {
            time_ns,
            seq_nos: [[0; 2]; SESSIONS],
            used: 0,
            tapes: 0,
        }
    }

    /// An id that was not used before, without an order that shows.
    pub fn fresh_id(&mut self) -> Id {
        self.used += 1;
        id_of(self.used)
    }
}

/// One batch: envelopes with the number of commands of each, and the commands of all.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    pub envelopes: Vec<(Head, usize)>,
    pub commands: Vec<Command<'static>>,
}

impl Sent {
    /// When it is applied.
    pub fn time_ns(&self) -> i64 {
        self.envelopes
            .last()
            .map_or(0, |(head, _)| head.received_ns)
    }
}

/// A tape as batches of commands, in markets from `first_market` on: what fills the books, what is measured.
pub fn commands(tape: &Tape, numbers: &mut Numbers, first_market: u32) -> [Vec<Sent>; 2] {
    numbers.tapes += 1;
    let names = Names {
        tape: numbers.tapes,
        first_market,
    };
    let (filling, measured) = tape.blocks.split_at(tape.filling);
    [filling, measured].map(|blocks| {
        let batches = blocks.chunks(BATCH_BLOCKS);
        batches
            .map(|blocks| names.batch(tape, blocks, numbers))
            .collect()
    })
}

struct Names {
    tape: u64,
    first_market: u32,
}

impl Names {
    fn order_id(&self, order: u32) -> Id {
        let number = self.tape << 32 | u64::from(order);
        id_of(number)
    }

    fn batch(&self, tape: &Tape, blocks: &[Block], numbers: &mut Numbers) -> Sent {
        let mut sent = Sent::default();
        for block in blocks {
            self.envelope(tape, block, numbers, &mut sent);
        }
        sent
    }

    fn envelope(&self, tape: &Tape, block: &Block, numbers: &mut Numbers, sent: &mut Sent) {
        let seq_no = &mut numbers.seq_nos[block.session][usize::from(block.is_cancel)];
        let head = Head {
            command_class: if block.is_cancel {
                CommandClass::Cancel
            } else {
                CommandClass::Order
            },
            session_id: block.session as u64 + 1,
            connection: 1,
            first_seq_no: *seq_no + 1,
            received_ns: numbers.time_ns,
            correlation: 0,
        };
        *seq_no += block.count as u64;
        let messages = &tape.messages[block.first..block.first + block.count];
        for message in messages {
            numbers.time_ns += STEP_NS;
            sent.commands.push(self.command(message, block, numbers));
        }
        sent.envelopes.push((head, block.count));
    }

    fn command(&self, message: &Message, block: &Block, numbers: &mut Numbers) -> Command<'static> {
        let sent_time_ns = numbers.time_ns;
        let place = mix(u64::from(message.order)) % PER_SESSION;
        let account_id = FIRST_ACCOUNT + block.session as u64 * PER_SESSION + place;
        let target = self.order_id(message.order);
        match message.kind {
            Kind::New | Kind::Ioc => Command::NewOrder(NewOrder {
                cl_ord_id: target,
                account_id,
                market_id: self.first_market + block.market as u32,
                side: if message.is_buy {
                    Side::Buy
                } else {
                    Side::Sell
                },
                order_type: OrderType::Limit,
                time_in_force: if message.kind == Kind::Ioc {
                    TimeInForce::Ioc
                } else {
                    TimeInForce::Gtc
                },
                price_ticks: message.price_ticks,
                quantity_lots: message.quantity_lots,
                sent_time_ns,
                ..NewOrder::default()
            }),
            Kind::Cancel => Command::Cancel(Cancel {
                request_id: numbers.fresh_id(),
                account_id,
                orig_cl_ord_id: Some(target),
                sent_time_ns,
                ..Cancel::default()
            }),
            Kind::Move | Kind::Reduce => {
                let is_move = message.kind == Kind::Move;
                Command::Amend(Amend {
                    request_id: numbers.fresh_id(),
                    account_id,
                    orig_cl_ord_id: Some(target),
                    price_ticks: if is_move { message.price_ticks } else { 0 },
                    quantity_lots: if is_move { 0 } else { message.quantity_lots },
                    sent_time_ns,
                    ..Amend::default()
                })
            }
        }
    }
}
