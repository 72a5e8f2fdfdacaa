//! The grammar of JSON, and of JSON with comments.
