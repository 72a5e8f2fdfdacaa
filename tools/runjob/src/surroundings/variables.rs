//! The environment of COMMAND.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::Command;

use common::{Error, OrCannot, Result};

use crate::cli;

/// What is changed in the environment, or all of it.
#[derive(Debug, Default)]
pub(super) struct Variables {
    is_clean: bool,
    set: BTreeMap<OsString, OsString>,
}

impl Variables {
    /// What the flags say: what is kept, then files, then single ones.
    pub(super) fn of(flags: &cli::Surroundings) -> Result<Self> {
        let mut variables = Self { is_clean: flags.clean_env, set: BTreeMap::new() };
        for key in &flags.keep_env {
            variables.set.extend(env::vars_os().filter(|(name, _)| name == OsStr::new(key)));
        }
        for path in &flags.env_file {
            let bytes = fs::read(path).or_cannot("read", path)?;
            variables.set.extend(lines(&bytes, path)?);
        }
        for pair in &flags.env {
            let Some((key, value)) = split(pair.as_bytes()) else {
                let shown = String::from_utf8_lossy(pair.as_bytes());
                let name = shown.split('=').next().unwrap_or_default();
                return Err(Error::failed(format!("-e {name}: is to be KEY=VALUE, with a KEY")));
            };
            variables.set.insert(owned(key), owned(value));
        }
        variables.requires(&flags.require_env)?;
        Ok(variables)
    }

    fn requires(&self, keys: &[String]) -> Result<()> {
        let inherited = |key: &str| if self.is_clean { None } else { env::var_os(key) };
        let has = |key: &str| {
            let value = self.set.get(OsStr::new(key)).cloned().or_else(|| inherited(key));
            value.is_some_and(|value| !value.is_empty())
        };
        let missing: Vec<&str> = keys.iter().map(String::as_str).filter(|key| !has(key)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let (names, which) = (missing.join(", "), if missing.len() == 1 { "" } else { " all" });
        Err(Error::failed(format!("the environment has no {names}, which --require-env{which} asks for")))
    }

    /// Gives them to `command`.
    pub(super) fn dress(&self, command: &mut Command) {
        if self.is_clean {
            command.env_clear();
        }
        command.envs(&self.set);
    }
}

/// The variables of a file: `KEY=VALUE`, also behind `export`; a value in quotes is what is between them.
fn lines(bytes: &[u8], path: &Path) -> Result<Vec<(OsString, OsString)>> {
    let mut found = Vec::new();
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let wrong = |what: &str| Error::failed(format!("{}:{}: {what}", path.display(), number + 1));
        let pair = line.strip_prefix(b"export ").unwrap_or(line).trim_ascii();
        let (key, value) = split(pair).ok_or_else(|| wrong("is to be KEY=VALUE"))?;
        let is_name = key.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        if !is_name || key[0].is_ascii_digit() {
            return Err(wrong("a key has letters, digits and `_` alone, and no digit first"));
        }
        let value = unquoted(value).ok_or_else(|| wrong("a quote is not closed, or something follows it"))?;
        found.push((owned(key), owned(value)));
    }
    Ok(found)
}

/// What is before and behind the first `=`; none without a key, or with a NUL in it.
fn split(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = pair.iter().position(|byte| *byte == b'=').filter(|at| *at > 0)?;
    (!pair.contains(&0)).then(|| (&pair[..at], &pair[at + 1..]))
}

fn unquoted(value: &[u8]) -> Option<&[u8]> {
    let Some(quote) = value.first().filter(|first| matches!(first, b'\'' | b'"')) else { return Some(value) };
    let inner = value.strip_prefix(&[*quote])?.strip_suffix(&[*quote])?;
    (!inner.contains(quote)).then_some(inner)
}

fn owned(bytes: &[u8]) -> OsString {
    OsString::from_vec(bytes.to_vec())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_has_a_variable_in_a_line() {
        let check = |text: &str, want: &[(&str, &str)]| {
            let found = lines(text.as_bytes(), Path::new("job.env")).unwrap();
            let want: Vec<_> = want.iter().map(|(key, value)| (key.into(), value.into())).collect();
            assert_eq!(found, want, "{text}");
        };
        check("A=1\n# B=2\n\n  C=3 \r\n", &[("A", "1"), ("C", "3")]);
        check("A='a b' \nB=\"it's\"\nC=", &[("A", "a b"), ("B", "it's"), ("C", "")]);
        check("export A=$HOME=b", &[("A", "$HOME=b")]);
    }

    #[test]
    fn a_broken_line_is_told_without_its_value() {
        let check = |text: &str, want: &str| {
            let error = lines(text.as_bytes(), Path::new("job.env")).unwrap_err().to_string();
            assert_eq!(error, want);
        };
        check("A=1\nhunter2\n", "job.env:2: is to be KEY=VALUE");
        check("=hunter2", "job.env:1: is to be KEY=VALUE");
        check("A B=hunter2", "job.env:1: a key has letters, digits and `_` alone, and no digit first");
        check("1A=hunter2", "job.env:1: a key has letters, digits and `_` alone, and no digit first");
        check("A='hunter2", "job.env:1: a quote is not closed, or something follows it");
        check("A=\"a\"b\"", "job.env:1: a quote is not closed, or something follows it");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _judged = lines(&bytes, Path::new("job.env"));
        }

        #[test]
        fn a_value_comes_back(value in "[ -&(-~]{0,20}") {
            let text = format!("KEY='{value}'\n");
            let found = lines(text.as_bytes(), Path::new("job.env")).unwrap();
            prop_assert_eq!(found, vec![("KEY".into(), value.into())]);
        }
    }
}
