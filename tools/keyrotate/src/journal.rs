//! The journal: one file that is replaced whole with each record, and the audit log beside it.
//!
//! Its folder is `STATE/NAME`, of mode 0700. It holds the secrets of a rotation that is under way, and no
//! secret otherwise.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use common::{Error, OrCannot, Result};
use files::{Lock, Replacement, Wait};
use rustix::fs::FallocateFlags;
use secrets::conceal;
use secrets::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::audit::{self, Entry, Outcome, Tail};
use crate::machine::{HUMAN, Keeper, LATER, Note, UNWRITABLE};
use crate::state::State;

/// What the first line begins with; the digest of all others follows.
const MAGIC: &str = "keyrotate journal 1 ";

/// Given back to a full disk, so that what has been done can be written down: room for the journal and
/// some lines of the audit log.
const RESERVE: u64 = 256 * 1024;

/// The longest journal: some 100,000 consumers.
const LONGEST: u64 = 64 * 1024 * 1024;

/// What the file holds.
#[derive(Serialize, Deserialize, Default)]
struct Whole {
    state: State,
    audit: Tail,
}

/// The journal of one credential, locked.
pub(crate) struct Journal {
    folder: PathBuf,
    audit: Tail,
    _lock: Lock,
}

impl Journal {
    /// Locks the journal in `folder`, which is made if it is not there, and reads what it remembers.
    /// What a kill has left of the audit log is completed.
    ///
    /// # Errors
    /// Status 75 when somebody else has it. Status 11 when it, or the end of the audit log, is not what was
    /// written. Status 13 when the folder or the log cannot be made or written.
    pub(crate) fn open(folder: &Path, wait: Wait) -> Result<(Self, State)> {
        is_safe(folder)?;
        make(folder).map_err(|error| error.with_status(UNWRITABLE))?;
        is_private(folder)?;
        let lock = Lock::acquire(&folder.join("lock"), wait).map_err(untouched)?;
        let Whole { state, audit } = read(folder)?.unwrap_or_default();
        let audit = audit::settle(&folder.join(audit::NAME), &audit).map_err(untouched)?;
        Ok((Self { folder: folder.into(), audit, _lock: lock }, state))
    }

    fn put(&mut self, state: &State, tail: &Tail) -> Result<()> {
        let path = self.folder.join("journal");
        let bytes = encoded(state, tail).or_cannot("write", &path)?;
        let mut new = Replacement::begin_or_create(&path, 0o600)?;
        new.write_all(&bytes).or_cannot("write", &path)?;
        new.commit()?;
        self.audit = audit::settle(&self.folder.join(audit::NAME), tail)?;
        Ok(())
    }
}

/// What the journal in `folder` remembers, without its lock; `None` when there is none.
///
/// # Errors
/// When it cannot be read, or is not what was written (status 11).
pub(crate) fn peek(folder: &Path) -> Result<Option<(State, Tail)>> {
    Ok(read(folder)?.map(|whole| (whole.state, whole.audit)))
}

impl Keeper for Journal {
    fn record(&mut self, state: &State, notes: &[Note]) -> Result<()> {
        let mut tail = self.audit.clone();
        for note in notes {
            tail.add(&entry(note));
        }
        let reserve = self.folder.join("reserve");
        match self.put(state, &tail) {
            Ok(()) => {
                keep_reserve(&reserve);
                Ok(())
            }
            // Whatever is in the way, room may be it.
            Err(error) if fs::remove_file(&reserve).is_ok() => {
                log::debug!("gave back {}: {error}", reserve.display());
                self.put(state, &tail)
            }
            Err(error) => Err(error),
        }
    }
}

fn entry(note: &Note) -> Entry<'_> {
    let mut entry = Entry::new(&note.step, Outcome::of_status(note.status));
    if let Some(rotation) = &note.rotation {
        entry = entry.rotation(rotation);
    }
    if let Some(key) = &note.key {
        entry = entry.credential(key);
    }
    if let Some(consumer) = &note.consumer {
        entry = entry.consumer(consumer);
    }
    if let Some(why) = &note.why {
        entry = entry.why(why);
    }
    entry
}

