//! A fleet in memory: hosts with a file, a lock and a guard, and a clock that runs only while everybody waits.

use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::answer::Answer;
use zeroize::Zeroizing;

use crate::deploy::crew::Report;
use crate::deploy::time::Time;
use crate::host::BUSY;
use crate::spec::Check;
use crate::station::{Order, Piece, Seen, Settled, Station};

/// Guards are patient for so long.
pub(super) const WITHIN: Duration = Duration::from_secs(60);

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is refused, for good where that means something.
    No,
    /// It is done, and the answer is lost.
    Mute,
    /// It is not even heard.
    Deaf,
    /// It is done, and the host is never heard of again.
    MuteForEver,
    /// It is not even heard, and the host is never heard of again.
    DeafForEver,
    /// The host is rebooted before it is heard.
    Reboot,
    /// It is done, and the host is rebooted before it can say so.
    MuteReboot,
    /// It takes this many seconds, and then it is not even heard.
    Hang(u64),
    /// It takes this many seconds.
    Slow(u64),
    /// It is not heard, and nothing else is for this many seconds.
    Away(u64),
    /// Another deployment has the host.
    Busy,
    /// The deployer is killed before it is heard.
    Kill,
    /// The deployer is killed when it is done.
    MuteKill,
    /// Somebody asks to stop while it is done.
    Stop,
}

/// What goes wrong where: with which call of which host, both from 0.
pub(super) type Faults = BTreeMap<(usize, usize), Fault>;

/// A host.
#[derive(Debug, Clone, Default)]
struct Place {
    has_new: bool,
    phase: Phase,
    /// When its guard, if it lives, last heard something.
    guard: Option<Duration>,
    end: End,
    away_until: Duration,
    calls: usize,
}

/// How far the deployment on a host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    #[default]
    None,
    /// Neither confirmed nor undone.
    Open,
    Confirmed,
}

/// What a host has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum End {
    #[default]
    Well,
    /// Nothing can bring it back.
    Stuck,
    /// Nobody hears of it.
    Gone,
}

#[derive(Default)]
struct Sea {
    now: Duration,
    places: Vec<Place>,
    faults: Faults,
    /// The deployer is no more, and this is how it left the world: whatever it asks for now is not heard.
    killed: Option<(Duration, Vec<Place>)>,
    is_stopped: bool,
    /// When those that hang come back.
    sleepers: Vec<Duration>,
    /// What was asked for, in its order.
    log: Vec<(usize, &'static str)>,
}

/// The fleet.
#[derive(Clone, Default)]
pub(super) struct Fleet(Arc<(Mutex<Sea>, Condvar)>);

/// One of its hosts, as a deployer or a witness reaches it.
pub(super) struct Ship {
    fleet: Fleet,
    host: usize,
    name: String,
    /// The witness outlives the deployer.
    is_witness: bool,
}

impl Fleet {
    pub(super) fn new(hosts: usize, faults: Faults) -> Self {
        let fleet = Self::default();
        {
            let mut sea = fleet.lock();
            sea.places = vec![Place::default(); hosts];
            sea.faults = faults;
        }
        fleet
    }

    fn lock(&self) -> MutexGuard<'_, Sea> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ship(&self, host: usize, is_witness: bool) -> Box<dyn Station> {
        Box::new(Ship { fleet: self.clone(), host, name: format!("h{host}"), is_witness })
    }

    pub(super) fn is_killed(&self) -> bool {
        self.lock().killed.is_some()
    }

    /// The deployer here has not noticed that it was killed, and went on while the clock ran.
    pub(super) fn as_the_killed_left_it(&self) {
        let mut sea = self.lock();
        if let Some((now, places)) = sea.killed.clone() {
            let calls: Vec<usize> = sea.places.iter().map(|place| place.calls).collect();
            (sea.now, sea.places) = (now, places);
            for (place, calls) in sea.places.iter_mut().zip(calls) {
                place.calls = calls;
            }
        }
    }

    /// How often each host was asked for something.
    pub(super) fn calls(&self) -> Vec<usize> {
        self.lock().places.iter().map(|place| place.calls).collect()
    }

