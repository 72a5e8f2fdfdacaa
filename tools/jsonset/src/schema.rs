//! JSON Schema, before the new content replaces the old.
