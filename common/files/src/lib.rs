//! What tools that change files need: replace a file whole, and lock it while doing so.
//!
//! | item | what it is |
//! |---|---|
//! | [`replace()`] | the bytes of a file, whole or not at all, durably, with its metadata kept |
//! | [`Replacement`] | the same as a stream: write, then commit; dropped, it changes nothing |
//! | [`Lock`] | a lock that survives the replacement, with a deadline; `flock(1)` takes part |

mod lock;
mod metadata;
mod replace;

pub use lock::{Lock, Wait};
pub use replace::{Replacement, replace};
