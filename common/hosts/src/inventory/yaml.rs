//! YAML as a tree with lines, with its aliases and `<<` put in.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};

use super::node::{DEEPEST, Entries, Node, Value};

/// Values of one file at most, aliases counted as what they stand for: a few lines of aliases can
/// stand for more than any memory.
const MOST: usize = 5_000_000;

/// Bytes of a text that an alias stands for and that count as one value.
const TEXT: usize = 64;

/// The tree of the only document of `text`, or the line and the sentence of its first fault.
pub(super) fn read(text: &str) -> Result<Node<'_>, (u64, String)> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| fault(&error))?;
        let line = span.start.line() as u64;
        builder.take(event, line).map_err(|what| (line, what))?;
    }
    Ok(builder.whole.unwrap_or(Node { line: 1, value: Value::Nothing }))
}

fn fault(error: &ScanError) -> (u64, String) {
    (error.marker().line() as u64, error.info().to_owned())
}

enum Open<'t> {
    List(Vec<Node<'t>>),
    Map(Map<'t>),
}

#[derive(Default)]
struct Map<'t> {
    own: Entries<'t>,
    /// What `<<` brought.
    inherited: Entries<'t>,
    /// The key that waits for its value.
    key: Option<Cow<'t, str>>,
}

impl<'t> Map<'t> {
    /// `<<: *defaults`: of several the first has a key, and the mapping itself before all of them.
    fn inherit(&mut self, node: Node<'t>) -> Result<(), String> {
        let maps = match node.value {
            Value::List(nodes) => nodes,
            _ => vec![node],
        };
        for map in maps {
            let new = map.into_entries().map_err(|node| format!("`<<` is {}, not a mapping", node.kind()))?;
            self.inherited.extend(new);
        }
        Ok(())
    }

    fn entries(self) -> Entries<'t> {
        let mut known: BTreeSet<Cow<str>> = BTreeSet::new();
        if !self.inherited.is_empty() {
            known.extend(self.own.iter().map(|(key, _)| key.clone()));
        }
        let mut entries = self.inherited;
        entries.retain(|(key, _)| known.insert(key.clone()));
        entries.extend(self.own);
        entries
    }
}

struct Level<'t> {
    line: u64,
    anchor: usize,
    open: Open<'t>,
}

#[derive(Default)]
struct Builder<'t> {
    levels: Vec<Level<'t>>,
    anchors: BTreeMap<usize, (Node<'t>, usize)>,
    count: usize,
    whole: Option<Node<'t>>,
}

impl<'t> Builder<'t> {
    fn take(&mut self, event: Event<'t>, line: u64) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar(text, style, tag.as_deref());
                self.put(Node { line, value }, anchor)
            }
            Event::SequenceStart(anchor, _) => self.open(line, anchor, Open::List(Vec::new())),
            Event::MappingStart(anchor, _) => self.open(line, anchor, Open::Map(Map::default())),
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => {
                let (mut node, size) = self.anchors.get(&anchor).cloned().ok_or("an alias of itself")?;
                self.count(size)?;
                node.line = line;
                self.put(node, 0)
            }
            Event::DocumentStart(_) if self.whole.is_some() => Err("a second document begins here".into()),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn count(&mut self, more: usize) -> Result<(), String> {
        self.count += more;
        if self.count > MOST { Err(format!("more than {MOST} values, aliases put in")) } else { Ok(()) }
    }

    fn open(&mut self, line: u64, anchor: usize, open: Open<'t>) -> Result<(), String> {
        if self.levels.len() > DEEPEST {
            return Err(format!("nested more than {DEEPEST} deep"));
        }
        self.levels.push(Level { line, anchor, open });
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        let Some(Level { line, anchor, open }) = self.levels.pop() else {
            return Ok(());
        };
        let value = match open {
            Open::List(nodes) => Value::List(nodes),
            Open::Map(map) => Value::Map(map.entries()),
        };
        self.put(Node { line, value }, anchor)
    }

    fn put(&mut self, node: Node<'t>, anchor: usize) -> Result<(), String> {
        self.count(1)?;
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size(&node)));
        }
        match self.levels.last_mut().map(|level| &mut level.open) {
            None => self.whole = Some(node),
            Some(Open::List(nodes)) => nodes.push(node),
            Some(Open::Map(map)) => match map.key.take() {
                None => map.key = Some(key_of(node)?),
                Some(key) if key == "<<" => map.inherit(node)?,
                Some(key) => map.own.push((key, node)),
            },
        }
        Ok(())
    }
}

