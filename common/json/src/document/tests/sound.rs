//! What every edit must hold to, whatever the text: the value is the one that is wanted, and what
//! stands outside of the edit is as it was.

use std::ops::Range;
use std::path::Path as FilePath;

use serde_json::Value;

use crate::document::Document;
use crate::find::{Item, Level, find};
use crate::path::{Path, index_of};
use crate::plain::plain;
use crate::scan::Syntax;
use crate::text::Text;

/// An edit at the place to which names lead.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    Set(Vec<String>, String),
    Add(Vec<String>, String),
    Remove(Vec<String>),
}

impl Edit {
    fn names(&self) -> &[String] {
        match self {
            Self::Set(names, _) | Self::Add(names, _) | Self::Remove(names) => names,
        }
    }

    fn value(&self) -> &str {
        match self {
            Self::Set(_, value) | Self::Add(_, value) => value,
            Self::Remove(_) => "",
        }
    }
}

/// Makes an edit in a valid text; the new one, or the text itself where the edit is refused.
///
/// # Panics
/// When something is not as it must be.
pub(crate) fn edited(before: &[u8], syntax: Syntax, edit: &Edit) -> Vec<u8> {
    let mut document = Document::new(Text::new(before.to_vec()), syntax, FilePath::new("x"));
    let path = Path::pointer(edit.names());
    let done = match edit {
        Edit::Set(_, value) => document.set(&path, value.as_bytes()),
        Edit::Add(_, value) => document.add(&path, value.as_bytes()),
        Edit::Remove(_) => document.remove(&path).map(|_| ()),
    };
    let after = document.text().all().expect("it is in memory");
    let shown =
        || format!("{edit:?}\n{}\n---\n{}", String::from_utf8_lossy(before), String::from_utf8_lossy(&after));
    if let Err(fault) = document.check(&Path::of(&[])) {
        panic!("{}\n{}", document.complain(fault), shown());
    }
    if let Ok(old) = serde_json::from_slice::<Value>(&plain(before)) {
        let mut want = old.clone();
        let is_wanted = apply(&mut want, edit).is_some();
        assert_eq!(done.is_ok(), is_wanted, "{done:?}\n{}", shown());
        let want = if is_wanted { want } else { old };
        let new: Value = serde_json::from_slice(&plain(&after)).expect("it is scanned");
        assert_eq!(new, want, "{}", shown());
    }
    if done.is_err() {
        assert_eq!(before, after, "{}", shown());
    } else if let Some(place) = place(before, syntax, edit) {
        let (head, tail) = (&before[..place.start], &before[place.end..]);
        let is_local =
            after.len() >= head.len() + tail.len() && after.starts_with(head) && after.ends_with(tail);
        assert!(is_local, "more than {place:?} has changed\n{}", shown());
        let inside = &after[place.start..after.len() - tail.len()];
        looks_alike(&without_item(before, place, syntax, edit), inside, edit, shown);
    }
    after
}

/// The bytes of a place, without the item that is removed: its own comments go with it.
fn without_item(text: &[u8], place: Range<usize>, syntax: Syntax, edit: &Edit) -> Vec<u8> {
    let route = find(&Text::new(text.to_vec()), syntax, &Path::pointer(edit.names()));
    let item = route.ok().and_then(|route| route.levels.get(edit.names().len().checked_sub(1)?)?.hit.clone());
    match (edit, item) {
        (Edit::Remove(_), Some(Item { begin, value, .. })) => {
            let offset = |offset: u64| usize::try_from(offset).unwrap_or(0);
            [&text[place.start..offset(begin)], &text[offset(value.span.end)..place.end]].concat()
        }
        _ => text[place].to_vec(),
    }
}

/// What is in the place of the edit: comments stay, and no line is left blank.
fn looks_alike(before: &[u8], after: &[u8], edit: &Edit, shown: impl Fn() -> String) {
    let is_replaced = serde_json::from_slice::<Value>(&plain(before)).is_ok();
    assert!(is_replaced || comments(before) == comments(after), "the comments differ\n{}", shown());
    let more = |count: fn(&[u8]) -> usize| count(after) > count(before) + count(edit.value().as_bytes());
    assert!(!more(blank_lines), "there is one more blank line\n{}", shown());
    assert!(!more(blanks_at_ends), "there are more blanks at the end of a line\n{}", shown());
}

fn blank_lines(text: &[u8]) -> usize {
    // The first and the last are parts of lines.
    let lines: Vec<_> = text.split(|byte| *byte == b'\n').collect();
    lines
        .get(1..lines.len() - 1)
        .map_or(0, |lines| lines.iter().filter(|line| line.trim_ascii().is_empty()).count())
}

fn blanks_at_ends(text: &[u8]) -> usize {
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    let ends = |line: &&[u8]| {
        line.strip_suffix(b"\n")
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .is_some_and(|line| line.ends_with(b" ") || line.ends_with(b"\t"))
    };
    lines.filter(ends).count()
}

