//! The columns of a table: how they are called, and which one is meant.

mod reference;

use std::collections::BTreeSet;

use common::near;

pub use reference::{Item, Reference, parse_list, split_assignment};
pub(crate) use reference::{position, split_list};

/// So many names are shown of a table that has none like the one that was asked for.
const SHOWN: usize = 6;

/// The columns of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// What the header says; `None` without one.
    names: Option<Vec<Vec<u8>>>,
    count: usize,
    /// What messages call the table.
    table: String,
}

impl Columns {
    /// The columns of a table with a header. `names` are the values of its fields, `table` is what
    /// messages call it: the name of the input.
    #[must_use]
    pub fn named(names: Vec<Vec<u8>>, table: impl Into<String>) -> Self {
        Self { count: names.len(), names: Some(names), table: table.into() }
    }

    /// The columns of a table without a header.
    #[must_use]
    pub fn counted(count: usize, table: impl Into<String>) -> Self {
        Self { names: None, count, table: table.into() }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// What messages call the table.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// What the header calls the column, which is counted from 0; `None` without a header.
    #[must_use]
    pub fn name(&self, column: usize) -> Option<&[u8]> {
        self.names.as_ref()?.get(column).map(Vec::as_slice)
    }

    /// The column that is meant, counted from 0.
    ///
    /// # Errors
    /// A sentence when there is none, which names the nearest there are, or more than one.
    pub fn find(&self, wanted: &Reference) -> Result<usize, String> {
        match wanted {
            Reference::Position(position) => self.at(*position),
            Reference::Name(name) => self.called(name),
        }
    }

    /// The columns of a list in its order; what stands twice in it is there twice.
    ///
    /// # Errors
    /// A sentence when one of them is not there.
    pub fn find_all(&self, items: &[Item]) -> Result<Vec<usize>, String> {
        let mut found = Vec::new();
        for item in items {
            match item {
                Item::One(wanted) => found.push(self.find(wanted)?),
                Item::Range(first, None) => found.extend(self.at(*first)?..self.count),
                Item::Range(first, Some(last)) => found.extend(self.at(*first)?..=self.at(*last)?),
            }
        }
        Ok(found)
    }

    /// The columns that are not in a list, in the order of the table.
    ///
    /// # Errors
    /// A sentence when one of the list is not there.
    pub fn find_others(&self, list: &[Item]) -> Result<Vec<usize>, String> {
        let dropped: BTreeSet<usize> = self.find_all(list)?.into_iter().collect();
        Ok((0..self.count).filter(|column| !dropped.contains(column)).collect())
    }

    /// Whether a name is near to none of the table: then it may be no name at all.
    pub(crate) fn is_foreign(&self, name: &str) -> bool {
        let texts = self.texts();
        near::nearest(name, texts.iter().map(String::as_str)).is_empty()
    }

    fn at(&self, position: usize) -> Result<usize, String> {
        let missing = || {
            let count = counted(self.count);
            format!("no column {} in {}, which has {count}", Reference::Position(position), self.table)
        };
        position.checked_sub(1).filter(|column| *column < self.count).ok_or_else(missing)
    }

    fn called(&self, name: &str) -> Result<usize, String> {
        let names = self.names.as_deref().unwrap_or_default();
        let is_it = |(_, found): &(usize, &Vec<u8>)| found.as_slice() == name.as_bytes();
        let found: Vec<usize> = names.iter().enumerate().filter(is_it).map(|(column, _)| column).collect();
        match found.as_slice() {
            [one] => Ok(*one),
            [] => Err(format!("no column {} in {}{}", shown(name), self.table, self.advice(name))),
            [first, ..] => Err(self.ambiguous(name, *first, &found)),
        }
    }

    fn ambiguous(&self, name: &str, first: usize, found: &[usize]) -> String {
        let number = |column: &usize| Reference::Position(column + 1).to_string();
        let numbers: Vec<String> = found.iter().take(SHOWN).map(number).collect();
        let more = found.len() - numbers.len();
        let list = if more > 0 {
            format!("{} and {more} more", numbers.join(", "))
        } else {
            numbers.join(" and ").replacen(" and ", ", ", numbers.len().saturating_sub(2))
        };
        let (name, table) = (shown(name), &self.table);
        format!("{name} is the name of {} columns in {table}: {list}; write ${}", found.len(), first + 1)
    }

    fn advice(&self, name: &str) -> String {
        if self.count == 0 {
            return ", which has no columns".into();
        }
        if self.names.is_none() {
            return format!(", which is read without a header: write $1 to ${}", self.count);
        }
        let texts = self.texts();
        let first = texts.first().map_or("", String::as_str);
        if first.starts_with("sep=") {
            return "; `sep=` is a note for Excel and no header: pass over it with --skip 1".into();
        }
        if first.starts_with(['{', '[']) {
            return format!("; it has {}: if that is JSON, read it with --from jsonl", shown(first));
        }
        let folded = |name: &str| name.trim().to_lowercase();
        if let Some(same) = texts.iter().find(|text| folded(text) == folded(name)) {
            let is_space = same.trim() != same.as_str();
            let why = if is_space { "with white space: write it in backticks" } else { "" };
            let comma = if is_space { ", " } else { "" };
            return format!("; it is written {} there{comma}{why}", shown(same));
        }
        let near = near::nearest(name, texts.iter().map(String::as_str));
        if near.is_empty() {
            return listed(&texts);
        }
        let near: Vec<String> = near.into_iter().map(shown).collect();
        format!("; did you mean {}?", near::either(&near))
    }

    /// The names as text; bytes that are none become U+FFFD.
    fn texts(&self) -> Vec<String> {
        let names = self.names.as_deref().unwrap_or_default();
        names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }
}

/// The names there are, where none is near.
fn listed(texts: &[String]) -> String {
    let list: Vec<String> = texts.iter().take(SHOWN).map(|text| shown(text)).collect();
    let more = texts.len() - list.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("; it has {}{more}", list.join(", "))
}

fn counted(count: usize) -> String {
    match count {
        0 => "none".into(),
        1 => "only $1".into(),
        _ => format!("$1 to ${count}"),
    }
}

/// A name as messages show it: in backticks, and cut where it is very long.
fn shown(name: &str) -> String {
    let mut short: String = name.chars().take(40).collect();
    if short.len() < name.len() {
        short.push_str("...");
    }
    format!("`{}`", short.replace('`', "``"))
}

#[cfg(test)]
mod tests;
