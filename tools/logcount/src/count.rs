//! Files become tallies: in parallel where that pays, in the order they were given.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use common::{Error, OrCannot, Result};
use logs::clock::Time;
use logs::line::Line;
use logs::records::{After, Scanner, Sink};
use logs::rules::Rules;
use logs::source::{Source, behind_nuls};
use logs::stamp::Form;
use logs::stream::{Blocks, scan_file, scan_reader};
use rayon::prelude::*;

use crate::plan::{By, Plan};
use crate::tally::{Kept, Levels, Tally};

/// Threads take some 100 µs to start, which is as long as it takes to count this much.
const WORTH_THREADS: u64 = 4 * 1024 * 1024;

/// More threads than this wait for one another, and their buffers would need more than 32 MiB.
const MOST_THREADS: usize = 32;

/// A packed file is so many times the work of a plain one of its size.
const PACKED: u64 = 16;

/// What was counted, and what could not be.
pub(crate) struct Counted<T> {
    /// All files together; `None` by file, and where none could be read.
    pub(crate) all: Option<T>,
    /// By file, those that could be read, in order.
    pub(crate) files: Vec<(usize, Kept)>,
    /// The levels of all files.
    pub(crate) levels: Levels,
    /// Why which files could not be read, in order.
    pub(crate) failures: Vec<Error>,
}

/// Counts all of `paths`. What was read of a file before it failed is counted.
pub(crate) fn count<T: Tally>(paths: &[PathBuf], plan: &Plan) -> Counted<T> {
    let mut counted = if is_worth_threads(paths, plan) {
        start_threads(plan);
        in_parallel(paths, plan)
    } else {
        in_turn(paths, plan)
    };
    if paths.is_empty() && plan.by != By::File {
        counted.all = Some(T::new(plan, Time::now()));
    }
    counted.files.sort_by_key(|(index, _)| *index);
    counted
}

fn in_turn<T: Tally>(paths: &[PathBuf], plan: &Plan) -> Counted<T> {
    let mut counted = Counted::default();
    for (index, path) in paths.iter().enumerate() {
        counted.add(plan, index, one(path, plan, false));
    }
    counted
}

fn in_parallel<T: Tally>(paths: &[PathBuf], plan: &Plan) -> Counted<T> {
    // Of the small files each is read by one thread; then of each large one all threads read a part.
    let each = paths.par_iter().enumerate().map(|(index, path)| {
        let mut counted = Counted::default();
        let outcome = one(path, plan, true);
        let large = outcome.is_large.then_some(index);
        counted.add(plan, index, outcome);
        (counted, large.into_iter().collect::<Vec<_>>())
    });
    let nothing = || (Counted::default(), Vec::new());
    let (mut counted, large) = each.reduce(nothing, |(counted, mut large), (next, next_large)| {
        large.extend(next_large);
        (counted.and(next), large)
    });
    for index in large {
        counted.add(plan, index, striped(&paths[index], plan));
    }
    counted
}

/// What became of one file.
struct OneFile<T> {
    tally: Option<T>,
    failure: Option<Error>,
    /// It was left alone, to be read by all threads.
    is_large: bool,
}

impl<T> Default for Counted<T> {
    fn default() -> Self {
        Self { all: None, files: Vec::new(), levels: Levels::default(), failures: Vec::new() }
    }
}

impl<T: Tally> Counted<T> {
    /// Whether no file could be read.
    pub(crate) fn is_nothing(&self) -> bool {
        self.all.is_none() && self.files.is_empty()
    }

    fn add(&mut self, plan: &Plan, index: usize, outcome: OneFile<T>) {
        self.failures.extend(outcome.failure);
        let Some(tally) = outcome.tally else { return };
        self.levels.add_all(&tally.levels());
        if plan.by == By::File {
            self.files.push((index, Kept::of(tally)));
        } else {
            self.absorb(tally);
        }
    }

    fn absorb(&mut self, tally: T) {
        match &mut self.all {
            Some(all) => all.absorb(tally),
            None => self.all = Some(tally),
        }
    }

    fn and(mut self, next: Self) -> Self {
        self.failures.extend(next.failures);
        self.levels.add_all(&next.levels);
        self.files.extend(next.files);
        if let Some(tally) = next.all {
            self.absorb(tally);
        }
        self
    }
}

impl<T> From<Result<T>> for OneFile<T> {
    fn from(result: Result<T>) -> Self {
        match result {
            Ok(tally) => Self { tally: Some(tally), failure: None, is_large: false },
            Err(failure) => Self { tally: None, failure: Some(failure), is_large: false },
        }
    }
}

