//! YAML, in which no key may be there twice in a mapping, with aliases and `<<` put in.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Number, Value};

/// Values of one file at most, aliases counted as what they stand for: a few lines of aliases can stand
/// for more than any memory.
const MOST: usize = 1_000_000;

/// As deep as JSON may be here.
const DEEPEST: usize = 127;

/// The documents of `text`.
///
/// # Errors
/// Its first fault, with its place.
pub(super) fn read(text: &str) -> Result<Vec<Value>, String> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let marker = error.marker();
            super::at(marker.line(), marker.col() + 1, error.info())
        })?;
        let (line, column) = (span.start.line(), span.start.col() + 1);
        builder.take(event).map_err(|why| super::at(line, column, &why))?;
    }
    Ok(builder.documents)
}

enum Open {
    List(Vec<Value>),
    Map {
        own: Map<String, Value>,
        /// What `<<` brought.
        inherited: Map<String, Value>,
        /// The key that waits for its value.
        key: Option<String>,
    },
}

/// A value with its size, the number of values in it.
type Sized = (Value, usize);

#[derive(Default)]
struct Builder {
    levels: Vec<(Open, usize, usize)>,
    anchors: BTreeMap<usize, Sized>,
    count: usize,
    documents: Vec<Value>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.grow(1)?;
                if self.awaits_key() {
                    return self.key(text.into_owned(), anchor);
                }
                self.put((scalar(&text, style, tag.as_deref()), 1), anchor)
            }
            Event::SequenceStart(anchor, _) => self.open(Open::List(Vec::new()), anchor),
            Event::MappingStart(anchor, _) => {
                self.open(Open::Map { own: Map::new(), inherited: Map::new(), key: None }, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => {
                let (value, size) = self.anchors.get(&anchor).cloned().ok_or("an alias of itself")?;
                self.grow(size)?;
                match value {
                    Value::String(text) if self.awaits_key() => self.key(text, 0),
                    value => self.put((value, size), 0),
                }
            }
            Event::DocumentStart(_) => {
                self.anchors.clear();
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn grow(&mut self, more: usize) -> Result<(), String> {
        self.count += more;
        if self.count > MOST { Err(format!("more than {MOST} values, aliases put in")) } else { Ok(()) }
    }

    fn open(&mut self, open: Open, anchor: usize) -> Result<(), String> {
        if self.awaits_key() {
            return Err("a key that is a list or a mapping".into());
        }
        if self.levels.len() >= DEEPEST {
            return Err(format!("more than {DEEPEST} levels deep"));
        }
        self.grow(1)?;
        self.levels.push((open, anchor, self.count));
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        let Some((open, anchor, before)) = self.levels.pop() else { return Ok(()) };
        let value = match open {
            Open::List(items) => Value::Array(items),
            Open::Map { own, inherited: mut all, .. } => {
                all.extend(own);
                Value::Object(all)
            }
        };
        self.put((value, self.count - before + 1), anchor)
    }

    fn awaits_key(&self) -> bool {
        matches!(self.levels.last(), Some((Open::Map { key: None, .. }, ..)))
    }

    fn key(&mut self, text: String, anchor: usize) -> Result<(), String> {
        if anchor > 0 {
            self.anchors.insert(anchor, (Value::String(text.clone()), 1));
        }
        if let Some((Open::Map { own, key, .. }, ..)) = self.levels.last_mut() {
            if own.contains_key(&text) {
                return Err(format!("the key `{text}` is there twice"));
            }
            *key = Some(text);
        }
        Ok(())
    }

    fn put(&mut self, (value, size): Sized, anchor: usize) -> Result<(), String> {
        if anchor > 0 {
            self.anchors.insert(anchor, (value.clone(), size));
            self.grow(size)?;
        }
        match self.levels.last_mut() {
            None => self.documents.push(value),
            Some((Open::List(items), ..)) => items.push(value),
            Some((Open::Map { own, inherited, key }, ..)) => match key.take() {
                Some(key) if key == "<<" => return inherit(inherited, value),
                Some(key) => _ = own.insert(key, value),
                None => return Err("a key that is a list or a mapping".into()),
            },
        }
        Ok(())
    }
}

/// `<<: *defaults`: of several the first has a key.
fn inherit(all: &mut Map<String, Value>, value: Value) -> Result<(), String> {
    let maps = match value {
        Value::Array(maps) => maps,
        one => vec![one],
    };
    for map in maps {
        let Value::Object(map) = map else { return Err("`<<` takes mappings".into()) };
        for (key, value) in map {
            all.entry(key).or_insert(value);
        }
    }
    Ok(())
}

/// A scalar by the core schema of YAML 1.2.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    if style != ScalarStyle::Plain || tag.is_some() {
        return text.into();
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => true.into(),
        "false" | "False" | "FALSE" => false.into(),
        _ => number(text).unwrap_or_else(|| text.into()),
    }
}

fn number(text: &str) -> Option<Value> {
    if let Some((digits, radix)) = text
        .strip_prefix("0x")
        .map(|rest| (rest, 16))
        .or_else(|| text.strip_prefix("0o").map(|rest| (rest, 8)))
    {
        return digits
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric())
            .then(|| u64::from_str_radix(digits, radix).ok())?
            .map(Into::into);
    }
    if let Ok(number) = text.parse::<i64>() {
        return Some(number.into());
    }
    let is_float =
        text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    text.parse().ok().filter(|_| is_float).and_then(Number::from_f64).map(Value::Number)
}
