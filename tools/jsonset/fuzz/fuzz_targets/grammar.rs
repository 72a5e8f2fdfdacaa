//! What is JSON, with and without comments.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::grammar_is_sound(data));
