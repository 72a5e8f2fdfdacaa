//! Secrets: where they are read from, and that no message shows them.

pub mod conceal;
mod hex;
mod source;

pub use hex::hex;
pub use source::Source;
