//! The INI form: `[group]`, `[group:children]`, `[group:vars]`.

use super::super::found::Found;
use super::super::nearest::meant;
use super::groups::{ALL, Groups, Pattern, UNGROUPED, Var, VarValue, Vars};
use super::words::{literal, words};

enum Section {
    Hosts(usize),
    Children(usize),
    Vars(usize),
    /// Its heading was none.
    Broken,
}

/// Groups that were named where they had to be known, and the line.
#[derive(Default)]
struct Named {
    defined: Vec<bool>,
    wanted: Vec<(usize, u64, &'static str)>,
}

impl Named {
    fn define(&mut self, group: usize) {
        if self.defined.len() <= group {
            self.defined.resize(group + 1, false);
        }
        self.defined[group] = true;
    }
}

/// Reads `text` into `groups`; what is wrong is a finding.
pub(super) fn read(text: &str, groups: &mut Groups, found: &mut Found) {
    let mut section = Section::Hosts(UNGROUPED);
    let mut named = Named::default();
    named.define(ALL);
    named.define(UNGROUPED);
    for (index, line) in text.lines().enumerate() {
        let at = index as u64 + 1;
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let said = match (heading(line), &section) {
            (Some(name), _) => {
                let opened = open(name, at, groups, &mut named);
                let (new, said) =
                    opened.map_or_else(|what| (Section::Broken, Err(what)), |new| (new, Ok(())));
                section = new;
                said
            }
            (None, Section::Hosts(group)) => host(line, at, *group, (groups, found)),
            (None, Section::Children(parent)) => child(line, at, *parent, (groups, &mut named)),
            (None, Section::Vars(group)) => {
                var(line, found, at).map(|(key, var)| drop(groups.all[*group].vars.insert(key, var)))
            }
            (None, Section::Broken) => Ok(()),
        };
        if let Err(what) = said {
            found.error(at, what);
        }
    }
    for (group, line, what) in named.wanted {
        if !named.defined.get(group).copied().unwrap_or_default() {
            found.error(line, format!("there is no group [{}], {what}", groups.all[group].name));
            // That it is empty too would be one fault told twice.
            groups.all[group].has_members = true;
        }
    }
}

/// What stands in the brackets of a heading. `[1:3]` at the start of a name is none.
fn heading(line: &str) -> Option<&str> {
    let (inner, after) = line.strip_prefix('[')?.split_once(']')?;
    (after.trim().is_empty() || after.trim_start().starts_with('#')).then_some(inner)
}

fn open(inner: &str, line: u64, groups: &mut Groups, named: &mut Named) -> Result<Section, String> {
    let (name, kind) = inner.split_once(':').unwrap_or((inner, "hosts"));
    if name.is_empty() || name.contains(char::is_whitespace) {
        return Err(format!("[{inner}] names no group; its lines are passed over"));
    }
    let group = groups.group(name, line);
    match kind {
        "hosts" | "children" => named.define(group),
        "vars" => named.wanted.push((group, line, "which has variables here")),
        _ => {
            let near = meant(kind, &["children", "vars", "hosts"]);
            return Err(format!("a section has no part `{kind}`{near}; its lines are passed over"));
        }
    }
    Ok(match kind {
        "children" => Section::Children(group),
        "vars" => Section::Vars(group),
        _ => Section::Hosts(group),
    })
}

fn host(line: &str, at: u64, group: usize, (groups, found): (&mut Groups, &mut Found)) -> Result<(), String> {
    let left_out = |what: String| format!("{what}; the host is left out");
    let words = words(line).map_err(left_out)?;
    let Some((name, pairs)) = words.split_first() else {
        return Ok(());
    };
    let mut vars = Vars::new();
    for pair in pairs {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(left_out(format!("`{pair}` after `{name}` is no key=value")));
        };
        vars.insert(key.to_owned(), Var { value: value_of(value), place: found.place(at) });
    }
    let pattern = Pattern { text: name, line: at, has_ranges: true };
    for host in groups.add_hosts(&pattern, group, found).unwrap_or_default() {
        groups.hosts[host].vars.extend(vars.clone());
    }
    Ok(())
}

fn child(
    line: &str,
    at: u64,
    parent: usize,
    (groups, named): (&mut Groups, &mut Named),
) -> Result<(), String> {
    let name = line.split('#').next().unwrap_or_default().trim();
    if name.is_empty() || name.contains([' ', '\t', ':', '[', ']', '=']) {
        return Err(format!("`{line}` names no group"));
    }
    let child = groups.group(name, at);
    named.wanted.push((child, at, "which is a child here"));
    groups.add_child(parent, child);
    Ok(())
}

fn var(line: &str, found: &Found, at: u64) -> Result<(String, Var), String> {
    match line.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), Var { value: value_of(value.trim()), place: found.place(at) }))
        }
        _ => Err(format!("`{line}` is no key=value")),
    }
}

fn value_of(text: &str) -> VarValue {
    literal(text).map_or(VarValue::Other, |text| VarValue::Scalar(text.to_owned()))
}
