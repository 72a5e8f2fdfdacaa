//! How the keeper is told: messages, and a bell that it can wait for together with other things.
//!
//! A channel alone can be waited for, but nothing beside it. So whoever sends rings an eventfd(2), and
//! the keeper waits for that and for its commands with one epoll(7).

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Instant;

use common::{Error, Result};
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};

use crate::message::Message;

/// What the bell is called among the things that are waited for.
const BELL: u64 = u64::MAX;

#[derive(Debug)]
struct Bell {
    fd: OwnedFd,
    /// Whether it rings already: once is enough until somebody has heard it.
    rings: AtomicBool,
}

impl Bell {
    fn ring(&self) {
        if !self.rings.swap(true, Ordering::SeqCst) {
            // It fails only when it was rung 2^64 times.
            let _rung = rustix::io::write(&self.fd, &1_u64.to_ne_bytes());
        }
    }

    fn silence(&self) {
        let _heard = rustix::io::read(&self.fd, &mut [0; 8]);
        // Before the messages are looked at: what comes after that rings again.
        self.rings.store(false, Ordering::SeqCst);
    }
}

/// Where messages are sent from; each thread has one.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    sender: Sender<Message>,
    bell: Arc<Bell>,
}

impl Post {
    /// Sends; false when nobody listens any more.
    pub(crate) fn send(&self, message: Message) -> bool {
        let is_sent = self.sender.send(message).is_ok();
        self.bell.ring();
        is_sent
    }
}

/// Where messages arrive.
#[derive(Debug)]
pub(crate) struct Mail {
    receiver: Receiver<Message>,
    bell: Arc<Bell>,
    epoll: OwnedFd,
}

/// The two ends.
///
/// # Errors
/// When the process has no descriptors left.
pub(crate) fn open() -> Result<(Post, Mail)> {
    let cannot = |cause: io::Error| Error::failed("cannot wait for events").because(cause);
    let (sender, receiver) = mpsc::channel();
    let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
    let bell = Arc::new(Bell { fd: fd.map_err(|why| cannot(why.into()))?, rings: AtomicBool::new(false) });
    let epoll = epoll::create(CreateFlags::CLOEXEC).map_err(|why| cannot(why.into()))?;
    let mail = Mail { receiver, bell: Arc::clone(&bell), epoll };
    mail.watch(&mail.bell.fd, BELL).map_err(cannot)?;
    Ok((Post { sender, bell }, mail))
}

impl Mail {
    /// The next message, if there is one.
    pub(crate) fn next(&self) -> Option<Message> {
        self.receiver.try_recv().ok()
    }

    /// From here on [`Mail::wait`] also waits until `fd` can be read, and calls it `name`.
    ///
    /// # Errors
    /// When the system has no room for that.
    pub(crate) fn watch(&self, fd: impl AsFd, name: u64) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, fd, EventData::new_u64(name), EventFlags::IN)?)
    }

    /// Forgets a descriptor.
    pub(crate) fn unwatch(&self, fd: impl AsFd) {
        // It fails only for what is not watched.
        let _forgotten = epoll::delete(&self.epoll, fd);
    }

    /// Waits for a message, for one of the watched descriptors, or until then. Returns the names of
    /// those that can be read; there may be messages in any case.
    pub(crate) fn wait(&self, until: Instant) -> Vec<u64> {
        let mut events = [const { Event { flags: EventFlags::empty(), data: EventData::new_u64(0) } }; 64];
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).ok();
        // A signal, or no memory: the caller looks around and comes again.
        let count = epoll::wait(&self.epoll, &mut events, left.as_ref()).unwrap_or(0);
        let mut names: Vec<u64> = events[..count].iter().map(|event| event.data.u64()).collect();
        if names.contains(&BELL) {
            self.bell.silence();
            names.retain(|name| *name != BELL);
        }
        names
    }

    /// Whether nobody can send any more.
    #[cfg(test)]
    pub(crate) fn is_alone(&self) -> bool {
        matches!(self.receiver.try_recv(), Err(mpsc::TryRecvError::Disconnected))
    }

    /// The next message, if one comes in time.
    #[cfg(test)]
    pub(crate) fn next_within(&self, time: std::time::Duration) -> Option<Message> {
        let until = Instant::now() + time;
        loop {
            let message = self.next();
            if message.is_some() || Instant::now() >= until {
                return message;
            }
            let _names = self.wait(until);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_message_ends_the_wait_whenever_it_comes() {
        let (post, mail) = open().unwrap();
        let far = Duration::from_secs(60);
        for _ in 0..3 {
            assert!(post.send(Message::Stop) && post.send(Message::Hangup));
            assert!(mail.wait(Instant::now() + far).is_empty());
            assert!(matches!(mail.next(), Some(Message::Stop)));
            assert!(matches!(mail.next(), Some(Message::Hangup)));
            assert!(mail.next().is_none() && mail.wait(Instant::now()).is_empty());
        }
        thread::scope(|scope| {
            scope.spawn(|| (0..10_000).for_each(|_| assert!(post.send(Message::Hints))));
            for _ in 0..10_000 {
                assert!(matches!(mail.next_within(far), Some(Message::Hints)));
            }
        });
        drop(mail);
        assert!(!post.send(Message::Stop));
    }

    #[test]
    fn what_can_be_read_is_named() {
        let (_post, mail) = open().unwrap();
        let fd = eventfd(1, EventfdFlags::CLOEXEC).unwrap();
        mail.watch(&fd, 7).unwrap();
        assert_eq!(mail.wait(Instant::now() + Duration::from_secs(60)), [7]);
        mail.unwatch(&fd);
        assert!(mail.wait(Instant::now()).is_empty());
    }
}
