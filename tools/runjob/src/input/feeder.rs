//! A stream that is read once and given several times.

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, read, write};

use crate::output::spool::Spool;

/// So much of the stream is in memory; what is over goes into a file.
const MEMORY: usize = 1024 * 1024;

/// A pipe that is ready takes so much at least without making the writer wait (pipe(7)).
const PIECE: usize = 4096;

/// The thread's other side.
#[derive(Debug)]
pub(super) struct Feeder {
    bell: PipeWriter,
    attempts: Sender<PipeWriter>,
    /// Why what was read is not there any more; comes with each attempt.
    answers: Receiver<Option<io::Error>>,
}

impl Feeder {
    /// Begins a thread that reads `source` when an attempt wants it. It ends with the process.
    ///
    /// # Errors
    /// Without a thread or a pipe.
    pub(super) fn start(source: OwnedFd) -> io::Result<Self> {
        let (heard, bell) = io::pipe()?;
        let (attempts, coming) = channel();
        let (answer, answers) = channel();
        let stream = Stream { source, ended: false, spool: Spool::new(MEMORY), length: 0, lost: None };
        let mut work = Work { heard, coming, answer, stream, attempt: None };
        thread::Builder::new()
            .name("input".into())
            .stack_size(64 * 1024)
            .spawn(move || while work.step() {})?;
        Ok(Self { bell, attempts, answers })
    }

    /// What the next attempt reads: the stream from its beginning. The one before gets no more.
    ///
    /// # Errors
    /// When what was read could not be kept.
    pub(super) fn next(&mut self) -> io::Result<OwnedFd> {
        let (reader, writer) = io::pipe()?;
        let gone = || io::Error::other("the thread that reads it is gone");
        self.attempts.send(writer).map_err(|_| gone())?;
        write(&self.bell, b"!")?;
        match self.answers.recv().map_err(|_| gone())? {
            None => Ok(PipeReader::into(reader)),
            Some(why) => Err(why),
        }
    }
}

/// What was read so far.
struct Stream {
    source: OwnedFd,
    ended: bool,
    spool: Spool,
    length: u64,
    lost: Option<io::Error>,
}

/// What one attempt was given.
struct Attempt {
    pipe: PipeWriter,
    /// How much of the stream it or its piece has.
    at: u64,
    /// What comes next, and how much of that is written.
    piece: Vec<u8>,
    written: usize,
}

struct Work {
    heard: PipeReader,
    coming: Receiver<PipeWriter>,
    answer: Sender<Option<io::Error>>,
    stream: Stream,
    attempt: Option<Attempt>,
}

impl Work {
    /// Waits for what can be done next, and does it; false when nobody will ask again.
    fn step(&mut self) -> bool {
        let ready = self.wait();
        if ready.heard {
            return self.begin();
        }
        let Some(attempt) = &mut self.attempt else { return true };
        let goes_on = match (attempt.is_empty(), ready) {
            // Its reader has gone.
            (_, Ready { refused: true, .. }) => false,
            (false, Ready { writable: true, .. }) => attempt.write(),
            (true, Ready { readable: true, .. }) => self.stream.fill(attempt),
            (_, _) => true,
        };
        if !goes_on {
            self.attempt = None;
        }
        true
    }

    /// The next attempt takes the place of the one before.
    fn begin(&mut self) -> bool {
        if !matches!(read(&self.heard, &mut [0_u8; 1]), Ok(1)) {
            return false;
        }
        let Ok(pipe) = self.coming.recv() else { return false };
        let lost = self.stream.lost.take();
        if lost.is_none() {
            self.attempt = Some(Attempt { pipe, at: 0, piece: Vec::new(), written: 0 });
        }
        self.answer.send(lost).is_ok()
    }

    fn wait(&self) -> Ready {
        let mut polled = vec![PollFd::new(&self.heard, PollFlags::IN)];
        let mut is_kept = false;
        if let Some(attempt) = &self.attempt {
            let wanted = if attempt.is_empty() { PollFlags::empty() } else { PollFlags::OUT };
            polled.push(PollFd::new(&attempt.pipe, wanted));
            is_kept = attempt.is_empty() && (attempt.at < self.stream.length || self.stream.ended);
            if attempt.is_empty() && !is_kept {
                polled.push(PollFd::new(&self.stream.source, PollFlags::IN));
            }
        }
        let at_once = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        if poll(&mut polled, is_kept.then_some(&at_once)).is_err() {
            return Ready::default();
        }
        let is = |place: usize, flags| polled.get(place).is_some_and(|fd| fd.revents().intersects(flags));
        Ready {
            heard: is(0, PollFlags::IN | PollFlags::HUP),
            refused: is(1, PollFlags::ERR),
            writable: is(1, PollFlags::OUT),
            readable: is_kept || is(2, PollFlags::IN | PollFlags::HUP | PollFlags::ERR),
        }
    }
}

