//! Groups, their hosts and variables as hosts of ours.

use std::collections::{BTreeMap, BTreeSet};

use super::super::check;
use super::super::draft::inherited_jump;
use super::super::found::Found;
use super::connection::{Known, Said};
use super::groups::{ALL, Group, Groups, Member, UNGROUPED, VarValue, Vars};
use crate::host::{Host, Tags};

/// The longest value of a variable that is a tag: longer ones are texts, not classes of hosts.
const LONGEST: usize = 100;

/// Groups that one group may be in, through others: a chain of thousands would cost its square.
const ABOVE: usize = 200;

/// What the groups of a host say together.
struct Base {
    /// Of inventory and folders, in the order in which they count: later ones before earlier.
    vars: Vars,
    tags: Tags,
}

/// Puts all hosts into `found`.
pub(super) fn resolve(mut groups: Groups, found: &mut Found) {
    let order = Order::of(&mut groups, found);
    for (index, group) in groups.all.iter().enumerate() {
        if index > UNGROUPED && !group.has_members {
            found.warn(group.line, format!("the group `{}` has no hosts", group.name));
        }
    }
    let mut bases: BTreeMap<BTreeSet<usize>, Base> = BTreeMap::new();
    let mut said = Said::default();
    let mut hosts = std::mem::take(&mut groups.hosts);
    for member in &mut hosts {
        let base = bases
            .entry(std::mem::take(&mut member.groups))
            .or_insert_with_key(|direct| order.base(&groups, direct));
        if let Some(host) = host(member, base, &mut said, found) {
            found.hosts.push(host);
        }
    }
    said.tell(found);
}

/// How groups are within each other.
struct Order {
    /// Of each group, itself and all it is in.
    with_parents: Vec<BTreeSet<usize>>,
    depths: Vec<usize>,
    /// Groups that are in more others than are followed.
    cut: Vec<usize>,
}

impl Order {
    fn of(groups: &mut Groups, found: &mut Found) -> Self {
        let count = groups.all.len();
        let mut order =
            Self { with_parents: vec![BTreeSet::new(); count], depths: vec![0; count], cut: Vec::new() };
        // A group may be taken when all its parents are: what is left then is in a circle.
        let mut waiting: Vec<usize> = (0..count).collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain(|group| !order.take(*group, groups));
            if waiting.len() == before {
                let group = waiting[0];
                let line = groups.all[group].line;
                found.error(
                    line,
                    format!("the group `{}` is, through others, a child of itself", groups.all[group].name),
                );
                groups.all[group].parents.retain(|parent| !waiting.contains(parent));
            }
        }
        for group in &order.cut {
            let Group { name, line, .. } = &groups.all[*group];
            let what =
                format!("the group `{name}` is, through others, in more than {ABOVE}, which are passed over");
            found.error(*line, what);
        }
        order
    }

    /// Takes `group` when all its parents are taken.
    fn take(&mut self, group: usize, groups: &Groups) -> bool {
        let parents = &groups.all[group].parents;
        if parents.iter().any(|parent| self.with_parents[*parent].is_empty()) {
            return false;
        }
        let mut all = BTreeSet::from([group]);
        for parent in parents {
            all.extend(&self.with_parents[*parent]);
        }
        if all.len() > ABOVE {
            self.cut.push(group);
            all = BTreeSet::from([group]);
        }
        self.depths[group] = parents.iter().map(|parent| self.depths[*parent] + 1).max().unwrap_or(1);
        self.with_parents[group] = all;
        true
    }

    /// What the groups `direct`, and all they are in, say together.
    fn base(&self, groups: &Groups, direct: &BTreeSet<usize>) -> Base {
        let mut all: Vec<usize> =
            direct.iter().flat_map(|group| &self.with_parents[*group]).copied().collect();
        if direct.is_empty() {
            all.push(UNGROUPED);
        }
        let priority = |group: usize| -> i64 {
            match groups.all[group].vars.get("ansible_group_priority").map(|var| &var.value) {
                Some(VarValue::Scalar(text)) => text.parse().unwrap_or(1),
                _ => 1,
            }
        };
        all.sort_by_key(|group| (self.depths[*group], priority(*group), &groups.all[*group].name));
        all.dedup();
        let root = &groups.all[ALL];
        let mut vars = root.vars.clone();
        vars.extend(root.folder_vars.clone());
        vars.extend(all.iter().flat_map(|group| groups.all[*group].vars.clone()));
        vars.extend(all.iter().flat_map(|group| groups.all[*group].folder_vars.clone()));
        let mut tags = Tags::default();
        set_tags(&mut tags, &vars);
        for group in all.into_iter().filter(|group| *group != ALL && *group != UNGROUPED) {
            tags.add("group", &groups.all[group].name);
        }
        Base { vars, tags }
    }
}

/// Makes tags of `vars`; each takes the place of the tag that was inherited.
fn set_tags(tags: &mut Tags, vars: &Vars) {
    for (key, var) in vars.iter().filter(|(key, _)| may_be_tag(key)) {
        let value = match &var.value {
            VarValue::Scalar(text) => Some(text).filter(|text| is_plain(text)),
            VarValue::Vault | VarValue::Other => None,
        };
        match value {
            Some(value) => drop(tags.insert(key.clone(), BTreeSet::from([value.clone()]))),
            None if tags.contains_key(key) => drop(tags.remove(key)),
            None => {}
        }
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST
        && !text.contains("{{")
        && !text.contains("{%")
        && !text.contains(char::is_control)
}

/// What is printed by every list of hosts must not be a secret.
fn may_be_tag(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let is_secret = ["pass", "secret", "token", "credential", "private", "api_key", "apikey"];
    !key.starts_with("ansible_") && key != "group" && is_secret.iter().all(|word| !key.contains(word))
}

fn host(member: &mut Member, base: &Base, said: &mut Said, found: &mut Found) -> Option<Host> {
    let mut tags = base.tags.clone();
    if !(member.vars.is_empty() && member.folder_vars.is_empty()) {
        set_tags(&mut tags, &member.vars);
        set_tags(&mut tags, &member.folder_vars);
        tags = found.shared(tags);
    }
    let own = [&member.folder_vars, &member.vars];
    let known = Known { name: &member.name, own, inherited: &base.vars };
    let mut host = Host { tags, ..Host::named(member.name.as_str(), found.place(member.line)) };
    if let Some(var) = known.not_ssh() {
        let what = format!(
            "`{}` is not reached through SSH (ansible_connection={var}); it is left out",
            member.name
        );
        found.warn(member.line, what);
        return None;
    }
    let fields = known.port(said).and_then(|port| Ok((port, known.address(said)?)));
    let Ok((port, address)) = fields else { return None };
    host.port = port;
    host.address = address.filter(|address| *address != member.name);
    host.user = known.checked(&["ansible_ssh_user", "ansible_user"], check::user, said);
    let key = known.checked(&["ansible_ssh_private_key_file", "ansible_private_key_file"], |_| Ok(()), said);
    host.keys = key.map(|key| found.key_of_ssh(&key)).into_iter().collect();
    host.jump = known.jump(said).and_then(|jump| inherited_jump(Some(&jump), &member.name));
    Some(host)
}
