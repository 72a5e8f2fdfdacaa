//! Where layers are kept: a folder beside the document, a file for each, numbered in their order.
//!
//! A layer is in use as long as somebody holds a flock(2) on its file. The kernel releases it when
//! the holder dies or the machine restarts, whatever process numbers are used again, and it holds
//! across containers. Everything here is done under the lock of the document.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use common::{Error, OrCannot, Result};
use files::{Replacement, behind_links, folder_of};
use rustix::fs::OFlags;

use super::layer::Layer;

/// The folder with the layers of a document.
#[derive(Debug)]
pub(super) struct Shelf {
    /// The document itself, behind all symbolic links.
    pub(super) document: PathBuf,
    folder: PathBuf,
    /// The layer that must be readable.
    needed: Option<OsString>,
}

/// A layer and its file.
#[derive(Debug)]
pub(super) struct Slot {
    path: PathBuf,
    pub(super) layer: Layer,
    pub(super) is_live: bool,
    /// Locked by us where nobody else has, so that nobody takes it for live or dead meanwhile.
    _file: File,
}

/// A layer that is in use as long as this lives.
#[derive(Debug)]
#[must_use = "dropped, the layer counts as dead"]
pub(super) struct Held {
    name: OsString,
    /// Its lock is what counts.
    _file: File,
}