/// What keeps the journal from being written, and is neither another run nor a fault of the log.
fn untouched(error: Error) -> Error {
    if matches!(error.status(), LATER | HUMAN) { error } else { error.with_status(UNWRITABLE) }
}

fn make(folder: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).or_cannot("make", folder)
}

/// Where everybody may remove what is another's, anybody may put a folder of his own in the place of `folder`.
fn is_safe(folder: &Path) -> Result<()> {
    let found = folder.ancestors().skip(1).find_map(|path| Some((path, fs::metadata(path).ok()?)));
    let Some((path, found)) = found else { return Ok(()) };
    if found.mode() & 0o1002 == 0o002 {
        let path = path.display();
        return Err(Error::failed(format!(
            "everybody may write in {path}, where the journal is kept; chmod o-w {path}"
        )));
    }
    Ok(())
}

/// Who may write the folder may put a journal of his own there, and have other keys deleted.
fn is_private(folder: &Path) -> Result<()> {
    let found = fs::symlink_metadata(folder).or_cannot("read", folder)?;
    let me = rustix::process::geteuid().as_raw();
    let folder = folder.display();
    if found.uid() != me {
        return Err(Error::failed(format!(
            "{folder} belongs to another user ({}); run this as him",
            found.uid()
        )));
    }
    if found.is_symlink() {
        return Err(Error::failed(format!(
            "{folder} is a link, and the journal is to be in a folder of that name; move the folder there"
        )));
    }
    if found.mode() & 0o077 != 0 {
        return Err(Error::failed(format!("others may look into {folder}; chmod 0700 {folder}")));
    }
    Ok(())
}

fn read(folder: &Path) -> Result<Option<Whole>> {
    let path = folder.join("journal");
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.or_cannot("open", &path)?,
    };
    let size = file.metadata().or_cannot("read", &path)?.len().min(LONGEST);
    // As long as it is, so that no copy of it is left behind by growing.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or_default() + 1));
    file.take(LONGEST).read_to_end(&mut bytes).or_cannot("read", &path)?;
    let whole = decoded(&bytes).ok_or_else(|| {
        let path = path.display();
        let why = format!(
            "{path} is not what was written there; restore it from a backup, or, when no rotation is under \
             way, move its folder aside and begin anew"
        );
        Error::failed(why).with_status(HUMAN)
    })?;
    let rotation = whole.state.rotation.iter();
    for credential in rotation.flat_map(|rotation| rotation.old.iter().chain(&rotation.new)) {
        conceal::secret(&credential.secret);
    }
    Ok(Some(whole))
}

fn encoded(state: &State, tail: &Tail) -> io::Result<Zeroizing<Vec<u8>>> {
    #[derive(Serialize)]
    struct Borrowed<'a> {
        state: &'a State,
        audit: &'a Tail,
    }
    let body = Borrowed { state, audit: tail };
    let mut length = Count(0);
    serde_json::to_writer(&mut length, &body)?;
    // Made as long as it will be, so that no copy of a secret is left behind by growing.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.0 + MAGIC.len() + 66));
    bytes.write_all(&[b' '; MAGIC.len() + 65])?;
    serde_json::to_writer(&mut *bytes, &body)?;
    bytes.push(b'\n');
    let (head, rest) = bytes.split_at_mut(MAGIC.len() + 65);
    head.copy_from_slice(format!("{MAGIC}{}\n", hex(&Sha256::digest(&*rest))).as_bytes());
    Ok(bytes)
}

fn decoded(bytes: &[u8]) -> Option<Whole> {
    let (head, body) = bytes.split_at_checked(MAGIC.len() + 65)?;
    let sum = head.strip_prefix(MAGIC.as_bytes())?.strip_suffix(b"\n")?;
    if sum != hex(&Sha256::digest(body)).as_bytes() {
        return None;
    }
    serde_json::from_slice(body).ok()
}

