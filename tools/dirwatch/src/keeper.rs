//! The keeper: the one thread that decides what is taken, and records what became of it.
//!
//! ```text
//! hints ─┐                     ┌─ later: busy, unquiet, retries
//! scans ─┴─► queue ─► take ────┴─► claim ─► command ─► ends ─► record
//! ```
//!
//! Whatever it is told is looked at when its turn comes: the file against the ledger. So a hint that
//! comes twice, late or never costs a look or the time until the next scan, and nothing else.

mod dispatch;
mod ends;
mod events;
mod start;
mod take;
mod upkeep;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{Error, Out, Outcome, Result};

use crate::commands::Commands;
use crate::hands::{Hands, Task};
use crate::identity::{Key, Kind, Stamp};
use crate::ledger::{Entry, Ledger, Refused};
use crate::message::Message;
use crate::metrics::Numbers;
use crate::plan::{Order, Watch};
use crate::post::Mail;
use crate::queue::{Item, Later, Queue};
use crate::ready::Clock;
use crate::scan::Scanner;
use crate::service::Service;
use crate::template;
use crate::tree::Strangers;

/// How many files wait in memory; what is more waits in its folder.
const ROOM: usize = 8_192;

/// How often the ledger is tended while something happens. Two groups of records a second would do;
/// this also bounds what a power failure takes.
const BUSY: Duration = Duration::from_millis(50);

/// How often everything that has no moment of its own is looked after.
const IDLE: Duration = Duration::from_secs(1);

/// How long nothing is started after the system or the disk had no room.
const PAUSE: Duration = Duration::from_secs(1);

/// A file that was claimed.
#[derive(Debug)]
struct Taken {
    root: usize,
    path: Arc<Path>,
    stamp: Stamp,
    entry: Entry,
    hash: Option<String>,
    /// The key of the version, where the ledger knows the file by its content.
    alias: Option<Key>,
}

/// A file that could not be put away.
#[derive(Debug)]
struct Unfiled {
    root: usize,
    stamp: Stamp,
    entry: Entry,
    again: Instant,
}

/// What `--new-only` must know of a watched folder.
#[derive(Debug)]
struct Since {
    /// Since when it is watched, in milliseconds since 1970.
    first: i64,
    /// Whether a pass over it has ended since the start.
    passed: bool,
    /// Whether all that was there at the very first start is recorded.
    dealt_with: bool,
}

/// What the keeper works with: threads, and the commands.
pub(crate) struct Around {
    pub(crate) mail: Mail,
    pub(crate) scanner: Scanner,
    pub(crate) commands: Option<Commands>,
    pub(crate) hands: Hands,
    pub(crate) service: Service,
}

pub(crate) use start::watch;

/// See the module.
pub(crate) struct Keeper<'a> {
    watch: &'a Watch,
    out: &'a mut Out,
    around: Around,
    ledger: Box<dyn Ledger>,
    clock: Clock,
    queue: Queue,
    later: Later,
    /// What runs, by the number of the job.
    flight: BTreeMap<u64, Vec<Taken>>,
    /// The paths of what runs, and whether a hint came for them meanwhile.
    flying: BTreeMap<Arc<Path>, bool>,
    jobs: u64,
    /// Files that are being hashed or put away.
    in_hands: usize,
    /// Chunks of the scanner that are not asked for yet.
    unasked: usize,
    /// When the inbox is to be looked into again.
    inbox_due: Option<Instant>,
    since: Vec<Since>,
    /// Entries of the last run whose commands still run.
    survivors: Vec<Entry>,
    /// How often in a row a file was changed while its own command ran.
    changing: BTreeMap<Arc<Path>, u32>,
    /// Files that cannot be read; that was said.
    unreadable: BTreeSet<Arc<Path>>,
    /// Which of the watched folders were not there in a pass.
    absent: BTreeSet<usize>,
    /// Whether every folder was passed over once.
    settled: bool,
    /// A batch that waits for more, and since when.
    gathered: Vec<Taken>,
    gathered_since: Option<Instant>,
    /// Until when nothing is started, for want of room.
    paused: Option<Instant>,
    /// Since when.
    paused_since: Option<Instant>,
    /// Whether the queue was left because others had waited long enough.
    more_to_take: bool,
    /// How many files were looked at since others had their turn.
    looks: usize,
    /// How many bytes of arguments a command can have.
    arguments: usize,
    ending: Option<Instant>,
    failed: Option<Error>,
    /// Files that could not be put away, and when that is tried again.
    unfiled: BTreeMap<Key, Unfiled>,
    /// Files of this run that were not done in the end, for the status of a single pass.
    undone: u64,
    numbers: Numbers,
    next_numbers: Instant,
    next_tick: Instant,
    started: Instant,
    strangers: Strangers,
    next_strangers: Instant,
}

