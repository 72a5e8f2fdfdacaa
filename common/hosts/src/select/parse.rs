//! A selection from its text.

use std::path::Path;

use crate::glob::Glob;
use crate::inventory::source;
use crate::ranges;

use super::{Names, Selection, Term, Test};

pub(super) fn selection(text: &str) -> Result<Selection, String> {
    let mut selection = Selection {
        text: text.to_owned(),
        tags: std::collections::BTreeMap::new(),
        names: Vec::new(),
        without: Vec::new(),
    };
    for (at, written) in split(text) {
        if written.is_empty() {
            return Err(format!("there is no term at character {at} of `{text}`"));
        }
        let (is_without, term) = term(written).map_err(|why| format!("character {at}: {why}"))?;
        match &term.test {
            _ if is_without => selection.without.push(term),
            Test::Tag { key, .. } => selection.tags.entry(key.clone()).or_default().push(term),
            Test::Names(_) => selection.names.push(term),
        }
    }
    Ok(selection)
}

/// The terms, each with the character that it begins at, from 1. A comma in brackets is part of a range.
fn split(text: &str) -> Vec<(usize, &str)> {
    let (mut terms, mut start, mut depth) = (Vec::new(), 0, 0_u32);
    let ends = text.char_indices().filter(|(_, letter)| {
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        *letter == ',' && depth == 0
    });
    let ends: Vec<usize> = ends.map(|(at, _)| at).chain([text.len()]).collect();
    for end in ends {
        let written = &text[start..end];
        let blanks = written.len() - written.trim_start().len();
        terms.push((text[..start + blanks].chars().count() + 1, written.trim()));
        start = end + 1;
    }
    terms
}

/// A term, and whether its hosts are taken away.
fn term(written: &str) -> Result<(bool, Term), String> {
    let (is_negated, rest) =
        written.strip_prefix('!').map_or((false, written), |rest| (true, rest.trim_start()));
    if rest.is_empty() || rest.starts_with('!') {
        return Err(format!("`{written}` takes nothing away; say `!NAME` or `!KEY=VALUE`"));
    }
    if let Some(path) = rest.strip_prefix('@') {
        return Ok((is_negated, Term { text: rest.to_owned(), test: Test::Names(listed(path)?) }));
    }
    let Some((key, value)) = rest.split_once('=') else {
        return Ok((is_negated, Term { text: rest.to_owned(), test: Test::Names(names(rest)?) }));
    };
    let (is_unequal, key) = key.strip_suffix('!').map_or((false, key), |key| (true, key));
    let (key, value) = (key.trim(), value.trim());
    if is_negated && is_unequal {
        return Err(format!("`{written}` is negated twice; say `{key}={value}`"));
    }
    if key.is_empty() || value.is_empty() {
        let missing = if key.is_empty() { "key before" } else { "value behind" };
        return Err(format!("`{written}` has no {missing} the `=`; `KEY=*` means any value"));
    }
    let test = Test::Tag { key: key.to_owned(), value: Glob::new(value) };
    Ok((is_negated || is_unequal, Term { text: format!("{key}={value}"), test }))
}

/// A name, a pattern, a range of either, or a group.
fn names(text: &str) -> Result<Names, String> {
    let mut names = Names::default();
    if !ranges::is_range(text) {
        names.group = Some(Glob::new(text));
    }
    for name in ranges::expand(text)? {
        names.add(&name);
    }
    Ok(names)
}

/// The names in a file: one or several in a line, behind `#` a comment.
fn listed(path: &str) -> Result<Names, String> {
    let text = source::read_file(Path::new(path)).map_err(|error| error.to_string())?;
    let mut names = Names { is_list: true, ..Names::default() };
    let mut count = 0;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default();
        for (_, word) in line.split_whitespace().flat_map(split) {
            let expanded = ranges::expand(word).map_err(|why| format!("{path}:{number}: {why}"))?;
            count += expanded.len();
            if count > ranges::MOST {
                return Err(format!("{path}:{number}: these are more than {} names", ranges::MOST));
            }
            for name in expanded {
                if !name.is_empty() {
                    names.add(&name);
                }
            }
        }
    }
    Ok(names)
}

impl Names {
    fn add(&mut self, name: &str) {
        let glob = Glob::new(&name.to_ascii_lowercase());
        match glob.literal() {
            Some(name) => {
                self.exact.insert(name.to_owned());
            }
            None => self.globs.push(glob),
        }
    }
}
