//! Standard input, given to each attempt from its beginning.
//!
//! Without retries, and from a terminal, COMMAND has ours itself. A file is opened again for each attempt, at the place where it
//! was: attempts share no position. Anything else is a stream that can be read once: a thread reads it as
//! fast as the attempt takes it, and keeps what was read, up to 1 MiB in memory, for the next one. Nothing is read ahead
//! of the attempt but what a pipe holds, so that one which reads nothing is not kept from running, nor a disk
//! filled, by a stream without an end.

mod feeder;

use std::fs::File;
use std::io::{self, IsTerminal};
use std::process::Stdio;

use common::{Error, Result};
use rustix::fs::{FileType, Mode, OFlags, SeekFrom, fstat, open, seek};

use feeder::Feeder;

/// What each attempt is given.
#[derive(Debug)]
pub(crate) struct Replay(Source);

#[derive(Debug)]
enum Source {
    Ours,
    /// A file, and the position where it begins.
    File(u64),
    Stream(Feeder),
}

impl Replay {
    /// Looks at our standard input; nothing is read of it before an attempt begins.
    ///
    /// # Errors
    /// When a stream cannot be read by a thread of its own.
    pub(crate) fn of_stdin(retries: u32) -> Result<Self> {
        let stdin = io::stdin();
        if retries == 0 || stdin.is_terminal() {
            return Ok(Self(Source::Ours));
        }
        let kind = fstat(&stdin).map(|stat| FileType::from_raw_mode(stat.st_mode)).map_err(cannot)?;
        Ok(Self(match kind {
            FileType::Fifo | FileType::Socket => {
                let source = std::os::fd::AsFd::as_fd(&stdin).try_clone_to_owned().map_err(cannot)?;
                Source::Stream(Feeder::start(source).map_err(cannot)?)
            }
            FileType::RegularFile => Source::File(seek(&stdin, SeekFrom::Current(0)).map_err(cannot)?),
            // Devices such as /dev/null have no position to go back to.
            _ => Source::Ours,
        }))
    }

    /// The standard input of the next attempt.
    ///
    /// # Errors
    /// When what was read of a stream could not be kept, or a file not be opened again.
    pub(crate) fn stdio(&mut self) -> Result<Stdio> {
        match &mut self.0 {
            Source::Ours => Ok(Stdio::inherit()),
            Source::File(at) => file_from(*at).map_err(cannot),
            Source::Stream(feeder) => feeder.next().map(Stdio::from).map_err(cannot),
        }
    }
}

fn cannot(cause: impl Into<io::Error>) -> Error {
    Error::failed("cannot give standard input to each attempt").because(cause.into())
}

/// The file that is our standard input, at a position of its own.
fn file_from(at: u64) -> io::Result<Stdio> {
    let own = open("/proc/self/fd/0", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    let Ok(own) = own else {
        // It was opened by somebody who may, or there is no /proc; the attempts come one after the other.
        seek(io::stdin(), SeekFrom::Start(at))?;
        return Ok(Stdio::inherit());
    };
    seek(&own, SeekFrom::Start(at))?;
    Ok(File::from(own).into())
}
