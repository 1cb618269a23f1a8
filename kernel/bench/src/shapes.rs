//! The five shapes of books, as messages: about 50 % new orders, 40 % cancels, 10 % modifies.
//!
//! 15 % of new orders are IOC and take about a twentieth of what rests, nearly all others end by a cancel, a fifth get a
//! modify first. A cancel or modify of an order that was filled meanwhile is stale. Messages come in blocks of one
//! session and one class, as envelopes carry them.

use crate::random::Random;

/// Messages of one block.
pub const BLOCK: usize = 32;
/// Sessions; each has its own accounts.
pub const SESSIONS: usize = 10;
const IOC_PER_MILLE: u64 = 150;
const MODIFY_PER_MILLE: u64 = 170;
/// Messages in which a price wanders out, to the other side, and back: slowly against the life of an order.
const WAVE: usize = 1_000_000;
/// Messages between two long sweeps, and the orders that each sweep fills.
const SWEEP_EVERY: usize = 60_000;
const SWEEP_ORDERS: usize = 5_000;

/// How a book looks.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub name: &'static str,
    /// Orders at rest.
    resting: usize,
    /// Levels of a side.
    levels: i64,
    /// Where the price is.
    middle_ticks: i64,
    /// Ticks between two levels.
    gap_ticks: i64,
    /// How far the price wanders out and back, in thousandths.
    wander: i64,
    /// Long sweeps now and then.
    sweeps: bool,
}

const fn shape(name: &'static str, resting: usize, levels: i64) -> Shape {
    Shape {
        name,
        resting,
        levels,
        middle_ticks: 1_000_000,
        gap_ticks: 1,
        wander: 0,
        sweeps: false,
    }
}

pub const SHAPES: [Shape; 5] = [
    shape("deep", 42_000, 40),
    shape("normal", 3_000, 300),
    Shape {
        middle_ticks: 2_000,
        wander: 250,
        ..shape("swing", 3_000, 300)
    },
    Shape {
        middle_ticks: 2_000,
        wander: 400,
        ..shape("wide-swing", 3_000, 300)
    },
    Shape {
        gap_ticks: 997,
        sweeps: true,
        ..shape("gaps", 400, 200)
    },
];

/// What a message does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    New,
    Ioc,
    Cancel,
    /// Another price: to the tail of its level.
    Move,
    /// Less of it: keeps its place.
    Reduce,
}

/// One message. `order` numbers orders over the whole tape.
#[derive(Clone, Copy, Debug)]
pub struct Message {
    pub kind: Kind,
    pub is_buy: bool,
    pub order: u32,
    pub price_ticks: i64,
    pub quantity_lots: i64,
}

/// Messages of one session, one class and one market.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    pub session: usize,
    pub market: usize,
    pub is_cancel: bool,
    pub first: usize,
    pub count: usize,
}

/// A tape: `filling` blocks fill the books, the others are measured.
#[derive(Debug, Default)]
pub struct Tape {
    pub messages: Vec<Message>,
    pub blocks: Vec<Block>,
    pub filling: usize,
    pub orders: u32,
}

#[derive(Clone, Copy, Debug)]
struct Resting {
    order: u32,
    is_buy: bool,
    quantity_lots: i64,
}

/// The flow of one market.
struct Flow {
    shape: Shape,
    resting: Vec<Vec<Resting>>,
    since_sweep: usize,
    sweep_left: usize,
}

/// A triangle: out to 1, back over 0 to -1, and back, in thousandths.
fn wave(progress: i64) -> i64 {
    match progress * 4 / 1_000 {
        0 => progress * 4,
        1 | 2 => 2_000 - progress * 4,
        _ => progress * 4 - 4_000,
    }
}

impl Flow {
    fn new(shape: Shape) -> Self {
        Self {
            shape,
            resting: vec![Vec::new(); SESSIONS],
            since_sweep: 0,
            sweep_left: 0,
        }
    }

    fn middle(&self, progress: i64) -> i64 {
        self.shape.middle_ticks
            + self.shape.middle_ticks * self.shape.wander / 1_000 * wave(progress) / 1_000
    }

    /// A price on the own side of the middle, nearer ones more often.
    fn price(&self, random: &mut Random, is_buy: bool, progress: i64) -> i64 {
        let levels = self.shape.levels;
        let near = random
            .between(0, levels - 1)
            .min(random.between(0, levels - 1));
        let distance = (1 + near) * self.shape.gap_ticks;
        self.middle(progress) + if is_buy { -distance } else { distance }
    }

    fn rest(&mut self, tape: &mut Tape, random: &mut Random, session: usize, progress: i64) {
        let sweeping = self.sweep_left > 0;
        let is_buy = !sweeping && random.per_mille(500);
        let quantity_lots = random.between(10, 100);
        let order = tape.next_order();
        let price_ticks = self.price(random, is_buy, progress);
        tape.messages.push(Message {
            kind: Kind::New,
            is_buy,
            order,
            price_ticks,
            quantity_lots,
        });
        if sweeping {
            // The sweep will take it.
            self.sweep_left -= 1;
            return;
        }
        self.resting[session].push(Resting {
            order,
            is_buy,
            quantity_lots,
        });
    }

