//! Rows, however the bytes arrive, and the csv crate.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::rows_are_those_of_the_csv_crate(data));
