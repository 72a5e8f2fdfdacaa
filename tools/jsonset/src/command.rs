//! Commands that judge a change or hear of it: `sh -c CMD`, with a deadline.
//!
//! In CMD every `{}` is the path of the content, quoted for the shell where it must be; leave it
//! outside of quotes. The content is also on standard input, and `JSONSET_FILE` is the path of the
//! file itself. What the command prints goes to standard error: standard output is for results. It
//! inherits no descriptor of ours, so it cannot keep the lock.
//!
//! The command is a process group of its own, so that its whole family ends at the deadline. Ctrl-C
//! reaches only the group that has the terminal, which is ours, so what hits us is passed on: see
//! [`interrupt`]. Only SIGKILL leaves a command to itself, without the lock and without an effect
//! on the file.

mod interrupt;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use common::{Error, OrCannot, Result};
use rustix::process::{Pid, Signal, kill_process_group};

use interrupt::{Event, Watch};

/// From SIGTERM to SIGKILL. Who cleans up needs less; who ignores SIGTERM is not waited for.
const GRACE: Duration = Duration::from_secs(1);

/// Asks `command` for a verdict on `content`, a file with what is to become that of `file`.
///
/// # Errors
/// Status 2 when the command does not end with status 0 within `limit`, or has changed `content`:
/// what it put there nobody has judged, and a file of its own has neither the rights of `file` nor
/// is it on the disk. Nothing has changed.
pub(crate) fn validate(command: &str, content: &Path, file: &Path, limit: Duration) -> Result<()> {
    let name = file.display();
    let before = state_of(content);
    let why = match (Call { command, content, file, limit }).run()? {
        None if state_of(content) == before => return Ok(()),
        None => "has changed what it may only read".into(),
        Some(Failure::Status(why)) => format!("says no: {why}"),
        Some(Failure::Late) => format!("did not end within {limit:?}"),
    };
    Err(Error::failed(format!("`{command}` {why}; {name} is unchanged")))
}

/// What would show that somebody else has written a file; `None` where there is none.
fn state_of(file: &Path) -> Option<[i64; 5]> {
    let found = fs::symlink_metadata(file).ok()?;
    let numbers = [found.dev(), found.ino(), found.size()].map(u64::cast_signed);
    Some([numbers[0], numbers[1], numbers[2], found.mtime(), found.mtime_nsec()])
}

/// Tells `command` that `file` has changed.
///
/// # Errors
/// Status 2 when the command does not end with status 0 within `limit`. The file has changed all
/// the same, and the sentence says so.
pub(crate) fn on_change(command: &str, file: &Path, limit: Duration) -> Result<()> {
    let changed = format!("{} is changed, but `{command}`", file.display());
    match (Call { command, content: file, file, limit }).run() {
        Ok(None) => Ok(()),
        Ok(Some(Failure::Status(why))) => Err(Error::failed(format!("{changed} failed: {why}"))),
        Ok(Some(Failure::Late)) => Err(Error::failed(format!("{changed} did not end within {limit:?}"))),
        Err(cause) => Err(Error::failed(format!("{changed} did not run")).because(cause)),
    }
}

/// One run of a command.
struct Call<'a> {
    command: &'a str,
    content: &'a Path,
    file: &'a Path,
    limit: Duration,
}

impl Call<'_> {
    fn run(self) -> Result<Option<Failure>> {
        let content = std::path::absolute(self.content).or_cannot("find", self.content)?;
        let file = std::path::absolute(self.file).or_cannot("find", self.file)?;
        let input = File::open(&content).or_cannot("open", &content)?;
        let output = io::stderr().as_fd().try_clone_to_owned().or_cannot("open", "standard error")?;
        let mut command = Command::new("sh");
        command.arg("-c").arg(filled(self.command, &content)).env("JSONSET_FILE", file);
        command.stdin(input).stdout(output).process_group(0);
        let watch = Watch::begin().or_cannot("listen for", "signals")?;
        let mut child = command.spawn().or_cannot("run", "sh")?;
        let group = Pid::from_child(&child);
        let event = watch.wait(group, self.limit);
        let failure = match event {
            Event::Ended => return Ok(Failure::of(child.wait().or_cannot("wait for", "sh")?)),
            Event::Late => Failure::Late,
            Event::Signal(_) => Failure::Status("we were told to stop".into()),
        };
        end(&watch, &mut child, event);
        if let Event::Signal(signal) = event {
            interrupt::die_of(signal);
        }
        Ok(Some(failure))
    }
}

/// Ends the whole group: what was asked of us, or SIGTERM, and SIGKILL after the grace.
fn end(watch: &Watch, child: &mut Child, why: Event) {
    let group = Pid::from_child(child);
    let first = if let Event::Signal(signal) = why { signal } else { Signal::TERM };
    // The child is not waited for yet, so its number is still its own. Errors: it has just ended.
    let _gone = kill_process_group(group, first);
    watch.wait_for_end(GRACE);
    let _gone = kill_process_group(group, Signal::KILL);
    let _reaped = child.wait();
}

/// How a command did not do what it should.
enum Failure {
    Status(String),
    Late,
}

impl Failure {
    fn of(status: ExitStatus) -> Option<Self> {
        let why = match (status.code(), status.signal()) {
            (Some(0), _) => return None,
            (Some(code), _) => format!("exit status {code}"),
            (None, signal) => format!("killed by signal {}", signal.unwrap_or_default()),
        };
        Some(Self::Status(why))
    }
}

/// `command` with every `{}` replaced.
fn filled(command: &str, path: &Path) -> OsString {
    let parts: Vec<&[u8]> = command.split("{}").map(str::as_bytes).collect();
    OsString::from_vec(parts.join(&*quoted(path)))
}

/// One word for the shell. A harmless path stays as it is: it may stand in the caller's quotes.
fn quoted(path: &Path) -> Vec<u8> {
    let path = path.as_os_str().as_bytes();
    let harmless = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-._+,:@%=".contains(byte);
    if path.iter().all(harmless) {
        return path.to_vec();
    }
    let mut word = vec![b'\''];
    for &byte in path {
        if byte == b'\'' { word.extend_from_slice(br"'\''") } else { word.push(byte) }
    }
    word.push(b'\'');
    word
}

#[cfg(test)]
mod tests;
