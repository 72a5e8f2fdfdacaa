//! A child process that can neither hang its test nor outlive it.
//!
//! Threads read its outputs and wait for its end, and everything arrives as an [`Event`] on one
//! channel, so that a deadline is a `recv_timeout` and nobody polls.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, PipeReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};

/// What the process reads.
#[derive(Debug, Clone)]
pub(crate) enum Stdin {
    /// These bytes through a pipe, then its end.
    Bytes(Vec<u8>),
    /// A file, which the process can seek in.
    File(PathBuf),
}

/// Where its standard output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stdout {
    /// To a pipe that is read to its end.
    Read,
    /// To the same pipe as standard error, in the order of writing.
    WithStderr,
    /// To a pipe that is closed after so many bytes: EPIPE for who writes on.
    ClosedAfter(usize),
    /// To `/dev/full`: ENOSPC for every write.
    FullDisk,
}

enum Event {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
    /// An output was closed, or the process ended.
    Ended,
}

pub(crate) struct Process {
    child: Child,
    pid: Pid,
    events: Receiver<Event>,
    /// How many of the two readers and the waiter have not ended.
    open: usize,
    reaped: bool,
    deadline: Instant,
    timeout: Duration,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Process {
    /// Starts `command`, which must come to its end within `timeout` from now.
    #[track_caller]
    pub(crate) fn start(mut command: Command, stdin: Stdin, stdout: Stdout, timeout: Duration) -> Self {
        let (sender, events) = channel();
        let (stdout_reader, stdout_writer) = io::pipe().expect("a pipe");
        let (stderr_reader, stderr_writer) = io::pipe().expect("a pipe");
        command.stdin(match &stdin {
            Stdin::Bytes(_) => Stdio::piped(),
            Stdin::File(path) => Stdio::from(File::open(path).expect("the file for standard input opens")),
        });
        match stdout {
            Stdout::Read | Stdout::ClosedAfter(_) => command.stdout(stdout_writer),
            Stdout::WithStderr => command.stdout(stderr_writer.try_clone().expect("a descriptor")),
            Stdout::FullDisk => command.stdout(File::create("/dev/full").expect("/dev/full opens")),
        };
        command.stderr(stderr_writer).process_group(0);

        let limit = if let Stdout::ClosedAfter(limit) = stdout { limit } else { usize::MAX };
        // With a limit of zero the reader is gone before the process starts: no race.
        let stdout_reader = (limit > 0).then_some(stdout_reader);
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {}: {error}", command.get_program().display()));
        // The command holds the writing ends; until it is dropped no reader sees an end.
        drop(command);

        let pid = Pid::from_child(&child);
        let feed = child.stdin.take();
        std::thread::spawn(move || {
            if let (Some(mut pipe), Stdin::Bytes(bytes)) = (feed, stdin) {
                // A tool may well stop reading early; what it then does is for the test to judge.
                let _reader_gone = pipe.write_all(&bytes);
            }
        });
        read(stdout_reader, limit, Event::Stdout, sender.clone());
        read(Some(stderr_reader), usize::MAX, Event::Stderr, sender.clone());
        std::thread::spawn(move || {
            // NOWAIT leaves a zombie, so the id stays this process's own until Drop has used it.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            let _ended = rustix::io::retry_on_intr(|| waitid(WaitId::Pid(pid), options));
            let _test_gone = sender.send(Event::Ended);
        });
        let deadline = Instant::now() + timeout;
        let (stdout, stderr) = (Vec::new(), Vec::new());
        Self { child, pid, events, open: 3, reaped: false, deadline, timeout, stdout, stderr }
    }

    /// Reads on until `done`; false when the deadline passes or the process ends before that.
    pub(crate) fn read_until(&mut self, done: impl Fn(&Self) -> bool) -> bool {
        while !done(self) && self.open > 0 {
            let left = self.deadline.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(Event::Stdout(bytes)) => self.stdout.extend(bytes),
                Ok(Event::Stderr(bytes)) => self.stderr.extend(bytes),
                Ok(Event::Ended) => self.open -= 1,
                Err(_) => return false,
            }
        }
        done(self)
    }

