//! The whole filter, and the same written plainly.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::kept_dropped_and_bad_are_all_rows(data));