    /// Whether nobody can bring the host back, or ask it.
    pub(super) fn is_lost(&self, host: usize) -> bool {
        let sea = self.lock();
        let place = &sea.places[host];
        place.end != End::Well || place.away_until > sea.now
    }

    /// Whether a deployment is still under way on the host.
    pub(super) fn is_open(&self, host: usize) -> bool {
        self.lock().places[host].phase == Phase::Open
    }

    /// What was asked for, and of whom, in its order.
    pub(super) fn log(&self) -> Vec<(usize, &'static str)> {
        self.lock().log.clone()
    }

    /// Which hosts have the new file, when all guards have run out and the next run has settled the rest.
    pub(super) fn outcome(&self) -> Vec<bool> {
        let mut sea = self.lock();
        sea.now += WITHIN * 10;
        let now = sea.now;
        for place in &mut sea.places {
            place.tick(now);
            if place.phase == Phase::Open && place.end != End::Stuck {
                place.undo();
            }
        }
        sea.places.iter().map(|place| place.has_new).collect()
    }
}

impl Sea {
    fn kill(&mut self) {
        self.killed = Some((self.now, self.places.clone()));
    }
}

impl Place {
    /// The guard goes back when it has heard nothing for too long.
    fn tick(&mut self, now: Duration) {
        if self.guard.is_some_and(|heard| now >= heard + WITHIN) {
            self.undo();
        }
    }

    fn undo(&mut self) {
        (self.has_new, self.phase, self.guard) = (false, Phase::None, None);
    }

    fn done(&mut self, what: &'static str, now: Duration) -> Answer {
        let is_guarded = self.guard.is_some();
        match what {
            "stage" if self.phase == Phase::Open => return Answer::Unknown(format!("{BUSY}: jan")),
            "stage" => (self.phase, self.guard) = (Phase::Open, Some(now)),
            "confirm" if self.phase == Phase::Confirmed => {}
            // One that was rebooted has a mark and no guard; it can still be told to keep the new file.
            "confirm" if self.phase == Phase::Open && self.has_new => self.confirm(),
            "swap" | "beat" | "confirm" if !is_guarded => return Answer::No("the guard is gone".into()),
            "swap" => (self.has_new, self.guard) = (true, Some(now)),
            "beat" => self.guard = Some(now),
            "restore" if self.end == End::Stuck => return Answer::No("the disk is broken".into()),
            "restore" => self.undo(),
            "check" if !self.has_new => return Answer::No("the old file".into()),
            _ => {}
        }
        Answer::Yes(())
    }

    fn confirm(&mut self) {
        (self.phase, self.guard) = (Phase::Confirmed, None);
    }

    /// A no as the contract has it.
    fn refuse(&mut self, what: &'static str) -> Answer {
        match what {
            "beat" | "confirm" if self.phase != Phase::Confirmed => self.undo(),
            "restore" => (self.end, self.guard) = (End::Stuck, None),
            _ => {}
        }
        Answer::No(format!("{what} is refused"))
    }

    /// What keeps a call from being heard, or makes it a no.
    fn before(&mut self, what: &'static str, fault: Fault, now: Duration) -> Option<Answer> {
        let why = match fault {
            Fault::No => return Some(self.refuse(what)),
            Fault::Busy => return Some(Answer::Unknown(format!("{BUSY}: jan"))),
            Fault::Deaf => "not heard",
            Fault::DeafForEver => {
                self.end = End::Gone;
                "gone"
            }
            Fault::Away(seconds) => {
                self.away_until = now + Duration::from_secs(seconds);
                "away"
            }
            Fault::Reboot => {
                self.guard = None;
                "rebooted"
            }
            _ => return None,
        };
        Some(Answer::Unknown(format!("{what}: {why}")))
    }
}

