//! One round over all logs: what is new in each, and where it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use common::{Error, Result};
use logs::clock::Time;

use super::listing::{Folders, Found};
use super::segment::{PRINT, Print, Segment};
use super::{Log, Memory, family, matching, reading};
use crate::plan::Plan;
use crate::tally::Tally;

/// A segment that is not found any more is remembered for so many seconds: in the middle of a
/// rotation a file can be missed, and it must not be counted twice.
const REMEMBERED: i64 = 24 * 60 * 60;

/// Rotations that a log may go through while it is read.
const ATTEMPTS: usize = 10;

/// A packed file that is younger, in nanoseconds, may still be written.
const STILL_PACKED: i64 = 60_000_000_000;

/// What one round found.
pub(crate) struct Round<T> {
    /// The logs in the order they were given, each with what is new in it.
    pub(crate) logs: Vec<(PathBuf, T)>,
    /// Why which files could not be read.
    pub(crate) failures: Vec<Error>,
}

/// Takes note of the files of those of `paths` that were never seen, and counts nothing. Says whether
/// there were any. When this is kept before the first round, a round that is killed leaves behind
/// what was there when it began.
#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method itself is for one lifetime, the closure for all"
)]
pub(crate) fn enrol(memory: &mut Memory, paths: &[PathBuf]) -> bool {
    let mut folders = Folders::default();
    let absolute = absolute(paths);
    let mut is_new = false;
    for (path, members) in family::group(&absolute, memory.logs.keys()) {
        if memory.logs.contains_key(&path) {
            continue;
        }
        let mut log = Log::default();
        // What is wrong with it is said when it is counted.
        if attempts(&mut log, &path, &members, &mut folders, |visit, files| visit.enrol(files)).is_ok() {
            memory.logs.insert(path, log);
            is_new = true;
        }
    }
    is_new
}

fn absolute(paths: &[PathBuf]) -> Vec<PathBuf> {
    paths.iter().map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone())).collect()
}

/// Counts what is new in `paths` and remembers it. A log that cannot be read is left as it was.
pub(crate) fn round<T: Tally>(memory: &mut Memory, paths: &[PathBuf], plan: &Plan) -> Round<T> {
    let mut round = Round { logs: Vec::new(), failures: Vec::new() };
    let mut folders = Folders::default();
    let absolute = absolute(paths);
    let given: BTreeMap<&PathBuf, &PathBuf> = absolute.iter().zip(paths).collect();
    for (path, members) in family::group(&absolute, memory.logs.keys()) {
        let mut log = memory.logs.get(&path).cloned().unwrap_or_default();
        let count = |visit: &mut Visit<'_>, files| visit.count::<T>(files, plan);
        match attempts(&mut log, &path, &members, &mut folders, count) {
            Ok((tally, failures)) => {
                log.totals.add_all(&tally.levels());
                round.failures.extend(failures);
                let shown = given.get(&path).map_or(&path, |given| *given);
                round.logs.push((shown.clone(), tally));
                memory.logs.insert(path, log);
            }
            Err(failure) => round.failures.push(failure),
        }
    }
    round
}

/// Visits one log until no file is renamed under the visit, and returns what came of it, and why
/// which rotated files could not be read.
fn attempts<R>(
    log: &mut Log,
    path: &Path,
    members: &[PathBuf],
    folders: &mut Folders,
    mut visit: impl FnMut(&mut Visit<'_>, Vec<Found>) -> Step<R>,
) -> Result<(R, Vec<Error>)> {
    // A link may lead to another folder, and the rotated files are there.
    let is_link = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    let real = if is_link { std::fs::canonicalize(path).ok() } else { None };
    let path = real.as_deref().unwrap_or(path);
    let mut files = folders.files(path)?;
    for attempt in 0..ATTEMPTS {
        let mut this = Visit::new(log.clone(), path, members);
        this.is_fresh = attempt > 0;
        if let Some(result) = visit(&mut this, files)? {
            *log = this.log;
            return Ok((result, this.failures));
        }
        files = folders.files_now(path)?;
    }
    Err(Error::retry(format!("{} is rotated faster than it can be read", path.display())))
}

/// One attempt at one log. It is given up, and begun again, when a file is renamed under it.
struct Visit<'a> {
    path: &'a Path,
    /// Rotated files that the caller gave by name.
    members: BTreeSet<&'a PathBuf>,
    log: Log,
    is_first: bool,
    /// The folder was listed for this attempt, and twice the same.
    is_fresh: bool,
    /// The files whose segment is known, with its index.
    bound: Vec<(Found, usize)>,
    failures: Vec<Error>,
    now: Time,
}

