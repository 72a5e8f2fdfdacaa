//! The command with its placeholders.

/// The command with its placeholders.
#[derive(Debug, Clone)]
pub struct Template {}
