//! The YAML form, and the JSON that a dynamic inventory prints.

use super::super::found::Found;
use super::super::nearest::meant;
use super::super::node::{Entries, Node, Value};
use super::groups::{Groups, Pattern, Var, Vars};

const PARTS: [&str; 3] = ["hosts", "vars", "children"];

/// Reads a tree into groups.
pub(super) struct Reader<'r> {
    pub(super) groups: &'r mut Groups,
    pub(super) found: &'r mut Found,
    /// Whether names may be ranges, and have a port.
    pub(super) has_ranges: bool,
}

impl Reader<'_> {
    /// The line and the sentence when the tree holds no groups.
    pub(super) fn read(&mut self, tree: Node) -> Result<(), (u64, String)> {
        let line = tree.line;
        let groups = tree
            .into_entries()
            .map_err(|node| (line, format!("groups or hosts should stand here, not {}", node.kind())))?;
        if let Some((_, plugin)) = groups.iter().find(|(key, _)| key == "plugin") {
            let name = plugin.scalar().unwrap_or_default();
            let way = "let --hosts-command run `ansible-inventory --list -i` with it";
            return Err((plugin.line, format!("this configures the inventory plugin {name}; {way}")));
        }
        let (meta, groups): (Entries, Entries) = groups.into_iter().partition(|(name, _)| name == "_meta");
        for (name, node) in groups {
            self.group(&name, node, None);
        }
        for (_, node) in meta {
            self.meta(node);
        }
        Ok(())
    }

    fn group(&mut self, name: &str, node: Node, parent: Option<usize>) {
        let line = node.line;
        let group = self.groups.group(name, line);
        if let Some(parent) = parent {
            self.groups.add_child(parent, group);
        }
        let parts = match node {
            Node { value: Value::Map(parts), .. } => parts,
            Node { value: Value::Nothing, .. } => return,
            // The oldest form of dynamic inventories: a list of hosts.
            node @ Node { value: Value::List(_), .. } => return self.hosts(group, node),
            node => {
                let what = format!("the group `{name}` is {}, not a mapping", node.kind());
                return self.found.error(line, what);
            }
        };
        for (part, node) in parts {
            match &*part {
                "hosts" => self.hosts(group, node),
                "children" => self.children(group, node),
                "vars" => {
                    let vars = self.vars(node, &format!("the variables of `{name}`"));
                    self.groups.all[group].vars.extend(vars);
                }
                _ => {
                    let what = format!("the group `{name}` has no part `{part}`{}", meant(&part, &PARTS));
                    self.found.error(node.line, what);
                }
            }
        }
    }

    fn hosts(&mut self, group: usize, node: Node) {
        let line = node.line;
        let entries: Entries = match node.value {
            Value::Map(entries) => entries,
            Value::Nothing => return,
            Value::Scalar(name) => vec![(name, Node { line, value: Value::Nothing })],
            Value::List(nodes) => nodes
                .into_iter()
                .map(|node| match node.value {
                    Value::Scalar(name) => (name, Node { line: node.line, value: Value::Nothing }),
                    _ => ("".into(), node),
                })
                .collect(),
            Value::Vault => return self.found.error(line, "the hosts are encrypted with ansible-vault"),
        };
        for (name, node) in entries {
            let pattern = Pattern { text: &name, line: node.line, has_ranges: self.has_ranges };
            let Some(hosts) = self.groups.add_hosts(&pattern, group, self.found) else { continue };
            let vars = self.vars(node, &format!("`{name}`"));
            for host in hosts {
                self.groups.hosts[host].vars.extend(vars.clone());
            }
        }
    }

    fn children(&mut self, parent: usize, node: Node) {
        let line = node.line;
        match node.value {
            Value::Map(entries) => {
                for (name, node) in entries {
                    self.group(&name, node, Some(parent));
                }
            }
            Value::List(nodes) => {
                for node in nodes {
                    match node.value {
                        Value::Scalar(name) => {
                            let child = self.groups.group(&name, node.line);
                            self.groups.add_child(parent, child);
                        }
                        _ => self
                            .found
                            .error(node.line, format!("a child is {}, not the name of a group", node.kind())),
                    }
                }
            }
            Value::Nothing => {}
            Value::Scalar(_) | Value::Vault => self.found.error(line, "`children` is not a mapping"),
        }
    }

    fn vars(&mut self, node: Node, whose: &str) -> Vars {
        let line = node.line;
        match node.into_entries() {
            Ok(entries) => vars_of(entries, self.found),
            Err(node) => {
                let what = format!("{whose}: here should be a mapping of variables, not {}", node.kind());
                self.found.error(line, what);
                Vars::new()
            }
        }
    }

    /// `_meta.hostvars`: the variables of all hosts in one place. It makes no hosts.
    fn meta(&mut self, node: Node) {
        let hostvars = node.into_entries().unwrap_or_default().into_iter().find(|(key, _)| key == "hostvars");
        let hosts = hostvars.and_then(|(_, node)| node.into_entries().ok()).unwrap_or_default();
        for (name, node) in hosts {
            let line = node.line;
            let Some(host) = self.groups.known_host(&name) else {
                self.found.warn(line, format!("`{name}` has variables, but is in no group and thus no host"));
                continue;
            };
            let vars = self.vars(node, &format!("`{name}`"));
            self.groups.hosts[host].vars.extend(vars);
        }
    }
}

pub(super) fn vars_of(entries: Entries, found: &Found) -> Vars {
    let var = |node: Node| {
        let place = found.place(node.line);
        Var::of(node, place)
    };
    entries.into_iter().map(|(key, node)| (key.into_owned(), var(node))).collect()
}
