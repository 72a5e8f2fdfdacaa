//! Whether two values are equal.
