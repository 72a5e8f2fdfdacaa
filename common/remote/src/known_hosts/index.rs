//! The lines of all files, by the names in them.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::TYPES;
use super::hashed::{Hash, Hashed};
use super::line::{self, Fields, Marker};
use super::text::{Shown, decoded};

#[derive(Debug)]
struct Entry {
    file: usize,
    /// From 1.
    number: usize,
    span: Range<usize>,
    /// For those that are hashed and not in `Index::hashed`, since they are few and always tried.
    hash: Option<Hash>,
}

/// Lines in the order of the files.
#[derive(Debug, Default)]
pub(super) struct Index {
    files: Vec<PathBuf>,
    text: Vec<u8>,
    entries: Vec<Entry>,
    /// Names that mean one host, with their lines; sorted.
    exact: Vec<(Range<usize>, usize)>,
    /// Lines with `*`, `?` or `!`.
    patterns: Vec<usize>,
    hashed: Hashed,
    /// Lines with a marker, which are also in `exact` or `patterns`, or have a hash of their own.
    marked: Vec<usize>,
}

/// How much a type of key is preferred; less is more.
fn rank(kind: &[u8]) -> usize {
    TYPES.iter().position(|(name, _)| name.as_bytes() == kind).unwrap_or(TYPES.len())
}

/// One line of the index.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    index: &'a Index,
    entry: &'a Entry,
}

impl<'a> Line<'a> {
    pub(super) fn fields(self) -> Fields<'a> {
        let nothing = Fields { marker: Marker::None, names: b"", kind: b"", key: b"" };
        line::parse(&self.index.text[self.entry.span.clone()]).ok().flatten().unwrap_or(nothing)
    }

    /// `file:line`
    pub(super) fn place(self) -> String {
        format!("{}:{}", self.index.files[self.entry.file].display(), self.entry.number)
    }

    /// The number of the line, from 1.
    #[cfg(test)]
    pub(super) fn number(self) -> usize {
        self.entry.number
    }

    /// The key as it is sent; `None`, with a warning, when the line holds none.
    pub(super) fn key(self) -> Option<Vec<u8>> {
        let fields = self.fields();
        let key = decoded(fields.kind, fields.key);
        if key.is_none() {
            log::warn!("{}: this line is passed over: its key is damaged", self.place());
        }
        key
    }

    fn is_key(self, marker: Marker, shown: &Shown) -> bool {
        let fields = self.fields();
        fields.marker == marker && fields.kind == shown.kind.as_bytes() && fields.key == shown.text.as_bytes()
    }

    fn means(self, name: &str) -> bool {
        match &self.entry.hash {
            Some(hash) => hash.is_of(name),
            None => line::matches(self.fields().names, name.as_bytes()),
        }
    }
}

impl Index {
    /// Adds the lines of `bytes`, which `path` holds. What cannot be read is warned of.
    pub(super) fn add(&mut self, path: &Path, bytes: &[u8]) {
        let file = self.files.len();
        self.files.push(path.to_owned());
        let mut begin = self.text.len();
        self.text.extend_from_slice(bytes);
        let lines = bytes.split(|byte| *byte == b'\n');
        for (number, line) in (1..).zip(lines) {
            let span = begin..begin + line.len();
            begin = span.end + 1;
            let fields = match line::parse(line) {
                Ok(Some(fields)) => fields,
                Ok(None) => continue,
                Err(what) => {
                    log::warn!("{}:{number}: this line is passed over: {what}", path.display());
                    continue;
                }
            };
            let entry = Entry { file, number, span, hash: None };
            if let Err(what) = self.add_line(entry, line, fields) {
                log::warn!("{}:{number}: this line is passed over: {what}", path.display());
            }
        }
    }