/// Values, where a text counts as several when it is long: an alias is a copy of it.
fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::Scalar(text) => text.len() / TEXT,
        Value::List(nodes) => nodes.iter().map(size).sum(),
        Value::Map(entries) => entries.iter().map(|(_, node)| size(node)).sum::<usize>(),
        Value::Nothing | Value::Vault => 0,
    }
}

fn key_of(node: Node<'_>) -> Result<Cow<'_, str>, String> {
    match node.value {
        Value::Scalar(text) => Ok(text),
        Value::Nothing => Ok(Cow::Borrowed("null")),
        _ => Err(format!("a key is {}", node.kind())),
    }
}

fn scalar<'t>(text: Cow<'t, str>, style: ScalarStyle, tag: Option<&Tag>) -> Value<'t> {
    if tag.is_some_and(|tag| matches!(tag.suffix.as_str(), "vault" | "vault-encrypted")) {
        return Value::Vault;
    }
    let is_null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
    if is_null && tag.is_none() { Value::Nothing } else { Value::Scalar(text) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, want: &str) {
        let shown = match read(text) {
            Ok(node) => show(&node),
            Err((line, what)) => format!("line {line}: {what}"),
        };
        assert_eq!(shown, want, "{text}");
    }

    fn show(node: &Node) -> String {
        let line = node.line;
        match &node.value {
            Value::Nothing => format!("{line}:-"),
            Value::Vault => format!("{line}:vault"),
            Value::Scalar(text) => format!("{line}:{text}"),
            Value::List(nodes) => {
                format!("{line}:[{}]", nodes.iter().map(show).collect::<Vec<_>>().join(" "))
            }
            Value::Map(entries) => {
                let shown: Vec<_> =
                    entries.iter().map(|(key, node)| format!("{key}={}", show(node))).collect();
                format!("{line}:{{{}}}", shown.join(" "))
            }
        }
    }

    #[test]
    fn values_have_their_lines() {
        check(
            "---\na:\n  - 1\n  - 'null'\n  - ~\nb: # x\nc: {d: 022}\n",
            "2:{a=3:[3:1 4:null 5:-] b=6:- c=7:{d=7:022}}",
        );
        check("", "1:-");
        check("p: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  62\n", "1:{p=1:vault}");
    }

    #[test]
    fn aliases_and_merges_are_put_in() {
        check("a: &x {u: 1, v: 2}\nb:\n  <<: *x\n  v: 3\n", "1:{a=1:{u=1:1 v=1:2} b=3:{u=1:1 v=4:3}}");
        check("a: &x {u: 1}\nb: {u: 2, <<: [*x]}\n", "1:{a=1:{u=1:1} b=2:{u=2:2}}");
        check("a: &x 7\nb: [*x]\n", "1:{a=1:7 b=2:[2:7]}");
    }

    #[test]
    fn a_merge_of_many_keys_is_no_search_for_each() {
        let keys: Vec<String> = (0..100_000).map(|key| format!("k{key}: 1")).collect();
        let text = format!("a: &x {{{}}}\nb: {{<<: *x, k7: 2}}\n", keys.join(", "));
        let entries = read(&text).unwrap().into_entries().unwrap();
        let merged = entries.into_iter().nth(1).unwrap().1.into_entries().unwrap();
        let sevens: Vec<_> =
            merged.iter().filter(|(key, _)| key == "k7").map(|(_, node)| node.scalar()).collect();
        assert_eq!((merged.len(), sevens), (100_000, vec![Some("2")]));
    }

    #[test]
    fn what_cannot_be_an_inventory_is_refused_with_its_line() {
        check("a: 1\n---\nb: 2\n", "line 2: a second document begins here");
        check("? [1]\n: 2\n", "line 1: a key is a list");
        check(&format!("{}\n", "[".repeat(70)), "line 1: nested more than 64 deep");
        let mut bomb = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n".to_owned();
        for level in 1..12 {
            let alias = format!("*a{}", level - 1);
            bomb.extend([format!("a{level}: &a{level} [{}]\n", vec![alias; 10].join(","))]);
        }
        check(&bomb, "line 7: more than 5000000 values, aliases put in");
        let texts = format!("- &x \"{}\\t\"\n{}", "y".repeat(1_000_000), "- *x\n".repeat(400));
        check(&texts, "line 321: more than 5000000 values, aliases put in");
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(text in "[a-b:&*<!|>'\"\\[\\]{}, \n?-]{0,40}") {
            let _ = read(&text);
        }
    }
}
