//! Expressions, and what they are bound to.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::expressions_are_read_or_refused(data));
