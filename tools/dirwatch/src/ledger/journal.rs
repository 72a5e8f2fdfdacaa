//! The journal: what is not in the store yet, safe from a kill.
