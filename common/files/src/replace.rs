//! Puts new bytes in the place of a file: whole or not at all, durably, with its metadata kept.
//!
//! The steps, each checked: follow symbolic links to the final target; create a file of our own in
//! the same folder; write; give it owner, ACL, attributes and mode of the old file; fsync it (a
//! rename may reach the disk before the bytes do: xfs, and ext4 with `noauto_da_alloc`, then show
//! an empty file after a power failure); rename; fsync the folder (or the old file is back).
//!
//! A run that is killed may leave a temporary file behind, which the next replacement removes.

use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use common::{Error, OrCannot, Result};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::limit;
use crate::metadata::{self, Model};
use crate::path::{find, folder_of, metadata_of, regular};
use crate::state::{Seen, Stamp};
use crate::temp::{Temp, sweep};

/// Puts `bytes` in the place of `path`: readers see the old file or the new one, never a part.
///
/// Follows a symbolic link to its target, so the link stays, and creates the target of one that
/// dangles. Keeps owner, group, mode, ACL, `user.*` and `security.*` attributes; a new file gets
/// the mode that the umask or the folder's default ACL gives. Without the right to keep the owner
/// or the group the new file is ours, with a mode that opens it to nobody who could not open the
/// old one, and a warning. Hard links are broken, with a warning. Survives a power failure once it
/// has returned.
///
/// # Errors
/// When `path` is no regular file, its folder is not writable, or the disk is full: `path` is then
/// unchanged and nothing is left beside it. Only when the folder cannot be flushed the new bytes
/// are in place, and the sentence says so.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut new = Replacement::begin(path)?;
    new.write_all(bytes).or_cannot("replace", path)?;
    new.commit()
}

/// The new content of a file while it is written; [`Replacement::commit`] puts it in its place.
/// Dropped without that, it is removed, and the file stays as it was.
///
/// Writes are buffered. An error of theirs is final: drop the replacement.
#[derive(Debug)]
#[must_use = "without commit() the file stays as it was"]
pub struct Replacement {
    path: PathBuf,
    target: PathBuf,
    folder: File,
    writer: BufWriter<File>,
    /// How many bytes `writer` has taken.
    written: u64,
    temp: Temp,
    rights: Rights,
}

/// Who may do what with the new file.
#[derive(Debug)]
enum Rights {
    /// What the replaced file allows.
    Same,
    /// What this file allows.
    Like(File),
    /// This mode, neither more nor less.
    Mode(u32),
}

impl Replacement {
    /// Begins to replace `path`; see [`replace()`] for what is kept.
    ///
    /// # Errors
    /// When `path` is no regular file or a file cannot be created beside it; nothing has changed.
    pub fn begin(path: &Path) -> Result<Self> {
        Self::with_rights(path, Rights::Same)
    }

    /// Begins a new file with the owner, group, mode, ACL and attributes of `model`: a copy of what
    /// is secret stays secret. Until the commit only its owner can read it.
    ///
    /// What cannot be copied is warned of, and the mode is then narrower than that of `model`.
    ///
    /// # Errors
    /// When a file cannot be created there; nothing has changed. The commit fails when `path` exists
    /// by then.
    pub fn like(path: &Path, model: &File) -> Result<Self> {
        let model = model.try_clone().or_cannot("create", path)?;
        Self::with_rights(path, Rights::Like(model))
    }

    /// Begins a new file whose mode will be exactly `mode` (permission bits such as `0o600`),
    /// whatever the umask and the folder's default ACL say. Until the commit only its owner can read
    /// it.
    ///
    /// # Errors
    /// As [`Replacement::like`].
    pub fn with_mode(path: &Path, mode: u32) -> Result<Self> {
        Self::with_rights(path, Rights::Mode(mode))
    }

    /// Begins to replace `path`, or a new file with `mode` where nothing is there yet.
    ///
    /// # Errors
    /// As [`Replacement::begin`] or [`Replacement::with_mode`].
    pub fn begin_or_create(path: &Path, mode: u32) -> Result<Self> {
        if path.exists() { Self::begin(path) } else { Self::with_mode(path, mode) }
    }

    fn with_rights(path: &Path, rights: Rights) -> Result<Self> {
        limit::survive();
        let verb = rights.verb();
        // What is new goes where its name says: a link that somebody has put there leads nowhere.
        let (target, exists) =
            if matches!(rights, Rights::Same) { find(path, verb)? } else { (path.to_path_buf(), false) };
        let name =
            target.file_name().ok_or_else(|| Error::failed(format!("`{}` names no file", path.display())))?;
        let folder_path = folder_of(&target);
        let folder = File::open(folder_path).or_cannot("open the folder of", path)?;
        sweep(&folder, folder_path, name);
        // What replaces a file is closed to others until it has that file's owner. What replaces
        // nothing is no secret from the start: the kernel applies umask and default ACL.
        let open = matches!(rights, Rights::Same) && !exists;
        let mode = if open { 0o666 } else { 0o600 };
        let (temp, file) = Temp::create(folder_path, name, mode).or_cannot(verb, path)?;
        Ok(Self { path: path.into(), target, folder, writer: BufWriter::new(file), written: 0, temp, rights })
    }

