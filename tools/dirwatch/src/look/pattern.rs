//! Which files are meant: a pattern for the whole path, or for the name alone.

use std::ffi::OsStr;
use std::path::Path;

use common::{Error, Result};
use globset::{GlobBuilder, GlobMatcher};

/// What `--retry` and `--forget` are given.
#[derive(Debug)]
pub(super) struct Pattern {
    text: String,
    glob: GlobMatcher,
    /// Whether it is compared with the last part of the path.
    is_name: bool,
}

impl Pattern {
    /// A glob: with a slash for the path from the root of the file system, where `*` and `?` match no
    /// slash and `**` matches any folders; without one for the name, in whatever folder.
    ///
    /// # Errors
    /// When it is no glob, or can match no path as it begins with a name.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let glob = GlobBuilder::new(text).literal_separator(true).build();
        let glob = glob.map_err(|cause| {
            Error::failed(format!("`{text}` is no pattern")).because(cause.kind().to_string())
        })?;
        let is_name = !text.contains('/');
        if !is_name && !text.starts_with(['/', '*', '?', '[', '{', '\\']) {
            return Err(Error::failed(format!(
                "`{text}` matches nothing; begin with `/` or `**/`, or give a name without a folder"
            )));
        }
        Ok(Self { text: text.to_owned(), glob: glob.compile_matcher(), is_name })
    }

    /// Whether `path` is meant. Also when it is the very text of the pattern: a path that was copied
    /// from a list may hold brackets.
    pub(super) fn matches(&self, path: &Path) -> bool {
        let subject = if self.is_name { path.file_name().unwrap_or_default() } else { path.as_os_str() };
        subject == OsStr::new(&self.text) || self.glob.is_match(Path::new(subject))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    fn check(pattern: &str, path: &[u8], want: bool) {
        let found = Pattern::parse(pattern).unwrap().matches(Path::new(OsStr::from_bytes(path)));
        assert_eq!(found, want, "{pattern} {}", path.escape_ascii());
    }

    #[test]
    fn a_pattern_without_a_slash_is_for_the_name() {
        check("*.csv", b"/srv/in/a.csv", true);
        check("*.csv", b"/srv/in/.csv", true);
        check("*.csv", b"/srv/in.csv/a", false);
        check("a?c", b"/srv/a\xffc", true);
        check("a?c", b"/srv/a\nc", true);
        check("*", b"/srv/in/a", true);
        check("{a,b}.x", b"/b.x", true);
    }

    #[test]
    fn a_pattern_with_a_slash_is_for_the_path() {
        check("/srv/in/*", b"/srv/in/a.csv", true);
        check("/srv/in/*", b"/srv/in/b/a.csv", false);
        check("/srv/in/**", b"/srv/in/b/a.csv", true);
        check("**/b/*.csv", b"/srv/in/b/a.csv", true);
        check("/srv/in/a\\*", b"/srv/in/a*", true);
        check("/srv/in/a\\*", b"/srv/in/ab", false);
    }

    #[test]
    fn a_path_matches_itself() {
        check("/srv/in/a[1].csv", b"/srv/in/a[1].csv", true);
        check("a[1].csv", b"/srv/in/a[1].csv", true);
        check("a[1].csv", b"/srv/in/a1.csv", true);
        check("a[1].csv", b"/srv/in/a2.csv", false);
    }

    #[test]
    fn what_cannot_match_is_refused() {
        let check = |pattern: &str, want: &str| {
            assert_eq!(Pattern::parse(pattern).unwrap_err().to_string(), want);
        };
        check("a[", "`a[` is no pattern: unclosed character class; missing ']'");
        check(
            "in/*.csv",
            "`in/*.csv` matches nothing; begin with `/` or `**/`, or give a name without a folder",
        );
    }
}
