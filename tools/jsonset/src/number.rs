//! Numbers as they are written, exactly.
