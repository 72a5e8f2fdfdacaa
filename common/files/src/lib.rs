//! What tools that change files need: replace a file whole, and lock it while doing so.
//!
//! | item | what it is |
//! |---|---|
//! | [`replace()`] | the bytes of a file, whole or not at all, durably, with its metadata kept |
//! | [`Replacement`] | the same as a stream: write, then commit; dropped, it changes nothing |
//! | [`Lock`] | a lock that survives the replacement, with a deadline; `flock(1)` takes part |
//! | [`Way`] | whether a file got its new content by a rename or in place |
//! | [`Whole`], [`read_whole`] | a file for readers without a lock: never half written |
//! | [`behind_links`], [`folder_of`] | from a path to the file itself, and to its folder |
//! | [`Condition`] | what of a locked file matters before it is changed |

mod attempt;
mod holder;
mod inplace;
mod journal;
mod limit;
mod lock;
mod metadata;
mod path;
mod replace;
mod state;
mod temp;
mod whole;

pub use attempt::Wait;
pub use lock::{Lock, Way};
pub use path::{behind_links, folder_of};
pub use replace::{Replacement, replace};
pub use state::Condition;
pub use whole::{Whole, read_whole};
