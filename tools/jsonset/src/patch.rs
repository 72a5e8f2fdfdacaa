//! JSON Patch, RFC 6902.