impl<'a> Keeper<'a> {
    pub(crate) fn new(watch: &'a Watch, out: &'a mut Out, around: Around, ledger: Box<dyn Ledger>) -> Self {
        let now = Instant::now();
        Self {
            watch,
            out,
            around,
            ledger,
            clock: Clock::start(),
            queue: Queue::new(watch.work.order),
            later: Later::default(),
            flight: BTreeMap::new(),
            flying: BTreeMap::new(),
            jobs: 0,
            in_hands: 0,
            unasked: 0,
            inbox_due: None,
            since: Vec::new(),
            survivors: Vec::new(),
            changing: BTreeMap::new(),
            unreadable: BTreeSet::new(),
            absent: BTreeSet::new(),
            settled: false,
            gathered: Vec::new(),
            gathered_since: None,
            more_to_take: false,
            looks: 0,
            arguments: template::room(),
            paused: None,
            paused_since: None,
            ending: None,
            failed: None,
            unfiled: BTreeMap::new(),
            undone: 0,
            numbers: Numbers::default(),
            next_numbers: now,
            next_tick: now,
            started: now,
            strangers: Strangers::default(),
            next_strangers: now,
        }
    }

    /// Watches until it is asked to stop, or until everything that is there was processed.
    ///
    /// # Errors
    /// When the ledger breaks, or the command cannot be run at all. What ran was waited for.
    pub(crate) fn run(mut self) -> Result<Outcome> {
        self.start()?;
        self.around.service.ready();
        while !self.is_over() {
            self.fill();
            self.dispatch()?;
            self.look_after()?;
            self.wait()?;
        }
        self.finish()
    }

    fn is_over(&self) -> bool {
        let idle = self.flight.is_empty() && self.in_hands == 0;
        if let Some(until) = self.ending {
            return idle || Instant::now() >= until;
        }
        let waiting = self.queue.len() + self.later.len() + self.survivors.len() + self.gathered.len();
        self.watch.place.once && self.settled && idle && waiting == 0
    }

    /// Takes hints and asks for what was found, as long as there is room.
    fn fill(&mut self) {
        if self.ending.is_some() {
            return;
        }
        let now = Instant::now();
        while let Some(item) = self.later.pop(now) {
            let modified = modified_of(&item.path);
            self.queue.push_front(item, modified);
        }
        if !self.has_room() {
            return;
        }
        if self.inbox_due.is_some_and(|due| due <= now) {
            let mut paths = Vec::new();
            self.inbox_due = self.around.scanner.inbox().take(&mut paths);
            for path in paths {
                self.hint(&path.into(), now);
            }
        }
        for _ in 0..std::mem::take(&mut self.unasked) {
            self.around.scanner.more();
        }
    }

    /// Whether more can wait in memory. Who orders by name or time must have seen them all.
    fn has_room(&self) -> bool {
        self.queue.len() < ROOM || self.watch.work.order != Order::Arrival
    }

    fn hint(&mut self, path: &Arc<Path>, now: Instant) {
        if let Some(dirty) = self.flying.get_mut(path) {
            *dirty = true;
        } else if let Some((root, subject)) = self.subject_of(Arc::clone(path)) {
            let modified = modified_of(&subject);
            self.queue.push(Item::new(root, subject, now), modified);
        } else if self.watch.place.depth > 0
            && Stamp::of(path, false).is_ok_and(|stamp| stamp.kind == Kind::Folder)
        {
            // Moved in; what names are taken says nothing of folders.
            self.around.scanner.folder(path.to_path_buf());
        }
    }

