//! The keeper: the one thread that decides.
