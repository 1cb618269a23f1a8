//! `cambist_kernel.feed.Image`.

use crate::errors::feed_broken;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The image of the feed of one shard.
#[derive(Debug)]
#[pyclass(frozen, module = "cambist_kernel.feed")]
pub struct Image {
    image: Mutex<cambist_feed::Image>,
}

impl Image {
    fn lock(&self) -> MutexGuard<'_, cambist_feed::Image> {
        self.image.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T: Send>(
        &self,
        py: Python<'_>,
        read: impl FnOnce(&cambist_feed::Image) -> T + Send,
    ) -> T {
        py.detach(|| read(&self.lock()))
    }

    fn bytes<'py>(
        &self,
        py: Python<'py>,
        read: impl FnOnce(&cambist_feed::Image) -> Vec<u8> + Send,
    ) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.read(py, read))
    }
}

#[pymethods]
impl Image {
    #[new]
    fn new(shard: u32) -> Self {
        Self {
            image: Mutex::new(cambist_feed::Image::new(shard)),
        }
    }

    fn load_snapshot(&self, py: Python<'_>, snapshot: &[u8]) -> PyResult<()> {
        let loaded = py.detach(|| self.lock().load_snapshot(snapshot));
        loaded.map_err(|error| feed_broken(py, error))
    }

    fn apply(
        &self,
        py: Python<'_>,
        first_seq: u64,
        last_seq: u64,
        event_row: &[u8],
    ) -> PyResult<()> {
        let applied = py.detach(|| self.lock().apply(first_seq, last_seq, event_row));
        applied.map_err(|error| feed_broken(py, error))
    }

    #[getter]
    fn last_seq(&self, py: Python<'_>) -> u64 {
        self.read(py, cambist_feed::Image::last_seq)
    }

    #[getter]
    fn markets(&self, py: Python<'_>) -> Vec<u32> {
        self.read(py, cambist_feed::Image::markets)
    }

    fn bbo<'py>(&self, py: Python<'py>, market_id: u32) -> Bound<'py, PyBytes> {
        self.bytes(py, |image| image.bbo(market_id))
    }

    fn status<'py>(&self, py: Python<'py>, market_id: u32) -> Bound<'py, PyBytes> {
        self.bytes(py, |image| image.status(market_id))
    }

    fn l2<'py>(&self, py: Python<'py>, market_id: u32, depth: usize) -> Bound<'py, PyBytes> {
        self.bytes(py, |image| image.l2(market_id, depth))
    }

    fn l3<'py>(&self, py: Python<'py>, market_id: u32) -> Bound<'py, PyBytes> {
        self.bytes(py, |image| image.l3(market_id))
    }

    fn market_seq(&self, py: Python<'_>, market_id: u32) -> u64 {
        self.read(py, |image| image.market_seq(market_id))
    }

    fn crc(&self, py: Python<'_>, market_id: u32) -> u32 {
        self.read(py, |image| image.crc(market_id))
    }

    fn balances<'py>(&self, py: Python<'py>, account_id: u64) -> Bound<'py, PyBytes> {
        self.bytes(py, |image| image.balances(account_id))
    }

    fn open_orders<'py>(
        &self,
        py: Python<'py>,
        account_id: u64,
        after_order_id: u64,
        limit: usize,
    ) -> Bound<'py, PyBytes> {
        self.bytes(py, |image| {
            image.open_orders(account_id, after_order_id, limit)
        })
    }

    fn order<'py>(&self, py: Python<'py>, account_id: u64, order_id: u64) -> Bound<'py, PyBytes> {
        self.bytes(py, |image| image.order(account_id, order_id))
    }
}
