//! Strings as JSON spells them.
