//! Comparing a ledger with itself, and with what is in its folders.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::{Error, Out, Outcome, Result};
use serde::Serialize;

use super::mounts;
use super::present::{files_below, is_missing};
use super::show::{self, shown};
use crate::identity::{Stamp, path_key, version_key};
use crate::json::{PathText, print_object};
use crate::ledger::inspect::holder;
use crate::ledger::store::Store;
use crate::ledger::{Entry, State};
use crate::select::Which;

/// What came or was changed within this time is on its way into the ledger of a watcher that runs.
const ON_ITS_WAY: Duration = Duration::from_secs(60);

/// One thing that is not as it should be.
#[derive(Debug, Serialize)]
struct Finding<'a> {
    #[serde(rename = "finding")]
    kind: &'static str,
    #[serde(flatten)]
    path: PathText<'a>,
    reason: String,
}

/// Prints what is found, and counts it.
struct Findings<'a> {
    json: bool,
    out: &'a mut Out,
    count: u64,
}

impl Findings<'_> {
    fn add(&mut self, kind: &'static str, path: &Path, reason: &str) -> Result<()> {
        self.count += 1;
        if self.json {
            let reason = reason.to_owned();
            return print_object(&Finding { kind, path: PathText::of(path), reason }, self.out);
        }
        writeln!(self.out, "{kind:<12} {}: {}", shown(path), common::log::escape(reason))
    }
}

/// Prints what is wrong, a line for each finding; [`Outcome::No`] when there is any:
///
/// | finding | what it means |
/// |---|---|
/// | `damaged` | the database is not sound |
/// | `interrupted` | a command was started, and no watcher runs that could tell its end |
/// | `missing` | something is left to do for a file that is not there |
/// | `twice` | something is left to do for two versions of a file with one name |
/// | `unreadable` | a folder cannot be read, or its file system is not mounted |
/// | `unknown` | a file in a folder that is watched is not in the ledger |
///
/// Which files the watcher takes is not in the ledger. Hidden and partial names are passed over here,
/// and so are folders below a watched one from which no file was ever taken.
///
/// # Errors
/// When the ledger cannot even be opened, or nothing can be printed.
pub(super) fn verify(path: &Path, json: bool, out: &mut Out) -> Result<Outcome> {
    let store = Store::open_existing(path)?;
    let mut findings = Findings { json, out, count: 0 };
    for line in store.integrity()? {
        findings.add("damaged", path, &line)?;
    }
    let is_watched = holder(path)?.is_some();
    let known_folders = &check_entries(&store, is_watched, &mut findings)?;
    let which = &Which::new(&[], &[], false, 0, None).map_err(Error::failed)?;
    for path in store.roots()? {
        check_root(&store, &Root { path, is_watched, known_folders, which }, &mut findings)?;
    }
    Ok(if findings.count == 0 { Outcome::Done } else { Outcome::No })
}

/// Returns the folders in which the files of all entries are, or were.
fn check_entries(store: &Store, is_watched: bool, findings: &mut Findings<'_>) -> Result<BTreeSet<PathBuf>> {
    let mut folders = BTreeSet::new();
    let mut open: Vec<Entry> = Vec::new();
    store.each(None, &mut |entry| {
        let folder = entry.path.parent().unwrap_or(&entry.path);
        if !folders.contains(folder) {
            folders.insert(folder.to_path_buf());
        }
        if entry.state.is_open() {
            open.push(entry);
        }
        Ok(())
    })?;
    open.sort_by(|one, other| (&one.path, one.at, one.key).cmp(&(&other.path, other.at, other.key)));
    for entry in &open {
        check_open(store, entry, is_watched, findings)?;
    }
    for pair in open.windows(2) {
        if let [one, other] = pair
            && one.path == other.path
        {
            let reason =
                format!("{} as {} and {} as {}", one.state.word(), one.key, other.state.word(), other.key);
            findings.add("twice", &one.path, &reason)?;
        }
    }
    Ok(folders)
}

fn check_open(store: &Store, entry: &Entry, is_watched: bool, findings: &mut Findings<'_>) -> Result<()> {
    let since = show::seconds(entry.at);
    let word = entry.state.word();
    if entry.state == State::Started {
        let reason = format!("started {since}, and no watcher runs; the next one sees to it");
        return if is_watched { Ok(()) } else { findings.add("interrupted", &entry.path, &reason) };
    }
    // A watcher that runs moves or deletes a file before it records that it did.
    let is_moving = is_watched && matches!(entry.state, State::Passed | State::Rejected);
    if is_moving || !is_missing(&entry.path) {
        return Ok(());
    }
    let is_as_it_was = store.get(&entry.key)?.is_some_and(|now| now.state == entry.state);
    if is_as_it_was { findings.add("missing", &entry.path, &format!("{word} since {since}")) } else { Ok(()) }
}

/// A watched folder, and what is known of it.
struct Root<'a> {
    path: PathBuf,
    is_watched: bool,
    known_folders: &'a BTreeSet<PathBuf>,
    which: &'a Which,
}

fn check_root(store: &Store, root: &Root<'_>, findings: &mut Findings<'_>) -> Result<()> {
    if let Some(point) = mounts::missing(&root.path) {
        findings.add("unreadable", &root.path, &format!("{} is not mounted", point.display()))?;
    }
    let troubles = files_below(&root.path, &mut |path, stamp| {
        if root.is_expected(store, path, stamp)? {
            return Ok(());
        }
        findings.add("unknown", path, "it waits, was missed, or is none that the watcher takes")
    })?;
    troubles.iter().try_for_each(|trouble| findings.add("unreadable", &root.path, &trouble.to_string()))
}

impl Root<'_> {
    /// Whether a file is as it should be: known, or none that would be taken, or not yet.
    fn is_expected(&self, store: &Store, path: &Path, stamp: &Stamp) -> Result<bool> {
        let folder = path.parent().unwrap_or(path);
        let is_elsewhere = folder != self.path && !self.known_folders.contains(folder);
        let is_taken = path.strip_prefix(&self.path).is_ok_and(|name| self.which.takes_name(name));
        if is_elsewhere || !is_taken || is_own(&store.path, path) {
            return Ok(true);
        }
        if self.is_watched && is_younger(stamp, ON_ITS_WAY) {
            return Ok(true);
        }
        Ok(store.get(&version_key(&self.path, stamp))?.is_some() || store.get(&path_key(path))?.is_some())
    }
}

/// Whether it is the ledger, or one of the files beside it.
fn is_own(ledger: &Path, path: &Path) -> bool {
    let name = |path: &Path| path.file_name().map(|name| name.as_bytes().to_vec()).unwrap_or_default();
    path.parent() == ledger.parent() && name(path).starts_with(&name(ledger))
}

fn is_younger(stamp: &Stamp, age: Duration) -> bool {
    let since = Duration::from_nanos(u64::try_from(stamp.changed).unwrap_or_default());
    SystemTime::now().duration_since(UNIX_EPOCH + since).map_or(true, |passed| passed < age)
}
