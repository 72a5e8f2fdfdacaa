//! Commands: plug-ins, and what the spec has run at a consumer.
//!
//! A command is in a process group of its own and has a limit. At the limit the whole group is killed, and
//! also when the command is over and something that it left behind keeps its output open; a daemon that
//! let go of it lives on. What the terminal sends on Ctrl-C does not reach it: a step that has begun ends,
//! or reaches its limit. When keyrotate itself is killed the command goes on; every effect may be repeated.
//!
//! A secret goes to it on descriptor 3, in memory that is sealed, and comes from it on descriptor 4. It
//! inherits no other descriptor, and of the environment nothing that logs in somewhere.

mod descriptors;
mod environment;
mod streams;

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command};
use std::time::Duration;

use command_fds::{CommandFdExt, FdMapping};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use common::answer::Answer;
use secrets::conceal;
use streams::{Pumped, Streams};

pub use descriptors::reserve;

/// So much of its standard output is kept, in bytes; the rest is read and forgotten.
pub const LARGEST: usize = 1024 * 1024;

/// Where it reads a secret.
const SECRET_IN: i32 = 3;

/// Where it writes one.
const SECRET_OUT: i32 = 4;

/// What was killed is gone within this time.
const DEATH: Duration = Duration::from_secs(1);

/// A command that is to be run.
pub struct Call<'a> {
    /// Its words, the program first.
    pub argv: &'a [String],
    /// What it reads; it need not.
    pub stdin: &'a [u8],
    /// The secret that it can read on descriptor 3; none: that descriptor is not open.
    pub secret: Option<&'a SecretString>,
    /// Whether what it writes to descriptor 4 is a secret; else that descriptor is not open.
    pub takes_secret: bool,
    /// Variables of its environment, beside those that it inherits.
    pub env: Vec<(String, SecretString)>,
    /// After so long it is killed.
    pub limit: Duration,
}

/// What came of a command.
pub struct Ended {
    /// How it ended.
    pub status: Status,
    /// What it wrote to its standard output: [`LARGEST`] bytes at most.
    pub stdout: Zeroizing<Vec<u8>>,
    /// What it wrote to its standard error, as a message quotes it.
    pub stderr: String,
    /// The secret that it wrote to descriptor 4, without one newline at its end, if it is a text.
    pub secret: Option<SecretString>,
    limit: Duration,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// By itself, with this status.
    Exit(i32),
    /// By this signal, which was not ours.
    Signal(i32),
    /// It was killed at its limit.
    Late,
}

impl<'a> Call<'a> {
    /// A command that gets nothing and gives no secret.
    #[must_use]
    pub fn new(argv: &'a [String], limit: Duration) -> Self {
        Self { argv, stdin: b"", secret: None, takes_secret: false, env: Vec::new(), limit }
    }

    /// Runs it.
    ///
    /// # Errors
    /// When it could not be started, and so has done nothing: the sentence names it.
    pub fn run(self) -> Result<Ended, String> {
        let Some((program, words)) = self.argv.split_first() else {
            return Err("there is no command to run".into());
        };
        let (mut child, mut streams) =
            self.start(program, words).map_err(|cause| format!("cannot run {program}: {cause}"))?;
        let status = settle(&mut child, &mut streams, &self);
        // Known before anything that it said is quoted.
        let secret = streams.secret();
        secret.iter().for_each(conceal::secret);
        let (stdout, stderr) = streams.into_texts();
        Ok(Ended { status, stdout, stderr: conceal::quoted(&stderr), secret, limit: self.limit })
    }

    fn start(&self, program: &str, words: &[String]) -> io::Result<(Child, Streams)> {
        let mut command = Command::new(program);
        command.args(words).process_group(0);
        for name in environment::hidden() {
            command.env_remove(name);
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value.expose_secret())));
        let (streams, mut mappings) = Streams::of(&mut command, self.takes_secret)?;
        if let Some(secret) = self.secret {
            mappings.push(FdMapping { parent_fd: descriptors::sealed(secret)?, child_fd: SECRET_IN });
        }
        descriptors::blind(&mut mappings)?;
        command.fd_mappings(mappings).map_err(io::Error::other)?;
        // Its ends of the pipes are closed here when the command is dropped.
        Ok((command.spawn()?, streams))
    }
}

/// Waits until it is over, or ends it, and says how it ended.
fn settle(child: &mut Child, streams: &mut Streams, call: &Call<'_>) -> Status {
    let pid = Pid::from_child(child);
    let watch = pidfd_open(pid, PidfdFlags::empty());
    let pumped = match &watch {
        Ok(watch) => streams.pump(watch, call.stdin, call.limit),
        // Out of descriptors: what it has done is not known.
        Err(_) => Pumped::Late,
    };
    // As long as it has not been waited for its number, and so that of the group, is nobody else's.
    if pumped != Pumped::Over {
        let _gone = kill_process_group(pid, Signal::KILL);
        streams.drain();
    }
    if pumped == Pumped::Late {
        // What hangs in the kernel does not even hear this signal; it is not waited for then.
        let _watched = watch.map(|watch| streams::wait(&watch, DEATH));
        let _still_there = child.try_wait();
        return Status::Late;
    }
    let ended = child.wait().ok();
    let by_itself = ended.and_then(|status| status.code()).map(Status::Exit);
    by_itself.or_else(|| ended?.signal().map(Status::Signal)).unwrap_or(Status::Late)
}

impl Ended {
    /// What it says by its status: 0 is a yes, 1 a no, and everything else an unknown.
    #[must_use]
    pub fn answer(&self) -> Answer {
        match self.status {
            Status::Exit(0) => Answer::Yes(()),
            Status::Exit(1) => Answer::No(self.why()),
            _ => Answer::Unknown(self.why()),
        }
    }

    /// What it said on its standard error, or how it ended.
    #[must_use]
    pub fn why(&self) -> String {
        let how = match self.status {
            Status::Exit(status) => format!("exit status {status}"),
            Status::Signal(signal) => format!("killed by signal {signal}"),
            Status::Late => format!("no end within {:?}", self.limit),
        };
        match (self.status, self.stderr.as_str()) {
            (_, "") => how,
            (Status::Exit(1), said) => said.to_owned(),
            (_, said) => format!("{how}: {said}"),
        }
    }
}

#[cfg(test)]
mod tests;
