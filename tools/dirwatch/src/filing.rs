//! Putting files away: moved or deleted, never over another.