    /// Where the new content is until the commit, for a command that judges it: all that was written
    /// so far. The file belongs to this process and has mode 0600, or that of the umask when it will
    /// replace nothing.
    ///
    /// # Errors
    /// When what is buffered cannot be written.
    pub fn temporary(&mut self) -> Result<&Path> {
        self.writer.flush().or_cannot(self.rights.verb(), &self.path)?;
        Ok(self.temp.path())
    }

    /// The new content so far, for reading it again at any position.
    ///
    /// # Errors
    /// When what is buffered cannot be written.
    pub fn content(&mut self) -> Result<&File> {
        self.writer.flush().or_cannot(self.rights.verb(), &self.path)?;
        Ok(self.writer.get_ref())
    }

    /// How many bytes were written so far.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Puts what was written in the place of the file, and returns when it is on the disk.
    ///
    /// # Errors
    /// As [`replace()`].
    pub fn commit(self) -> Result<()> {
        let expect = if matches!(self.rights, Rights::Same) { Expect::Anything } else { Expect::Free };
        self.put(expect)?.named.flush()
    }

    /// Commits if the file is still what `expect` says.
    pub(crate) fn put(self, expect: Expect) -> Result<Put> {
        let Self { path, target, folder, writer, written, mut temp, rights } = self;
        let verb = rights.verb();
        let file = writer.into_inner().map_err(io::IntoInnerError::into_error).or_cannot(verb, &path)?;
        let old = metadata_of(&target).or_cannot(verb, &path)?;
        rights.give(&file, &path, &target, old.as_ref())?;
        // An fsync that failed is not tried again: the kernel has already dropped the pages.
        file.sync_all().or_cannot(verb, &path)?;
        let stamp = Stamp::of(&file.metadata().or_cannot(verb, &path)?);
        if stamp.size != written {
            let (path, size) = (path.display(), stamp.size);
            return Err(Error::failed(format!(
                "cannot {verb} {path}: of {written} bytes {size} were written"
            )));
        }
        if !expect.rename(temp.path(), &target, old.as_ref()).or_cannot(verb, &path)? {
            return Err(expect.disappointed(&path));
        }
        temp.renamed();
        // It is done: what fails from here on must not look as if it were not.
        let stamp = file.metadata().map_or(stamp, |later| stamp.renamed(&Stamp::of(&later)));
        Ok(Put { file, stamp, named: Named { path, folder } })
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.writer.write(bytes)?;
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// A replacement that has its name, but not yet for good.
#[derive(Debug)]
pub(crate) struct Put {
    /// The new file, locked since before it had its name.
    pub(crate) file: File,
    pub(crate) stamp: Stamp,
    pub(crate) named: Named,
}

/// A name that a power failure may still take back.
#[derive(Debug)]
#[must_use = "without flush() the old file may come back"]
pub(crate) struct Named {
    path: PathBuf,
    folder: File,
}

impl Named {
    /// Returns when the name is on the disk.
    pub(crate) fn flush(&self) -> Result<()> {
        match self.folder.sync_all() {
            // Some network and FUSE file systems know no fsync of folders.
            Err(cause) if cause.kind() != ErrorKind::InvalidInput => {
                let path = self.path.display();
                let what = format!("{path} is replaced, but a power failure may bring the old one back");
                Err(Error::failed(what).because(cause))
            }
            _ => Ok(()),
        }
    }
}

impl Rights {
    fn verb(&self) -> &'static str {
        if matches!(self, Self::Same) { "replace" } else { "create" }
    }

    /// Gives them to `new`, which will replace `target`, whose metadata is `old`.
    fn give(&self, new: &File, path: &Path, target: &Path, old: Option<&Metadata>) -> Result<()> {
        match (self, old) {
            (Self::Same, None) => Ok(()),
            (Self::Same, Some(old)) => {
                regular(old, path, self.verb())?;
                if old.nlink() > 1 {
                    let (target, names) = (target.display(), old.nlink());
                    log::warn!("{target} is one of {names} hard links; the others keep the old content");
                }
                Model::Replaced(target).give(old, new).or_cannot("keep the metadata of", path)
            }
            (Self::Like(model), _) => model
                .metadata()
                .and_then(|old| Model::Other(model, path).give(&old, new))
                .or_cannot("copy the metadata to", path),
            (Self::Mode(mode), _) => metadata::set_mode(new, *mode).or_cannot("set the mode of", path),
        }
    }
}

/// What must be behind the name when it is given to the new file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expect<'a> {
    Anything,
    /// Nothing, because the file is new.
    Free,
    /// Nothing, because there was nothing when the lock was taken.
    Nothing,
    /// The file that was seen, with the content that it had then.
    Seen(&'a File, &'a Seen),
    /// Nothing, and elsewhere (its name, itself, what was seen) the file that it is the journal of.
    Journal(&'a Path, &'a File, &'a Seen),
}

impl Expect<'_> {
    /// Renames, or returns false where the name is not what was expected. `old` is what the name
    /// stood for when the metadata was copied.
    fn rename(self, from: &Path, to: &Path, old: Option<&Metadata>) -> io::Result<bool> {
        match self {
            Self::Anything => {}
            Self::Free | Self::Nothing => return rename_to_nothing(from, to),
            Self::Journal(target, file, seen) => {
                let now = metadata_of(target)?.map(|now| Stamp::of(&now));
                let same = now.is_some_and(|now| seen.allows(&now)) && seen.same_bytes(file)?;
                return if same { rename_to_nothing(from, to) } else { Ok(false) };
            }
            // rename(2) cannot compare; who changes the file without its lock has this moment left.
            Self::Seen(file, seen) => {
                let old = old.map(Stamp::of);
                let now = metadata_of(to)?.map(|now| Stamp::of(&now));
                // Rights that have changed since they were copied would be lost.
                if now != old || !now.is_some_and(|now| seen.allows(&now)) || !seen.same_bytes(file)? {
                    return Ok(false);
                }
            }
        }
        fs::rename(from, to).map(|()| true)
    }

