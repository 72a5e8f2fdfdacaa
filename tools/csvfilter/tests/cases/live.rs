//! A run whose standard input stays open while the test looks at it.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// More than anything takes; only a hang meets it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A csvfilter that waits for more.
pub(crate) struct Live {
    child: Child,
    stdin: Option<ChildStdin>,
    printed: Receiver<Vec<u8>>,
    seen: Vec<u8>,
}

impl Live {
    /// Starts [`program`] with standard input and output as pipes.
    pub(crate) fn start(args: &[impl AsRef<OsStr>]) -> Self {
        let mut command = Command::new(program());
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let (stdin, mut stdout) = (child.stdin.take(), child.stdout.take().unwrap());
        let (sender, printed) = channel();
        thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(count @ 1..) = stdout.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, stdin, printed, seen: Vec::new() }
    }

    /// Writes into the pipe, which stays open.
    pub(crate) fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.stdin.as_mut().unwrap().write_all(bytes.as_ref()).unwrap();
    }

    /// Waits until what was printed since the last one ends with `part`, and returns it.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, part: &str) -> Vec<u8> {
        while !self.seen.ends_with(part.as_bytes()) {
            let more = self.printed.recv_timeout(PATIENCE);
            self.seen.extend(more.unwrap_or_else(|error| panic!("never printed {part:?}: {error}")));
        }
        std::mem::take(&mut self.seen)
    }

    /// The most memory it has had so far, in KiB.
    pub(crate) fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Waits until the run ends by itself, with the pipe still open; returns the status and what was
    /// printed since.
    #[track_caller]
    pub(crate) fn ends(mut self) -> (Option<i32>, Vec<u8>) {
        let open = self.stdin.take();
        loop {
            match self.printed.recv_timeout(PATIENCE) {
                Ok(more) => self.seen.extend(more),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("waits for more of what is not wanted"),
            }
        }
        let status = self.child.wait().unwrap().code();
        drop(open);
        (status, std::mem::take(&mut self.seen))
    }

    /// Closes the pipe; returns the status and what was printed since.
    pub(crate) fn end(mut self) -> (Option<i32>, Vec<u8>) {
        drop(self.stdin.take());
        while let Ok(more) = self.printed.recv_timeout(PATIENCE) {
            self.seen.extend(more);
        }
        (self.child.wait().unwrap().code(), std::mem::take(&mut self.seen))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _has_ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// The binary under test: that in the folder `SRE_RELEASE`, such as `target/ship`, or the one that was
/// built with the tests.
pub(crate) fn program() -> PathBuf {
    testkit::sweep::program(env!("CARGO_BIN_EXE_csvfilter"))
}

/// Whether that one is optimized.
pub(crate) fn is_release() -> bool {
    std::env::var_os("SRE_RELEASE").is_some() || !cfg!(debug_assertions)
}

/// Rows like those of a table of people, some 60 bytes each, up to this length in bytes.
pub(crate) fn people(length: usize) -> String {
    let mut text = String::with_capacity(length + 100);
    text.push_str("id,name,age,city,status,joined\n");
    for id in 0_u32.. {
        if text.len() >= length {
            break;
        }
        let (age, day) = ((id.wrapping_mul(2_654_435_761) >> 8) % 100, id % 28 + 1);
        writeln!(text, "{id},Ada Lovelace,{age},San Francisco,active,2026-03-{day:02}").unwrap();
    }
    text
}
