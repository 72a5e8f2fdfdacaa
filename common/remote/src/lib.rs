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
//! | [`forward`] | a TCP connection that the host makes, and one that is made from here |
//! | [`command`] | a command as any login shell takes it, and its output between marks |
//! | [`coprocess`] | a shell that stays there and is told one script after the other |
//! | [`bounds`] | how long anything may take, and how much may come |
//! | [`fanout`] | the same work on many hosts, some at a time, each until its deadline |
//! | [`failure`] | why a host has no answer, in one class and one sentence |
//! | [`link`] | a host that is spoken to, in answers: yes, no, unknown |
//! | [`shell`] | words as sh(1) takes them |
//! | [`spec`] | `[ssh]` of a spec |
//! | [`cli`] | the flags of all of this, alike in every tool |
//!
//! No session outlives its deadline: every wait knows it, and a watchdog shuts the socket of what
//! is still inside the library then, since libssh2's own timeout begins again with each call.

mod auth;
pub mod bounds;
pub mod cli;
pub mod command;
mod connect;
pub mod coprocess;
pub mod failure;
pub mod fanout;
pub mod forward;
mod greeting;
mod hostkey;
mod jump;
pub mod keys;
pub mod known_hosts;
pub mod limits;
pub mod link;
mod offers;
mod pump;
pub mod reach;
pub mod session;
pub mod settings;
pub mod shell;
mod sign;
pub mod spec;
pub mod target;
mod trouble;
mod wire;

pub use bounds::Bounds;
pub use command::Command;
pub use coprocess::Coprocess;
pub use failure::{Class, Failure, Phase};
pub use forward::Forwarded;
pub use reach::Reach;
pub use session::{Answer, Session};
pub use target::Target;