impl Ship {
    fn call(&self, what: &'static str) -> Answer {
        let mut sea = self.fleet.lock();
        let number = sea.places[self.host].calls;
        sea.places[self.host].calls += 1;
        sea.log.push((self.host, what));
        let fault = sea.faults.get(&(self.host, number)).copied();
        let unheard = |why: &str| Answer::Unknown(format!("{what}: {why}"));
        let (place, is_dead) = (&sea.places[self.host], sea.killed.is_some() && !self.is_witness);
        if is_dead || place.end == End::Gone || sea.now < place.away_until {
            return unheard("nobody answers");
        }
        match fault {
            Some(Fault::Kill) => {
                sea.kill();
                return unheard("killed");
            }
            Some(Fault::Hang(seconds)) => {
                drop(self.hang(sea, Duration::from_secs(seconds)));
                return unheard("late");
            }
            Some(Fault::Slow(seconds)) => sea = self.hang(sea, Duration::from_secs(seconds)),
            _ => {}
        }
        let now = sea.now;
        let place = &mut sea.places[self.host];
        place.tick(now);
        if let Some(answer) = fault.and_then(|fault| place.before(what, fault, now)) {
            return answer;
        }
        let answer = place.done(what, now);
        match fault {
            None | Some(Fault::Slow(_)) => return answer,
            Some(Fault::Stop) => {
                sea.is_stopped = true;
                return answer;
            }
            Some(Fault::MuteForEver) => place.end = End::Gone,
            Some(Fault::MuteReboot) => place.guard = None,
            Some(Fault::MuteKill) => sea.kill(),
            Some(_) => {}
        }
        unheard("no answer came")
    }

    /// Takes its time, which the clock has to pass.
    fn hang<'a>(&'a self, mut sea: MutexGuard<'a, Sea>, time: Duration) -> MutexGuard<'a, Sea> {
        let end = sea.now + time;
        sea.sleepers.push(end);
        while sea.now < end {
            sea = self.fleet.0.1.wait(sea).unwrap_or_else(PoisonError::into_inner);
        }
        let place = sea.sleepers.iter().position(|&other| other == end).expect("it sleeps");
        sea.sleepers.remove(place);
        sea
    }
}

impl Station for Ship {
    fn name(&self) -> &str {
        &self.name
    }

    fn look(&mut self) -> Answer<Seen> {
        Answer::Yes(Seen::default())
    }

    fn fetch(&mut self, _piece: &Piece) -> Answer<Zeroizing<Vec<u8>>> {
        Answer::No("there is none".into())
    }

    fn settle(&mut self) -> Answer<Settled> {
        Answer::Yes(Settled::Nothing)
    }

    fn stage(&mut self, _order: &Order) -> Answer {
        self.call("stage")
    }

    fn swap(&mut self) -> Answer {
        self.call("swap")
    }

    fn check(&mut self, _check: &Check) -> Answer {
        self.call("check")
    }

    fn beat(&mut self) -> Answer {
        self.call("beat")
    }

    fn confirm(&mut self) -> Answer {
        self.call("confirm")
    }

    fn restore(&mut self) -> Answer {
        self.call("restore")
    }
}

impl Time for Fleet {
    fn now(&self) -> Duration {
        self.lock().now
    }

    /// Time passes only when every host that was asked has answered, or hangs.
    fn wait(&self, reports: &Receiver<Report>, until: Duration, asked: usize) -> Option<Report> {
        loop {
            // A host that hangs does not report, and one that is about to hang does neither yet.
            if let Ok(report) = reports.recv_timeout(Duration::from_millis(u64::from(asked > 0))) {
                return Some(report);
            }
            let mut sea = self.lock();
            if sea.sleepers.len() < asked {
                continue;
            }
            if let Ok(report) = reports.try_recv() {
                return Some(report);
            }
            let wakes = sea.sleepers.iter().copied().min().unwrap_or(Duration::MAX);
            assert!(until.min(wakes) < Duration::MAX, "everybody waits for ever");
            sea.now = sea.now.max(until.min(wakes));
            self.0.1.notify_all();
            if sea.now >= until {
                return None;
            }
        }
    }

    fn is_stopped(&self) -> bool {
        self.lock().is_stopped
    }
}