    /// The next moment at which something is to be done without being told.
    fn next_moment(&self) -> Instant {
        let now = Instant::now();
        // At the end nothing is taken, and what is due for that would let no wait be one.
        let takes = self.ending.is_none();
        if self.more_to_take && takes {
            return now;
        }
        let busy = !self.flight.is_empty() || self.queue.len() > 0 || self.in_hands > 0;
        let rest =
            if busy { BUSY } else { self.around.service.watchdog_interval().unwrap_or(IDLE).min(IDLE) };
        let mut next = (now + rest).min(self.next_tick);
        let later = self.later.next().filter(|_| takes);
        let inbox = self.inbox_due.filter(|_| takes && self.has_room());
        let gathered = self.gathered_until().filter(|_| takes && self.free() > 0 && !self.is_paused(now));
        let commands = self.around.commands.as_ref().and_then(Commands::until);
        for moment in [later, inbox, self.ending, gathered, commands].into_iter().flatten() {
            next = next.min(moment);
        }
        next
    }

    /// Waits until something happens, and takes all of it.
    fn wait(&mut self) -> Result<()> {
        let names = self.around.mail.wait(self.next_moment());
        while let Some(message) = self.around.mail.next() {
            self.hear(message)?;
        }
        let Some(commands) = &mut self.around.commands else { return Ok(()) };
        let ended = commands.ended(&names, &self.around.mail);
        self.ended(ended)
    }

    fn hear(&mut self, message: Message) -> Result<()> {
        match message {
            Message::Hints => self.inbox_due = Some(Instant::now()),
            Message::Found(found) => {
                let now = Instant::now();
                for candidate in found {
                    let path: Arc<Path> = candidate.path.into();
                    if let Some(dirty) = self.flying.get_mut(&path) {
                        *dirty = true;
                        continue;
                    }
                    self.queue.push(Item::new(candidate.root, path, now), || candidate.stamp.modified);
                }
                self.unasked += 1;
            }
            Message::Passed(pass) => self.passed(pass),
            Message::Settled(folders) => {
                self.numbers.rescans += u64::from(self.settled);
                self.settled = true;
                (self.numbers.watched, self.numbers.unwatched) = (folders.watched, folders.silent);
            }
            Message::Hunted(job) => {
                if let Some(commands) = &mut self.around.commands {
                    commands.hunted(job, &self.around.mail);
                }
            }
            Message::Hashed { item, stamp, hash } => self.hashed(*item, stamp, hash),
            Message::Filed { entry, filed } => self.filed(*entry, &filed)?,
            Message::Stop => self.stop(),
            Message::Hangup => {
                log::info!("SIGHUP: looking at everything again");
                self.around.scanner.everything();
            }
        }
        Ok(())
    }

    /// Whether the order of the queue wants all of the backlog before the first start.
    fn must_know_all(&self) -> bool {
        self.watch.work.order != Order::Arrival && !self.settled
    }

    fn task(&mut self, task: Task) {
        self.in_hands += 1;
        self.around.hands.take(task);
    }

    /// Records what became of files. Room for those that were claimed is reserved.
    fn record(&mut self, entries: &[Entry]) -> Result<()> {
        match self.ledger.record(entries) {
            Ok(()) | Err(Refused::Taken) => Ok(()),
            // Of what was not claimed, the next pass finds the same again.
            Err(Refused::NoRoom(error)) => {
                self.pause(&error);
                Ok(())
            }
            Err(Refused::Broken(error)) => Err(error),
        }
    }
}

/// The time of a file for who orders by it; looked up only where that is wanted.
fn modified_of(path: &Arc<Path>) -> impl FnOnce() -> i64 + use<> {
    let path = Arc::clone(path);
    move || Stamp::of(&path, true).map_or(i64::MAX, |stamp| stamp.modified)
}
