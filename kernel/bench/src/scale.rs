//! What a command costs, and what a resting order weighs, as books and markets grow: `cambist-bench --scale`.

use crate::clock::Clock;
use crate::commands::{ACCOUNTS, FIRST_ACCOUNT, STEP_NS, id_of};
use crate::random::Random;
use crate::venue::{bare_engine, market_id, unary};
use cambist_engine::Engine;
use cambist_engine::types::{Cancel, Command, NewOrder, OrderType, Side, TimeInForce};

/// Best prices are this far from either side's first level.
const MIDDLE_TICKS: i64 = 1_000_000;
/// Levels of each side that orders rest on.
const LEVELS: i64 = 1_000;
const BATCH: usize = 1_000;
/// Of a thousand commands; the others are cancels.
const NEW_PER_MILLE: u64 = 480;
const TAKERS_PER_MILLE: u64 = 40;

/// What was measured at one size.
pub struct Size {
    pub orders: u32,
    pub markets: u32,
    /// Of processor or wall time, by command.
    pub nanoseconds: f64,
    /// Of memory, by resting order; 0 where the machine does not say.
    pub bytes: f64,
}

/// Resident memory of this program.
fn resident_bytes() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    number.unwrap_or(0.0) * 1_024.0
}

/// A venue with resting orders, and which they are.
struct Loaded {
    engine: Engine,
    random: Random,
    markets: u32,
    time_ns: i64,
    used: u64,
    resting: Vec<u64>,
}

impl Loaded {
    fn account(number: u64) -> u64 {
        FIRST_ACCOUNT + number % ACCOUNTS
    }

    fn order(&mut self, is_taker: bool) -> Command<'static> {
        self.used += 1;
        self.time_ns += STEP_NS;
        let is_buy = self.random.next().is_multiple_of(2);
        let away = self.random.between(1, LEVELS);
        let passive = if is_buy { -away } else { away };
        let price_ticks = MIDDLE_TICKS + if is_taker { -passive } else { passive };
        if !is_taker {
            self.resting.push(self.used);
        }
        Command::NewOrder(NewOrder {
            cl_ord_id: id_of(self.used),
            account_id: Self::account(self.used),
            market_id: market_id(self.random.below(self.markets.into()) as u32),
            side: if is_buy { Side::Buy } else { Side::Sell },
            order_type: OrderType::Limit,
            time_in_force: if is_taker {
                TimeInForce::Ioc
            } else {
                TimeInForce::Gtc
            },
            price_ticks,
            quantity_lots: self.random.between(1, 100),
            sent_time_ns: self.time_ns,
            ..NewOrder::default()
        })
    }

    fn cancel(&mut self) -> Command<'static> {
        self.used += 1;
        self.time_ns += STEP_NS;
        let at = self.random.below(self.resting.len() as u64) as usize;
        let order = self.resting.swap_remove(at);
        Command::Cancel(Cancel {
            request_id: id_of(self.used),
            account_id: Self::account(order),
            orig_cl_ord_id: Some(id_of(order)),
            sent_time_ns: self.time_ns,
            ..Cancel::default()
        })
    }

    fn mixed(&mut self) -> Command<'static> {
        let draw = self.random.below(1_000);
        if draw < NEW_PER_MILLE || self.resting.is_empty() {
            self.order(false)
        } else if draw < NEW_PER_MILLE + TAKERS_PER_MILLE {
            self.order(true)
        } else {
            self.cancel()
        }
    }

    /// Carries out so many commands; the seconds that the engine took.
    fn run(&mut self, count: usize, mut next: impl FnMut(&mut Self) -> Command<'static>) -> f64 {
        let mut seconds = 0.0;
        let mut left = count;
        while left > 0 {
            let commands: Vec<_> = (0..left.min(BATCH)).map(|_| next(self)).collect();
            left -= commands.len();
            let started = Clock::start();
            unary(&mut self.engine, self.time_ns, &commands);
            seconds += started.seconds();
        }
        seconds
    }
}

/// Measures one size with so many commands.
pub fn measure(orders: u32, markets: u32, commands: usize) -> Size {
    let (engine, time_ns) = bare_engine(markets);
    let mut loaded = Loaded {
        engine,
        random: Random::new(u64::from(orders) << 16 | u64::from(markets)),
        markets,
        time_ns,
        used: 0,
        resting: Vec::with_capacity(orders as usize + commands),
    };
    // What the list itself takes is no memory of the engine.
    loaded.resting.resize(orders as usize + commands, 1);
    loaded.resting.clear();
    let before = resident_bytes();
    loaded.run(orders as usize, |loaded| loaded.order(false));
    assert_eq!(loaded.engine.resting_orders(), orders, "all of them rest");
    let grown = resident_bytes() - before;
    let seconds = loaded.run(commands, Loaded::mixed);
    Size {
        orders,
        markets,
        nanoseconds: seconds * 1e9 / commands as f64,
        bytes: grown.max(0.0) / f64::from(orders),
    }
}