impl Shelf {
    /// The shelf of the document at `path`, which need not exist.
    ///
    /// # Errors
    /// When symbolic links lead nowhere.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let document = behind_links(path, "open")?;
        let name = document.file_name().unwrap_or_default();
        let folder: OsString = [OsStr::new("."), name, OsStr::new(".held")].into_iter().collect();
        Ok(Self { folder: document.with_file_name(folder), document, needed: None })
    }

    /// The same shelf for who is about to let go of `held`: that this one cannot be read is an error.
    pub(super) fn needing(self, held: &Held) -> Self {
        Self { needed: Some(held.name.clone()), ..self }
    }

    /// Whether there is anything on it. Costs one stat(2). A link to another folder is no shelf: what
    /// lies there is not ours to sweep.
    pub(super) fn is_used(&self) -> bool {
        match fs::symlink_metadata(&self.folder) {
            Ok(found) => found.is_dir(),
            // Else whoever reads it says why he cannot. A name may be too long to have a shelf.
            Err(cause) => !matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::InvalidFilename),
        }
    }

    /// The layers, the last one first.
    ///
    /// One that cannot be read, or that nobody has put there who may change the document, is warned
    /// of and left alone. What a killed run has left half written goes.
    ///
    /// # Errors
    /// When the folder or the layer that is needed cannot be read.
    pub(super) fn slots(&self) -> Result<Vec<Slot>> {
        let mut slots = Vec::new();
        for (name, _) in self.names()?.into_iter().rev() {
            let path = self.folder.join(&name);
            match self.slot(&path) {
                Ok(slot) => slots.push(slot),
                Err(error) if self.needed.as_ref() == Some(&name) => return Err(error),
                Err(error) => log::warn!("{error}; the change that it is about is not undone"),
            }
        }
        Ok(slots)
    }

    /// The names of the layers and their numbers, the first one first.
    fn names(&self) -> Result<Vec<(OsString, u64)>> {
        if !self.is_used() {
            return Ok(Vec::new());
        }
        let entries = match fs::read_dir(&self.folder) {
            Err(missing) if missing.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.or_cannot("read", &self.folder)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.or_cannot("read", &self.folder)?.file_name();
            match name.to_str().and_then(|name| name.parse().ok()) {
                Some(number) => names.push((name, number)),
                None if is_temporary(&name) => sweep(&self.folder.join(name)),
                None => {}
            }
        }
        names.sort_by_key(|(_, number)| *number);
        Ok(names)
    }

    fn slot(&self, path: &Path) -> Result<Slot> {
        let mut file = open(path).or_cannot("open", path)?;
        let found = file.metadata().or_cannot("stat", path)?;
        let owners = [fs::metadata(&self.document), fs::metadata(folder_of(&self.document))];
        let mut owners = owners.iter().flatten().map(MetadataExt::uid).chain([0, own_uid()]);
        if !found.is_file() || !owners.any(|owner| owner == found.uid()) {
            let (path, owner) = (path.display(), found.uid());
            return Err(Error::failed(format!(
                "{path} is a file of user {owner}, who does not own the document"
            )));
        }
        let is_live = !try_lock(&file).or_cannot("lock", path)?;
        let mut json = Vec::new();
        file.read_to_end(&mut json).or_cannot("read", path)?;
        let layer = Layer::of_json(&json)
            .map_err(|bad| Error::failed(format!("cannot read {}", path.display())).because(bad))?;
        Ok(Slot { path: path.into(), layer, is_live, _file: file })
    }

    /// Puts `layer` on top, durably, as closed to others as `model`, and holds it.
    ///
    /// # Errors
    /// When it cannot be written; nothing is left then.
    pub(super) fn add(&self, layer: &Layer, model: Option<&File>) -> Result<Held> {
        self.make_folder()?;
        let number = self.names()?.last().map_or(0, |(_, number)| *number).saturating_add(1);
        let path = self.folder.join(format!("{number:08}"));
        let held = self.write(&path, layer, model);
        if held.is_err() {
            let _as_it_was = fs::remove_file(&path);
            let _not_empty = fs::remove_dir(&self.folder);
        }
        held
    }

    fn write(&self, path: &Path, layer: &Layer, model: Option<&File>) -> Result<Held> {
        let mut new = match model {
            Some(model) => Replacement::like(path, model)?,
            None => Replacement::with_mode(path, 0o600)?,
        };
        new.write_all(&layer.to_json()).or_cannot("write", path)?;
        new.commit()?;
        sync(folder_of(&self.folder))?;
        let file = open(path).or_cannot("open", path)?;
        if try_lock(&file).or_cannot("lock", path)? {
            return Ok(Held { name: path.file_name().unwrap_or_default().into(), _file: file });
        }
        Err(Error::retry(format!("{} is locked by another process", path.display())))
    }

    /// Whoever may replace the document may also settle what is on its shelf: the folder is as open as
    /// the one around it.
    fn make_folder(&self) -> Result<()> {
        match DirBuilder::new().mode(0o700).create(&self.folder) {
            Err(exists) if exists.kind() == ErrorKind::AlreadyExists && self.is_used() => return Ok(()),
            made => made.or_cannot("create", &self.folder)?,
        }
        let around = fs::metadata(folder_of(&self.folder)).or_cannot("stat", folder_of(&self.folder))?;
        if let Err(cause) = chown(&self.folder, Some(around.uid()), Some(around.gid())) {
            log::debug!("{} stays ours alone: {cause}", self.folder.display());
            return Ok(());
        }
        let mode = Permissions::from_mode(around.mode() & 0o1777);
        fs::set_permissions(&self.folder, mode).or_cannot("set the mode of", &self.folder)
    }

    /// Removes the document, which a change has made, durably.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(super) fn remove_document(&self) -> Result<()> {
        fs::remove_file(&self.document).or_cannot("remove", &self.document)?;
        sync(folder_of(&self.document))
    }

    /// Removes the folder if it is empty, and returns when what was removed stays so after a power
    /// failure: a layer that came back would undo what was set meanwhile.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn tidy(&self) -> Result<()> {
        match fs::remove_dir(&self.folder) {
            Ok(()) => sync(folder_of(&self.folder)),
            Err(missing) if missing.kind() == ErrorKind::NotFound => Ok(()),
            Err(_) => sync(&self.folder),
        }
    }
}

impl Slot {
    /// Takes the layer away; lasting after [`Shelf::tidy`].
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(super) fn remove(&self) -> Result<()> {
        fs::remove_file(&self.path).or_cannot("remove", &self.path)
    }

    /// Keeps `rest` instead.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn replace(&self, rest: &Layer) -> Result<()> {
        files::replace(&self.path, &rest.to_json())
    }
}

/// Whether the lock is ours now. std's `try_lock` is flock(2) on Linux.
fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(cause)) => Err(cause),
    }
}

fn open(path: &Path) -> io::Result<File> {
    // For writing too where that is allowed: NFS makes a byte-range lock of flock(2), which wants it.
    // Neither follows what somebody else put there nor waits for it.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path);
    file.or_else(|_| OpenOptions::new().read(true).custom_flags(flags).open(path))
}

/// Whether [`Replacement`] names its temporary files so.
fn is_temporary(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".") && name.as_bytes().ends_with(b".replace.tmp")
}