/// What became of a step; `None` is that a file was renamed or truncated.
type Step<T> = Result<Option<T>>;

/// Gives up the attempt.
macro_rules! or_again {
    ($step:expr) => {
        match $step? {
            Some(value) => value,
            None => return Ok(None),
        }
    };
}

impl<'a> Visit<'a> {
    fn new(log: Log, path: &'a Path, members: &'a [PathBuf]) -> Self {
        let is_first = log.segments.is_empty();
        let members = members.iter().collect();
        Self {
            path,
            members,
            log,
            is_first,
            is_fresh: false,
            bound: Vec::new(),
            failures: Vec::new(),
            now: Time::now(),
        }
    }

    /// Finds out which file is which, and takes note of new ones.
    fn look(&mut self, files: Vec<Found>) -> Step<()> {
        if files.is_empty() {
            // The error of opening it says what is wrong.
            common::input::Input::open(self.path)?;
        }
        let strangers = or_again!(self.find_known(files));
        if self.is_to_be_listed(&strangers) {
            return Ok(None);
        }
        let strangers = or_again!(self.find_copies(strangers));
        or_again!(self.take_in(strangers));
        for (_, index) in &self.bound {
            self.log.segments[*index].seen = self.now.secs();
        }
        Ok(Some(()))
    }

    fn enrol(&mut self, files: Vec<Found>) -> Step<()> {
        or_again!(self.look(files));
        for (file, index) in &self.bound {
            self.log.segments[*index].live = file.live;
        }
        Ok(Some(()))
    }

    fn count<T: Tally>(&mut self, files: Vec<Found>, plan: &Plan) -> Step<T> {
        or_again!(self.look(files));
        let tally = or_again!(self.read_all(plan));
        self.forget();
        Ok(Some(tally))
    }

    /// Binds the files that still are what they were, and returns the others. Copies are both: they
    /// may be all that is left of another one.
    fn find_known(&mut self, files: Vec<Found>) -> Step<Vec<Found>> {
        let mut strangers = Vec::new();
        for file in files {
            let known = self.log.segments.iter().position(|segment| segment.id() == file.id);
            let Some(index) = known.filter(|index| !self.is_bound(*index)) else {
                strangers.push(file);
                continue;
            };
            let segment = &self.log.segments[index];
            let is_unchanged = !file.live && !segment.copy && segment.is_done_with(&file);
            let is_still = if is_unchanged { Ok(Some(true)) } else { matching::is_still(&file, segment) };
            match is_still {
                Ok(None) => return Ok(None),
                Ok(Some(true)) => self.bound.push((file, index)),
                Ok(Some(false)) => {
                    self.log.segments[index].leave();
                    strangers.push(file);
                }
                Err(failure) if file.live => return Err(failure),
                // It is read when it can be.
                Err(failure) => {
                    self.log.segments[index].seen = self.now.secs();
                    self.unreadable(&file, failure);
                }
            }
        }
        Ok(Some(strangers))
    }

    /// Whether something changed, so that the folder must be looked at more closely: a rotation may
    /// be under way.
    fn is_to_be_listed(&self, strangers: &[Found]) -> bool {
        let lost = || (0..self.log.segments.len()).any(|at| self.log.segments[at].live && !self.is_bound(at));
        let alone = self.is_first && strangers.len() == 1;
        !self.is_fresh && !alone && (!strangers.is_empty() || lost())
    }

    fn is_bound(&self, index: usize) -> bool {
        self.bound.iter().any(|(_, bound)| *bound == index)
    }

    /// Binds the copies of what is no longer in its own file, and returns the other files.
    fn find_copies(&mut self, mut strangers: Vec<Found>) -> Step<Vec<Found>> {
        let lost =
            (0..self.log.segments.len()).filter(|at| !self.is_bound(*at) && !self.log.segments[*at].copy);
        for index in lost.collect::<Vec<_>>() {
            let known = self.bound.iter().filter(|(_, at)| self.log.segments[*at].copy).map(|(file, _)| file);
            let mut candidates: Vec<Found> = strangers.iter().chain(known).cloned().collect();
            // Of several copies the plain one is best, and the longest.
            candidates.sort_by_key(|file| (file.packed, std::cmp::Reverse(file.size)));
            for file in candidates.into_iter().filter(|file| !file.live) {
                if or_again!(self.tried(&file, |file, log| matching::is_copy(file, &log.segments[index]))) {
                    strangers.retain(|other| *other != file);
                    self.adopt(index, file);
                    break;
                }
            }
        }
        Ok(Some(strangers))
    }

