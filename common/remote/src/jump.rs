//! Hosts behind other hosts: one session to each jump host, and a channel in it for each target.
//!
//! A bastion that is asked for a thousand logins at once drops most of them (`MaxStartups`), so all
//! targets share one. libssh2 opens one channel of a session at a time, and cannot give that up: when
//! a target behind the bastion does not answer, those that wait go through one more session.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::bounds::{Deadline, told};
use crate::failure::{Class, Failure, Phase};
use crate::pump::{Opened, Pump, Request};
use crate::reach::Reach;
use crate::session::Took;
use crate::target::Target;

/// How long a jump host that could not be reached is not tried again: a thousand hosts behind it
/// would each wait for the same.
const MEMORY: Duration = Duration::from_secs(5);

/// The names of jump hosts, the first one first.
type Chain = Vec<Arc<str>>;

/// The ways to jump hosts, each by the names of its chain.
#[derive(Default)]
pub(crate) struct Jumps {
    ways: Mutex<BTreeMap<Chain, Arc<Way>>>,
}

/// The way to one jump host.
#[derive(Default)]
struct Way {
    state: Mutex<State>,
    /// Rings when an opening has come to its end.
    opened: Condvar,
}

#[derive(Default)]
enum State {
    #[default]
    Closed,
    /// Somebody opens it.
    Opening,
    Open(Arc<Bastion>),
    /// It could not be opened, since when, and why.
    Failed(Instant, Failure),
}

/// A session to a jump host, with the thread that moves its bytes.
pub(crate) struct Bastion {
    requests: Mutex<Sender<Request>>,
    bell: UnixStream,
    /// It takes no more requests: it has ended, or waits for a channel that does not open.
    is_stuck: Arc<AtomicBool>,
}

impl Jumps {
    /// A socket that leads to `target` through its jump hosts.
    ///
    /// # Errors
    /// When a jump host cannot be reached, or does not reach the target.
    pub(crate) fn tunnel(&self, reach: &Reach, target: &Target, end: Instant) -> Result<UnixStream, Failure> {
        let deadline = Deadline::of(Phase::Connect, &reach.bounds, end);
        loop {
            let bastion = self.bastion(reach, target, end)?;
            match bastion.open(target, deadline)? {
                Opened::Stream(stream) => return Ok(stream),
                Opened::Elsewhere => {}
            }
        }
    }

    fn bastion(&self, reach: &Reach, target: &Target, end: Instant) -> Result<Arc<Bastion>, Failure> {
        let Some((last, before)) = target.jumps.split_last() else {
            return Err(Failure::new(Class::Lost, Phase::Connect, "there is no jump host"));
        };
        let names = target.jumps.iter().map(|jump| Arc::clone(&jump.name)).collect();
        let way = Arc::clone(lock(&self.ways).entry(names).or_default());
        if let Some(settled) = way.settled(last, end) {
            return settled;
        }
        let begun = Instant::now();
        let hop = Target { jumps: before.to_vec(), ..Target::clone(last) };
        let opened = reach.open(&hop, end, &mut Took::default()).and_then(Bastion::begin).map(Arc::new);
        let opened = opened.map_err(|mut failure| {
            failure.what = format!("jump host {}: {}", last.name, failure.what);
            failure.phase = Phase::Connect;
            failure
        });
        // Who came with little time left knows nothing about the jump host: the next one tries it.
        let had_time = end.saturating_duration_since(begun) >= reach.bounds.total / 2;
        *lock(&way.state) = match &opened {
            Ok(bastion) => State::Open(Arc::clone(bastion)),
            Err(failure) if had_time || failure.class != Class::Timeout => {
                State::Failed(Instant::now(), failure.clone())
            }
            Err(_) => State::Closed,
        };
        way.opened.notify_all();
        opened
    }
}

impl Way {
    /// The session to the jump host, or why there is none; `None` makes it the caller's to open it.
    /// Whoever comes meanwhile waits, each until its own `end`.
    fn settled(&self, jump: &Target, end: Instant) -> Option<Result<Arc<Bastion>, Failure>> {
        let mut state = lock(&self.state);
        loop {
            match &*state {
                State::Open(bastion) if !bastion.is_stuck.load(Ordering::Acquire) => {
                    return Some(Ok(Arc::clone(bastion)));
                }
                State::Failed(at, failure) if at.elapsed() < MEMORY => return Some(Err(failure.clone())),
                State::Opening => {
                    let left = end.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        let what = format!("jump host {}: the login there did not end in time", jump.name);
                        return Some(Err(Failure::new(Class::Timeout, Phase::Connect, what)));
                    }
                    let waited = self.opened.wait_timeout(state, left);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                _ => break,
            }
        }
        *state = State::Opening;
        None
    }
}

impl Bastion {
    fn begin(session: crate::Session) -> Result<Self, Failure> {
        let local = |error: std::io::Error| {
            Failure::new(Class::Lost, Phase::Connect, format!("cannot begin a tunnel: {error}"))
        };
        let (bell, ringing) = UnixStream::pair().map_err(local)?;
        bell.set_nonblocking(true).map_err(local)?;
        ringing.set_nonblocking(true).map_err(local)?;
        let (requests, receiver) = mpsc::channel();
        let is_stuck = Arc::new(AtomicBool::new(false));
        let pump = Pump::new(session, receiver, ringing, Arc::clone(&is_stuck));
        let thread = std::thread::Builder::new().name("tunnel".into()).stack_size(256 * 1024);
        thread.spawn(move || pump.run()).map_err(local)?;
        Ok(Self { requests: Mutex::new(requests), bell, is_stuck })
    }

    fn open(&self, target: &Target, deadline: Deadline) -> Result<Opened, Failure> {
        let (reply, answer) = mpsc::channel();
        let request = Request { host: target.address.clone(), port: target.port, reply };
        let requests = lock(&self.requests);
        if requests.send(request).is_err() {
            return Ok(Opened::Elsewhere);
        }
        drop(requests);
        // A full socket has rung already.
        let _rings = { &self.bell }.write(&[0]);
        let Some(left) = deadline.left() else { return Err(late(target, deadline)) };
        match answer.recv_timeout(left) {
            Ok(opened) => opened,
            Err(mpsc::RecvTimeoutError::Timeout) => Err(late(target, deadline)),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                self.is_stuck.store(true, Ordering::Release);
                Ok(Opened::Elsewhere)
            }
        }
    }
}

fn late(target: &Target, deadline: Deadline) -> Failure {
    let jump = target.jumps.last().map_or("", |jump| &jump.name);
    Failure::new(
        Class::Timeout,
        Phase::Connect,
        format!("jump host {jump} had no connection to {} for {}", target.address, told(deadline.whole)),
    )
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
