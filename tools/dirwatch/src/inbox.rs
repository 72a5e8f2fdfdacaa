//! Hints that wait for the keeper.
