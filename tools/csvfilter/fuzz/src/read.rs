//! What the cutter takes from the module that reads, whose files and pipes are not wanted here. There
//! is little room before what is read, so that short texts go the ways of long ones.

/// More than there is of any text.
pub(crate) const BLOCK: usize = 64 * 1024;

/// One word.
pub(crate) const HEAD: usize = 64;

/// Whether there is more behind what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    No,
    Whole,
    Torn,
}
