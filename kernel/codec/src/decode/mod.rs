//! Strict decoding, one function per message.

pub mod commands;
pub mod state;
pub mod system;
