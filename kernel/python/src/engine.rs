//! `cambist_kernel.Engine`.

use crate::errors::{apply_refused, malformed, panicked, snapshot_refused};
use crate::guarded::{Guarded, message};
use crate::testing::Hooked;
use cambist_codec::{ApplyError, Kernel, RULES_DEFAULT, RULES_NEWEST, StateMachine};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::collections::BTreeMap;
use std::panic::catch_unwind;

type Held = Kernel<Hooked>;

/// The engine of one shard.
#[derive(Debug)]
#[pyclass(frozen, module = "cambist_kernel")]
pub struct Engine {
    kernel: Guarded<Held>,
}

impl Engine {
    fn around(kernel: Held) -> Self {
        Self {
            kernel: Guarded::around(kernel),
        }
    }

    fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Held) -> T + Send,
    ) -> PyResult<T> {
        self.kernel.with(py, work)
    }
}

/// Hashes of parts as Python has them.
pub fn by_name<'py>(
    py: Python<'py>,
    parts: &[(&'static str, [u8; 32])],
) -> BTreeMap<&'static str, Bound<'py, PyBytes>> {
    let parts = parts.iter();
    parts
        .map(|(name, hash)| (*name, PyBytes::new(py, hash)))
        .collect()
}

// Signatures say 1 in so many words: of a constant's name Python would see `...` only.
const _: () = assert!(RULES_DEFAULT == 1);

/// A rules version that this build can know.
fn judge_rules(rules_newest: u32) -> PyResult<()> {
    if (1..=RULES_NEWEST).contains(&rules_newest) {
        return Ok(());
    }
    Err(PyValueError::new_err("not a rules version of this build"))
}

fn not_applied(py: Python<'_>, error: ApplyError) -> PyErr {
    match error {
        ApplyError::Refused(reason) => apply_refused(py, reason),
        ApplyError::Malformed(error) => malformed(py, error),
    }
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (shard, rules_newest=1))]
    fn new(shard: u32, rules_newest: u32) -> PyResult<Self> {
        judge_rules(rules_newest)?;
        Ok(Self::around(Kernel::knowing(shard, rules_newest)))
    }

    #[staticmethod]
    #[pyo3(signature = (snapshot, rules_newest=1))]
    fn restore(py: Python<'_>, snapshot: &[u8], rules_newest: u32) -> PyResult<Self> {
        judge_rules(rules_newest)?;
        let restored = py.detach(|| catch_unwind(|| Held::restore_knowing(snapshot, rules_newest)));
        let restored = restored.map_err(|panic| panicked(py, message(&*panic)))?;
        let kernel = restored.map_err(|error| snapshot_refused(py, error))?;
        Ok(Self::around(kernel))
    }

    #[staticmethod]
    fn check_envelope(py: Python<'_>, envelope: &[u8]) -> PyResult<()> {
        crate::envelope::check_envelope(py, envelope)
    }

    fn apply<'py>(&self, py: Python<'py>, batch: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let applied = self.with(py, |kernel| kernel.apply(batch).map(<[u8]>::to_vec))?;
        let row = applied.map_err(|error| not_applied(py, error))?;
        Ok(PyBytes::new(py, &row))
    }

    /// Compared where it lies: replay has no use for the row, and rows are large.
    fn apply_expecting(&self, py: Python<'_>, batch: &[u8], row: &[u8]) -> PyResult<bool> {
        let applied = self.with(py, |kernel| kernel.apply(batch).map(|made| made == row))?;
        applied.map_err(|error| not_applied(py, error))
    }

    fn snapshot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let snapshot = self.with(py, |kernel| kernel.snapshot())?;
        Ok(PyBytes::new(py, &snapshot))
    }

    #[getter]
    fn state_hash<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let hash = self.with(py, |kernel| kernel.state_hash())?;
        Ok(PyBytes::new(py, &hash))
    }

    fn state_parts<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<BTreeMap<&'static str, Bound<'py, PyBytes>>> {
        let parts = self.with(py, |kernel| kernel.state_parts())?;
        Ok(by_name(py, &parts))
    }

    #[getter]
    fn last_seq(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, |kernel| kernel.machine().last_seq())
    }

    #[getter]
    fn time_ns(&self, py: Python<'_>) -> PyResult<i64> {
        self.with(py, |kernel| kernel.machine().time_ns())
    }

    #[getter]
    fn next_timer_ns(&self, py: Python<'_>) -> PyResult<i64> {
        self.with(py, |kernel| kernel.machine().next_timer_ns())
    }

    #[getter]
    fn open_cursors(&self, py: Python<'_>) -> PyResult<usize> {
        self.with(py, |kernel| kernel.machine().open_cursors())
    }
}
