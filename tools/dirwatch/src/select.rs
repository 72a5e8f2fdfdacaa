//! Which names are taken: globs, hidden and partial names, markers.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// How the names of files end that are still being written, by the habits of browsers, rsync,
/// `WinSCP` and editors.
const PARTIAL: [&[u8]; 4] = [b".part", b".tmp", b".filepart", b"~"];

/// Which names are taken. All names are bytes and need not be UTF-8.
#[derive(Debug, Clone)]
pub struct Which {
    include: Option<GlobSet>,
    exclude: GlobSet,
    /// The globs with a slash at their end, which are for folders alone.
    exclude_folders: GlobSet,
    all_names: bool,
    min_size: u64,
    marker: Option<OsString>,
}

impl Which {
    /// What the command line says: a file must match one of `include` (if there are any) and none of
    /// `exclude`. A glob with a slash in it is for the path below the watched folder, another one for
    /// the name at any depth; a slash at the end is for folders alone. `all_names` takes hidden and
    /// partial names too, `min_size` is in bytes, and with `marker` a file is taken only when there is
    /// another one with this at the end of its name.
    ///
    /// # Errors
    /// When something is no glob; in one sentence.
    pub fn new(
        include: &[String],
        exclude: &[String],
        all_names: bool,
        min_size: u64,
        marker: Option<OsString>,
    ) -> Result<Self, String> {
        let (for_folders, for_all): (Vec<_>, Vec<_>) = exclude.iter().partition(|glob| glob.ends_with('/'));
        let include: Vec<_> = include.iter().map(|glob| everything_in(glob)).collect();
        Ok(Self {
            include: if include.is_empty() { None } else { Some(globs(include.iter().map(String::as_str))?) },
            exclude: globs(for_all.iter().map(|glob| glob.as_str()))?,
            exclude_folders: globs(for_folders.iter().map(|glob| glob.trim_end_matches('/')))?,
            all_names,
            min_size,
            marker,
        })
    }

    /// Whether a file is taken, by its path below the watched folder. Of the folders above it only
    /// [`Which::enters`] knows.
    #[must_use]
    pub fn takes_name(&self, relative: &Path) -> bool {
        let name = relative.file_name().unwrap_or(relative.as_os_str());
        self.takes_hidden_or_plain(name)
            && self.subject_of_marker(name).is_none()
            && self.include.as_ref().is_none_or(|globs| globs.is_match(relative))
            && (self.exclude.is_empty() || !self.exclude.is_match(relative))
    }

    /// Whether a folder is entered, by its path below the watched folder.
    #[must_use]
    pub fn enters(&self, relative: &Path) -> bool {
        let name = relative.file_name().unwrap_or(relative.as_os_str());
        (self.all_names || !name.as_bytes().starts_with(b"."))
            && !self.exclude.is_match(relative)
            && !self.exclude_folders.is_match(relative)
    }

    /// Whether a file of this many bytes is taken.
    #[must_use]
    pub fn takes_size(&self, size: u64) -> bool {
        size >= self.min_size
    }

    /// The name of the file of which this is the marker: `a.csv` for `a.csv.ok`.
    #[must_use]
    pub fn subject_of_marker(&self, name: &OsStr) -> Option<OsString> {
        let subject = name.as_bytes().strip_suffix(self.marker.as_ref()?.as_bytes())?;
        (!subject.is_empty()).then(|| OsString::from_vec(subject.to_vec()))
    }

    /// Where the marker of a file is, if one is wanted: `a.csv.ok` for `a.csv`.
    #[must_use]
    pub fn marker_of(&self, path: &Path) -> Option<PathBuf> {
        let mut marker = path.as_os_str().to_owned();
        marker.push(self.marker.as_ref()?);
        Some(PathBuf::from(marker))
    }

    fn takes_hidden_or_plain(&self, name: &OsStr) -> bool {
        let name = name.as_bytes();
        self.all_names || !(name.starts_with(b".") || PARTIAL.iter().any(|end| name.ends_with(end)))
    }
}

/// No file can match a glob with a slash at its end, but what is in such a folder can.
fn everything_in(glob: &str) -> String {
    if glob.ends_with('/') { format!("{glob}**") } else { glob.to_owned() }
}