fn is_worth_threads(paths: &[PathBuf], plan: &Plan) -> bool {
    if plan.jobs == Some(1) {
        return false;
    }
    let mut work = 0;
    paths.iter().any(|path| {
        let size = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        let packed = path.extension().is_some_and(|ext| ["gz", "zst", "xz", "bz2"].iter().any(|p| ext == *p));
        // Opening a file is work too, some 10 µs of it.
        work += size * if packed { PACKED } else { 1 } + 32 * 1024;
        work >= WORTH_THREADS && (paths.len() > 1 || !packed)
    })
}

fn start_threads(plan: &Plan) {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = plan.jobs.unwrap_or(processors).min(MOST_THREADS);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs);
    if let Err(error) = pool.build_global() {
        log::debug!("the threads run already: {error}");
    }
}

/// Counts a file from its start to its end in this thread.
fn one<T: Tally>(path: &Path, plan: &Plan, may_defer: bool) -> OneFile<T> {
    let source = match open(path, plan) {
        Ok(source) => source,
        Err(failure) => return Err(failure).into(),
    };
    let mut tally = T::new(plan, source.written());
    let mut scanner = Scanner::new(&plan.rules);
    let read = match source.seekable() {
        Some((_, range)) if may_defer && range.end >= WORTH_THREADS => {
            return OneFile { tally: None, failure: None, is_large: true };
        }
        Some((file, range)) => in_order(file, range, &mut scanner, &mut tally).or_cannot("read", path),
        None => {
            let name = source.name().to_owned();
            let text = match source.text() {
                Ok(text) => text,
                Err(failure) => return Err(failure).into(),
            };
            let mut reader = text.reader;
            scan_reader(&mut *reader, &mut scanner, &mut tally).map(|_| ()).or_cannot("read", name)
        }
    };
    OneFile { tally: Some(tally), failure: read.err(), is_large: false }
}

/// Opens a log; a directory gets the hint it needs.
pub(crate) fn open(path: &Path, plan: &Plan) -> Result<Source> {
    Source::open(path).map_err(|error| {
        if plan.walk.is_none() && path.is_dir() {
            let path = path.display();
            return Error::failed(format!(
                "cannot count {path}: it is a directory; --recursive counts the files in it"
            ));
        }
        error
    })
}

fn in_order(
    file: &File,
    range: Range<u64>,
    scanner: &mut Scanner<'_>,
    sink: &mut impl Sink,
) -> std::io::Result<()> {
    let mut at = behind_nuls(file, range.start)?;
    let read = |buffer: &mut [u8]| {
        let room = usize::try_from(range.end - at).unwrap_or(usize::MAX).min(buffer.len());
        let got = file.read_at(&mut buffer[..room], at)?;
        at += got as u64;
        Ok(got)
    };
    Blocks::default().scan(read, scanner, After::End, sink).map(|_| ())
}

/// Counts a large plain file in all threads.
fn striped<T: Tally>(path: &Path, plan: &Plan) -> OneFile<T> {
    let source = match open(path, plan) {
        Ok(source) => source,
        Err(failure) => return Err(failure).into(),
    };
    let Some((file, range)) = source.seekable() else { return one(path, plan, false) };
    let mut empty = T::new(plan, source.written());
    if plan.rules.want_time
        && let Some((stamp, form)) = first_stamp(file, &plan.rules)
    {
        empty.begins_with(&stamp, form);
    }
    let start = behind_nuls(file, range.start);
    let scanned = start.and_then(|start| scan_file(file, (start, range.end), &plan.rules, || empty.clone()));
    scanned.or_cannot("read", path).into()
}

/// The first stamp of a log, if it stands at its beginning: all threads must read days and months in
/// the same order.
fn first_stamp(file: &File, rules: &Rules) -> Option<(Vec<u8>, Form)> {
    struct First(Option<(Vec<u8>, Form)>);
    impl Sink for First {
        fn record(&mut self, line: &Line<'_>, _: &[u8], _: u64) {
            if self.0.is_none() {
                self.0 = line.stamp.map(|(stamp, form)| (stamp.to_vec(), form));
            }
        }
        fn more(&mut self, _: &[u8], _: u64) {}
    }
    let mut buffer = vec![0; 64 * 1024];
    let start = behind_nuls(file, 0).ok()?;
    let got = file.read_at(&mut buffer, start).ok()?;
    let mut first = First(None);
    Scanner::new(rules).scan(&buffer[..got], After::End, &mut first);
    first.0
}
