//! Turns errors into the Python exceptions of `cambist_kernel.errors`.

use cambist_backtest::BadRow;
use cambist_codec::{BatchRefused, MalformedEnvelope, SnapshotRefused};
use cambist_engine::types::{RejectReason, WireEnum};
use cambist_feed::FeedBroken;
use pyo3::call::PyCallArgs;
use pyo3::prelude::*;

/// An exception of `cambist_kernel.errors`, or what went wrong when it was made.
fn raise<'py>(py: Python<'py>, name: &str, arguments: impl PyCallArgs<'py>) -> PyErr {
    let made = py
        .import("cambist_kernel.errors")
        .and_then(|module| module.getattr(name))
        .and_then(|class| class.call1(arguments));
    match made {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

pub fn malformed(py: Python<'_>, error: MalformedEnvelope) -> PyErr {
    raise(
        py,
        "MalformedEnvelope",
        (error.reason as u8, error.index, error.field),
    )
}

pub fn apply_refused(py: Python<'_>, reason: BatchRefused) -> PyErr {
    raise(py, "BatchRefused", (reason.name(),))
}

pub fn panicked(py: Python<'_>, text: String) -> PyErr {
    raise(py, "EnginePanicked", (text,))
}

pub fn snapshot_refused(py: Python<'_>, error: SnapshotRefused) -> PyErr {
    raise(py, "SnapshotRefused", (error.to_string(),))
}

pub fn feed_broken(py: Python<'_>, error: FeedBroken) -> PyErr {
    raise(py, "FeedBroken", (error.name(),))
}

pub fn bad_row(py: Python<'_>, error: BadRow) -> PyErr {
    raise(py, "BadRow", (error.index, error.field))
}

pub fn refused(py: Python<'_>, reason: RejectReason) -> PyErr {
    raise(py, "Refused", (reason.number(),))
}
