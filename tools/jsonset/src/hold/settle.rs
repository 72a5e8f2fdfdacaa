//! Undoes the layers that nobody holds any more.

use common::Result;
use files::Lock;
use json::{Fault, Path, Text};

use super::layer::Entry;
use super::shelf::{Shelf, Slot};
use super::undo::undo;
use crate::store::Store;

/// Undoes the dead layers of the shelf, the last one first, and takes them away. A field that a live
/// layer above has changed too waits for the end of that one.
///
/// Whatever it is interrupted at, the next call ends it: what is undone already stays as it is.
///
/// Returns how many of them were undone, at least in part.
///
/// # Errors
/// When the document cannot be read or replaced; the layers stay then.
pub(super) fn settle(store: &Store, shelf: &Shelf, lock: &mut Lock) -> Result<usize> {
    let slots = shelf.slots()?;
    if slots.is_empty() {
        shelf.tidy()?;
    }
    if slots.iter().all(|slot| slot.is_live) {
        return Ok(0);
    }
    let settled = match store.read(lock)? {
        Some(text) => undo_dead(store, &slots, &text)?,
        None => nothing_left(store, &slots),
    };
    settled.write(store, shelf, lock)?;
    // From the top: what is below is what the one above has found.
    for (slot, fate) in slots.iter().zip(&settled.fates) {
        match fate {
            Fate::Stays => {}
            Fate::Over => slot.remove()?,
            Fate::Waits(rest) => slot.replace(&slot.layer.rest(rest.clone()))?,
        }
    }
    shelf.tidy()?;
    Ok(settled.fates.iter().filter(|fate| !matches!(fate, Fate::Stays)).count())
}

/// What the document becomes, and each layer.
struct Settled {
    text: Option<Text>,
    fates: Vec<Fate>,
    leaves_nothing: bool,
}

enum Fate {
    Stays,
    Over,
    Waits(Vec<Entry>),
}

fn undo_dead(store: &Store, slots: &[Slot], old: &Text) -> Result<Settled> {
    let mut settled = Settled { text: None, fates: Vec::new(), leaves_nothing: false };
    if let Err(Fault::Syntax { .. } | Fault::Empty) = store.document(old.clone()).check(&Path::default()) {
        // It must not stand in the way of --reset-invalid.
        log::warn!("{} is no JSON now; a change of a --while in it is undone later", store.path.display());
        settled.fates = slots.iter().map(|_| Fate::Stays).collect();
        return Ok(settled);
    }
    let (mut text, mut later) = (old.clone(), Vec::new());
    for slot in slots {
        if slot.is_live {
            later.extend(slot.layer.entries.iter().cloned());
            settled.fates.push(Fate::Stays);
            continue;
        }
        let undone = undo(&slot.layer, store, &mut text, &later)?;
        for path in &undone.kept {
            log::warn!(
                "`{path}` in {} was changed by somebody else meanwhile and stays as it is",
                store.path.display()
            );
        }
        settled.leaves_nothing = undone.leaves_nothing;
        // Who made the document must be there when its last user goes.
        let is_maker = slot.layer.created && !later.is_empty();
        later.extend(undone.deferred.iter().cloned());
        settled.fates.push(match undone.deferred.len() {
            0 if !is_maker => Fate::Over,
            all if all == slot.layer.entries.len() => Fate::Stays,
            _ => Fate::Waits(undone.deferred),
        });
    }
    if !text.same_as(old)? {
        settled.text = Some(text);
    }
    Ok(settled)
}

/// Somebody has removed the document: there is nothing to undo.
fn nothing_left(store: &Store, slots: &[Slot]) -> Settled {
    log::warn!("{} was removed by somebody else meanwhile", store.path.display());
    let fate = |slot: &Slot| if slot.is_live { Fate::Stays } else { Fate::Over };
    Settled { text: None, fates: slots.iter().map(fate).collect(), leaves_nothing: false }
}

impl Settled {
    fn write(&self, store: &Store, on: &Shelf, lock: &mut Lock) -> Result<()> {
        if !self.leaves_nothing {
            return self.text.as_ref().map_or(Ok(()), |text| store.write(lock, text, |_| Ok(())));
        }
        on.remove_document()?;
        // The lock was that of the file. A lock file is still locked.
        if store.lock_file.is_none() {
            *lock = store.lock()?;
        }
        Ok(())
    }
}

/// `text` as it would be without the layers; `None` where there are none.
///
/// # Errors
/// When the text is no JSON, or the layers cannot be read.
pub(super) fn without_layers(store: &Store, shelf: &Shelf, text: &Text) -> Result<Option<Text>> {
    let slots = shelf.slots()?;
    if slots.is_empty() {
        return Ok(None);
    }
    let mut text = text.clone();
    for slot in &slots {
        undo(&slot.layer, store, &mut text, &[])?;
    }
    Ok(Some(text))
}
