//! Where a lock is.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use common::{Error, OrCannot, Result};
use rustix::process::getuid;

/// Where a lock is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In a file.
    File(PathBuf),
    /// In a file of the folder of locks.
    Named(PathBuf),
}

impl Place {
    /// `name` as `--lock` takes it: a name is a file in the folder of locks, which is made, and anything
    /// with a slash is a path.
    ///
    /// # Errors
    /// When there is no folder of locks, or it is not ours.
    pub(super) fn of(name: &OsStr) -> Result<Self> {
        let bytes = name.as_bytes();
        if bytes.windows(3).any(|window| window == b"://") {
            let name = Path::new(name).display();
            return Err(Error::failed(format!("--lock {name}: locks of other hosts are not known here")));
        }
        if bytes.contains(&b'/') {
            return Ok(Self::File(name.into()));
        }
        if bytes.is_empty() || bytes == b"." || bytes == b".." {
            return Err(Error::failed("--lock is to be a name, or the path of a file"));
        }
        let folder = folder(getuid().is_root(), env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from));
        let Some(folder) = folder else {
            return Err(Error::failed(
                "there is no folder for locks, since XDG_RUNTIME_DIR is not set; give --lock a path",
            ));
        };
        ready(&folder)?;
        Ok(Self::Named(folder.join(name)))
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        let (Self::File(path) | Self::Named(path)) = self;
        path
    }

    /// For messages: the path, or the name that `--lock` has.
    pub(super) fn shown(&self) -> String {
        let name = match self {
            Self::File(_) => None,
            Self::Named(path) => path.file_name(),
        };
        name.unwrap_or(self.path().as_os_str()).to_string_lossy().into_owned()
    }
}

fn folder(is_root: bool, runtime: Option<PathBuf>) -> Option<PathBuf> {
    if is_root {
        return Some("/run/lock/runjob".into());
    }
    runtime.filter(|path| path.is_absolute()).map(|path| path.join("runjob"))
}

/// Makes the folder where it is not; one in which others could make or remove files is none.
fn ready(folder: &Path) -> Result<()> {
    if let Err(error) = fs::DirBuilder::new().mode(0o700).recursive(true).create(folder) {
        return Err(error).or_cannot("make", folder);
    }
    let found = fs::symlink_metadata(folder).or_cannot("read", folder)?;
    if !found.is_dir() || found.uid() != getuid().as_raw() || found.mode() & 0o022 != 0 {
        return Err(Error::failed(format!(
            "{} is not a folder of this user alone; give --lock a path",
            folder.display()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_a_folder_and_a_path_is_one() {
        let check = |is_root, runtime: Option<&str>, want: Option<&str>| {
            assert_eq!(folder(is_root, runtime.map(PathBuf::from)), want.map(PathBuf::from));
        };
        check(true, Some("/run/user/0"), Some("/run/lock/runjob"));
        check(false, Some("/run/user/7"), Some("/run/user/7/runjob"));
        check(false, Some("run"), None);
        check(false, None, None);
        let place = Place::of(OsStr::new("./a")).unwrap();
        assert_eq!((place.path(), place.shown().as_str()), (Path::new("./a"), "./a"));
        assert_eq!(Place::Named("/run/lock/runjob/a".into()).shown(), "a");
        for bad in ["", ".", "..", "etcd://host/a"] {
            assert!(Place::of(OsStr::new(bad)).is_err(), "{bad}");
        }
    }
}