fn comments(text: &[u8]) -> Vec<&[u8]> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let rest = &text[at..];
        let end = |mark: &[u8], from: usize| {
            rest[from..]
                .windows(mark.len())
                .position(|part| part == mark)
                .map_or(rest.len(), |end| end + from)
        };
        let length = match rest {
            [b'"', ..] => 1 + string(&rest[1..]),
            [b'/', b'/', ..] => end(b"\n", 0),
            [b'/', b'*', ..] => (end(b"*/", 2) + 2).min(rest.len()),
            _ => 1,
        };
        if rest[0] == b'/' {
            found.push(rest[..length].trim_ascii_end());
        }
        at += length;
    }
    found
}

fn string(rest: &[u8]) -> usize {
    let mut is_escaped = false;
    let end = rest.iter().position(|byte| {
        let ends = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        ends
    });
    end.map_or(rest.len(), |end| end + 1)
}

/// The bytes that an edit may change; `None` where it may change more than one place.
fn place(text: &[u8], syntax: Syntax, edit: &Edit) -> Option<Range<usize>> {
    let names = edit.names();
    let route = find(&Text::new(text.to_vec()), syntax, &Path::pointer(names)).ok()?;
    let range = |range: Range<u64>| {
        usize::try_from(range.start).unwrap_or(0)..usize::try_from(range.end).unwrap_or(0)
    };
    let gap = route.levels.iter().find(|level| level.hit.is_none());
    let last = names.len().checked_sub(1).and_then(|last| route.levels.get(last));
    match (edit, gap, last) {
        (Edit::Remove(_), None, Some(Level { hit: Some(item), twins, open, close, .. })) if *twins < 2 => {
            Some(around(text, item, range(*open + 1..*close)))
        }
        (Edit::Remove(_), ..) => None,
        (_, Some(level), _) => {
            let begin = level.last.as_ref().map_or(level.open + 1, |last| last.value.span.end);
            Some(range(begin..level.close))
        }
        (Edit::Add(..), None, Some(Level { is_object: false, open, hit: Some(item), .. })) => {
            Some(range(item.comma_before.unwrap_or(*open) + 1..item.begin))
        }
        _ => Some(range(route.value(names.len())?.span.clone())),
    }
}

/// An item, its commas and the blanks around them.
fn around(text: &[u8], item: &Item, inside: Range<usize>) -> Range<usize> {
    let offset = |offset: u64| usize::try_from(offset).unwrap_or(0);
    let begin = item.comma_before.map_or(inside.start, |comma| text[..offset(comma)].trim_ascii_end().len());
    let end = offset(item.comma_after.map_or(item.value.span.end, |comma| comma + 1));
    let blanks = text[end..inside.end].len() - text[end..inside.end].trim_ascii_start().len();
    begin..end + blanks
}

/// The same on a value; `None` where it cannot be done.
fn apply(value: &mut Value, edit: &Edit) -> Option<()> {
    let names = edit.names();
    let new: Value = serde_json::from_str(edit.value()).unwrap_or_default();
    match edit {
        Edit::Set(..) => set(value, names, new),
        Edit::Add(..) => add(value, names, new),
        Edit::Remove(_) => {
            let (last, way) = names.split_last()?;
            match follow(value, way) {
                Some(Value::Object(members)) => drop(members.remove(last)),
                Some(Value::Array(items)) => {
                    drop(
                        index_of(last).filter(|index| *index < items.len()).map(|index| items.remove(index)),
                    );
                }
                _ => {}
            }
            Some(())
        }
    }
}

fn follow<'a>(value: &'a mut Value, names: &[String]) -> Option<&'a mut Value> {
    names.iter().try_fold(value, |value, name| match value {
        Value::Object(members) => members.get_mut(name),
        Value::Array(items) => items.get_mut(index_of(name)?),
        _ => None,
    })
}

fn set(value: &mut Value, names: &[String], new: Value) -> Option<()> {
    let Some((name, further)) = names.split_first() else {
        *value = new;
        return Some(());
    };
    match value {
        Value::Object(members) => match members.get_mut(name) {
            Some(member) => set(member, further, new)?,
            None => drop(members.insert(name.clone(), made(further, new)?)),
        },
        Value::Array(items) => match index_of(name) {
            Some(index) if index < items.len() => set(&mut items[index], further, new)?,
            Some(index) if index == items.len() => items.push(made(further, new)?),
            None if name == "-" => items.push(made(further, new)?),
            _ => return None,
        },
        _ => return None,
    }
    Some(())
}

/// `new` inside of the containers that `names` ask for.
fn made(names: &[String], new: Value) -> Option<Value> {
    names.iter().rev().try_fold(new, |inner, name| match index_of(name) {
        Some(_) => None,
        None if name == "-" => Some(Value::Array(vec![inner])),
        None => Some(Value::Object([(name.clone(), inner)].into_iter().collect())),
    })
}

fn add(value: &mut Value, names: &[String], new: Value) -> Option<()> {
    let Some((last, way)) = names.split_last() else {
        *value = new;
        return Some(());
    };
    match follow(value, way)? {
        Value::Object(members) => drop(members.insert(last.clone(), new)),
        Value::Array(items) => {
            let index = if last == "-" {
                items.len()
            } else {
                index_of(last).filter(|index| *index <= items.len())?
            };
            items.insert(index, new);
        }
        _ => return None,
    }
    Some(())
}
