//! The store: an SQLite database.
