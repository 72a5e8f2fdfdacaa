//! TOML as tables that know their lines, and collect every fault at once.

mod free;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use common::{near, units};
use secrets::Source;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::faults::{Fault, Faults};

/// What a value is to be.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// [`Table::text`].
    Text,
    /// [`Table::path`].
    Path,
    /// [`Table::texts`].
    Texts,
    /// [`Table::hosts`].
    Hosts,
    /// [`Table::flag`].
    Flag,
    /// [`Table::source`].
    Source,
}

/// A table of the spec. Every key is asked for once; [`Table::finish`] then knows which are unknown.
pub struct Table<'t> {
    name: String,
    line: usize,
    entries: BTreeMap<String, (usize, DeValue<'t>)>,
    asked: Vec<&'static str>,
    faults: &'t Faults,
}

/// The whole of `text`. Its faults go to `faults`, which was made of the same text; a text that is no
/// TOML is an empty table and one fault.
pub fn parse<'t>(text: &'t str, faults: &'t Faults) -> Table<'t> {
    let table = DeTable::parse(text).map(Spanned::into_inner);
    let table = table.unwrap_or_else(|error| {
        let at = error.span().map_or(0, |span| span.start);
        faults.add(faults.line(at), format!("this is no TOML: {}", error.message().replace('\n', ", ")));
        DeTable::new()
    });
    Table::of(String::new(), 1, table, faults)
}

impl<'t> Table<'t> {
    fn of(name: String, line: usize, table: DeTable<'t>, faults: &'t Faults) -> Self {
        let entry = |(key, value): (Spanned<std::borrow::Cow<'t, str>>, Spanned<DeValue<'t>>)| {
            let line = faults.line(key.span().start);
            (key.into_inner().into_owned(), (line, value.into_inner()))
        };
        Self { name, line, entries: table.into_iter().map(entry).collect(), asked: Vec::new(), faults }
    }

    /// The line that it begins in.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// Says that something about `key` is wrong: `KEY: WHAT`, at its line, or at that of the table.
    /// To be called for keys that were asked for.
    pub fn fault(&self, line: usize, what: impl Into<String>) {
        self.faults.add(line, what.into());
    }

    /// Says that something is no fault, and yet worth a thought.
    pub fn warn(&self, line: usize, what: impl Into<String>) {
        self.faults.warnings.borrow_mut().push(Fault { line, what: what.into() });
    }

    fn wrong(&self, line: usize, key: &str, what: &str) {
        self.fault(line, format!("`{}`: {what}", self.path_of(key)));
    }

    /// `key` as the user knows it: with the names of the tables that it is in.
    #[must_use]
    pub fn path_of(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    fn take(&mut self, key: &'static str) -> Option<(usize, DeValue<'t>)> {
        self.asked.push(key);
        self.entries.remove(key)
    }

    /// Whether `key` is there; it is not asked for by this.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Whether `key` is there and a text; it is not asked for by this.
    #[must_use]
    pub fn is_text(&self, key: &str) -> bool {
        matches!(self.entries.get(key), Some((_, DeValue::String(_))))
    }

    /// The line of `key` as long as it has not been asked for; else that of the table.
    #[must_use]
    pub fn line_of(&self, key: &str) -> usize {
        self.entries.get(key).map_or(self.line, |(line, _)| *line)
    }

    /// A text.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        let (line, value) = self.take(key)?;
        match value {
            DeValue::String(text) if !text.is_empty() => Some(text.into_owned()),
            DeValue::String(_) => {
                self.wrong(line, key, "is empty");
                None
            }
            _ => {
                self.wrong(line, key, "is to be a text in quotes");
                None
            }
        }
    }

    /// A text that must be there; without it a fault, and an empty text to go on with.
    pub fn needed(&mut self, key: &'static str) -> String {
        self.must(key);
        self.text(key).unwrap_or_default()
    }

    /// A fault when `key` is missing.
    pub fn must(&self, key: &str) {
        if !self.has(key) {
            let place = if self.name.is_empty() { "the spec".into() } else { format!("[{}]", self.name) };
            self.fault(self.line, format!("{place} has no `{key}`"));
        }
    }

