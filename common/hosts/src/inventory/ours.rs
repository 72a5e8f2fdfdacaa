//! Our own fields, in TOML, JSON or YAML.
//!
//! ```toml
//! [defaults]                  # for what a host does not say itself; its tags are added by key
//! user = "ops"
//!
//! [[host]]
//! name = "web[01-06]"         # the only field that must be there; may be a range
//! address = "192.0.2.[1-6]"   # an address for each name
//! port = 22
//! key = "~/.ssh/ops"          # or keys = ["...", "..."]; beside the file when it is relative
//! jump = "bastion"
//! tags = { env = "prod", role = ["web", "edge"] }
//! ```
//!
//! In JSON: a list of such hosts, or `{"defaults": {...}, "hosts": [...]}`. A text in the place of a
//! host is its name. A host alone is an inventory of one, and one after the other are a list: JSON Lines.

use std::borrow::Cow;

use super::draft::{Draft, Drafts};
use super::found::Found;
use super::nearest::meant;
use super::node::{Entries, Node, Value};
use super::{check, names};
use crate::host::Tags;

const FIELDS: [&str; 8] = ["name", "address", "port", "user", "key", "keys", "jump", "tags"];

/// Whether a tree holds our fields, and not groups of Ansible.
pub(super) fn is_ours(tree: &Node) -> bool {
    match &tree.value {
        Value::List(_) => true,
        Value::Map(entries) if is_host(entries) => true,
        Value::Map(entries) => {
            entries
                .iter()
                .any(|(key, node)| matches!(&**key, "host" | "hosts") && matches!(node.value, Value::List(_)))
                && entries.iter().all(|(key, _)| matches!(&**key, "host" | "hosts" | "defaults"))
        }
        _ => false,
    }
}

/// Whether it is a host alone: a group of Ansible is never a single value.
fn is_host(entries: &Entries) -> bool {
    entries.iter().any(|(key, node)| key == "name" && node.scalar().is_some())
}

/// Reads the hosts of `tree`.
pub(super) fn read(tree: Node, found: &mut Found) {
    let mut drafts = Drafts::default();
    let mut hosts = Vec::new();
    match tree.value {
        Value::List(nodes) => hosts.extend(nodes),
        Value::Map(entries) if is_host(&entries) => {
            hosts.push(Node { line: tree.line, value: Value::Map(entries) });
        }
        Value::Map(entries) => {
            for (key, node) in entries {
                match (&*key, node) {
                    ("host" | "hosts", Node { value: Value::List(nodes), .. }) => hosts.extend(nodes),
                    ("host" | "hosts", node) => {
                        let what = format!("`{key}` is {}; write [[host]] for each host", node.kind());
                        found.error(node.line, what);
                    }
                    ("defaults", node) => drafts.defaults = defaults(node, found),
                    (key, node) => {
                        found.error(
                            node.line,
                            format!("there is no `{key}` here{}", meant(key, &["host", "defaults"])),
                        );
                    }
                }
            }
        }
        _ => found.error(tree.line, format!("a list of hosts should stand here, not {}", tree.kind())),
    }
    for host in hosts {
        let draft = host_of(host, found);
        drafts.add(draft, found);
    }
}

fn defaults<'t>(node: Node<'t>, found: &mut Found) -> Draft<'t> {
    let line = node.line;
    let entries = match node.into_entries() {
        Ok(entries) => entries,
        Err(node) => {
            found.error(line, format!("`defaults` is {}, not a mapping", node.kind()));
            return Draft::default();
        }
    };
    let (own, others): (Entries, Entries) =
        entries.into_iter().partition(|(key, _)| !matches!(&**key, "name" | "address"));
    for (key, node) in others {
        found.error(node.line, format!("`{key}` cannot be the same for all hosts"));
    }
    draft(own, line, found)
}

fn host_of<'t>(node: Node<'t>, found: &mut Found) -> Draft<'t> {
    let line = node.line;
    match node.value {
        Value::Map(entries) => draft(entries, line, found),
        Value::Scalar(text) => named(&text, line, found),
        _ => {
            found.error(line, format!("a host is {}, not a mapping", node.kind()));
            Draft { is_lost: true, ..Draft::default() }
        }
    }
}

/// `"ops@web01:2222"` in a list of JSON.
fn named<'t>(text: &str, line: u64, found: &mut Found) -> Draft<'t> {
    let mut draft = Draft { line, ..Draft::default() };
    let said = names::Target::read(text).and_then(|target| {
        draft.port = target.port;
        draft.name = Cow::Owned(target.host.to_owned());
        target.user.map_or(Ok(()), |user| draft.set_user(user))
    });
    if let Err(what) = said {
        found.error(line, format!("{what}; it is left out"));
        draft.is_lost = true;
    }
    draft
}

fn draft<'t>(entries: Entries<'t>, line: u64, found: &mut Found) -> Draft<'t> {
    let mut draft = Draft { line, ..Draft::default() };
    let mut wrong = Vec::new();
    for (key, node) in entries {
        let at = node.line;
        match set(&mut draft, &key, node, found) {
            Ok(()) => {}
            // An unknown field loses no host: what it should have said may be said elsewhere.
            Err(None) => found.error(at, format!("there is no field `{key}`{}", meant(&key, &FIELDS))),
            Err(Some(what)) => wrong.push((at, what)),
        }
    }
    draft.is_lost = !wrong.is_empty();
    for (at, what) in wrong {
        let who =
            if draft.name.is_empty() { String::new() } else { format!("; `{}` is left out", draft.name) };
        found.error(at, format!("{what}{who}"));
    }
    draft
}

/// Sets one field; `None` for an unknown one, else what is wrong with it.
fn set<'t>(draft: &mut Draft<'t>, key: &str, node: Node<'t>, found: &Found) -> Result<(), Option<String>> {
    match key {
        "name" => draft.name = text(key, node)?,
        "address" => draft.address = Some(text(key, node)?),
        "port" => draft.port = Some(check::port(&text(key, node)?)?),
        "user" => draft.set_user(&text(key, node)?)?,
        "key" | "keys" => {
            let keys = texts(key, node)?;
            draft.keys.extend(keys.iter().map(|key| found.key(key)));
        }
        "jump" => draft.set_jump(&texts(key, node)?.join(","))?,
        "tags" => draft.tags = tags(node)?,
        _ => return Err(None),
    }
    Ok(())
}

fn text<'t>(key: &str, node: Node<'t>) -> Result<Cow<'t, str>, String> {
    match node.value {
        Value::Scalar(text) => Ok(text),
        _ => Err(format!("`{key}` is {}, not a single value", node.kind())),
    }
}

fn texts<'t>(key: &str, node: Node<'t>) -> Result<Vec<Cow<'t, str>>, String> {
    match node.value {
        Value::List(nodes) => nodes.into_iter().map(|node| text(key, node)).collect(),
        _ => Ok(vec![text(key, node)?]),
    }
}

fn tags(node: Node) -> Result<Tags, String> {
    let entries = node.into_entries().map_err(|node| format!("`tags` is {}, not a mapping", node.kind()))?;
    let mut tags = Tags::default();
    for (key, node) in entries {
        for value in texts(&key, node)? {
            tags.add(&*key, value);
        }
    }
    Ok(tags)
}
