//! Where inventories come from, and their bytes.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use common::input::Input;
use common::{Error, OrCannot, Result, stop};
use rustix::process::{Pid, Signal, kill_process_group};

/// As much as one source may have: a hundred times the largest fleet.
const MOST: u64 = 1 << 30;

/// How often it is looked whether a command, whose output has ended, has ended too.
const LOOK: Duration = Duration::from_millis(2);

/// How often it is looked, while a command prints, whether a stop was asked for.
const GLANCE: Duration = Duration::from_millis(20);

/// Where an inventory comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file, plain or compressed.
    File(PathBuf),
    /// Standard input; without a pinned format its first lines tell it.
    Stdin,
    /// What a command prints, likewise.
    Command {
        /// A line for `/bin/sh -c`.
        line: String,
        /// How long it may take.
        timeout: Duration,
    },
    /// `[user@]host[:port]` or ranges, from the command line.
    Names(Vec<String>),
}

impl Source {
    /// What places call it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stdin => "-".into(),
            Self::Command { line, .. } => line.clone(),
            Self::Names(_) => "command line".into(),
        }
    }
}

/// The whole text of the file at `path`; `-` is standard input.
pub(crate) fn read_file(path: &Path) -> Result<String> {
    if path.is_dir() {
        let what = format!("{} is a folder; name the file in it that lists the hosts", path.display());
        return Err(Error::failed(what));
    }
    let input = Input::open(path)?;
    let name = input.name.clone();
    let mut bytes = Vec::new();
    input.reader()?.take(MOST + 1).read_to_end(&mut bytes).or_cannot("read", &name)?;
    text_of(bytes, &name)
}