fn globs<'a>(globs: impl Iterator<Item = &'a str>) -> Result<GlobSet, String> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        let anchored = match glob.trim_start_matches('/') {
            "" => return Err(format!("the glob `{glob}` matches nothing")),
            from_root if from_root.len() < glob.len() || from_root.contains('/') => from_root.to_owned(),
            name => format!("**/{name}"),
        };
        let built = GlobBuilder::new(&anchored).literal_separator(true).backslash_escape(true).build();
        set.add(built.map_err(|error| format!("`{glob}` is no glob: {}", error.kind()))?);
    }
    set.build().map_err(|error| format!("these globs cannot be used together: {}", error.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn which(include: &[&str], exclude: &[&str]) -> Which {
        let strings = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect::<Vec<_>>();
        Which::new(&strings(include), &strings(exclude), false, 0, None).unwrap()
    }

    fn check(which: &Which, relative: impl AsRef<OsStr>, taken: bool) {
        let relative = Path::new(relative.as_ref());
        assert_eq!(which.takes_name(relative), taken, "{}", relative.display());
    }

    #[test]
    fn hidden_and_partial_names_are_left() {
        let plain = which(&[], &[]);
        check(&plain, "a", true);
        check(&plain, "in/a.csv", true);
        for name in [".a", "in/.a", "a.part", "a.tmp", "a.filepart", "a~", "-x.tmp"] {
            check(&plain, name, false);
        }
        check(&plain, "a.party", true);
        check(&plain, "a.tmp/b", true);
        let all = Which::new(&[], &[], true, 0, None).unwrap();
        check(&all, ".a", true);
        check(&all, "a.tmp", true);
        assert!(all.enters(Path::new(".git")) && !plain.enters(Path::new("a/.git")));
    }

    #[test]
    fn a_glob_with_a_slash_is_for_the_path() {
        let names = which(&["*.csv"], &[]);
        check(&names, "a.csv", true);
        check(&names, "x/y/a.csv", true);
        check(&names, "a.csv/b", false);
        let paths = which(&["x/*.csv"], &[]);
        check(&paths, "x/a.csv", true);
        check(&paths, "a.csv", false);
        check(&paths, "x/y/a.csv", false);
        check(&paths, "y/x/a.csv", false);
        let top = which(&["/*.csv"], &[]);
        check(&top, "a.csv", true);
        check(&top, "x/a.csv", false);
        let below = which(&["x/", "y/**/z"], &[]);
        check(&below, "x/1/2", true);
        check(&below, "y/1/2/z", true);
        check(&below, "z", false);
    }

    #[test]
    fn an_excluded_folder_is_not_entered() {
        let exclude = which(&[], &["work", "logs/", "*.bad"]);
        for folder in ["work", "a/work", "logs", "a/logs", "a.bad"] {
            assert!(!exclude.enters(Path::new(folder)), "{folder}");
        }
        assert!(exclude.enters(Path::new("worker")));
        check(&exclude, "work", false);
        check(&exclude, "logs", true);
        check(&exclude, "a/b.bad", false);
        let both = which(&["*.csv"], &["old*"]);
        check(&both, "old.csv", false);
        check(&both, "new.csv", true);
        assert!(both.enters(Path::new("sub")), "what is included says nothing of folders");
    }

    #[test]
    fn names_are_bytes() {
        let csv = which(&["*.csv"], &[]);
        check(&csv, OsStr::from_bytes(b"\xff\xfe.csv"), true);
        check(&csv, OsStr::from_bytes(b"x\n/\xff.csv"), true);
        check(&which(&[], &["a?b"]), OsStr::from_bytes(b"a\xffb"), false);
        check(&which(&["a b"], &[]), "a b", true);
        check(&which(&[r"\*"], &[]), "*", true);
        check(&which(&[r"\*"], &[]), "a", false);
    }

    #[test]
    fn a_marker_is_never_taken() {
        let marked = Which::new(&[], &[], true, 5, Some(".ok".into())).unwrap();
        check(&marked, "a.csv", true);
        check(&marked, "a.csv.ok", false);
        check(&marked, "x/a.csv.ok", false);
        check(&marked, ".ok", true);
        assert_eq!(marked.subject_of_marker(OsStr::new("a.csv.ok")), Some("a.csv".into()));
        assert_eq!(marked.subject_of_marker(OsStr::new("a.csv")), None);
        assert_eq!(marked.subject_of_marker(OsStr::new(".ok")), None);
        let path = Path::new("/in/a.csv");
        assert_eq!(marked.marker_of(path), Some(PathBuf::from("/in/a.csv.ok")));
        assert_eq!(which(&[], &[]).marker_of(path), None);
        assert!(marked.takes_size(5) && !marked.takes_size(4));
    }

    #[test]
    fn what_is_no_glob_is_refused_in_one_sentence() {
        let refused = |glob: &str| Which::new(&[], &[glob.to_owned()], false, 0, None).unwrap_err();
        assert_eq!(refused("a["), "`a[` is no glob: unclosed character class; missing ']'");
        assert_eq!(refused(""), "the glob `` matches nothing");
        assert_eq!(refused("/"), "the glob `` matches nothing");
    }
}
