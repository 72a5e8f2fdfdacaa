//! The transaction: lock, read, edit, judge, replace.
