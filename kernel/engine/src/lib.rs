//! The state machine of a shard: typed commands in, typed events out, no I/O.
//!
//! `docs/semantics.md` is the rule. The messages are those of [`cambist_codec::messages`]; the codec puts bytes around
//! this machine. Nothing here reads a clock, a random source or an unordered table.

#![forbid(unsafe_code)]

pub mod accounts;
mod administration;
mod amend;
pub mod balances;
mod bands;
pub mod book;
mod bookings;
mod cancel;
pub mod cancel_all;
pub mod custody;
mod deposits;
pub mod disconnect;
pub mod engine;
pub mod fee_tiers;
mod fillable;
mod firm;
mod firm_money;
pub mod icebergs;
pub mod keys;
mod kill_switches;
pub mod limits;
pub mod live;
mod machine;
pub mod markets;
mod mass_cancel;
mod matcher;
pub mod money;
mod new_order;
mod order_checks;
pub mod orders;
mod phases;
mod poison;
mod prevention;
mod protection;
pub mod refusal;
mod replacement;
mod resolve;
mod restore;
mod session_commands;
pub mod sessions;
pub mod sink;
pub mod slots;
mod snapshot;
mod system;
pub mod table;
pub mod timers;
mod trade;
mod trading_limits;
mod triggers;
mod views;
mod waiting_orders;
pub mod waits;
mod warm;
mod withdrawals;

pub use cambist_codec::messages as types;
pub use engine::{Engine, Head};
pub use sink::Sink;
