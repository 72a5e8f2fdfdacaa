//! The files of a log as they lie in its folder.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use logs::source::Source;

use super::{family, name_of};
use common::{OrCannot, Result};

/// A file of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// Device and inode.
    pub(super) id: (u64, u64),
    pub(super) size: u64,
    /// In nanoseconds since the epoch.
    pub(super) mtime: i64,
    /// It has the log's own name.
    pub(super) live: bool,
    /// The name says that it is packed.
    pub(super) packed: bool,
}

impl Found {
    fn new(path: PathBuf, live: bool, metadata: &Metadata) -> Self {
        Self {
            id: (metadata.dev(), metadata.ino()),
            size: metadata.size(),
            mtime: metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec()),
            live,
            packed: family::is_packed(name_of(&path)),
            path,
        }
    }

    /// Opens it; `None` when another file has its name by now.
    ///
    /// # Errors
    /// When it is there and cannot be opened.
    pub(super) fn open(&self) -> Result<Option<Source>> {
        let id = |metadata: &Metadata| (metadata.dev(), metadata.ino());
        match Source::open(&self.path) {
            Ok(source) => {
                let metadata = source.file().metadata().or_cannot("stat", &self.path)?;
                Ok((id(&metadata) == self.id).then_some(source))
            }
            Err(_) if fs::metadata(&self.path).map_or(true, |now| id(&now) != self.id) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

/// The names in the folders of logs, each folder read once in a run.
#[derive(Debug, Default)]
pub(super) struct Folders {
    /// The rotated files of each log, by the log's name.
    known: BTreeMap<PathBuf, BTreeMap<OsString, Vec<OsString>>>,
}

impl Folders {
    /// The files of a log, as the folder was when it was first read: the rotated ones by age, then
    /// the log itself.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(super) fn files(&mut self, log: &Path) -> Result<Vec<Found>> {
        let folder = log.parent().unwrap_or(Path::new("/"));
        if !self.known.contains_key(folder) {
            let rotated = rotated(folder).or_cannot("read", folder)?;
            self.known.insert(folder.into(), rotated);
        }
        let names = self.known.get(folder).and_then(|logs| logs.get(name_of(log)));
        found(log, folder, names.map_or(&[], Vec::as_slice))
    }

    /// The files of a log now: the names are read until they are the same twice, for in the middle
    /// of a rotation a file can be missed.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(super) fn files_now(&mut self, log: &Path) -> Result<Vec<Found>> {
        const PAUSE: Duration = Duration::from_millis(1);
        const ATTEMPTS: usize = 10;
        let names = |files: &[Found]| files.iter().map(|f| (f.path.clone(), f.id)).collect::<BTreeSet<_>>();
        let mut last: Option<Vec<Found>> = None;
        for _ in 0..ATTEMPTS {
            if let Some(folder) = log.parent() {
                self.known.remove(folder);
            }
            let files = self.files(log)?;
            if last.as_deref().is_some_and(|last| names(last) == names(&files)) {
                return Ok(files);
            }
            last = Some(files);
            std::thread::sleep(PAUSE);
        }
        Ok(last.unwrap_or_default())
    }
}

/// The rotated files in a folder, by the name of their log.
fn rotated(folder: &Path) -> io::Result<BTreeMap<OsString, Vec<OsString>>> {
    let names: BTreeSet<OsString> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>()?;
    let mut logs: BTreeMap<OsString, Vec<OsString>> = BTreeMap::new();
    for name in &names {
        // Every possible log, for one that is between two names does not exist just now.
        for base in family::bases(name) {
            if family::is_rotated(&folder.join(&base), name, |other| names.contains(other)) {
                logs.entry(base).or_default().push(name.clone());
            }
        }
    }
    Ok(logs)
}

fn found(log: &Path, folder: &Path, rotated: &[OsString]) -> Result<Vec<Found>> {
    let mut files = Vec::new();
    let names = rotated.iter().map(|name| (folder.join(name), false));
    for (path, live) in names.chain([(log.to_path_buf(), true)]) {
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => files.push(Found::new(path, live, &metadata)),
            Ok(_) if live => {
                return Err(common::Error::failed(format!(
                    "cannot count {} with --state: it is not a regular file",
                    path.display()
                )));
            }
            Ok(_) => {}
            Err(missing) if missing.kind() == ErrorKind::NotFound => {}
            Err(cause) => return Err(cause).or_cannot("stat", &path),
        }
    }
    files.sort_by_key(|file| (file.live, file.mtime));
    Ok(files)
}
