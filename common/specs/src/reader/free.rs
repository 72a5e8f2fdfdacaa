//! Tables whose keys are the user's own.

use std::path::{Path, PathBuf};

use secrets::Source;
use serde_json::{Map, Number, Value};
use toml::de::{DeTable, DeValue};

use super::Table;
use crate::faults::Faults;

impl Table<'_> {
    /// Values of any kind: numbers that JSON can write, dates as texts, lists and tables of them.
    pub fn values(&mut self, key: &'static str) -> Option<Map<String, Value>> {
        Some(self.table(key)?.into_values())
    }

    /// The same, of the whole table.
    #[must_use]
    pub fn into_values(self) -> Map<String, Value> {
        let mut map = Map::new();
        for (key, (line, value)) in self.entries {
            let path = if self.name.is_empty() { key.clone() } else { format!("{}.{key}", self.name) };
            if let Some(value) = free(value, &path, line, self.faults) {
                map.insert(key, value);
            }
        }
        map
    }

    /// The tables in this table, by the names that the user gave them; anything else in it is a fault.
    #[must_use]
    pub fn into_named(self) -> Vec<(String, Self)> {
        let mut all = Vec::new();
        for (key, (line, value)) in self.entries {
            let name = if self.name.is_empty() { key.clone() } else { format!("{}.{key}", self.name) };
            match value {
                DeValue::Table(table) => all.push((key, Self::of(name, line, table, self.faults))),
                _ => self.faults.add(line, format!("`{name}`: is to be a table")),
            }
        }
        all
    }

    /// The keys that are there and were not asked for, each with its line.
    pub fn keys(&self) -> impl Iterator<Item = (&str, usize)> {
        self.entries.iter().map(|(key, (line, _))| (key.as_str(), *line))
    }

    /// A path; one that is relative is meant from `folder`, that of the spec.
    pub fn path_from(&mut self, key: &'static str, folder: &Path) -> Option<PathBuf> {
        self.text(key).map(|text| folder.join(text))
    }

    /// Where a secret is read from, as this whole table says it: see [`Table::source`]. A relative path is
    /// meant from `folder`.
    #[must_use]
    pub fn into_source(mut self, folder: &Path) -> Option<Source> {
        let file = self.path_from("file", folder).map(Source::File);
        self.into_one_source(file)
    }
}

fn free(value: DeValue<'_>, path: &str, line: usize, faults: &Faults) -> Option<Value> {
    match value {
        DeValue::String(text) => Some(Value::String(text.into_owned())),
        DeValue::Boolean(flag) => Some(Value::Bool(flag)),
        DeValue::Datetime(time) => Some(Value::String(time.to_string())),
        DeValue::Integer(digits) => {
            let number = i64::from_str_radix(digits.as_str(), digits.radix()).ok();
            if number.is_none() {
                faults.add(line, format!("`{path}`: is a number of more than 64 bits"));
            }
            number.map(Value::from)
        }
        DeValue::Float(digits) => {
            let number = digits.as_str().parse().ok().and_then(Number::from_f64);
            if number.is_none() {
                faults.add(line, format!("`{path}`: is to be a finite number"));
            }
            number.map(Value::Number)
        }
        DeValue::Array(items) => {
            let item = |item: toml::Spanned<DeValue<'_>>| free(item.into_inner(), path, line, faults);
            // No short cut: every fault of the list is to be told.
            let all: Vec<_> = items.into_iter().map(item).collect();
            all.into_iter().collect()
        }
        DeValue::Table(table) => Some(Value::Object(inner(table, path, faults))),
    }
}

fn inner(table: DeTable<'_>, path: &str, faults: &Faults) -> Map<String, Value> {
    let mut map = Map::new();
    for (key, value) in table {
        let line = faults.line(key.span().start);
        let key = key.into_inner().into_owned();
        if let Some(value) = free(value.into_inner(), &format!("{path}.{key}"), line, faults) {
            map.insert(key, value);
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: &str) {
        let faults = Faults::of(text);
        let values = crate::parse(text, &faults).values("v");
        let faults = faults.into_sorted();
        let mut got: Vec<String> =
            faults.iter().map(|fault| format!("{}: {}", fault.line, fault.what)).collect();
        got.extend(values.map(|values| Value::Object(values).to_string()).filter(|_| faults.is_empty()));
        assert_eq!(got.join("; "), want, "{text}");
    }

    #[test]
    fn values_are_of_any_kind() {
        check("v = { a = 1, b = -2.5, c = true, d = [1, 'x'] }", r#"{"a":1,"b":-2.5,"c":true,"d":[1,"x"]}"#);
        check("v.day = 2026-01-02\nv.hex = 0x1F", r#"{"day":"2026-01-02","hex":31}"#);
        check("[v.a.b]\nc = ''", r#"{"a":{"b":{"c":""}}}"#);
        check(
            "v.a = [\n{ n = nan }]\nv.b = +inf",
            "2: `v.a.n`: is to be a finite number; 3: `v.b`: is to be a finite number",
        );
        check("v.a = 9223372036854775808", "1: `v.a`: is a number of more than 64 bits");
        check("v = 1", "1: `v`: is to be a table");
        check("", "");
    }

    #[test]
    fn a_source_may_be_relative_to_its_spec() {
        let text = "[s]\na = { file = 'x' }\nb = { file = '/x' }\nc = { env = 'X', file = 'y' }\nd = 1";
        let faults = Faults::of(text);
        let named = crate::parse(text, &faults).table("s").unwrap().into_named();
        let got: Vec<_> =
            named.into_iter().map(|(name, table)| (name, table.into_source(Path::new("/f")))).collect();
        let file = |path: &str| Some(Source::File(path.into()));
        assert_eq!(got, [("a".into(), file("/f/x")), ("b".into(), file("/x")), ("c".into(), None)]);
        let faults: Vec<_> =
            faults.into_sorted().into_iter().map(|fault| format!("{}: {}", fault.line, fault.what)).collect();
        let ways = "is to be one of { file = PATH }, { credential = NAME }, { env = NAME }";
        assert_eq!(faults, [format!("4: `s.c`: {ways}"), "5: `s.d`: is to be a table".into()]);
    }
}
