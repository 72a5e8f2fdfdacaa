//! Where a tool keeps its state.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use common::{Error, Result};
use rustix::process::geteuid;

/// The folder for the state of the tool of this name: the one that was `asked` for, that of the unit which
/// runs this, or that of the user. Whether it is there is not looked at.
///
/// # Errors
/// When the user has no home.
pub fn of_state(tool: &str, asked: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = asked {
        return Ok(path.to_owned());
    }
    let is_root = geteuid().is_root();
    let found = by_default(tool, is_root, |name| env::var_os(name).filter(|value| !value.is_empty()));
    found.ok_or_else(|| Error::failed("there is no folder for state, since HOME is not set; say --state DIR"))
}

fn by_default(tool: &str, is_root: bool, of: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if let Some(folders) = of("STATE_DIRECTORY") {
        // A unit may have several (systemd.exec(5)); the first is ours.
        return env::split_paths(&folders).next();
    }
    if is_root {
        return Some(Path::new("/var/lib").join(tool));
    }
    let base = of("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let base = base.or_else(|| Some(Path::new(&of("HOME")?).join(".local/state")));
    base.map(|base| base.join(tool))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_says_where_or_the_user_is() {
        let check = |is_root, known: &[(&str, &str)], want: Option<&str>| {
            let of =
                |name: &str| known.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
            assert_eq!(by_default("tool", is_root, of), want.map(PathBuf::from), "{known:?}");
        };
        check(true, &[("HOME", "/root")], Some("/var/lib/tool"));
        check(true, &[("STATE_DIRECTORY", "/var/lib/a:/var/lib/b")], Some("/var/lib/a"));
        check(false, &[("HOME", "/home/jan")], Some("/home/jan/.local/state/tool"));
        check(false, &[("HOME", "/h"), ("XDG_STATE_HOME", "/s")], Some("/s/tool"));
        check(false, &[("HOME", "/h"), ("XDG_STATE_HOME", "relative")], Some("/h/.local/state/tool"));
        check(false, &[], None);
        assert_eq!(of_state("tool", Some(Path::new("/a"))).unwrap(), Path::new("/a"));
    }
}
