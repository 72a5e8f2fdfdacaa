//! The ledger of one machine: a journal before a store.