/// Removes the temporary file of a run that was killed.
fn sweep(path: &Path) {
    let is_dead = open(path).and_then(|file| try_lock(&file));
    if is_dead.unwrap_or(false) && fs::remove_file(path).is_ok() {
        log::info!("removed {}, which a killed run had left behind", path.display());
    }
}

fn sync(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    match synced {
        // Some network and FUSE file systems know no fsync of folders.
        Err(cause) if cause.kind() == ErrorKind::InvalidInput => Ok(()),
        synced => synced.or_cannot("flush", folder),
    }
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(number: usize) -> Layer {
        let json = format!(
            r#"{{"version":1,"created":false,"exact":null,"entries":[{{"path":["a"],"before":"{number}","after":"0"}}]}}"#
        );
        Layer::of_json(json.as_bytes()).unwrap()
    }

    fn seen(shelf: &Shelf) -> Vec<(String, bool)> {
        let slots = shelf.slots().unwrap();
        slots.iter().map(|slot| (slot.layer.entries[0].before.clone().unwrap(), slot.is_live)).collect()
    }

    #[test]
    fn layers_are_stacked_and_live_as_long_as_they_are_held() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.json");
        testkit::write(&path, "{}");
        let shelf = Shelf::of(&path).unwrap();
        assert!(!shelf.is_used());
        let model = File::open(&path).unwrap();
        model.set_permissions(Permissions::from_mode(0o640)).unwrap();
        let mut held: Vec<_> = (0..11).map(|n| shelf.add(&layer(n), Some(&model)).unwrap()).collect();
        let mode = fs::metadata(folder.path().join(".app.json.held/00000003")).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o640);
        drop(held.remove(3));
        let want: Vec<_> = (0..11).rev().map(|number| (number.to_string(), number != 3)).collect();
        assert_eq!(seen(&shelf), want);
        drop(held);
        for slot in shelf.slots().unwrap() {
            assert!(!slot.is_live);
            shelf.tidy().unwrap();
            slot.remove().unwrap();
        }
        shelf.tidy().unwrap();
        assert!(!shelf.is_used());
    }

    #[test]
    fn the_shelf_is_beside_the_file_that_links_lead_to() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("real")).unwrap();
        std::os::unix::fs::symlink("real/app.json", at("link")).unwrap();
        std::os::unix::fs::symlink("link", at("again")).unwrap();
        for name in ["link", "again", "real/app.json"] {
            assert_eq!(Shelf::of(&at(name)).unwrap().folder, at("real/.app.json.held"));
        }
        std::os::unix::fs::symlink("loop", at("loop")).unwrap();
        assert!(Shelf::of(&at("loop")).is_err());
    }

    #[test]
    fn what_is_no_layer_is_left_alone_or_swept() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::of(&folder.path().join("app.json")).unwrap();
        let _held = shelf.add(&layer(7), None).unwrap();
        let at = |name: &str| shelf.folder.join(name);
        testkit::write(at("00000002"), "{\"version\":9");
        std::os::unix::fs::symlink("00000001", at("00000003")).unwrap();
        testkit::write(at(".00000004.00dead.replace.tmp"), "half");
        testkit::write(at("notes"), "of somebody");
        assert_eq!(seen(&shelf), [("7".to_owned(), true)]);
        assert!(at("00000002").exists() && !at(".00000004.00dead.replace.tmp").exists());
        assert!(at("notes").exists());
        let held = Held { name: "00000002".into(), _file: File::open(at("notes")).unwrap() };
        let error = shelf.needing(&held).slots().unwrap_err().to_string();
        assert!(error.contains("cannot read") && error.contains("00000002"), "{error}");
    }

    #[test]
    fn a_link_in_its_place_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        testkit::write(at("other/.00000004.00dead.replace.tmp"), "somebody else's");
        std::os::unix::fs::symlink("other", at(".app.json.held")).unwrap();
        let shelf = Shelf::of(&at("app.json")).unwrap();
        assert!(!shelf.is_used() && shelf.slots().unwrap().is_empty());
        let error = shelf.add(&layer(7), None).unwrap_err().to_string();
        assert!(error.ends_with(".app.json.held: File exists (os error 17)"), "{error}");
        assert!(at("other/.00000004.00dead.replace.tmp").exists());
    }
}
