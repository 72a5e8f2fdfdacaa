//! SSH sessions with deadlines that hold, many at a time.
//!
//! | module | what it knows |
//! |---|---|
//! | [`target`] | everything that is needed to reach one host |
//! | [`settings`] | a target from the inventory, the SSH configuration and the flags |
//! | [`known_hosts`] | sshd(8)'s file of host keys: what is known, revoked, changed |
//! | [`keys`] | private keys and certificates, read and decrypted once for the whole run |
//! | [`session`] | one session: connect, verify, log in, run |
//! | [`fanout`] | the same work on many hosts, some at a time, each until its deadline |
//! | [`failure`] | why a host has no answer, in one class and one sentence |
//! | [`cli`] | the flags of all of this, alike in every tool |
//!
//! No session outlives its deadline: every wait knows it, and a watchdog shuts the socket of what
//! is still inside the library then, since libssh2's own timeout begins again with each call.

pub mod failure;
mod hostkey;
pub mod keys;
pub mod known_hosts;
pub mod target;

pub use failure::{Class, Failure, Phase};
pub use target::Target;
