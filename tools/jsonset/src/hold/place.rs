//! Where a document is, whatever its name leads to later.

use std::fs;
use std::path::{Path, PathBuf};

use common::Result;

use super::shelf::Shelf;
use crate::store::Store;

/// The place of a document when its change was made: a COMMAND that turns a symbolic link to another
/// release does not take the change out of reach.
#[derive(Debug, PartialEq)]
pub(super) struct Place(PathBuf);

impl Place {
    /// Of what `path` leads to now, which need not exist.
    ///
    /// # Errors
    /// When symbolic links lead nowhere.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let document = Shelf::of(path)?.document;
        let folder = document.parent().filter(|folder| !folder.as_os_str().is_empty());
        let real = fs::canonicalize(folder.unwrap_or(Path::new(".")));
        Ok(Self(real.map(|real| real.join(document.file_name().unwrap_or_default())).unwrap_or(document)))
    }

    /// `store` here: as it is, with the name that the caller knows, where that still leads here.
    pub(super) fn of_store(&self, store: &Store) -> Store {
        let is_here = Self::of(&store.path).is_ok_and(|now| now == *self);
        let path = if is_here { store.path.clone() } else { self.0.clone() };
        Store { path, ..store.clone() }
    }
}
