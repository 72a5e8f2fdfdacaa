//! A JSON document that is edited in its bytes.
