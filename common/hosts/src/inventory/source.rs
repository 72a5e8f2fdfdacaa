//! Where inventories come from, and their bytes.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use common::input::Input;
use common::{Error, OrCannot, Result};

/// As much as one source may have: a hundred times the largest fleet.
const MOST: u64 = 1 << 30;

/// How often it is looked whether a command, whose output has ended, has ended too.
const LOOK: Duration = Duration::from_millis(2);

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
pub(super) fn read_file(path: &Path) -> Result<String> {
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
        Error::failed(format!("{name}:{line}: not UTF-8; an inventory is a text"))
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// What `line` prints, run by `/bin/sh -c` with nothing on standard input and our standard error.
///
/// It stays in our process group, so that Ctrl-C ends it with us. At the deadline the shell is
/// killed; what it has started itself loses the reader of its output, and is not waited for.
pub(super) fn run(line: &str, timeout: Duration) -> Result<String> {
    let cannot = |verb: &str| format!("cannot {verb} `{line}`");
    let mut child = Command::new("/bin/sh")
        .args(["-c", line])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|cause| Error::failed(cannot("run")).because(cause))?;
    let deadline = Instant::now() + timeout;
    let read = read_until(&mut child, timeout);
    if !matches!(read, Ok(Ok(_))) {
        end(&mut child);
    }
    let bytes = match read {
        Ok(bytes) => bytes.map_err(|cause| Error::failed(cannot("read the output of")).because(cause))?,
        Err(_) => return Err(late(line, timeout)),
    };
    loop {
        let status = child.try_wait().map_err(|cause| Error::failed(cannot("wait for")).because(cause))?;
        match status {
            Some(status) if status.success() => return text_of(bytes, &format!("the output of `{line}`")),
            Some(status) => return Err(Error::failed(format!("`{line}` ended with {status}"))),
            None if Instant::now() >= deadline => {
                end(&mut child);
                return Err(late(line, timeout));
            }
            None => thread::sleep(LOOK),
        }
    }
}

fn late(line: &str, timeout: Duration) -> Error {
    Error::retry(format!("`{line}` did not end within {timeout:?}"))
}

/// Its standard output to the end. The thread is left behind at the deadline: a pipe that somebody
/// holds open has no other end.
fn read_until(
    child: &mut Child,
    timeout: Duration,
) -> std::result::Result<io::Result<Vec<u8>>, RecvTimeoutError> {
    let stdout = child.stdout.take();
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
    receiver.recv_timeout(timeout)
}

/// Kills it and takes its status, so that it leaves no zombie.
fn end(child: &mut Child) {
    if child.kill().and_then(|()| child.wait()).is_err() {
        log::debug!("a command was gone before it was killed");
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
        check("exit 3", Err("`exit 3` ended with exit status: 3"));
        check("echo a; kill -9 $$", Err("`echo a; kill -9 $$` ended with signal: 9 (SIGKILL)"));
        check(
            "printf 'a\\n\\377'",
            Err("the output of `printf 'a\\n\\377'`:2: not UTF-8; an inventory is a text"),
        );
    }

    #[test]
    fn a_command_has_a_deadline() {
        check("exec sleep 60", Err("`exec sleep 60` did not end within 500ms"));
        check("exec sleep 60 >&-", Err("`exec sleep 60 >&-` did not end within 500ms"));
        assert_eq!(run("exec sleep 60", Duration::ZERO).unwrap_err().status(), 75);
    }

    #[test]
    fn a_folder_is_no_inventory() {
        let error = read_file(Path::new("/")).unwrap_err();
        assert_eq!(error.to_string(), "/ is a folder; name the file in it that lists the hosts");
    }
}
