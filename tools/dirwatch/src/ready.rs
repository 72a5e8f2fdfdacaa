//! Whether a file is complete.
