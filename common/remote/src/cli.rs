//! The flags of reaching hosts, alike in every tool.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use common::{OrCannot, Result, units};

use crate::bounds::Bounds;
use crate::keys::Passphrase;
use crate::settings::Flags;

/// How hosts are reached. Flatten it into the arguments of a tool.
#[derive(Args, Debug, Clone)]
pub struct Ssh {
    /// Log in as USER
    #[arg(short = 'u', long, value_name = "USER", help_heading = "SSH")]
    user: Option<String>,

    /// Connect to port N
    #[arg(short, long, value_name = "N", help_heading = "SSH", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,

    /// Log in with the private key in FILE; may be given again
    #[arg(short = 'i', long = "key", value_name = "FILE", help_heading = "SSH")]
    keys: Vec<PathBuf>,

    /// Read the passphrase of the keys from descriptor N, up to the end of its first line
    #[arg(long, value_name = "N", help_heading = "SSH")]
    passphrase_fd: Option<i32>,

    /// Try no keys of the agent
    #[arg(long, help_heading = "SSH")]
    no_agent: bool,

    /// Go through these hosts: `[user@]host[:port],...`; `none` for none
    #[arg(short = 'J', long, value_name = "HOSTS", help_heading = "SSH")]
    jump: Option<String>,

    /// Know hosts by FILE instead of `~/.ssh/known_hosts` and those of the system; may be given again
    #[arg(long, value_name = "FILE", help_heading = "SSH")]
    known_hosts: Vec<PathBuf>,

    /// Trust hosts that are not known yet, and remember them; a changed key is refused all the same
    #[arg(long, help_heading = "SSH")]
    accept_new: bool,

    /// How many hosts at a time
    #[arg(short, long, value_name = "N", help_heading = "Bounds", default_value = "64", value_parser = clap::value_parser!(u16).range(1..=4096))]
    jobs: u16,

    /// For looking up the address and for connecting, each
    #[arg(long, value_name = "TIME", help_heading = "Bounds", default_value = "5s", value_parser = units::duration)]
    connect_timeout: Duration,

    /// For greetings and the key exchange
    #[arg(long, value_name = "TIME", help_heading = "Bounds", default_value = "5s", value_parser = units::duration)]
    handshake_timeout: Duration,

    /// For logging in
    #[arg(long, value_name = "TIME", help_heading = "Bounds", default_value = "10s", value_parser = units::duration)]
    auth_timeout: Duration,

    /// For a command, from asking for it to the end of its output
    #[arg(long, value_name = "TIME", help_heading = "Bounds", default_value = "15s", value_parser = units::duration)]
    command_timeout: Duration,

    /// For one host in all, with every attempt
    #[arg(long, value_name = "TIME", help_heading = "Bounds", default_value = "30s", value_parser = units::duration)]
    timeout: Duration,

    /// For all hosts together; what is not done then is reported as such
    #[arg(long, value_name = "TIME", help_heading = "Bounds", default_value = "10m", value_parser = units::duration)]
    deadline: Duration,

    /// Try again so often when a connection ends before the login
    #[arg(long, value_name = "N", help_heading = "Bounds", default_value = "2", value_parser = clap::value_parser!(u32).range(..=100))]
    retries: u32,

    /// Refuse more output than this from one host
    #[arg(long, value_name = "SIZE", help_heading = "Bounds", default_value = "8MiB", value_parser = units::size)]
    max_output: u64,
}

impl Ssh {
    /// What the flags say about all hosts.
    ///
    /// # Errors
    /// When there is no file that `--key` names, nor its public half for an agent: later it is not there either.
    pub fn flags(&self) -> Result<Flags> {
        for key in &self.keys {
            let mut public = key.as_os_str().to_owned();
            public.push(".pub");
            // Looked at, never opened: a pipe is read once.
            if let Err(error) = key.metadata().or_cannot("read", key)
                && !Path::new(&public).exists()
            {
                return Err(error);
            }
        }
        Ok(Flags {
            user: self.user.clone(),
            port: self.port,
            keys: self.keys.clone(),
            jump: self.jump.clone(),
            known_hosts: self.known_hosts.clone(),
            accepts_new: self.accept_new,
            uses_no_agent: self.no_agent,
        })
    }

    /// What bounds one host.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        Bounds {
            connect: self.connect_timeout,
            handshake: self.handshake_timeout,
            auth: self.auth_timeout,
            command: self.command_timeout,
            total: self.timeout,
            retries: self.retries,
            max_output: usize::try_from(self.max_output).unwrap_or(usize::MAX),
        }
    }

    /// How many hosts at a time.
    #[must_use]
    pub fn jobs(&self) -> usize {
        usize::from(self.jobs)
    }

    /// For all hosts together.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The passphrase of the keys, read from its descriptor.
    ///
    /// # Errors
    /// When there is nothing to be read.
    pub fn passphrase(&self) -> Result<Option<Passphrase>> {
        self.passphrase_fd.map(Passphrase::inherited).transpose()
    }
}
