//! The transaction: lock, read, edit, judge, replace.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::Path as FilePath;

use common::{Error, OrCannot, Out, Outcome, Result};
use files::{Lock, Replacement};
use json::{Document, Fault, Path, Text, plain};

use crate::edit::{self, Edit, Value};
use crate::plan::{Care, Plan, Task, Trial};
use crate::schema::Schema;
use crate::store::Peek;
use crate::{backup, command, diff, hold};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What the edits make of a text.
enum Change {
    /// A condition does not hold.
    Refused,
    /// Nothing.
    Same,
    /// Another text.
    New(Text),
}

/// Changes the file, or shows what would change.
///
/// # Errors
/// When the file cannot be locked, read, edited or replaced, or the new content is refused; it is
/// then unchanged.
pub(crate) fn run(plan: &Plan, out: &mut Out) -> Result<Outcome> {
    let edits = edit::load(&plan.edits)?;
    let judge = Judge::of(&plan.care)?;
    match (&plan.task, plan.trial) {
        (Task::Hold(command), _) => hold_change(plan, &edits, &judge, command),
        (Task::Output(to), _) => write_elsewhere(plan, &edits, &judge, to, out),
        (_, Some(trial)) => try_out(plan, &edits, &judge, trial, out),
        _ => change(plan, &edits, &judge),
    }
}

fn change(plan: &Plan, edits: &[Edit<Value>], judge: &Judge) -> Result<Outcome> {
    let store = &plan.store;
    let path = &store.path;
    let mut lock = store.lock()?;
    hold::recover(store, &mut lock)?;
    if let Task::Recover = plan.task {
        return hold::recovered(store, &lock);
    }
    let old = store.read(&lock)?;
    let (change, is_invalid) = changed(plan, edits, old.as_ref())?;
    let new = match change {
        Change::Refused => return Ok(Outcome::No),
        Change::Same => {
            log::info!("{} is as it should be", path.display());
            return Ok(Outcome::Done);
        }
        Change::New(new) => new,
    };
    guarded(plan, judge, &mut lock, (&new, is_invalid), |lock| {
        store.finish(lock, &new, |new| judge.accepts(new, path))
    })?;
    // What CMD does to the file, or waits for, may need the lock.
    drop(lock);
    judge.tell(path)?;
    Ok(Outcome::Done)
}

/// Judges a text that is to replace the locked file, keeps the old one where that is asked for or it
/// is no JSON, and has `write` replace it.
fn guarded(
    plan: &Plan,
    judge: &Judge,
    lock: &mut Lock,
    (new, is_invalid): (&Text, bool),
    write: impl FnOnce(&mut Lock) -> Result<()>,
) -> Result<()> {
    let (store, path) = (&plan.store, &plan.store.path);
    store.allows(lock)?;
    judge.conforms(path, store.document(new.clone()))?;
    let keeps = plan.care.backups.is_some() || is_invalid || matches!(plan.task, Task::Rollback(_));
    let old = lock.file().filter(|_| keeps);
    let kept = old.map_or(Ok(None), |file| backup::keep(path, file))?;
    if let Some(kept) = &kept {
        let level = if is_invalid { log::Level::Warn } else { log::Level::Info };
        log::log!(level, "the old content of {} is backup {}", path.display(), kept.id);
    }
    if let Err(error) = write(lock) {
        // A full disk is not to be filled by backups of changes that failed. The lock is still held, so
        // nobody has found the backup and made none of his own.
        if let Some(kept) = kept {
            kept.take_back(path);
        }
        return Err(error);
    }
    log::info!("changed {}", path.display());
    if let Some(copies) = plan.care.backups
        && let Err(cause) = backup::prune(path, copies)
    {
        // The change is in place: only what is left of older ones wants a look.
        log::warn!("{cause}; older backups of {} may be left", path.display());
    }
    Ok(())
}

