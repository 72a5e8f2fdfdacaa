//! What file system a folder is on, as far as it matters.
