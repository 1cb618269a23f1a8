//! Something that works without the interpreter's lock, one thread at a time, and is gone after a panic.

use crate::errors::panicked;
use pyo3::prelude::*;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// See the module.
#[derive(Debug)]
pub struct Guarded<T> {
    /// Nothing after a panic.
    held: Mutex<Option<T>>,
}

/// What a panic said.
pub fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

impl<T: Send> Guarded<T> {
    pub fn around(held: T) -> Self {
        Self {
            held: Mutex::new(Some(held)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with it, without the interpreter's lock. A panic drops it.
    pub fn with<R: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut T) -> R + Send,
    ) -> PyResult<R> {
        let worked = py.detach(|| {
            let mut held = self.lock();
            let inside = held.as_mut().ok_or("it had stopped before")?;
            let worked = catch_unwind(AssertUnwindSafe(|| work(inside)));
            worked.map_err(|panic| {
                *held = None;
                message(&*panic)
            })
        });
        worked.map_err(|text| panicked(py, text))
    }
}
