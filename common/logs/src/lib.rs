//! What a log record is.
//!
//! | module | what it knows |
//! |---|---|
//! | [`level`] | the levels, their words, letters and numbers |
//! | [`stamp`], [`clock`], [`when`] | timestamps: their forms, what time they mean, what operators type |
//! | [`header`] | where the header of a text record carries its level |
//! | [`fields`] | the level and time field of a JSON or logfmt record |
//! | [`wrapper`] | Docker, CRI, syslog PRI, compose: the inner record |
//! | [`rules`] | what the caller says about the log |
//! | [`mod@line`] | all of that: what one line is |
//! | [`records`] | header lines with their continuation lines, block by block |
//! | [`source`] | where log text comes from: files, pipes, packed, UTF-16 |
//! | [`stream`] | feeding a scanner: a reader in order, a file in parallel, UTF-16 |

pub mod clock;
mod fast;
pub mod fields;
pub mod header;
pub mod level;
pub mod line;
pub mod records;
pub mod rules;
mod simd;
pub mod source;
pub mod stamp;
pub mod stream;
#[cfg(test)]
mod told;
pub mod when;

pub mod wrapper;

pub use level::Level;
