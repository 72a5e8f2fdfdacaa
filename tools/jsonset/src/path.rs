//! Paths into a document: JSON Pointer and dotted.
