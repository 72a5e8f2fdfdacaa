//! Whether anybody has a file open for writing.
