//! JSON Merge Patch, RFC 7396.