    fn add_line(&mut self, mut entry: Entry, line: &[u8], fields: Fields<'_>) -> Result<(), &'static str> {
        let at = self.entries.len();
        let is_marked = fields.marker != Marker::None;
        if fields.names.starts_with(b"|") {
            let hash = Hash::parse(fields.names).ok_or("its host is no hash that is known")?;
            if is_marked {
                entry.hash = Some(hash);
            } else {
                self.hashed.add(hash, at, (rank(fields.kind), fields.key));
            }
        } else if fields.names.iter().any(|byte| matches!(byte, b'*' | b'?' | b'!')) {
            self.patterns.push(at);
        } else {
            let before = fields.names.as_ptr().addr() - line.as_ptr().addr();
            self.add_names(entry.span.start + before, fields.names, at);
        }
        if is_marked {
            self.marked.push(at);
        }
        self.entries.push(entry);
        Ok(())
    }

    fn add_names(&mut self, mut begin: usize, names: &[u8], line: usize) {
        self.text[begin..begin + names.len()].make_ascii_lowercase();
        for name in names.split(|byte| *byte == b',') {
            if !name.is_empty() {
                self.exact.push((begin..begin + name.len(), line));
            }
            begin += name.len() + 1;
        }
    }

    /// To be called after the last file.
    pub(super) fn sort(&mut self) {
        let text = &self.text;
        self.exact.sort_by(|(a, at), (b, bt)| text[a.clone()].cmp(&text[b.clone()]).then(at.cmp(bt)));
        self.hashed.sort();
    }

    fn line(&self, at: usize) -> Line<'_> {
        Line { index: self, entry: &self.entries[at] }
    }

    /// The lines that say something about `name` and are not hashed.
    fn plain<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Line<'a>> {
        let exact = |at: usize| &self.text[self.exact[at].0.clone()];
        let begin = self.exact.partition_point(|(range, _)| &self.text[range.clone()] < name.as_bytes());
        let equal = (begin..self.exact.len()).take_while(move |&at| exact(at) == name.as_bytes());
        let equal = equal.map(|at| self.line(self.exact[at].1));
        let patterns = self.patterns.iter().map(|&at| self.line(at)).filter(|line| line.means(name));
        equal.chain(patterns)
    }

    /// All lines that say something about `name`; not those with a marker and a hash.
    pub(super) fn lines<'a>(&'a self, name: &'a str) -> Vec<Line<'a>> {
        let hashed = self.hashed.all(name).into_iter().map(|at| self.line(at));
        self.plain(name).chain(hashed).collect()
    }

    /// The types of keys that are known for `name`; of hashed ones the preferred one.
    pub(super) fn types(&self, name: &str) -> Vec<String> {
        let mut lines: Vec<Line<'_>> = self.plain(name).collect();
        if !lines.iter().any(|line| line.fields().marker == Marker::None) {
            lines.extend(self.hashed.of_preferred_type(name).map(|at| self.line(at)));
        }
        let fields = lines.iter().map(|line| line.fields()).filter(|fields| fields.marker == Marker::None);
        fields.map(|fields| String::from_utf8_lossy(fields.kind).into_owned()).collect()
    }

    /// Whether `shown` is a key of `name`.
    pub(super) fn knows(&self, name: &str, shown: &Shown) -> bool {
        self.plain(name).any(|line| line.is_key(Marker::None, shown))
            || self
                .hashed
                .of_key(name, &shown.text)
                .is_some_and(|at| self.line(at).is_key(Marker::None, shown))
    }

    /// Where `shown` is revoked for any of `names`.
    pub(super) fn revoked(&self, names: &[String], shown: &Shown) -> Option<String> {
        let mut lines = self.marked.iter().map(|&at| self.line(at));
        let is_revoked = |line: &Line<'_>| {
            line.is_key(Marker::Revoked, shown) && names.iter().any(|name| line.means(name))
        };
        lines.find(is_revoked).map(Line::place)
    }

    /// Where an authority for `name` stands.
    pub(super) fn authority(&self, name: &str) -> Option<String> {
        let mut lines = self.marked.iter().map(|&at| self.line(at));
        let is_authority = |line: &Line<'_>| line.fields().marker == Marker::Authority && line.means(name);
        lines.find(is_authority).map(Line::place)
    }
}
