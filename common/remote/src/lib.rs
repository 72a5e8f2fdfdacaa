//! SSH sessions with deadlines that hold, many at a time.
//!
//! | module | what it knows |
//! |---|---|
//! | [`target`] | everything that is needed to reach one host |
//! | [`settings`] | a target from the inventory, the SSH configuration and the flags |
//! | [`known_hosts`] | sshd(8)'s file of host keys: what is known, revoked, changed |
//! | [`keys`] | private keys and certificates, read and decrypted once for the whole run |
//! | [`reach`] | what all sessions of a run share; opens them |
//! | [`session`] | one session: verify, log in, run |
//! | [`command`] | a command as any login shell takes it, and its output between marks |
//! | [`bounds`] | how long anything may take, and how much may come |
//! | [`fanout`] | the same work on many hosts, some at a time, each until its deadline |
//! | [`failure`] | why a host has no answer, in one class and one sentence |
//! | [`cli`] | the flags of all of this, alike in every tool |
//!
//! No session outlives its deadline: every wait knows it, and a watchdog shuts the socket of what
//! is still inside the library then, since libssh2's own timeout begins again with each call.

mod auth;
pub mod bounds;
pub mod cli;
pub mod command;
mod connect;
pub mod failure;
pub mod fanout;
mod greeting;
mod hostkey;
mod jump;
pub mod keys;
pub mod known_hosts;
pub mod limits;
mod offers;
mod pump;
pub mod reach;
pub mod session;
pub mod settings;
mod sign;
pub mod target;
mod trouble;
mod wire;

pub use bounds::Bounds;
pub use command::Command;
pub use failure::{Class, Failure, Phase};
pub use reach::Reach;
pub use session::{Answer, Session};
pub use target::Target;
