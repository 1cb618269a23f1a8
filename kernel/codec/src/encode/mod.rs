//! Canonical encoding, one function per message.

pub mod events;
pub mod market_data;
pub mod state;
pub mod system;
