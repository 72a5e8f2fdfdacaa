//! The thread that brings the journal into the store.
