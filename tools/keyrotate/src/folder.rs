//! Where state is kept: a folder for each credential, in one folder.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use common::{Error, OrCannot, Result};
use rustix::process::geteuid;

/// The folder of the folders of state: that of `--state`, that of the spec, that of the unit which runs
/// this, or that of the user.
///
/// # Errors
/// When the user has no home.
pub(crate) fn root(flag: Option<&Path>, spec: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = flag.or(spec) {
        return Ok(path.to_owned());
    }
    let found = by_default(geteuid().is_root(), |name| env::var_os(name).filter(|value| !value.is_empty()));
    found.ok_or_else(|| Error::failed("there is no folder for state, since HOME is not set; say --state DIR"))
}

fn by_default(is_root: bool, of: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if let Some(folders) = of("STATE_DIRECTORY") {
        // A unit may have several (systemd.exec(5)); the first is ours.
        return env::split_paths(&folders).next();
    }
    if is_root {
        return Some("/var/lib/keyrotate".into());
    }
    let base = of("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let base = base.or_else(|| Some(Path::new(&of("HOME")?).join(".local/state")));
    base.map(|base| base.join("keyrotate"))
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
    fn the_unit_says_where_or_the_user_is() {
        let check = |is_root, known: &[(&str, &str)], want: Option<&str>| {
            let of =
                |name: &str| known.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
            assert_eq!(by_default(is_root, of), want.map(PathBuf::from), "{known:?}");
        };
        check(true, &[("HOME", "/root")], Some("/var/lib/keyrotate"));
        check(true, &[("STATE_DIRECTORY", "/var/lib/a:/var/lib/b")], Some("/var/lib/a"));
        check(false, &[("HOME", "/home/jan")], Some("/home/jan/.local/state/keyrotate"));
        check(false, &[("HOME", "/h"), ("XDG_STATE_HOME", "/s")], Some("/s/keyrotate"));
        check(false, &[("HOME", "/h"), ("XDG_STATE_HOME", "relative")], Some("/h/.local/state/keyrotate"));
        check(false, &[], None);
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
