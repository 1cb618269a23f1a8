//! The Python face: the only crate that knows `PyO3`. Every method that works releases the interpreter's lock.

#![forbid(unsafe_code)]

mod backtest;
mod engine;
mod envelope;
mod errors;
mod guarded;
mod image;
mod testing;

use pyo3::prelude::*;

#[pymodule]
mod _cambist_kernel {
    #[pymodule_export]
    use crate::backtest::Backtest;
    #[pymodule_export]
    use crate::engine::Engine;
    #[pymodule_export]
    use crate::envelope::check_envelope;
    #[pymodule_export]
    use crate::image::Image;
    #[pymodule_export]
    use crate::testing::panic_on_tag;
}
