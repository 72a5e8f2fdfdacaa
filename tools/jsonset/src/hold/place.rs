//! Where a document is, whatever its name leads to later.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use common::Result;

use super::shelf::Shelf;
use crate::store::Store;

/// The place of a document when its change was made: a COMMAND that turns a symbolic link to another
/// release does not take the change out of reach.
#[derive(Debug)]
pub(super) struct Place {
    document: PathBuf,
    /// Device and inode of its folder, which may get another name too; `None` while there is none.
    folder: Option<(u64, u64)>,
}

impl Place {
    /// Of what `path` leads to now, which need not exist.
    ///
    /// # Errors
    /// When symbolic links lead nowhere.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let document = Shelf::of(path)?.document;
        let folder = document.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let number = fs::metadata(folder).map(|found| (found.dev(), found.ino())).ok();
        let real = fs::canonicalize(folder).map(|real| real.join(document.file_name().unwrap_or_default()));
        Ok(Self { document: real.unwrap_or(document), folder: number })
    }

    /// `store` here: as it is, with the name that the caller knows, where that still leads here.
    pub(super) fn of_store(&self, store: &Store) -> Store {
        let name = |place: &Self| place.document.file_name().map(OsStr::to_owned);
        let is_here = |now: Self| now.folder == self.folder && name(&now) == name(self);
        let is_here = Self::of(&store.path).is_ok_and(is_here);
        let path = if is_here { store.path.clone() } else { self.document.clone() };
        Store { path, ..store.clone() }
    }
}
