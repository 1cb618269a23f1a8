//! Guided by coverage: see `cambist_fuzz::feed_row`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cambist_fuzz::feed_row(data));
