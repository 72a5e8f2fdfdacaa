//! A command with all its descendants.
