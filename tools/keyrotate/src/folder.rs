//! Where state is kept: a folder for each credential, in one folder.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use common::{OrCannot, Result};

/// The folder of the folders of state: that of `--state`, that of the spec, that of the unit which runs
/// this, or that of the user.
///
/// # Errors
/// When the user has no home.
pub(crate) fn root(flag: Option<&Path>, spec: Option<&Path>) -> Result<PathBuf> {
    process::folder::of_state("keyrotate", flag.or(spec))
}

/// The names of all that have a folder in `root`, sorted; none when it is not there.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn names(root: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.or_cannot("read", root)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.or_cannot("read", root)?;
        let is_folder = entry.file_type().or_cannot("read", entry.path())?.is_dir();
        names.extend(entry.file_name().to_str().filter(|name| is_folder && is_ours(name)).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

fn is_ours(name: &str) -> bool {
    !name.starts_with('.') && Path::new(name).file_name() == Some(OsStr::new(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_goes_before_the_spec() {
        assert_eq!(root(Some(Path::new("/a")), Some(Path::new("/b"))).unwrap(), Path::new("/a"));
        assert_eq!(root(None, Some(Path::new("/b"))).unwrap(), Path::new("/b"));
    }

    #[test]
    fn what_is_no_folder_has_no_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["web", "db", ".hidden"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        testkit::write(folder.path().join("file"), "");
        assert_eq!(names(folder.path()).unwrap(), ["db", "web"]);
        assert_eq!(names(&folder.path().join("none")).unwrap(), [""; 0]);
    }
}
