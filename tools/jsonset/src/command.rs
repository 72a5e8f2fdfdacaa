//! Commands that judge a change or hear of it.
