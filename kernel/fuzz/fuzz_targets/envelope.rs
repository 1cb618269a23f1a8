//! Guided by coverage: see `cambist_fuzz::envelope`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cambist_fuzz::envelope(data));
