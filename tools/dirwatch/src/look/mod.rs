//! Looking at a ledger, and changing it by hand.
