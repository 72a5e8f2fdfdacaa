//! The bytes of a document: unchanged parts of the file and new ones, in order.