    /// A file that cannot be read is no copy of anything; why not is said when it is read.
    fn tried(&self, file: &Found, question: impl FnOnce(&Found, &Log) -> Step<bool>) -> Step<bool> {
        match question(file, &self.log) {
            Err(_) if !file.live => Ok(Some(false)),
            answer => answer,
        }
    }

    /// From now on the segment is in this file.
    fn adopt(&mut self, index: usize, file: Found) {
        log::info!("{} goes on in {}", self.path.display(), file.path.display());
        if let Some(at) = self.bound.iter().position(|(known, _)| *known == file) {
            let (_, copy) = self.bound.remove(at);
            self.log.segments[copy].leave();
        }
        let segment = &mut self.log.segments[index];
        segment.is_in(&file);
        segment.live = false;
        if !file.packed {
            segment.offset = segment.offset.min(file.size);
        }
        self.bound.push((file, index));
    }

    /// Makes segments of files that were never seen before, but not of copies of others.
    fn take_in(&mut self, mut strangers: Vec<Found>) -> Step<()> {
        // The original comes before its copies: the log itself, plain files, packed files.
        strangers.sort_by_key(|file| (!file.live, file.packed, file.mtime));
        for file in strangers.into_iter().filter(|file| file.live || file.size > 0) {
            let is_wanted = file.live || (self.is_first && self.members.contains(&file.path));
            let mut segment = Segment::new(&file);
            if !is_wanted && or_again!(self.is_double(&file)) {
                log::debug!("{} is a copy", file.path.display());
                segment.head = Print::of(&or_again!(matching::text_head(&file, PRINT)));
                (segment.offset, segment.copy) = (segment.head.len, true);
            } else if self.is_first && !is_wanted {
                if let Ok(passed) = reading::pass_over(&file, &mut segment) {
                    or_again!(Ok::<_, Error>(passed));
                } else {
                    // What it holds is not asked for, and neither is why it cannot be read.
                    segment.ignored = true;
                }
            }
            self.log.segments.push(segment);
            self.bound.push((file, self.log.segments.len() - 1));
        }
        Ok(Some(()))
    }

    fn is_double(&self, file: &Found) -> Step<bool> {
        for (other, _) in &self.bound {
            if or_again!(self.tried(file, |file, _| matching::is_part_of(file, other))) {
                return Ok(Some(true));
            }
        }
        Ok(Some(false))
    }

    /// Reads what is new, the oldest first.
    fn read_all<T: Tally>(&mut self, plan: &Plan) -> Step<T> {
        let mut all = T::new(plan, self.now);
        self.bound.sort_by_key(|(file, _)| (file.live, file.mtime));
        for (file, index) in std::mem::take(&mut self.bound) {
            let segment = &mut self.log.segments[index];
            if !segment.is_passed_over() && (file.live || !segment.is_done_with(&file)) {
                let mut next = segment.clone();
                match reading::read::<T>(&file, &mut next, plan, self.now.nanos()) {
                    Ok(Some(tally)) => {
                        all.absorb(tally);
                        *segment = next;
                    }
                    Ok(None) => return Ok(None),
                    Err(failure) if file.live => return Err(failure),
                    Err(failure) => {
                        // What was counted of it is thrown away, and it is tried again.
                        if segment.size == 0 {
                            segment.seen = 0;
                        }
                        self.unreadable(&file, failure);
                        continue;
                    }
                }
            }
            self.log.segments[index].live = file.live;
            self.bound.push((file, index));
        }
        Ok(Some(all))
    }

    /// A packed file may be torn because it is still being written.
    fn unreadable(&mut self, file: &Found, failure: Error) {
        if file.packed && self.now.nanos().saturating_sub(file.mtime) < STILL_PACKED {
            log::info!("{failure}; it is tried again by the next run");
        } else {
            self.failures.push(failure);
        }
    }

    /// Drops what has not been found for a day, and says when something may be lost.
    fn forget(&mut self) {
        for index in 0..self.log.segments.len() {
            if self.is_bound(index) {
                continue;
            }
            let segment = &mut self.log.segments[index];
            if std::mem::take(&mut segment.live) && segment.size > 0 {
                log::warn!(
                    "the end of {} was not found after it was truncated or removed; \
                     what was written to it since the last run is not counted",
                    self.path.display()
                );
            }
        }
        let oldest = self.now.secs() - REMEMBERED;
        self.log.segments.retain(|segment| segment.seen >= oldest);
    }
}
