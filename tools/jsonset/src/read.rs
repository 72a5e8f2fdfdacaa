//! What scripts ask of a document.
