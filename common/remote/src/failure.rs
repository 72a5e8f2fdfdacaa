//! Why a host has no answer, in one class and one sentence.

use std::fmt::{self, Display, Formatter};

/// What kind of failure it is: what a script branches on, and what a person does about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// What the inventory or the SSH configuration says about the host cannot be done.
    Config,
    /// The name has no address.
    Dns,
    /// The host, or a router before it, answered that nothing listens or nothing leads there.
    Refused,
    /// A deadline passed; the phase says which.
    Timeout,
    /// The host key is unknown, changed or revoked.
    Hostkey,
    /// The host does not let this user in, or there is no key that could be tried.
    Auth,
    /// The two sides share no algorithm.
    Algorithms,
    /// The command could not be run, ended with a status that is none of success, or was killed.
    Command,
    /// The command ran, and its output is too large or not what was expected.
    Output,
    /// The connection ended before the answer was whole, or what came was no SSH.
    Lost,
}

impl Class {
    /// The word for it in results and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Dns => "dns",
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::Hostkey => "hostkey",
            Self::Auth => "auth",
            Self::Algorithms => "algorithms",
            Self::Command => "command",
            Self::Output => "output",
            Self::Lost => "lost",
        }
    }

    /// Whether the host could not be spoken to at all, as opposed to one that answered badly.
    #[must_use]
    pub fn is_unreachable(self) -> bool {
        !matches!(self, Self::Config | Self::Command | Self::Output)
    }
}

/// How far it had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Waiting for its turn.
    Queue,
    /// Looking up the address.
    Resolve,
    /// Connecting, also through jump hosts.
    Connect,
    /// Greetings, key exchange and host key.
    Handshake,
    /// Logging in.
    Auth,
    /// Running the command and reading its output.
    Command,
}

impl Phase {
    /// The word for it in results and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Handshake => "handshake",
            Self::Auth => "auth",
            Self::Command => "command",
        }
    }
}

/// Why a host has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure.
    pub class: Class,
    /// How far it had come.
    pub phase: Phase,
    /// What happened, in one sentence without the name of the host. May hold text from the host:
    /// escape it before it reaches a terminal.
    pub what: String,
    /// Whether the host was asked about every key and said no to each.
    pub(crate) refuses_keys: bool,
}

impl Failure {
    /// A failure of `class` in `phase`.
    pub fn new(class: Class, phase: Phase, what: impl Into<String>) -> Self {
        Self { class, phase, what: what.into(), refuses_keys: false }
    }

    /// Whether the host itself was asked about every key of the login, and wants none of them: a
    /// definite no. Everything else is no answer to that: a host that is down, silent or unknown, a
    /// connection that is lost, a jump host that refuses, a key that cannot be used or that the host
    /// takes for a part of what it wants.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.class == Class::Auth && self.phase == Phase::Auth && self.refuses_keys
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}
