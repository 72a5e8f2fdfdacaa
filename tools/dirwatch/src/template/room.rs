//! How much a command can be told on its command line.
//!
//! execve(2): arguments and environment, each with its pointer, share a quarter of the stack limit,
//! at least 128 KiB and at most 6 MiB; and no single one is longer than 128 KiB.

use std::env;

use rustix::process::{Resource, getrlimit};

/// For each argument and each variable the kernel counts a pointer.
pub(super) const POINTER: usize = size_of::<usize>();

/// `MAX_ARG_STRLEN`, less the name of the variable that holds the identities.
pub(super) const LONGEST_WORD: usize = 32 * 4096 - 64;

/// An identity in that variable: 32 digits and a blank.
pub(super) const ID: usize = 33;

/// What the kernel always has, and what it never exceeds.
const LEAST: u64 = 128 << 10;
const MOST: u64 = 6 << 20;

/// For the variables that are set anew for each command, and what the kernel adds.
const RESERVE: usize = 16 << 10;

/// How many bytes of arguments a command can be given at the moment, beside the environment that it
/// inherits.
#[must_use]
pub(crate) fn room() -> usize {
    let quarter = getrlimit(Resource::Stack).current.unwrap_or(u64::MAX) / 4;
    let all = usize::try_from(quarter.clamp(LEAST, MOST)).unwrap_or(usize::MAX);
    let inherited: usize = env::vars_os().map(|(name, value)| name.len() + value.len() + 2 + POINTER).sum();
    all.saturating_sub(inherited + RESERVE)
}
