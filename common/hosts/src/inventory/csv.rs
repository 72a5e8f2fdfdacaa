//! Our own fields in CSV, with a header line.
//!
//! The columns `name`, `address`, `port`, `user`, `key`, `jump` and `tags` may stand in any order;
//! every other column is a tag of that name. Several keys or values of a tag are separated by `;`,
//! in `tags` they are written `env=prod;role=web`. A line that begins with `#` is a comment.

use std::borrow::Cow;

use csv::{ReaderBuilder, StringRecord};

use super::check;
use super::draft::{Draft, Drafts};
use super::found::Found;

/// Reads the hosts of `text`; the line and the sentence when it has no header.
pub(super) fn read(text: &str, found: &mut Found) -> Result<(), (u64, String)> {
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| (1, error.to_string()))?.clone();
    if !header.iter().any(|column| column == "name") {
        return Err((1, "the first line names no column `name`".into()));
    }
    for (index, column) in header.iter().enumerate() {
        if header.iter().take(index).any(|before| before == column) {
            return Err((1, format!("the column `{column}` is there twice")));
        }
    }
    let mut drafts = Drafts::default();
    let mut record = StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => return Err((reader.position().line(), error.to_string())),
        }
        let line = record.position().map_or(0, csv::Position::line);
        match row(&header, &record, line, found) {
            Ok(draft) => drafts.add(draft, found),
            Err(what) => found.error(line, format!("{what}; the host is left out")),
        }
    }
}

fn row<'t>(
    header: &StringRecord,
    record: &StringRecord,
    line: u64,
    found: &Found,
) -> Result<Draft<'t>, String> {
    if record.len() != header.len() {
        return Err(format!("the line has {} fields, the header {}", record.len(), header.len()));
    }
    let mut draft = Draft { line, ..Draft::default() };
    for (column, value) in header.iter().zip(record).filter(|(_, value)| !value.is_empty()) {
        match column {
            "name" => draft.name = Cow::Owned(value.to_owned()),
            "address" => draft.address = Some(Cow::Owned(value.to_owned())),
            "port" => draft.port = Some(check::port(value)?),
            "user" => draft.set_user(value)?,
            "key" | "keys" => draft.keys.extend(parts(value).map(|key| found.key(key))),
            "jump" => draft.set_jump(value)?,
            "tags" => add_tags(&mut draft, value)?,
            "" => return Err("a column without a name has a value".into()),
            tag => parts(value).for_each(|value| draft.tags.add(tag, value)),
        }
    }
    Ok(draft)
}

fn parts(value: &str) -> impl Iterator<Item = &str> {
    value.split(';').map(str::trim).filter(|part| !part.is_empty())
}

fn add_tags(draft: &mut Draft, value: &str) -> Result<(), String> {
    for pair in parts(value) {
        match pair.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => draft.tags.add(key.trim(), value.trim()),
            _ => return Err(format!("`{pair}` is no tag; write env=prod;role=web")),
        }
    }
    Ok(())
}
