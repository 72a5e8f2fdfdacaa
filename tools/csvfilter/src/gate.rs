//! Waiting for a pipe, until something is there or nobody wants it any more.
//!
//! A read of a pipe cannot be called off: with `--head 1` a thread would wait for a row that is not
//! wanted, and the run would end when the next one comes, perhaps never.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Write as _};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

/// Lets readers of pipes wait, until it is opened.
#[derive(Debug)]
pub(crate) struct Gate {
    /// Has something to read when the gate is open.
    opened: PipeReader,
    open: PipeWriter,
}

impl Gate {
    /// # Errors
    /// When there can be no more open files.
    pub(crate) fn new() -> io::Result<Self> {
        let (opened, open) = io::pipe()?;
        Ok(Self { opened, open })
    }

    /// Waits until `pipe` can be read, or has ended or failed: `true`; or until the gate is opened:
    /// `false`.
    pub(crate) fn wait(&self, pipe: &File) -> bool {
        loop {
            let mut fds = [PollFd::new(pipe, PollFlags::IN), PollFd::new(&self.opened, PollFlags::IN)];
            match poll(&mut fds, None) {
                Err(Errno::INTR) => {}
                // What is wrong with the pipe is told by reading it.
                Err(_) => return true,
                Ok(_) => return fds[1].revents().is_empty(),
            }
        }
    }

    /// Ends all waiting, for good.
    pub(crate) fn open(&self) {
        // It can only fail when the pipe is full, and then the gate is open.
        let _is_open_already = (&self.open).write(&[0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::OwnedFd;
    use std::thread;

    #[test]
    fn waits_for_bytes_for_the_end_and_for_being_opened() {
        let (pipe, mut writer) = io::pipe().unwrap();
        let pipe = File::from(OwnedFd::from(pipe));
        let gate = Gate::new().unwrap();
        writer.write_all(b"x").unwrap();
        assert!(gate.wait(&pipe));
        io::Read::read_exact(&mut &pipe, &mut [0]).unwrap();
        thread::scope(|scope| {
            let waits = scope.spawn(|| gate.wait(&pipe));
            gate.open();
            assert!(!waits.join().unwrap());
        });
        assert!(!gate.wait(&pipe));
        drop(writer);
        assert!(Gate::new().unwrap().wait(&pipe));
    }
}