/// What can be done without waiting.
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools, reason = "they are what poll(2) answers, each for itself")]
struct Ready {
    heard: bool,
    refused: bool,
    writable: bool,
    readable: bool,
}

impl Attempt {
    fn is_empty(&self) -> bool {
        self.written == self.piece.len()
    }

    /// Writes some; false when nobody reads.
    fn write(&mut self) -> bool {
        let end = self.piece.len().min(self.written + PIECE);
        match write(&self.pipe, &self.piece[self.written..end]) {
            Ok(count) => self.written += count,
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return false,
        }
        true
    }
}

impl Stream {
    /// Gives `attempt` its next piece, of what was kept or of what comes; false at the end.
    fn fill(&mut self, attempt: &mut Attempt) -> bool {
        attempt.piece.clear();
        attempt.written = 0;
        if attempt.at < self.length {
            let to = self.length.min(attempt.at + 16 * PIECE as u64);
            let kept = self.spool.read((attempt.at, to), &mut |bytes| {
                attempt.piece.extend_from_slice(bytes);
                Ok(())
            });
            attempt.at = to;
            return kept.is_ok();
        }
        if self.ended {
            return false;
        }
        attempt.piece.resize(16 * PIECE, 0);
        let count = match read(&self.source, &mut attempt.piece[..]) {
            Ok(count) => count,
            Err(Errno::INTR | Errno::AGAIN) => {
                attempt.piece.clear();
                return true;
            }
            Err(_) => 0,
        };
        attempt.piece.truncate(count);
        attempt.at += count as u64;
        self.ended = count == 0;
        self.keep(&attempt.piece);
        !self.ended
    }

    /// For the next attempt; this one has it anyway.
    fn keep(&mut self, bytes: &[u8]) {
        if self.lost.is_none() {
            self.lost = self.spool.write(self.length, bytes).err().map(|(_, why)| why);
        }
        self.length += bytes.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};

    use super::*;

    fn bytes(count: u32) -> Vec<u8> {
        (0..count).flat_map(u32::to_le_bytes).collect()
    }

    fn all(feeder: &mut Feeder) -> Vec<u8> {
        let mut found = Vec::new();
        File::from(feeder.next().unwrap()).read_to_end(&mut found).unwrap();
        found
    }

    #[test]
    fn each_attempt_reads_the_stream_from_its_beginning() {
        let (source, mut writer) = io::pipe().unwrap();
        let want = bytes(700_000);
        let sent = want.clone();
        let sender = thread::spawn(move || writer.write_all(&sent).unwrap());
        let mut feeder = Feeder::start(source.into()).unwrap();
        let mut some = vec![0; 100_000];
        File::from(feeder.next().unwrap()).read_exact(&mut some).unwrap();
        assert!(some == want[..100_000]);
        assert!(all(&mut feeder) == want);
        assert!(all(&mut feeder) == want);
        sender.join().unwrap();
    }

    #[test]
    fn an_attempt_that_reads_nothing_waits_for_nothing() {
        let (source, mut writer) = io::pipe().unwrap();
        let mut feeder = Feeder::start(source.into()).unwrap();
        drop(feeder.next().unwrap());
        let idle = feeder.next().unwrap();
        let mut second = File::from(feeder.next().unwrap());
        writer.write_all(b"late").unwrap();
        let mut found = [0; 4];
        second.read_exact(&mut found).unwrap();
        assert_eq!(&found, b"late");
        drop((idle, writer));
        assert_eq!(second.read(&mut found).unwrap(), 0);
    }

    #[test]
    fn nothing_is_read_ahead_but_what_pipes_hold() {
        let (source, mut writer) = io::pipe().unwrap();
        let mut feeder = Feeder::start(source.into()).unwrap();
        let mut some = File::from(feeder.next().unwrap());
        let endless = thread::spawn(move || {
            let pieces = std::iter::repeat_with(|| writer.write_all(&[b'y'; PIECE]));
            pieces.take(2000).take_while(Result::is_ok).count()
        });
        some.read_exact(&mut vec![0; 100 * PIECE]).unwrap();
        // One pipe in front, one behind, and a piece between them.
        drop((some, feeder));
        assert!(endless.join().unwrap() <= 100 + 3 * 16);
    }
}
