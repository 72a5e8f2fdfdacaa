//! Where a path leads in a document.
