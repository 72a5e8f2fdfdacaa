//! Groups, their hosts and variables, as an inventory of Ansible names them.

use std::collections::{BTreeMap, BTreeSet};

use super::super::names::Target;
use super::super::node::{Node, Value};
use super::super::{check, found::Found};
use crate::host::Place;
use crate::ranges;

/// The index of the group `all` in [`Groups::all`].
pub(super) const ALL: usize = 0;
/// The index of the group `ungrouped`.
pub(super) const UNGROUPED: usize = 1;

/// A variable and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Var {
    pub(super) value: VarValue,
    pub(super) place: Place,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum VarValue {
    /// A text, a number or a boolean.
    Scalar(String),
    /// Encrypted with ansible-vault.
    Vault,
    /// A list, a mapping, or nothing.
    Other,
}

pub(super) type Vars = BTreeMap<String, Var>;

impl Var {
    pub(super) fn of(node: Node, place: Place) -> Self {
        let value = match node.value {
            Value::Scalar(text) => VarValue::Scalar(text.into_owned()),
            Value::Vault => VarValue::Vault,
            Value::Nothing | Value::List(_) | Value::Map(_) => VarValue::Other,
        };
        Self { value, place }
    }
}

#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) line: u64,
    pub(super) parents: BTreeSet<usize>,
    pub(super) has_members: bool,
    pub(super) vars: Vars,
    /// What stands in `group_vars`.
    pub(super) folder_vars: Vars,
}

#[derive(Debug, Default)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) line: u64,
    pub(super) groups: BTreeSet<usize>,
    pub(super) vars: Vars,
    /// What stands in `host_vars`.
    pub(super) folder_vars: Vars,
}

/// Everything that was named, each once.
#[derive(Debug)]
pub(super) struct Groups {
    pub(super) all: Vec<Group>,
    pub(super) hosts: Vec<Member>,
    group_names: BTreeMap<String, usize>,
    host_names: BTreeMap<String, usize>,
}

impl Default for Groups {
    fn default() -> Self {
        let mut groups = Self {
            all: Vec::new(),
            hosts: Vec::new(),
            group_names: BTreeMap::new(),
            host_names: BTreeMap::new(),
        };
        groups.group("all", 0);
        groups.group("ungrouped", 0);
        groups
    }
}

impl Groups {
    /// The group `name`, made when it is new.
    pub(super) fn group(&mut self, name: &str, line: u64) -> usize {
        if let Some(known) = self.group_names.get(name) {
            return *known;
        }
        self.group_names.insert(name.to_owned(), self.all.len());
        self.all.push(Group { name: name.to_owned(), line, ..Group::default() });
        self.all.len() - 1
    }

    pub(super) fn known_group(&self, name: &str) -> Option<usize> {
        self.group_names.get(name).copied()
    }

    pub(super) fn known_host(&self, name: &str) -> Option<usize> {
        self.host_names.get(name).copied()
    }

    pub(super) fn add_child(&mut self, parent: usize, child: usize) {
        self.all[parent].has_members = true;
        if parent != ALL {
            self.all[child].parents.insert(parent);
        }
    }

    /// The hosts that `pattern` stands for, made when they are new and put into `group`; a port after
    /// the name becomes their variable. `None` when it is no host, which has its finding.
    pub(super) fn add_hosts(
        &mut self,
        pattern: &Pattern,
        group: usize,
        found: &mut Found,
    ) -> Option<Vec<usize>> {
        match pattern.names(self.hosts.len()) {
            Ok((names, port)) => {
                let all =
                    names.iter().map(|name| self.add_host(name, group, pattern.line)).collect::<Vec<_>>();
                if let Some(port) = port {
                    let var =
                        Var { value: VarValue::Scalar(port.to_string()), place: found.place(pattern.line) };
                    for host in &all {
                        self.hosts[*host].vars.insert("ansible_port".into(), var.clone());
                    }
                }
                Some(all)
            }
            Err(what) => {
                found.error(pattern.line, format!("{what}; it is left out"));
                None
            }
        }
    }

    fn add_host(&mut self, name: &str, group: usize, line: u64) -> usize {
        let host = if let Some(known) = self.host_names.get(name) {
            *known
        } else {
            self.host_names.insert(name.to_owned(), self.hosts.len());
            self.hosts.push(Member { name: name.to_owned(), line, ..Member::default() });
            self.hosts.len() - 1
        };
        self.all[group].has_members = true;
        if group != ALL && group != UNGROUPED {
            self.hosts[host].groups.insert(group);
        }
        host
    }
}

/// The name of hosts as written: `web[01:50].example.com:2222`.
pub(super) struct Pattern<'t> {
    pub(super) text: &'t str,
    pub(super) line: u64,
    pub(super) has_ranges: bool,
}

impl Pattern<'_> {
    fn names(&self, known: usize) -> Result<(Vec<String>, Option<u16>), String> {
        if check::is_ipv6(self.text) || !self.has_ranges {
            check::name(self.text)?;
            return Ok((vec![self.text.to_owned()], None));
        }
        // In Ansible `@` is part of the name, which no host then has.
        let target = Target::read(self.text)?;
        if target.user.is_some() {
            return Err(format!("the name `{}` holds `@`; write ansible_user=", self.text));
        }
        let names = if check::is_ipv6(target.host) {
            vec![target.host.to_owned()]
        } else {
            ranges::expand(target.host)?
        };
        if known + names.len() > ranges::MOST {
            return Err(format!("these would be more than {} hosts of one source", ranges::MOST));
        }
        names.iter().try_for_each(|name| check::name(name))?;
        Ok((names, target.port))
    }
}
