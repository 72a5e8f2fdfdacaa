//! Which hosts there are, and which of them are meant.
//!
//! | module | what it knows |
//! |---|---|
//! | [`host`] | what an inventory says about one host |
//! | [`inventory`] | all hosts of all sources, merged, and what is odd about them |
//! | [`ranges`] | `web[01-99].example.com` |
//! | [`ssh_config`] | ssh_config(5): which hosts it names, and what holds for a name |
//! | [`glob`] | patterns with `*` and `?` |
//! | [`select`] | `env=prod,role=web,!web07` |
//! | [`shard`] | the part of the hosts that is this collector's |
//! | [`cli`] | the flags that name hosts, alike in every tool |
//!
//! This crate opens no connection and resolves no name.
#![allow(clippy::doc_markdown, reason = "ssh_config(5) and OpenSSH are written as their makers write them")]

pub mod cli;
pub mod glob;
pub mod host;
pub mod inventory;
pub mod ranges;
pub mod select;
pub mod shard;
pub mod ssh_config;

pub use host::{Host, Place, Tags};
pub use inventory::{Finding, Inventory};
