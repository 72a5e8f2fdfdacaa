//! Changing entries by hand: asking for files again, and forgetting them.
//!
//! A watcher sees by itself that the database was changed. What it has only just recorded is in its
//! journal alone and cannot be changed yet, so that is waited for.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::{Outcome, Result};

use super::pattern::Pattern;
use super::present::is_missing;
use crate::identity::Key;
use crate::ledger::inspect::holder;
use crate::ledger::store::Store;
use crate::ledger::{Entry, State};

/// So many entries are chosen before they are changed: about 2 MB of memory, and ten transactions.
const BATCH: usize = 10_000;

/// How long is waited for what a watcher has in its journal; it stores that several times a second.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// The present, as the ledger has it.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// What is done with the chosen entries of a ledger, in pieces; returns how many were changed.
pub(super) type Apply<'a> = &'a mut dyn FnMut(&mut Store, &[Key]) -> Result<u64>;

/// Changes all entries that `choose` takes, and says `done` of each at info level. Returns how many
/// were changed, and how many were chosen.
///
/// # Errors
/// When the ledger cannot be read or written; some may have been changed.
pub(super) fn change(
    path: &Path,
    choose: &mut dyn FnMut(&Entry) -> bool,
    apply: Apply<'_>,
    done: &str,
) -> Result<(u64, u64)> {
    let chosen_from = settled(path, choose)?;
    let mut target = Store::open_existing(path)?;
    let (mut changed, mut chosen) = (0, 0);
    let mut batch: Vec<Entry> = Vec::new();
    let mut flush = |batch: &mut Vec<Entry>| {
        let keys: Vec<Key> = batch.iter().map(|entry| entry.key).collect();
        chosen += keys.len() as u64;
        changed += apply(&mut target, &keys)?;
        batch.drain(..).for_each(|entry| log::info!("{} {done}", entry.path.display()));
        Ok(())
    };
    chosen_from.each(None, &mut |entry| {
        if choose(&entry) {
            batch.push(entry);
        }
        if batch.len() == BATCH { flush(&mut batch) } else { Ok(()) }
    })?;
    flush(&mut batch)?;
    Ok((changed, chosen))
}

/// The ledger when nothing that `choose` takes is in the journal of a living watcher only, or when
/// that was waited for long enough.
fn settled(path: &Path, choose: &mut dyn FnMut(&Entry) -> bool) -> Result<Store> {
    let mut waited = Duration::ZERO;
    loop {
        let store = Store::open_existing(path)?;
        let is_pending = store.pending.entries.values().any(&mut *choose);
        if !is_pending || waited >= PATIENCE || holder(path)?.is_none() {
            return Ok(store);
        }
        std::thread::sleep(PAUSE);
        waited += PAUSE;
    }
}

/// Asks again for the files that match and have failed, wait for another attempt, were interrupted,
/// left or gone. What is not there any more is left as it is.
///
/// # Errors
/// As [`change`], and when `pattern` is none.
pub(super) fn retry(path: &Path, pattern: &str) -> Result<Outcome> {
    let matching = Pattern::parse(pattern)?;
    let mut missing: BTreeSet<Key> = BTreeSet::new();
    let mut example = None;
    let mut choose = |entry: &Entry| {
        let is_over = matches!(
            entry.state,
            State::Failed | State::Interrupted | State::Retry | State::Left | State::Gone
        );
        if !is_over || !matching.matches(&entry.path) {
            return false;
        }
        // Of what is gone for the ledger too, nobody expects that it is taken again.
        let is_gone = is_missing(&entry.path);
        if is_gone && entry.state != State::Gone && missing.insert(entry.key) {
            example.get_or_insert_with(|| entry.path.clone());
        }
        !is_gone
    };
    let now = now();
    let counts = change(path, &mut choose, &mut |store, keys| store.retry(keys, now), "is taken again")?;
    if let Some(example) = example {
        let (count, example) = (missing.len(), example.display());
        log::warn!(
            "{count} files that match are not there, such as {example}; put them back, or --forget them \
             if they have another name"
        );
    }
    Ok(conclude(counts, pattern, "asked for again"))
}

/// Forgets the files that match, apart from those whose command runs. One that is still there is new
/// then.
///
/// # Errors
/// As [`change`], and when `pattern` is none.
pub(super) fn forget(path: &Path, pattern: &str) -> Result<Outcome> {
    let matching = Pattern::parse(pattern)?;
    let is_watched = holder(path)?.is_some();
    let mut running: BTreeSet<Key> = BTreeSet::new();
    let mut choose = |entry: &Entry| {
        if !matching.matches(&entry.path) {
            return false;
        }
        let runs = is_watched && entry.state == State::Started;
        if runs {
            running.insert(entry.key);
        }
        !runs
    };
    let counts = change(path, &mut choose, &mut |store, keys| store.delete(keys), "is forgotten")?;
    if !running.is_empty() {
        log::warn!("{} files that match are not forgotten, as their command runs", running.len());
    }
    Ok(conclude(counts, pattern, "forgotten"))
}

/// Says how many it were.
fn conclude((changed, chosen): (u64, u64), pattern: &str, done: &str) -> Outcome {
    if chosen == 0 {
        log::warn!("nothing that can be {done} matches `{pattern}`");
        return Outcome::No;
    }
    log::info!("{changed} files were {done}");
    if changed < chosen {
        let rest = chosen - changed;
        log::warn!("{rest} files were not {done}, as the watcher was recording them; try again");
        return Outcome::Partial;
    }
    Outcome::Done
}