/// Changes the file as long as a command runs.
fn hold_change(plan: &Plan, edits: &[Edit<Value>], judge: &Judge, command: &[OsString]) -> Result<Outcome> {
    let store = &plan.store;
    let make = |old: Option<&Text>| {
        Ok(match changed(plan, edits, old)?.0 {
            Change::Refused => None,
            Change::Same => old.cloned(),
            Change::New(new) => Some(new),
        })
    };
    let put = |lock: &mut Lock, new: &Text| {
        guarded(plan, judge, lock, (new, false), |lock| {
            store.write(lock, new, |new| judge.accepts(new, &store.path))
        })
    };
    hold::Use { store, command, make: &make, put: &put }.run()
}

fn restored(plan: &Plan, id: Option<&str>, old: Option<&Text>) -> Result<Change> {
    let path = &plan.store.path;
    let found = backup::find(path, id)?;
    let file = std::fs::File::open(&found.path).or_cannot("open", &found.path)?;
    let new = Text::of(file, &found.path)?;
    match old {
        Some(old) if new.same_as(old)? => Ok(Change::Same),
        _ => Ok(Change::New(new)),
    }
}

/// What the edits make of `old`, and whether that was no JSON.
fn changed(plan: &Plan, edits: &[Edit<Value>], old: Option<&Text>) -> Result<(Change, bool)> {
    if let Task::Rollback(id) = &plan.task {
        return Ok((restored(plan, id.as_deref(), old)?, false));
    }
    let (mut document, is_invalid) = begin(plan, edits, old)?;
    let hash = || old.unwrap_or(&Text::new(Vec::new())).sha256();
    if !edit::holds(edits, &mut document, hash)? || !edit::apply(edits, &mut document)? {
        return Ok((Change::Refused, is_invalid));
    }
    let change = match old {
        Some(old) if document.text().same_as(old)? => Change::Same,
        _ => Change::New(document.into_text()),
    };
    Ok((change, is_invalid))
}

/// The document that the edits begin with.
fn begin(plan: &Plan, edits: &[Edit<Value>], old: Option<&Text>) -> Result<(Document, bool)> {
    let name = plan.store.path.display();
    let store = &plan.store;
    let nothing = || store.document(Text::new(b"{}\n".to_vec()));
    let Some(old) = old else {
        if plan.creates {
            return Ok((nothing(), false));
        }
        return Err(Error::failed(format!("there is no {name}; --create makes it")));
    };
    let mut document = plan.store.document(old.clone());
    match document.check(edits.iter().find_map(Edit::path).unwrap_or(&Path::of(&[]))) {
        Ok(()) => Ok((document, false)),
        Err(Fault::Empty) => {
            log::warn!("{name} is empty; it counts as {{}}");
            Ok((store.document(behind(old)?), false))
        }
        Err(fault @ Fault::Syntax { .. }) if plan.resets_invalid => {
            log::warn!("{}; the edits begin with {{}}", document.complain(fault));
            Ok((nothing(), true))
        }
        Err(fault) => Err(document.complain(fault)),
    }
}

/// `{}` behind what a text without any value consists of: a byte order mark and comments stay.
fn behind(text: &Text) -> Result<Text> {
    let mut bytes = text.all()?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        bytes.clear();
    }
    let line_end: &[u8] = if bytes.ends_with(b"\r\n") { b"\r\n" } else { b"\n" };
    // What a comment ends with may be the end of the file.
    if !bytes.is_empty() && !bytes.ends_with(b"\n") && bytes != BYTE_ORDER_MARK {
        bytes.extend_from_slice(line_end);
    }
    bytes.extend_from_slice(b"{}");
    bytes.extend_from_slice(line_end);
    Ok(Text::new(bytes))
}

