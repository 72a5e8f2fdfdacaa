//! What a ledger holds, in a few lines, and whether a watcher runs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use common::{Out, Outcome, Result};
use serde::Serialize;
use serde_json::{Value, json};

use super::show::{milliseconds, seconds, shown};
use crate::json::{PathText, print_object};
use crate::ledger::inspect::holder;
use crate::ledger::store::Store;
use crate::ledger::{Entry, State};

/// A watched folder.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    since: i64,
    is_backlog_done: bool,
}

/// What [`status`] prints.
#[derive(Debug)]
struct Status {
    ledger: PathBuf,
    /// The sentence about the watcher that runs.
    watcher: Option<String>,
    folders: Vec<Folder>,
    counts: BTreeMap<&'static str, u64>,
    /// Of those with something left to do, the one that has been as it is for the longest time.
    oldest: Option<Entry>,
}

/// A path in JSON, and what is said of it.
#[derive(Debug, Serialize)]
struct Located<'a> {
    #[serde(flatten)]
    path: PathText<'a>,
    #[serde(flatten)]
    rest: Value,
}

/// Prints how many entries there are of each state, the oldest of those that wait, the watched folders,
/// and who watches.
///
/// # Errors
/// When the ledger cannot be read, or nothing can be printed.
pub(super) fn status(store: &Store, json: bool, out: &mut Out) -> Result<Outcome> {
    let found = Status::of(store)?;
    if json { found.print_json(out) } else { found.print_text(out) }?;
    Ok(Outcome::Done)
}

impl Status {
    fn of(store: &Store) -> Result<Self> {
        let mut folders = Vec::new();
        for path in store.roots()? {
            let (is_backlog_done, since) = store.root(&path)?.unwrap_or_default();
            folders.push(Folder { path, since, is_backlog_done });
        }
        let newer = &store.pending.entries;
        let mut open = store.open_entries()?;
        open.retain(|entry| !newer.contains_key(&entry.key));
        open.extend(newer.values().filter(|entry| entry.state.is_open()).cloned());
        let oldest = open.into_iter().min_by(|one, other| (one.at, one.key).cmp(&(other.at, other.key)));
        let ledger = store.path.clone();
        Ok(Self { watcher: holder(&ledger)?, ledger, folders, counts: store.counts()?, oldest })
    }

    fn print_text(&self, out: &mut Out) -> Result<()> {
        writeln!(out, "{:<12} {}", "record", shown(&self.ledger))?;
        let watcher = self.watcher.as_deref().map_or("none runs", |sentence| clause(sentence));
        writeln!(out, "{:<12} {watcher}", "watcher")?;
        for Folder { path, since, is_backlog_done } in &self.folders {
            let rest = if *is_backlog_done { "" } else { ", what was there then is not dealt with yet" };
            writeln!(out, "{:<12} {} since {}{rest}", "folder", shown(path), seconds(*since))?;
        }
        for state in State::ALL {
            if let Some(count) = self.counts.get(state.word()) {
                writeln!(out, "{:<12} {count}", state.word())?;
            }
        }
        if let Some(Entry { state, at, path, .. }) = &self.oldest {
            writeln!(out, "{:<12} {} since {}: {}", "oldest", state.word(), seconds(*at), shown(path))?;
        }
        Ok(())
    }

    fn print_json(&self, out: &mut Out) -> Result<()> {
        let folders = self.folders.iter().map(|folder| {
            let since = milliseconds(folder.since);
            let rest = json!({ "watched_since": since, "backlog_done": folder.is_backlog_done });
            Located { path: PathText::of(&folder.path), rest }
        });
        let oldest = self.oldest.as_ref().map(|entry| {
            let rest = json!({ "state": entry.state.word(), "changed_at": milliseconds(entry.at) });
            Located { path: PathText::of(&entry.path), rest }
        });
        let counts = State::ALL.map(State::word).map(|word| (word, self.counts.get(word).unwrap_or(&0)));
        let status = json!({
            "ledger": self.ledger.to_string_lossy(),
            "watched": self.watcher.is_some(),
            "watcher_pid": self.watcher.as_deref().and_then(pid),
            "folders": folders.collect::<Vec<_>>(),
            "entries": BTreeMap::from(counts),
            "oldest_open": oldest,
        });
        print_object(&status, out)
    }
}

/// What of the sentence is about the process; that it runs if nothing is.
fn clause(sentence: &str) -> &str {
    sentence.rsplit_once("; ").map_or("runs", |(_, clause)| clause)
}

/// The number of the process, where the sentence tells it.
fn pid(sentence: &str) -> Option<u32> {
    let (_, rest) = clause(sentence).split_once("pid ")?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_found_in_the_sentence() {
        let check = |sentence: &str, want: Option<u32>, rest: &str| {
            assert_eq!((pid(sentence), clause(sentence)), (want, rest), "{sentence}");
        };
        let held = "held by pid 4711 (`dirwatch`, running since 2026-11-20T03:12:09Z)";
        check(&format!("/a; pid 5/x.run is locked by another process; {held}"), Some(4711), held);
        check("/a/x.run is locked by another process; held by pid 7", Some(7), "held by pid 7");
        check("/a/x.run is locked by another process", None, "runs");
    }
}
