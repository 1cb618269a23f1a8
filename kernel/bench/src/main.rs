//! Messages per second of the kernel over five shapes of books, at three levels:
//! `cambist-bench [--messages 1000000] [--rounds 5] [--only book/deep] [--json]`; with `--scale 1000000 [--markets 1]` the
//! cost of a command and the weight of an order as books and markets grow, one size a run.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "counts of a measuring program are small"
)]

mod book_level;
mod bytes_level;
mod clock;
mod commands;
mod random;
mod scale;
mod shapes;
mod typed_level;
mod venue;
mod wire;

use bytes_level::BytesLevel;
use shapes::{SHAPES, Shape, Tape};
use typed_level::TypedLevel;

/// Markets of the mixed case.
const MIXED_MARKETS: usize = 64;

/// The rates of one case, one per round.
struct Case {
    name: String,
    rates: Vec<f64>,
}

/// What is measured at the levels with commands: each shape in one market, then all of them in many.
fn loads() -> Vec<(&'static str, Vec<Shape>)> {
    let mut loads: Vec<_> = SHAPES
        .iter()
        .map(|shape| (shape.name, vec![*shape]))
        .collect();
    let mixed = SHAPES.iter().cycle().take(MIXED_MARKETS).copied().collect();
    loads.push(("mixed", mixed));
    loads
}

struct Settings {
    messages: usize,
    rounds: u64,
    only: String,
    json: bool,
    /// Resting orders of `--scale`.
    orders: Option<u32>,
    /// Markets of `--scale`.
    markets_given: u32,
}

impl Settings {
    fn read() -> Self {
        let arguments: Vec<String> = std::env::args().collect();
        let after = |name: &str| {
            let at = arguments.iter().position(|argument| argument == name)?;
            arguments.get(at + 1).cloned()
        };
        clock::by_processor(
            arguments
                .iter()
                .any(|argument| argument == "--processor-time"),
        );
        let number = |name, default: u64| {
            let given = after(name).map(|text| text.parse().expect("a number"));
            given.unwrap_or(default)
        };
        Self {
            messages: number("--messages", 1_000_000) as usize,
            rounds: number("--rounds", 5),
            only: after("--only").unwrap_or_default(),
            json: arguments.iter().any(|argument| argument == "--json"),
            orders: after("--scale").map(|text| text.parse().expect("a number")),
            markets_given: number("--markets", 1) as u32,
        }
    }

    /// Measures the cases of a level that are asked for.
    fn level(
        &self,
        level: &str,
        loads: &[(&str, Vec<Shape>)],
        mut rate: impl FnMut(&Tape, u32) -> f64,
    ) -> Vec<Case> {
        let mut cases = Vec::new();
        for (name, shapes) in loads {
            let name = format!("{level}/{name}");
            if !name.contains(&self.only) {
                continue;
            }
            let markets = u32::try_from(shapes.len()).expect("few");
            let rounds = 0..self.rounds;
            let rates =
                rounds.map(|round| rate(&Tape::new(shapes, self.messages, round + 1), markets));
            let case = Case {
                name,
                rates: rates.collect(),
            };
            if !self.json {
                println!("{}", case.line());
            }
            cases.push(case);
        }
        cases
    }

    /// Markets that all rounds of a level use.
    fn markets(&self) -> u32 {
        let each: usize = loads().iter().map(|(_, shapes)| shapes.len()).sum();
        u32::try_from(each).expect("few") * u32::try_from(self.rounds).expect("few")
    }
}

impl Case {
    fn low(&self) -> f64 {
        self.rates.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn high(&self) -> f64 {
        self.rates.iter().copied().fold(0.0, f64::max)
    }

    fn line(&self) -> String {
        let million = |rate| rate / 1e6;
        format!(
            "{:<20} best {:6.2} M/s, lowest {:6.2}",
            self.name,
            million(self.high()),
            million(self.low())
        )
    }

    /// The best round is the value: others on the machine only make it slower.
    fn json(&self) -> String {
        format!(
            r#"{{"case": "{}", "value": {:.0}, "low": {:.0}, "high": {:.0}}}"#,
            self.name,
            self.high(),
            self.low(),
            self.high()
        )
    }
}

/// One size, in a program of its own: memory that was given back before would hide what is taken.
fn scale(settings: &Settings, orders: u32) {
    let size = scale::measure(orders, settings.markets_given, settings.messages);
    println!(
        r#"{{"orders": {}, "markets": {}, "nanoseconds": {:.1}, "bytes": {:.1}}}"#,
        size.orders, size.markets, size.nanoseconds, size.bytes
    );
}

fn main() {
    let settings = Settings::read();
    if let Some(orders) = settings.orders {
        return scale(&settings, orders);
    }
    let loads = loads();
    let wants = |level: &str| {
        settings.only.is_empty()
            || settings.only.starts_with(level)
            || level.starts_with(&settings.only)
    };
    let mut cases = Vec::new();
    if wants("book") {
        cases.extend(settings.level("book", &loads[..SHAPES.len()], |tape, _| {
            book_level::rate(tape)
        }));
    }
    if wants("typed") {
        let mut level = TypedLevel::new(settings.markets());
        cases.extend(settings.level("typed", &loads, |tape, markets| level.rate(tape, markets)));
    }
    if wants("bytes") {
        let mut level = BytesLevel::new(settings.markets());
        cases.extend(settings.level("bytes", &loads, |tape, markets| level.rate(tape, markets)));
    }
    if settings.json {
        let lines: Vec<String> = cases.iter().map(Case::json).collect();
        println!("[{}]", lines.join(",\n "));
    }
}