    /// What to say of `path` when it was not so.
    pub(crate) fn disappointed(self, path: &Path) -> Error {
        let path = if let Self::Journal(target, ..) = self { target } else { path }.display();
        match self {
            Self::Free => Error::failed(format!("cannot create {path}: it exists already")),
            _ => Error::retry(format!("{path} was changed by a process that does not hold its lock")),
        }
    }
}

/// Renames if nothing has the name, else returns false.
fn rename_to_nothing(from: &Path, to: &Path) -> io::Result<bool> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // File systems that cannot (NFS): who creates it without a lock has this moment left.
        Err(Errno::INVAL | Errno::NOSYS) if metadata_of(to)?.is_none() => fs::rename(from, to).map(|()| true),
        Err(Errno::INVAL | Errno::NOSYS | Errno::EXIST) => Ok(false),
        done => Ok(done.map(|()| true)?),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileExt, PermissionsExt};

    use super::*;

    #[test]
    fn what_a_live_writer_holds_is_not_swept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.json");
        let mut live = Replacement::begin(&path).unwrap();
        let dead = folder.path().join(".app.json.00dead.replace.tmp");
        File::create(&dead).unwrap();
        replace(&path, b"second").unwrap();
        assert!(!dead.exists());
        live.write_all(b"first").unwrap();
        live.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn nothing_is_created_over_what_came_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.json");
        let new = Replacement::begin(&path).unwrap();
        File::create(&path).unwrap();
        assert_eq!(new.put(Expect::Nothing).unwrap_err().status(), 75);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_new_content_can_be_looked_at_before_it_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.json");
        replace(&path, b"old").unwrap();
        let mut new = Replacement::begin(&path).unwrap();
        new.write_all(b"ne").unwrap();
        assert_eq!(fs::read(new.temporary().unwrap()).unwrap(), b"ne");
        new.write_all(b"w").unwrap();
        let mut bytes = [0; 2];
        new.content().unwrap().read_exact_at(&mut bytes, 1).unwrap();
        assert_eq!((&bytes, &fs::read(&path).unwrap()[..]), (b"ew", &b"old"[..]));
        new.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn a_new_file_is_as_closed_as_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let model = File::create(at("model")).unwrap();
        let mode_of = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
        let mut expected = vec!["model".to_owned()];
        for mode in [0o600, 0o640, 0o444, 0o666] {
            model.set_permissions(fs::Permissions::from_mode(mode)).unwrap();
            let (like, with) = (format!("like{mode:o}"), format!("with{mode:o}"));
            let mut new = Replacement::like(&at(&like), &model).unwrap();
            new.write_all(b"secret").unwrap();
            assert_eq!(mode_of(new.temporary().unwrap()), 0o600);
            new.commit().unwrap();
            Replacement::with_mode(&at(&with), mode).unwrap().commit().unwrap();
            assert_eq!((mode_of(&at(&like)), mode_of(&at(&with))), (mode, mode));
            let error = Replacement::like(&at(&like), &model).unwrap().commit().unwrap_err();
            let want = format!("cannot create {}: it exists already", at(&like).display());
            assert_eq!((error.status(), error.to_string()), (2, want));
            expected.extend([like, with]);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), expected.len());
    }

    #[test]
    fn a_new_file_follows_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink("planted", at("link")).unwrap();
        let error = Replacement::with_mode(&at("link"), 0o600).unwrap().commit().unwrap_err();
        assert_eq!(error.to_string(), format!("cannot create {}: it exists already", at("link").display()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
