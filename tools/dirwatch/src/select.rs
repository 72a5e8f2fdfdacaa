//! Which names are taken: globs, hidden and partial names, markers.

/// Which names are taken.
#[derive(Debug, Clone)]
pub struct Which {}
