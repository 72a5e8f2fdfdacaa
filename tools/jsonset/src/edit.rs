//! The edits of one call.
