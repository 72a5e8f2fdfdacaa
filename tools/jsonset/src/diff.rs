//! What would change, as a unified diff.