/// Shows what would change.
fn try_out(
    plan: &Plan,
    edits: &[Edit<Value>],
    judge: &Judge,
    trial: Trial,
    out: &mut Out,
) -> Result<Outcome> {
    let path = &plan.store.path;
    let peek = plan.store.peek_existing()?;
    let old = peek.as_ref().map(Peek::text);
    let new = match changed(plan, edits, old)?.0 {
        Change::Refused => return Ok(Outcome::No),
        Change::Same => return Ok(Outcome::Done),
        Change::New(new) => new,
    };
    judge.conforms(path, plan.store.document(new.clone()))?;
    judge.accepts_text(path, &new)?;
    let shown = diff::unified(path, &old.map_or(Ok(Vec::new()), Text::all)?, &new.all()?);
    peek.map_or(Ok(()), |peek| peek.confirm())?;
    out.write_all(&shown)?;
    Ok(if trial == Trial::Check { Outcome::No } else { Outcome::Done })
}

/// Writes the result somewhere else, also where it is the same.
fn write_elsewhere(
    plan: &Plan,
    edits: &[Edit<Value>],
    judge: &Judge,
    to: &FilePath,
    out: &mut Out,
) -> Result<Outcome> {
    let path = &plan.store.path;
    if is_same_file(path, to) {
        let to = to.display();
        return Err(Error::failed(format!(
            "{to} is the file itself, and would be changed without its lock; leave out --output"
        )));
    }
    let peek = plan.store.peek_existing()?;
    let new = match (changed(plan, edits, peek.as_ref().map(Peek::text))?.0, &peek) {
        (Change::New(new), _) => new,
        (Change::Same, Some(peek)) => peek.text().clone(),
        _ => return Ok(Outcome::No),
    };
    judge.conforms(path, plan.store.document(new.clone()))?;
    judge.accepts_text(to, &new)?;
    let confirm = || peek.as_ref().map_or(Ok(()), Peek::confirm);
    if to.as_os_str() == "-" {
        confirm()?;
        new.for_each_window(|bytes| out.write_all(bytes))?;
    } else {
        let mut file = Replacement::begin(to)?;
        new.write_to(&mut file, to)?;
        confirm()?;
        file.commit()?;
    }
    Ok(Outcome::Done)
}

/// Whether both names stand for one regular file that exists.
fn is_same_file(path: &FilePath, other: &FilePath) -> bool {
    let number = |path: &FilePath| {
        let found = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        Some((found.dev(), found.ino()))
    };
    path.as_os_str() != "-"
        && other.as_os_str() != "-"
        && number(path).is_some_and(|own| number(other) == Some(own))
}

/// Who looks at new content before it replaces the old, and hears of it afterwards.
struct Judge<'a> {
    care: &'a Care,
    schema: Option<Schema>,
}

impl<'a> Judge<'a> {
    fn of(care: &'a Care) -> Result<Self> {
        let schema = care.schema.as_deref().map(Schema::read).transpose()?;
        Ok(Self { care, schema })
    }

    fn conforms(&self, path: &FilePath, document: Document) -> Result<()> {
        let Some(schema) = &self.schema else { return Ok(()) };
        schema.check(path, &plain(&document.into_text().all()?))
    }

    /// Has the command judge the content of the file `new`, which is to be `path`.
    fn accepts(&self, new: &FilePath, path: &FilePath) -> Result<()> {
        let Some(validate) = &self.care.validate else { return Ok(()) };
        command::validate(validate, new, path, self.care.timeout)
    }

    /// The same for a text that is in no file yet.
    fn accepts_text(&self, path: &FilePath, text: &Text) -> Result<()> {
        if self.care.validate.is_none() {
            return Ok(());
        }
        // A filter may run where nothing can be written.
        let mut file = if path.as_os_str() == "-" {
            Replacement::with_mode(&std::env::temp_dir().join("jsonset.json"), 0o600)?
        } else {
            Replacement::begin(path)?
        };
        text.write_to(&mut file, path)?;
        self.accepts(file.temporary()?, path)
    }

    fn tell(&self, path: &FilePath) -> Result<()> {
        let Some(on_change) = &self.care.on_change else { return Ok(()) };
        command::on_change(on_change, path, self.care.timeout)
    }
}