/// Counts what is written to it.
struct Count(usize);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Room on the disk for the next record. Where there is none it goes without.
fn keep_reserve(path: &Path) {
    if path.exists() {
        return;
    }
    let made = File::create_new(path).and_then(|file| {
        rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, RESERVE).map_err(io::Error::from)
    });
    if let Err(error) = made {
        log::debug!("no room is kept in {}: {error}", path.display());
        let _there_may_be_none = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::machine::Note;
    use crate::state::Hold;

    fn note(step: &str) -> Note {
        Note { rotation: None, step: step.into(), key: None, consumer: None, status: None, why: None }
    }

    #[test]
    fn what_is_recorded_is_read_again() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("state/orders");
        let (mut journal, mut state) = Journal::open(&folder, Wait::Not).unwrap();
        assert!(state.hold.is_none() && peek(&folder).unwrap().is_none());
        state.hold = Some(Hold { until: Some(7), by: "me".into() });
        journal.record(&state, &[note("hold")]).unwrap();
        journal.record(&state, &[note("more")]).unwrap();
        assert!(Journal::open(&folder, Wait::Not).is_err_and(|error| error.status() == 75));
        drop(journal);
        let (_journal, read) = Journal::open(&folder, Wait::Not).unwrap();
        assert_eq!(read.hold, state.hold);
        let audit = fs::read_to_string(folder.join(audit::NAME)).unwrap();
        assert_eq!(audit.lines().count(), 2);
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!([mode(&folder), mode(&folder.join("journal"))], [0o700, 0o600]);
        assert_eq!(fs::metadata(folder.join("reserve")).unwrap().len(), RESERVE);
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("orders");
        let (mut journal, state) = Journal::open(&folder, Wait::Not).unwrap();
        journal.record(&state, &[note("one")]).unwrap();
        drop(journal);
        let path = folder.join("journal");
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(decoded(&bad).is_none(), "{at}");
            assert!(decoded(&good[..at]).is_none(), "{at}");
        }
        testkit::write(&path, &good[..good.len() - 1]);
        let error = Journal::open(&folder, Wait::Not).err().unwrap();
        assert_eq!(error.status(), HUMAN);
        assert!(error.to_string().contains("is not what was written there"), "{error}");
    }

    #[test]
    fn what_cannot_be_written_was_not_touched() {
        for name in ["lock", audit::NAME] {
            let place = tempfile::tempdir().unwrap();
            let folder = place.path().join("orders");
            let (mut journal, state) = Journal::open(&folder, Wait::Not).unwrap();
            journal.record(&state, &[note("one")]).unwrap();
            drop(journal);
            let _the_lock_does_not_stay = fs::remove_file(folder.join(name));
            fs::create_dir(folder.join(name)).unwrap();
            let error = Journal::open(&folder, Wait::Not).err().unwrap();
            assert_eq!(error.status(), UNWRITABLE, "{name}: {error}");
        }
    }

    #[test]
    fn a_folder_that_others_see_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("orders");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        let error = Journal::open(&folder, Wait::Not).err().unwrap();
        assert!(error.to_string().contains("chmod 0700"), "{error}");
    }

    #[test]
    fn a_folder_that_others_could_have_put_there_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("state");
        let refused = || Journal::open(&root.join("orders"), Wait::Not).err().map(|error| error.to_string());
        for (mode, is_refused) in [(0o777, true), (0o1777, false), (0o755, false)] {
            fs::create_dir(&root).unwrap();
            fs::set_permissions(&root, fs::Permissions::from_mode(mode)).unwrap();
            let why = refused().unwrap_or_default();
            assert_eq!(why.contains("everybody may write in "), is_refused, "{mode:o}: {why}");
            assert_eq!(root.join("orders").exists(), !is_refused);
            fs::remove_dir_all(&root).unwrap();
        }
        fs::create_dir(&root).unwrap();
        let theirs = place.path().join("theirs");
        DirBuilder::new().mode(0o700).create(&theirs).unwrap();
        std::os::unix::fs::symlink(&theirs, root.join("orders")).unwrap();
        let why = refused().unwrap();
        assert!(why.contains("orders is a link"), "{why}");
        assert_eq!(fs::read_dir(&theirs).unwrap().count(), 0);
    }
}
