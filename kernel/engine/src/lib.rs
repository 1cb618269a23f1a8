//! The state machine of a shard: typed commands in, typed events out, no I/O.
//!
//! `docs/semantics.md` is the rule. The messages are those of [`cambist_codec::messages`]; the codec puts bytes around
//! this machine. Nothing here reads a clock, a random source or an unordered table.

#![forbid(unsafe_code)]

pub mod limits;
pub mod sink;

pub use cambist_codec::messages as types;
pub use sink::Sink;
