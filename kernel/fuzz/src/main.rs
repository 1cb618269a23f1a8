//! Mutational fuzzing on the stable compiler: `cargo run --release -p cambist-fuzz -- --seconds 60 [--seed 1]`.
//!
//! Every target gets its share of the time. What went wrong is a panic, before which the bytes are written out in
//! hexadecimal; the seed and the round repeat it.

#![forbid(unsafe_code)]

use cambist_fuzz::mutate::{Random, mutate};
use cambist_fuzz::{engine, envelope, feed_row, seeds, snapshot};
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Mutations of one seed before a fresh one is taken.
const GENERATIONS_MAX: usize = 8;
/// Rounds between two looks at the clock.
const ROUNDS_PER_LOOK: u64 = 100;

type Target = (&'static str, fn(&[u8]), Vec<Vec<u8>>);

fn main() -> ExitCode {
    let seconds = argument("--seconds").unwrap_or(10);
    let seed = argument("--seed").unwrap_or(1);
    let targets: [Target; 4] = [
        ("envelope", envelope, seeds::envelopes()),
        ("feed_row", feed_row, seeds::rows()),
        ("snapshot", snapshot, seeds::snapshots()),
        ("engine", engine, seeds::flows()),
    ];
    let share = Duration::from_secs(seconds) / 4;
    for (name, target, seeds) in &targets {
        match run(*target, seeds, share, seed) {
            Ok(rounds) => println!("{name}: {rounds} inputs, no fault"),
            Err(bytes) => {
                println!("{name}: FAULT with seed {seed} on {}", hexadecimal(&bytes));
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn run(target: fn(&[u8]), seeds: &[Vec<u8>], share: Duration, seed: u64) -> Result<u64, Vec<u8>> {
    let started = Instant::now();
    let mut random = Random::new(seed);
    let mut rounds = 0;
    for bytes in seeds {
        judge(target, bytes)?;
    }
    while started.elapsed() < share {
        for _ in 0..ROUNDS_PER_LOOK {
            let mut bytes = seeds[random.below(seeds.len())].clone();
            let other = &seeds[random.below(seeds.len())];
            for _ in 0..=random.below(GENERATIONS_MAX) {
                mutate(&mut random, &mut bytes, other);
            }
            judge(target, &bytes)?;
        }
        rounds += ROUNDS_PER_LOOK;
    }
    Ok(rounds)
}

fn judge(target: fn(&[u8]), bytes: &[u8]) -> Result<(), Vec<u8>> {
    catch_unwind(|| target(bytes)).map_err(|_| bytes.to_vec())
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn argument(name: &str) -> Option<u64> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.next()?;
    arguments.next()?.parse().ok()
}