    fn take(&mut self, tape: &mut Tape, random: &mut Random, progress: i64) {
        let is_buy = random.per_mille(500);
        let reach = (self.shape.levels / 30).max(3) * self.shape.gap_ticks;
        let price_ticks = self.middle(progress) + if is_buy { reach } else { -reach };
        let order = tape.next_order();
        tape.messages.push(Message {
            kind: Kind::Ioc,
            is_buy,
            order,
            price_ticks,
            quantity_lots: random.between(1, 60),
        });
    }

    fn modify(&mut self, tape: &mut Tape, random: &mut Random, session: usize, progress: i64) {
        let count = self.resting[session].len() as u64;
        let at = random.below(count) as usize;
        let is_move = random.per_mille(500);
        let is_buy = self.resting[session][at].is_buy;
        let price_ticks = self.price(random, is_buy, progress);
        let resting = &mut self.resting[session][at];
        if !is_move {
            resting.quantity_lots = (resting.quantity_lots * 3 / 4).max(1);
        }
        tape.messages.push(Message {
            kind: if is_move { Kind::Move } else { Kind::Reduce },
            is_buy: resting.is_buy,
            order: resting.order,
            price_ticks,
            quantity_lots: resting.quantity_lots,
        });
    }

    fn cancel(&mut self, tape: &mut Tape, random: &mut Random, session: usize) {
        let resting = &mut self.resting[session];
        let at = random.below(resting.len() as u64) as usize;
        let gone = resting.swap_remove(at);
        tape.messages.push(Message {
            kind: Kind::Cancel,
            is_buy: gone.is_buy,
            order: gone.order,
            price_ticks: 0,
            quantity_lots: 0,
        });
    }

    /// One block of a session.
    fn block(
        &mut self,
        tape: &mut Tape,
        random: &mut Random,
        session: usize,
        progress: i64,
    ) -> bool {
        let wanted = self.shape.resting / SESSIONS;
        if self.shape.sweeps {
            self.since_sweep += BLOCK;
            if self.since_sweep >= SWEEP_EVERY {
                (self.since_sweep, self.sweep_left) = (0, SWEEP_ORDERS);
            }
        }
        let sweeping = self.sweep_left > 0;
        let is_cancel = !sweeping && self.resting[session].len() > wanted + BLOCK / 2;
        for _ in 0..BLOCK {
            if sweeping && self.sweep_left == 0 {
                let order = tape.next_order();
                tape.messages.push(Message {
                    kind: Kind::Ioc,
                    is_buy: true,
                    order,
                    price_ticks: self.shape.middle_ticks * 2,
                    quantity_lots: 55 * SWEEP_ORDERS as i64,
                });
                break;
            }
            if is_cancel {
                self.cancel(tape, random, session);
            } else if sweeping {
                self.rest(tape, random, session, progress);
            } else if !self.resting[session].is_empty() && random.per_mille(MODIFY_PER_MILLE) {
                self.modify(tape, random, session, progress);
            } else if random.per_mille(IOC_PER_MILLE) {
                self.take(tape, random, progress);
            } else {
                self.rest(tape, random, session, progress);
            }
        }
        is_cancel
    }
}

impl Tape {
    fn next_order(&mut self) -> u32 {
        self.orders += 1;
        self.orders
    }

    /// A tape of about `count` measured messages over markets of the given shapes.
    pub fn new(shapes: &[Shape], count: usize, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut tape = Self::default();
        let mut flows: Vec<Flow> = shapes.iter().map(|shape| Flow::new(*shape)).collect();
        for (market, flow) in flows.iter_mut().enumerate() {
            let each = (flow.shape.resting / SESSIONS).div_ceil(BLOCK);
            for number in 0..each * SESSIONS {
                let first = tape.messages.len();
                let session = number % SESSIONS;
                for _ in 0..BLOCK {
                    flow.rest(&mut tape, &mut random, session, 0);
                }
                tape.close_block(session, market, false, first);
            }
        }
        tape.filling = tape.blocks.len();
        let start = tape.messages.len();
        while tape.messages.len() < start + count {
            let first = tape.messages.len();
            let progress = ((first - start) % WAVE * 1_000 / WAVE) as i64;
            let session = random.below(SESSIONS as u64) as usize;
            let market = random.below(flows.len() as u64) as usize;
            let is_cancel = flows[market].block(&mut tape, &mut random, session, progress);
            tape.close_block(session, market, is_cancel, first);
        }
        tape
    }

    fn close_block(&mut self, session: usize, market: usize, is_cancel: bool, first: usize) {
        self.blocks.push(Block {
            session,
            market,
            is_cancel,
            first,
            count: self.messages.len() - first,
        });
    }

    /// Messages of the measured part.
    pub fn measured(&self) -> usize {
        self.messages.len() - self.blocks[self.filling].first
    }
}