    /// Sends a signal to the process alone, not to its children.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).expect("the process takes a signal");
    }

    /// The exit status as a shell sees it, 128+n after signal n.
    ///
    /// # Errors
    /// A sentence when it, or a child that holds its outputs, still runs at the deadline; the whole
    /// group is killed then.
    pub(crate) fn finish(&mut self) -> Result<i32, String> {
        if !self.read_until(|process| process.open == 0) {
            self.kill_group();
            return Err(format!("still running, or its outputs still open, after {:?}", self.timeout));
        }
        // What still runs in the background goes now, while the zombie keeps the group's id from reuse.
        self.kill_group();
        self.reaped = true;
        let status = self.child.wait().map_err(|error| format!("cannot wait for it: {error}"))?;
        Ok(status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(-1))
    }

    fn kill_group(&self) {
        let _already_gone = kill_process_group(self.pid, Signal::KILL);
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    /// Leaves nothing behind: not after a failed assertion, and not what runs in the background.
    fn drop(&mut self) {
        if !self.reaped {
            self.kill_group();
            let _status_of_a_killed_child = self.child.wait();
        }
    }
}

fn read(pipe: Option<PipeReader>, limit: usize, event: fn(Vec<u8>) -> Event, sender: Sender<Event>) {
    std::thread::spawn(move || {
        let mut left = limit;
        let mut buffer = vec![0; 64 * 1024];
        if let Some(mut pipe) = pipe {
            while left > 0 {
                let room = left.min(buffer.len());
                match pipe.read(&mut buffer[..room]) {
                    Ok(0) => break,
                    Ok(count) => {
                        left -= count;
                        let _test_gone = sender.send(event(buffer[..count].to_vec()));
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
        }
        let _test_gone = sender.send(Event::Ended);
    });
}

/// Gives `command` the one environment that all tests run in.
pub(crate) fn clean_env(command: &mut Command, home: &Path, program: &Path) {
    command.env_clear();
    command.envs([("LC_ALL", "C.UTF-8"), ("TZ", "UTC"), ("TERM", "dumb")]);
    command.env("HOME", home).env("PATH", path_of(program));
}

/// The folder of `program` before the caller's `PATH`.
pub(crate) fn path_of(program: &Path) -> OsString {
    let folder = program.parent().unwrap_or(Path::new("")).as_os_str();
    let inherited = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    if folder.is_empty() {
        return inherited;
    }
    [folder, OsStr::new(":"), &inherited].into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bash(script: &str, stdout: Stdout, timeout: Duration) -> Process {
        let mut command = Command::new("bash");
        command.args(["-c", script]);
        Process::start(command, Stdin::Bytes(Vec::new()), stdout, timeout)
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn the_status_is_the_one_a_shell_sees() {
        let check = |script: &str, want: i32| {
            assert_eq!(bash(script, Stdout::Read, LONG).finish(), Ok(want), "{script}");
        };
        check("exit 0", 0);
        check("exit 23", 23);
        check("kill -TERM $$", 143);
    }

    #[test]
    fn what_does_not_end_is_killed_with_its_children() {
        let mut process = bash("sleep 1000 & wait", Stdout::Read, Duration::from_millis(300));
        let late = process.finish().unwrap_err();
        assert!(late.contains("after 300ms"), "{late}");
        // The outputs come to their end when the last one that holds them is dead.
        process.deadline += LONG;
        assert!(process.read_until(|process| process.open == 0));
    }

    #[test]
    fn a_full_disk_and_a_closed_pipe_refuse_the_write() {
        assert_eq!(bash("echo x", Stdout::FullDisk, LONG).finish(), Ok(1));
        let mut closed = bash("trap '' PIPE; echo x", Stdout::ClosedAfter(0), LONG);
        assert_eq!(closed.finish(), Ok(1));
        let mut endless = bash("yes", Stdout::ClosedAfter(10), LONG);
        assert_eq!(endless.finish(), Ok(128 + 13));
        assert_eq!(endless.stdout, b"y\ny\ny\ny\ny\n");
    }

    #[test]
    fn both_outputs_keep_their_order_in_one_pipe() {
        let mut process = bash("echo a; echo b >&2; echo c", Stdout::WithStderr, LONG);
        assert_eq!(process.finish(), Ok(0));
        assert_eq!(process.stderr, b"a\nb\nc\n");
    }
}