fn text_of(bytes: Vec<u8>, name: &str) -> Result<String> {
    if bytes.len() as u64 > MOST {
        return Err(Error::failed(format!("{name} has more than {MOST} bytes, which no inventory has")));
    }
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.split(|byte| *byte == b'\n').count();
        let is_utf16 = before.is_empty() && matches!(error.as_bytes(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
        let what = if is_utf16 {
            "UTF-16 and not UTF-8; iconv turns it into that"
        } else {
            "not UTF-8; it must be a text"
        };
        Error::failed(format!("{name}:{line}: {what}"))
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// What `line` prints, run by `/bin/sh -c` with nothing on standard input and our standard error.
///
/// It has a process group of its own: at the deadline, and when a stop is asked for, all that it
/// started is killed with it, but for what made a group of its own. SIGINT and SIGTERM are caught from
/// here on, as [`stop::install`] does, since the terminal sends Ctrl-C to our group only.
pub(super) fn run(line: &str, timeout: Duration) -> Result<String> {
    stop::install()?;
    let cannot = |verb: &str| format!("cannot {verb} `{line}`");
    let child = Command::new("/bin/sh")
        .args(["-c", line])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|cause| Error::failed(cannot("run")).because(cause))?;
    let mut running = Running { child, line, timeout, deadline: Instant::now() + timeout, is_over: false };
    let read = running.output()?;
    let bytes = read.map_err(|cause| Error::failed(cannot("read the output of")).because(cause))?;
    loop {
        let status = running.child.try_wait();
        match status.map_err(|cause| Error::failed(cannot("wait for")).because(cause))? {
            None => running.may_go_on()?,
            Some(status) => {
                running.is_over = true;
                if status.success() {
                    return text_of(bytes, &format!("the output of `{line}`"));
                }
                return Err(Error::failed(format!("`{line}` ended with {status}")));
            }
        }
        thread::sleep(LOOK);
    }
}

/// A command that may not have ended: dropped, it is killed with its group.
struct Running<'l> {
    child: Child,
    line: &'l str,
    timeout: Duration,
    deadline: Instant,
    /// Its status was taken: its number may be another process's by now.
    is_over: bool,
}

impl Running<'_> {
    /// Its standard output to the end. The thread is left behind at the deadline: a pipe that somebody
    /// holds open has no other end.
    fn output(&mut self) -> Result<io::Result<Vec<u8>>> {
        let receiver = self.reader();
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            match receiver.recv_timeout(left.min(GLANCE)) {
                Ok(read) => return Ok(read),
                Err(RecvTimeoutError::Timeout) => self.may_go_on()?,
                Err(RecvTimeoutError::Disconnected) => return Ok(Err(io::ErrorKind::BrokenPipe.into())),
            }
        }
    }

    fn reader(&mut self) -> Receiver<io::Result<Vec<u8>>> {
        let stdout = self.child.stdout.take();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = match stdout {
                Some(stdout) => stdout.take(MOST + 1).read_to_end(&mut bytes).map(|_| bytes),
                None => Ok(bytes),
            };
            // Nobody waits any more after the deadline.
            let _ = sender.send(read);
        });
        receiver
    }

    /// An error when the deadline has come, or a stop was asked for.
    fn may_go_on(&self) -> Result<()> {
        if stop::requested() {
            let status = stop::signal().and_then(|signal| u8::try_from(128 + signal).ok()).unwrap_or(130);
            return Err(Error::failed(format!("stopped while `{}` ran", self.line)).with_status(status));
        }
        if Instant::now() < self.deadline {
            return Ok(());
        }
        Err(Error::retry(format!("`{}` did not end within {:?}", self.line, self.timeout)))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let killed = group.map_or(Ok(()), |group| kill_process_group(group, Signal::KILL));
        if killed.is_err() || self.child.wait().is_err() {
            log::debug!("a command was gone before it was killed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, want: std::result::Result<&str, &str>) {
        // What does not end by itself is not waited for long; all else may be slow on a busy machine.
        let timeout =
            if line.contains("sleep") { Duration::from_millis(500) } else { Duration::from_secs(60) };
        let ran = run(line, timeout).map_err(|error| error.to_string());
        assert_eq!(ran.as_deref().map_err(String::as_str), want, "{line}");
    }

    #[test]
    fn a_command_is_read_to_its_end() {
        check("echo '[]'; cat", Ok("[]\n"));
        check("printf '\\357\\273\\277x'", Ok("x"));
        check(
            "printf '\\377\\376a\\000'",
            Err(
                "the output of `printf '\\377\\376a\\000'`:1: UTF-16 and not UTF-8; iconv turns it into that",
            ),
        );
        check("exit 3", Err("`exit 3` ended with exit status: 3"));
        check("echo a; kill -9 $$", Err("`echo a; kill -9 $$` ended with signal: 9 (SIGKILL)"));
        check(
            "printf 'a\\n\\377'",
            Err("the output of `printf 'a\\n\\377'`:2: not UTF-8; it must be a text"),
        );
    }

    #[test]
    fn a_command_has_a_deadline() {
        check("exec sleep 60", Err("`exec sleep 60` did not end within 500ms"));
        check("exec sleep 60 >&-", Err("`exec sleep 60 >&-` did not end within 500ms"));
        assert_eq!(run("exec sleep 60", Duration::ZERO).unwrap_err().status(), 75);
    }

    #[test]
    fn what_a_command_started_is_killed_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        let line = format!("sleep 600 & echo $! >{0}.new; mv {0}.new {0}; wait", path.display());
        let error = run(&line, Duration::from_secs(1)).unwrap_err();
        assert!(error.to_string().ends_with("did not end within 1s"), "{error}");
        let pid = std::fs::read_to_string(&path).unwrap();
        // An orphan that was killed may be a zombie for as long as nobody takes its status.
        let is_alive = || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
            !stat.is_empty() && !stat.contains(") Z ") && !stat.contains(") X ")
        };
        for _ in 0..1000 {
            if !is_alive() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("{pid} still runs");
    }

    #[test]
    fn a_folder_is_no_inventory() {
        let error = read_file(Path::new("/")).unwrap_err();
        assert_eq!(error.to_string(), "/ is a folder; name the file in it that lists the hosts");
    }
}
