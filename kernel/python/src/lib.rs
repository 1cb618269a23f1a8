//! The Python face: the only crate that knows `PyO3`. Every method that works releases the interpreter's lock.

#![forbid(unsafe_code)]

mod envelope;
mod errors;
mod image;

use pyo3::prelude::*;

#[pymodule]
mod _cambist_kernel {
    #[pymodule_export]
    use crate::envelope::check_envelope;
    #[pymodule_export]
    use crate::image::Image;
}
