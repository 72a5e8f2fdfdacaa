//! Which inputs and outputs do not go together.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Refuses to write where an input is read: a file that grows while it is read never ends, one that
/// the shell has emptied for us has nothing left to read, and one that is replaced is lost.
///
/// # Errors
/// When the output (a path, or standard output where that is a file) and an input are one file, by
/// whatever names.
pub fn refuse_inputs(inputs: &[impl AsRef<Path>], output: Option<&Path>) -> Result<()> {
    let Some(input) = input_at(inputs, output) else { return Ok(()) };
    let output = output.map_or("standard output".into(), |path| path.display().to_string());
    let input = if is_stdin(input) { "standard input".into() } else { input.display().to_string() };
    Err(Error::failed(format!("{output} is the same file as the input {input}; name another")))
}

/// The input that is the same file as the output, by whatever names.
pub fn input_at<'i>(inputs: &'i [impl AsRef<Path>], output: Option<&Path>) -> Option<&'i Path> {
    // A path of a dead server would be waited for.
    if inputs.is_empty() {
        return None;
    }
    let out = match output {
        Some(path) => std::fs::metadata(path).ok(),
        None => of(io::stdout().as_fd().try_clone_to_owned()),
    };
    let out = out.filter(Metadata::is_file)?;
    let is_out = |input: &&Path| {
        let found = if is_stdin(input) {
            of(io::stdin().as_fd().try_clone_to_owned())
        } else {
            std::fs::metadata(input).ok()
        };
        found.is_some_and(|found| identity(&found) == identity(&out))
    };
    inputs.iter().map(AsRef::as_ref).find(is_out)
}

/// Refuses two flags that name one file: what is written last would be all that is left.
///
/// # Errors
/// When two of the paths lead to the same file, or would if it were there; the flags are named.
pub fn refuse_twins(given: &[(&str, Option<&Path>)]) -> Result<()> {
    let given: Vec<_> = given.iter().filter_map(|(flag, path)| Some((*flag, (*path)?))).collect();
    for (index, (flag, path)) in given.iter().enumerate() {
        if let Some((other, _)) = given.iter().skip(index + 1).find(|(_, other)| is_same(path, other)) {
            return Err(Error::failed(format!("{flag} and {other} name the same file")));
        }
    }
    Ok(())
}

/// Whether two paths lead to the same file, or would if it were there. What is no file, such as
/// /dev/null, is never in the way of itself.
#[must_use]
pub fn is_same(one: &Path, other: &Path) -> bool {
    match (std::fs::metadata(one), std::fs::metadata(other)) {
        (Ok(one), Ok(other)) => one.is_file() && identity(&one) == identity(&other),
        (Err(_), Err(_)) => one == other || place(one).is_some_and(|one| Some(one) == place(other)),
        _ => false,
    }
}

/// Where a file that is not there would be, in the folder's own words.
fn place(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Some(folder.unwrap_or(Path::new(".")).canonicalize().ok()?.join(path.file_name()?))
}

fn identity(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

fn is_stdin(input: &Path) -> bool {
    input.as_os_str() == "-"
}

fn of(fd: io::Result<std::os::fd::OwnedFd>) -> Option<Metadata> {
    File::from(fd.ok()?).metadata().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_the_same_by_whatever_names() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["a", "b"] {
            File::create(at(name)).unwrap();
        }
        std::fs::create_dir(at("c")).unwrap();
        std::os::unix::fs::symlink("a", at("link")).unwrap();
        std::fs::hard_link(at("a"), at("hard")).unwrap();
        let check = |one: &str, other: &str, want: bool| {
            assert_eq!(is_same(&at(one), &at(other)), want, "{one} {other}");
            assert_eq!(is_same(&at(other), &at(one)), want, "{other} {one}");
            let twins = refuse_twins(&[("--one", Some(&at(one))), ("--two", None), ("-o", Some(&at(other)))]);
            assert_eq!(twins.is_err(), want, "{one} {other}");
        };
        check("a", "c/../a", true);
        check("a", "link", true);
        check("a", "hard", true);
        check("a", "b", false);
        check("a", "new", false);
        check("new", "c/../new", true);
        check("new", "c/new", false);
        check("/dev/null", "/dev/null", false);
        let inputs = [at("b"), at("hard")];
        assert_eq!(input_at(&inputs, Some(&at("link"))), Some(&*inputs[1]));
        assert_eq!(input_at(&inputs, Some(&at("new"))), None);
        let refused = refuse_inputs(&inputs, Some(&at("link"))).unwrap_err().to_string();
        assert!(refused.ends_with("hard; name another"), "{refused}");
    }
}
