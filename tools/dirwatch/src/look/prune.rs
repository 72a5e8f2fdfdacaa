//! Forgetting what was dealt with long ago and is gone: nothing that is still there, under whatever
//! name, or it would be new.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use common::{Outcome, Result};

use super::change::{change, now};
use super::present::{Present, Whereabouts};
use crate::ledger::Entry;
use crate::ledger::store::Store;

/// Forgets the entries with nothing left to do that have not changed for `age`, and whose file is gone.
/// Those below a folder that cannot be read are kept and said; the outcome is then
/// [`Outcome::Partial`].
///
/// # Errors
/// When the ledger cannot be read or written; some may be forgotten.
pub(super) fn prune(path: &Path, age: Duration) -> Result<Outcome> {
    let roots = Store::open_existing(path)?.roots()?;
    let present = Present::below(roots)?;
    let before = now().saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
    let mut unknown = BTreeSet::new();
    let mut choose = |entry: &Entry| {
        let is_old = !entry.state.is_open() && entry.at <= before;
        match is_old.then(|| present.whereabouts(entry)) {
            Some(Whereabouts::Gone) => true,
            Some(Whereabouts::Unknown((root, reason))) => {
                unknown.insert((root, reason.to_string()));
                false
            }
            _ => false,
        }
    };
    let (pruned, _) = change(path, &mut choose, &mut |store, keys| store.delete(keys), "is forgotten")?;
    for (root, reason) in &unknown {
        log::warn!("all entries below {} are kept: {reason}", root.display());
    }
    log::info!("{pruned} files were forgotten");
    Ok(if unknown.is_empty() { Outcome::Done } else { Outcome::Partial })
}
