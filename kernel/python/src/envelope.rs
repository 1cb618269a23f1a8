//! `cambist_kernel.check_envelope`.

use crate::errors::malformed;
use pyo3::prelude::*;

/// Raises `MalformedEnvelope` unless the bytes are a well-formed envelope.
#[pyfunction]
pub fn check_envelope(py: Python<'_>, envelope: &[u8]) -> PyResult<()> {
    let checked = py.detach(|| cambist_codec::check_envelope(envelope));
    checked.map_err(|error| malformed(py, error))
}
