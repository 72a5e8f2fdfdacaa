//! The pipes to and from a command, all at once: whoever serves one after the other waits for ever for a
//! command that does the same.

use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use command_fds::FdMapping;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{LARGEST, SECRET_OUT};

/// So much of its standard error is kept, in bytes: enough for a line.
const COMPLAINT: usize = 64 * 1024;

/// A longer secret is none.
const LONGEST: usize = 64 * 1024;

/// So long after the end of a command its output is waited for, while something that it left behind keeps
/// it open: what ends together with it needs no more.
const LINGER: Duration = Duration::from_millis(200);

/// What came of serving the pipes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pumped {
    /// The command is over and all has been read.
    Over,
    /// It is over, and something else keeps its output open.
    Kept,
    /// The time was over first.
    Late,
}

/// The pipes of a command.
pub(super) struct Streams {
    stdin: Option<PipeWriter>,
    outputs: Vec<Output>,
}

struct Output {
    from: Option<PipeReader>,
    kept: Zeroizing<Vec<u8>>,
    most: usize,
}

impl Streams {
    /// New pipes, given to `command`; the mapping is for that of its secret.
    pub(super) fn of(command: &mut Command, takes_secret: bool) -> io::Result<(Self, Vec<FdMapping>)> {
        let (theirs, stdin) = io::pipe()?;
        ioctl_fionbio(&stdin, true)?;
        let (stdout, their_stdout) = Output::new(LARGEST)?;
        let (stderr, their_stderr) = Output::new(COMPLAINT)?;
        command.stdin(theirs).stdout(Stdio::from(their_stdout)).stderr(Stdio::from(their_stderr));
        let (mut outputs, mut mappings) = (vec![stdout, stderr], Vec::new());
        if takes_secret {
            let (secret, parent_fd) = Output::new(LONGEST + 2)?;
            outputs.push(secret);
            mappings.push(FdMapping { parent_fd, child_fd: SECRET_OUT });
        }
        Ok((Self { stdin: Some(stdin), outputs }, mappings))
    }

    /// Writes `stdin` and reads all outputs, until the process behind `watch` is over and they are closed.
    pub(super) fn pump(&mut self, watch: &OwnedFd, mut stdin: &[u8], limit: Duration) -> Pumped {
        let begin = Instant::now();
        let (mut limit, mut is_over) = (limit, false);
        loop {
            if stdin.is_empty() || is_over {
                self.stdin = None;
            }
            let left = limit.saturating_sub(begin.elapsed());
            match (is_over, self.outputs.iter().all(|output| output.from.is_none()), left.is_zero()) {
                (true, true, _) => return Pumped::Over,
                (true, false, true) => return Pumped::Kept,
                (false, _, true) => return Pumped::Late,
                _ => {}
            }
            if self.wait(watch, is_over, left) && !is_over {
                is_over = true;
                limit = begin.elapsed() + LINGER;
            }
            self.write(&mut stdin);
            self.drain();
        }
    }

    /// Waits until there is something to do; says whether the process is over.
    fn wait(&self, watch: &OwnedFd, is_over: bool, left: Duration) -> bool {
        let outputs = self.outputs.iter().filter_map(|output| output.from.as_ref());
        let mut all: Vec<_> = outputs.map(|from| PollFd::new(from, PollFlags::IN)).collect();
        all.extend(self.stdin.as_ref().map(|stdin| PollFd::new(stdin, PollFlags::OUT)));
        if is_over {
            ready(&mut all, left);
            return true;
        }
        all.push(PollFd::new(watch, PollFlags::IN));
        ready(&mut all, left);
        all.last().is_some_and(|watch| !watch.revents().is_empty())
    }

    fn write(&mut self, rest: &mut &[u8]) {
        let Some(stdin) = &mut self.stdin else { return };
        match stdin.write(rest) {
            Ok(count) => *rest = rest.get(count..).unwrap_or_default(),
            Err(error) if is_passing(&error) => {}
            // It does not want to read: that is its own affair.
            Err(_) => self.stdin = None,
        }
    }

    /// Reads what is there.
    pub(super) fn drain(&mut self) {
        self.outputs.iter_mut().for_each(Output::drain);
    }

    /// The secret that was written, if it is one.
    pub(super) fn secret(&self) -> Option<SecretString> {
        let text = std::str::from_utf8(&self.outputs.get(2)?.kept).ok()?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        (!text.is_empty() && text.len() <= LONGEST).then(|| text.into())
    }

    /// What was written to the standard output, and to the standard error.
    pub(super) fn into_texts(self) -> (Zeroizing<Vec<u8>>, Zeroizing<Vec<u8>>) {
        let mut texts = self.outputs.into_iter().map(|output| output.kept);
        (texts.next().unwrap_or_default(), texts.next().unwrap_or_default())
    }
}

impl Output {
    fn new(most: usize) -> io::Result<(Self, OwnedFd)> {
        let (from, theirs) = io::pipe()?;
        ioctl_fionbio(&from, true)?;
        Ok((Self { from: Some(from), kept: Zeroizing::default(), most }, theirs.into()))
    }

    fn drain(&mut self) {
        let mut part = Zeroizing::new([0; 16 * 1024]);
        while let Some(from) = &mut self.from {
            match from.read(&mut *part) {
                Ok(0) => self.from = None,
                Ok(count) => {
                    let wanted = count.min(self.most - self.kept.len());
                    keep(&mut self.kept, &part[..wanted]);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_passing(&error) => return,
                Err(_) => self.from = None,
            }
        }
    }
}

/// Adds `more` without leaving a copy of what was there behind, as a vector that grows does.
fn keep(kept: &mut Zeroizing<Vec<u8>>, more: &[u8]) {
    let need = kept.len() + more.len();
    if need > kept.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(need.max(2 * kept.capacity())));
        larger.extend_from_slice(kept);
        *kept = larger;
    }
    kept.extend_from_slice(more);
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// Waits until one of `all` is ready. A signal ends it early, as the caller asks again anyway.
fn ready(all: &mut [PollFd<'_>], limit: Duration) {
    let limit = Timespec::try_from(limit).ok();
    let _interrupted = poll(all, limit.as_ref());
}

/// Waits until the process behind `watch` is over.
pub(super) fn wait(watch: &impl AsFd, limit: Duration) {
    let watch: BorrowedFd<'_> = watch.as_fd();
    ready(&mut [PollFd::new(&watch, PollFlags::IN)], limit);
}
