//! What all sessions of a run share: bounds, keys, known hosts, jump hosts, the watchdog.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::bounds::{Bounds, Deadline};
use crate::connect;
use crate::failure::{Class, Failure, Phase};
use crate::jump::Jumps;
use crate::keys::Keyring;
use crate::known_hosts::KnownHosts;
use crate::session::{Session, Took, timed};
use crate::target::{Target, Trust};
use crate::wire::Watchdog;

/// The wait before the second attempt; it doubles with each, and up to as much again is added by
/// chance, so that a thousand hosts behind one bastion do not come back at once.
const BACK_OFF: Duration = Duration::from_millis(200);

/// What all sessions of a run share. Threads share it by an `Arc`.
pub struct Reach {
    /// How long anything may take.
    pub bounds: Bounds,
    pub(crate) ring: Keyring,
    pub(crate) watchdog: Watchdog,
    jumps: Jumps,
    trusts: Mutex<BTreeMap<Arc<Trust>, Arc<KnownHosts>>>,
}

impl Reach {
    /// For a run within `bounds`, with the keys of `ring`.
    #[must_use]
    pub fn new(bounds: Bounds, ring: Keyring) -> Self {
        Self { bounds, ring, watchdog: Watchdog::new(), jumps: Jumps::default(), trusts: Mutex::default() }
    }

    /// Opens a session to `target` before `end`. What ends the connection before anybody is logged
    /// in is tried again, as often as the bounds say: a server that is busy (`MaxStartups`) or
    /// restarts does that. `took` gets the times of all attempts, also when it fails.
    ///
    /// # Errors
    /// The failure of the last attempt.
    pub fn open(&self, target: &Target, end: Instant, took: &mut Took) -> Result<Session, Failure> {
        let mut attempt = 0;
        loop {
            let failure = match self.open_once(target, end, took) {
                Ok(session) => return Ok(session),
                Err(failure) => failure,
            };
            let pause = BACK_OFF * 2u32.saturating_pow(attempt);
            let pause = pause.mul_f64(1.0 + fastrand::f64());
            if attempt >= self.bounds.retries || !may_pass(&failure) || Instant::now() + pause >= end {
                return Err(failure);
            }
            log::debug!("{}: trying again in {} ms: {failure}", target.name, pause.as_millis());
            std::thread::sleep(pause);
            attempt += 1;
        }
    }

    fn open_once(&self, target: &Target, end: Instant, took: &mut Took) -> Result<Session, Failure> {
        let socket = self.socket(target, end, took)?;
        Session::begin(socket, target, self, (end, took))
    }

    /// A connected socket.
    fn socket(&self, target: &Target, end: Instant, took: &mut Took) -> Result<OwnedFd, Failure> {
        if !target.jumps.is_empty() {
            return timed(&mut took.connect, || self.jumps.tunnel(self, target, end)).map(OwnedFd::from);
        }
        let addresses = timed(&mut took.resolve, || {
            let deadline = Deadline::of(Phase::Resolve, &self.bounds, end);
            connect::resolve(&target.address, target.port, deadline)
        })?;
        let deadline = Deadline::of(Phase::Connect, &self.bounds, end);
        timed(&mut took.connect, || connect::connect(&addresses, deadline)).map(OwnedFd::from)
    }

    /// What the files of `trust` say, read at the first call.
    pub(crate) fn known_hosts(&self, trust: &Arc<Trust>) -> Result<Arc<KnownHosts>, Failure> {
        let mut trusts = self.trusts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = trusts.get(trust) {
            return Ok(Arc::clone(known));
        }
        let known = KnownHosts::read(&trust.files)
            .map_err(|error| Failure::new(Class::Hostkey, Phase::Handshake, error.to_string()))?;
        let known = Arc::new(known);
        trusts.insert(Arc::clone(trust), Arc::clone(&known));
        Ok(known)
    }
}

/// Whether another attempt may go better: nothing was sent yet that could have an effect, and what
/// ended it is no verdict.
fn may_pass(failure: &Failure) -> bool {
    match failure.class {
        Class::Lost => failure.phase < Phase::Command,
        Class::Dns => failure.what.contains("Temporary"),
        _ => false,
    }
}
