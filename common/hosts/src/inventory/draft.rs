//! One entry of an inventory of ours, before it is one host or many.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::check;
use super::found::Found;
use crate::host::{Host, Tags};
use crate::ranges;

/// What an entry, or the defaults of all, says.
#[derive(Default)]
pub(super) struct Draft<'t> {
    pub(super) line: u64,
    pub(super) name: Cow<'t, str>,
    pub(super) address: Option<Cow<'t, str>>,
    pub(super) port: Option<u16>,
    pub(super) user: Option<String>,
    pub(super) keys: Vec<PathBuf>,
    pub(super) jump: Option<String>,
    pub(super) tags: Tags,
    /// Something was wrong that makes it another host than was meant; it has its finding.
    pub(super) is_lost: bool,
}

/// The entries of one source, which must not name a host twice.
#[derive(Default)]
pub(super) struct Drafts<'t> {
    pub(super) defaults: Draft<'t>,
    seen: BTreeMap<String, u64>,
}

impl Draft<'_> {
    /// Takes `jump`, when it is one.
    pub(super) fn set_jump(&mut self, text: &str) -> Result<(), String> {
        check::jump(text)?;
        self.jump = Some(text.to_owned());
        Ok(())
    }

    /// Takes `user`, when it is one.
    pub(super) fn set_user(&mut self, text: &str) -> Result<(), String> {
        check::user(text)?;
        self.user = Some(text.to_owned());
        Ok(())
    }

    /// Names and addresses, one address for each name or none at all.
    fn names(&self) -> Result<(Vec<String>, Vec<String>), String> {
        if self.name.is_empty() {
            return Err("the host has no name".into());
        }
        let names = ranges::expand(&self.name)?;
        let Some(address) = &self.address else {
            return Ok((names, Vec::new()));
        };
        let inner = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
        let addresses = match inner.filter(|inner| check::is_ipv6(inner)) {
            Some(inner) => vec![inner.to_owned()],
            None => ranges::expand(address)?,
        };
        if addresses.len() != names.len() {
            let (name, names, addresses) = (&self.name, names.len(), addresses.len());
            return Err(format!("`{name}` is {names} hosts, but `{address}` is {addresses} addresses"));
        }
        Ok((names, addresses))
    }
}

impl<'t> Drafts<'t> {
    /// Makes hosts of `draft`, or findings.
    pub(super) fn add(&mut self, mut draft: Draft<'t>, found: &mut Found) {
        if draft.is_lost {
            return;
        }
        for (key, values) in &self.defaults.tags {
            if !draft.tags.contains_key(key) {
                draft.tags.insert(key.clone(), values.clone());
            }
        }
        draft.tags = found.shared(draft.tags);
        let all = draft.names().and_then(|(names, addresses)| {
            found.room(names.len())?;
            Ok((names, addresses))
        });
        let (names, addresses) = match all {
            Ok(all) => all,
            Err(what) => return found.error(draft.line, format!("{what}; it is left out")),
        };
        let mut addresses = addresses.into_iter();
        for name in names {
            if let Err(what) = self.add_one(name, addresses.next(), &draft, found) {
                found.error(draft.line, format!("{what}; it is left out"));
            }
        }
    }

    fn add_one(
        &mut self,
        name: String,
        address: Option<String>,
        draft: &Draft,
        found: &mut Found,
    ) -> Result<(), String> {
        check::name(&name)?;
        address.as_deref().map_or(Ok(()), check::address)?;
        if let Some(first) = self.seen.get(&name) {
            return Err(format!("`{name}` is already there on line {first}"));
        }
        self.seen.insert(name.clone(), draft.line);
        let defaults = &self.defaults;
        let jump = draft.jump.clone().or_else(|| inherited_jump(defaults.jump.as_deref(), &name));
        found.hosts.push(Host {
            address,
            port: draft.port.or(defaults.port),
            user: draft.user.clone().or_else(|| defaults.user.clone()),
            keys: if draft.keys.is_empty() { defaults.keys.clone() } else { draft.keys.clone() },
            jump,
            tags: draft.tags.clone(),
            ..Host::named(name, found.place(draft.line))
        });
        Ok(())
    }
}

/// The jump that all hosts have, except for the host that it leads through.
pub(super) fn inherited_jump(jump: Option<&str>, name: &str) -> Option<String> {
    let leads_through = |jump: &&str| super::hops(jump).any(|hop| hop == name);
    jump.filter(|jump| !leads_through(jump)).map(str::to_owned)
}
