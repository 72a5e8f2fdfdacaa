//! The files that an `Include` means: patterns of glob(7) in every part of a path.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// The files that `pattern` means, in the order of their names. What cannot be listed has none.
pub(super) fn files(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        found = match part {
            Component::Normal(part) if is_pattern(part) => {
                found.iter().flat_map(|folder| listed(folder, part)).collect()
            }
            part => found.into_iter().map(|folder| folder.join(part)).collect(),
        };
    }
    found.retain(|path| path.exists() && !path.is_dir());
    found.sort();
    found
}

fn is_pattern(part: &OsStr) -> bool {
    part.as_bytes().iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

fn listed(folder: &Path, pattern: &OsStr) -> Vec<PathBuf> {
    let shown = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = fs::read_dir(shown).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name()).filter(|name| {
        // glob(7): a dot at the beginning is matched by a dot only.
        let is_hidden = name.as_bytes().starts_with(b".") && !pattern.as_bytes().starts_with(b".");
        !is_hidden && matches(pattern.as_bytes(), name.as_bytes())
    });
    names.map(|name| folder.join(name)).collect()
}

fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let Some((first, rest)) = pattern.split_first() else { return name.is_empty() };
    match first {
        b'*' => (0..=name.len()).any(|skip| matches(rest, &name[skip..])),
        b'?' => !name.is_empty() && matches(rest, &name[1..]),
        b'[' => match (class(rest), name.split_first()) {
            (Some((class, behind)), Some((byte, left))) => is_in(class, *byte) && matches(behind, left),
            (Some(_), None) => false,
            (None, _) => name.first() == Some(&b'[') && matches(rest, &name[1..]),
        },
        byte => name.first() == Some(byte) && matches(rest, &name[1..]),
    }
}

/// What stands between the brackets, and what behind them. A `]` that comes first is a letter.
fn class(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let from = usize::from(matches!(rest.first(), Some(b'!' | b'^'))) + 1;
    let end = from + rest.get(from..)?.iter().position(|byte| *byte == b']')?;
    Some((&rest[..end], &rest[end + 1..]))
}

fn is_in(class: &[u8], byte: u8) -> bool {
    let (is_negated, mut class) = match class {
        [b'!' | b'^', rest @ ..] => (true, rest),
        all => (false, all),
    };
    let mut found = false;
    while let [first, rest @ ..] = class {
        class = rest;
        if let [b'-', last, behind @ ..] = rest {
            found |= (*first..=*last).contains(&byte);
            class = behind;
        } else {
            found |= *first == byte;
        }
    }
    found != is_negated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_the_pattern_means() {
        let check = |pattern: &str, name: &str, want: bool| {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), want, "{pattern} {name}");
        };
        check("*.conf", "10-web.conf", true);
        check("*.conf", "10-web.conf~", false);
        check("[0-4]?-*", "10-web", true);
        check("[!0-4]?-*", "10-web", false);
        check("[]a]", "]", true);
        check("[^]a]", "b", true);
        check("[a", "[a", true);
        check("[a-]", "-", true);
    }

    #[test]
    fn files_come_in_the_order_of_their_names() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b/2.conf", "b/1.conf", "a/3.conf", "a/.4.conf", "a/d.conf/x"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::File::create(path).unwrap();
        }
        let check = |pattern: &str, want: &[&str]| {
            let want: Vec<PathBuf> = want.iter().map(|name| folder.path().join(name)).collect();
            assert_eq!(files(&folder.path().join(pattern)), want, "{pattern}");
        };
        check("*/*.conf", &["a/3.conf", "b/1.conf", "b/2.conf"]);
        check("a/.*.conf", &["a/.4.conf"]);
        check("b/1.conf", &["b/1.conf"]);
        check("b/9.conf", &[]);
        check("none/*.conf", &[]);
    }
}
