//! Edits, and what stands around them.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::edits_are_sound(data));
