//! When there is another attempt.
