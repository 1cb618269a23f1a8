//! Guided by coverage: see `cambist_fuzz::engine`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cambist_fuzz::engine(data));