    /// A path; absolute, since a spec is read from cron and from anywhere.
    pub fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        let line = self.line_of(key);
        let path = PathBuf::from(self.text(key)?);
        if path.is_absolute() {
            return Some(path);
        }
        self.wrong(line, key, "is to be an absolute path");
        None
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &'static str) -> Option<bool> {
        match self.take(key)? {
            (_, DeValue::Boolean(flag)) => Some(flag),
            (line, _) => {
                self.wrong(line, key, "is to be true or false");
                None
            }
        }
    }

    /// A time such as `"30s"` or `"24h"`.
    pub fn duration(&mut self, key: &'static str) -> Option<Duration> {
        let line = self.line_of(key);
        let text = self.text(key)?;
        match units::duration(&text) {
            Ok(time) => Some(time),
            Err(why) => {
                self.wrong(line, key, &why);
                None
            }
        }
    }

    /// A whole number within `range`.
    pub fn number(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let (line, value) = self.take(key)?;
        let number = match &value {
            DeValue::Integer(digits) => u64::from_str_radix(digits.as_str(), digits.radix()).ok(),
            _ => None,
        };
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most) = range.into_inner();
            self.wrong(line, key, &format!("is to be a whole number from {least} to {most}"));
        }
        number
    }

    /// One of `names`, as its place among them.
    pub fn choice(&mut self, key: &'static str, names: &[&str]) -> Option<usize> {
        let line = self.line_of(key);
        let text = self.text(key)?;
        let found = names.iter().position(|name| *name == text);
        if found.is_none() {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            self.wrong(line, key, &format!("is `{text}`; it is to be {}", near::either(&names)));
        }
        found
    }

    /// A list of texts; a single text is a list of one.
    pub fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        let (line, value) = self.take(key)?;
        let texts = match value {
            DeValue::String(text) => Some(vec![text.into_owned()]),
            DeValue::Array(items) => items.into_iter().map(|item| text_of(item.into_inner())).collect(),
            _ => None,
        };
        let texts = texts.filter(|texts: &Vec<String>| !texts.is_empty());
        if texts.is_none() {
            self.wrong(line, key, "is to be a list of texts in quotes");
        }
        texts
    }

    /// Names of hosts; whether they can be that is judged when it is known how hosts are named.
    pub fn hosts(&mut self, key: &'static str) -> Option<Vec<String>> {
        let line = self.line_of(key);
        let names = self.texts(key)?;
        self.faults.hosts.borrow_mut().push((line, names.clone()));
        Some(names)
    }

    /// The names of hosts that were read, of all tables, each list with its line.
    #[must_use]
    pub fn all_hosts(&self) -> Vec<(usize, Vec<String>)> {
        self.faults.hosts.take()
    }

    /// A command: a list is run as it is, a text by `sh -c`.
    pub fn command(&mut self, key: &'static str) -> Option<Vec<String>> {
        let is_text = self.is_text(key);
        let mut words = self.texts(key)?;
        if is_text {
            words.splice(0..0, ["sh".to_owned(), "-c".to_owned()]);
        }
        Some(words)
    }

    /// A table.
    pub fn table(&mut self, key: &'static str) -> Option<Table<'t>> {
        let name = self.path_of(key);
        match self.take(key)? {
            (line, DeValue::Table(table)) => Some(Self::of(name, line, table, self.faults)),
            (line, _) => {
                self.wrong(line, key, "is to be a table");
                None
            }
        }
    }

    /// A list of tables, as `[[key]]` makes it.
    pub fn tables(&mut self, key: &'static str) -> Vec<Table<'t>> {
        let name = self.path_of(key);
        let Some((line, value)) = self.take(key) else { return Vec::new() };
        let DeValue::Array(items) = value else {
            self.wrong(line, key, &format!("is to be written as [[{name}]]"));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items {
            let line = self.faults.line(item.span().start);
            match item.into_inner() {
                DeValue::Table(table) => tables.push(Self::of(name.clone(), line, table, self.faults)),
                _ => self.wrong(line, key, &format!("is to be written as [[{name}]]")),
            }
        }
        tables
    }

    /// A table whose keys are the user's own, and whose values are texts; with the line of each.
    pub fn map(&mut self, key: &'static str) -> Option<Vec<(String, String, usize)>> {
        let table = self.table(key)?;
        let mut all = Vec::new();
        for (name, (line, value)) in table.entries {
            match text_of(value) {
                Some(text) => all.push((name, text, line)),
                None => self.wrong(line, &name, "is to be a text in quotes"),
            }
        }
        Some(all)
    }

    /// Where a secret is read from: `{ file = PATH }`, `{ credential = NAME }` or `{ env = NAME }`.
    pub fn source(&mut self, key: &'static str) -> Option<Source> {
        let mut table = self.table(key)?;
        let file = table.path("file").map(Source::File);
        table.into_one_source(file)
    }

    /// `file`, or what else the table says, which is to be one thing.
    fn into_one_source(mut self, file: Option<Source>) -> Option<Source> {
        let (line, name, faults) = (self.line, self.name.clone(), self.faults);
        let credential = self.text("credential").map(Source::Credential);
        let env = self.text("env").map(Source::Env);
        self.finish();
        let given: Vec<_> = [file, credential, env].into_iter().flatten().collect();
        let Ok([source]) = <[Source; 1]>::try_from(given) else {
            let ways = "is to be one of { file = PATH }, { credential = NAME }, { env = NAME }";
            faults.add(line, format!("`{name}`: {ways}"));
            return None;
        };
        faults.sources.borrow_mut().push((line, source.clone()));
        Some(source)
    }

    /// Says which of `keys` stand here and belong into the table `place`.
    pub fn misplaced(&mut self, keys: &[&str], place: &str) {
        for key in keys {
            if let Some((line, _)) = self.entries.remove(*key) {
                let path = self.path_of(key);
                self.fault(line, format!("there is no key `{path}`; did you mean `{place}.{key}`?"));
            }
        }
    }

    /// Judges those of `keys` that are there, of a table whose kind is not known, and so neither which it
    /// must have nor which it cannot have.
    pub fn judge(mut self, keys: &[(&'static str, Shape)]) {
        for &(key, shape) in keys {
            match shape {
                Shape::Text => drop(self.text(key)),
                Shape::Path => drop(self.path(key)),
                Shape::Texts => drop(self.texts(key)),
                Shape::Hosts => drop(self.hosts(key)),
                Shape::Flag => _ = self.flag(key),
                Shape::Source => drop(self.source(key)),
            }
        }
    }

    /// Says which keys nobody asked for.
    pub fn finish(self) {
        for (key, (line, _)) in &self.entries {
            let hint = near::did_you_mean(key, self.asked.iter().copied());
            self.fault(*line, format!("there is no key `{}`{hint}", self.path_of(key)));
        }
    }
}

fn text_of(value: DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.into_owned()),
        _ => None,
    }
}
