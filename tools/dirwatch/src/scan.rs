//! The scanner: a thread that watches a folder first and then reads it, and tells what the ledger does not know.
