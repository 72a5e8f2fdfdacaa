//! Decimal numbers, compared exactly.

/// A number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number;
