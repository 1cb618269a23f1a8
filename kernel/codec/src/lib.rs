//! Bytes around the engine: strict decoding of batches, canonical encoding of event rows and snapshots, the state hash.
//!
//! [`Kernel`] is what everything outside uses. `docs/semantics.md` sections 2 and 9 are the rules.

#![forbid(unsafe_code)]

pub mod batch;
mod body_hash;
mod decode;
mod encode;
pub mod encoder;
pub mod envelope;
pub mod fold;
pub mod frames;
pub mod kernel;
pub mod messages;
pub mod reader;
pub mod row;
pub mod scan;
pub mod snapshot;
mod values;
pub mod writer;

pub use batch::BatchRefused;
pub use body_hash::{body_hash, full_body_hash};
pub use envelope::{MalformedEnvelope, check_envelope};
pub use kernel::{ApplyError, Kernel, StateMachine};
pub use reader::MalformedReason;
pub use snapshot::{RULES_DEFAULT, RULES_NEWEST, Snapshot, SnapshotRefused};
