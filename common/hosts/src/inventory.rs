//! All hosts of all sources, merged, and what is odd about them.
//!
//! An inventory is read in spite of its faults: an entry that cannot be meant is left out, and a
//! [`Finding`] says where and why. Only what is no inventory at all is an error.

mod ansible;
mod check;
mod csv;
mod draft;
mod format;
mod found;
mod json;
mod lint;
mod names;
mod nearest;
mod node;
mod ours;
mod short;
pub(crate) mod source;
mod toml;
mod yaml;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;
use std::sync::Arc;

use common::{Error, Result};

use crate::host::{Host, Place};
use crate::ssh_config::SshConfig;
use found::Found;
use node::Node;

pub use format::Format;
pub(crate) use short::short;
pub use source::Source;

/// Hosts in the order of their sources, each name once.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// The hosts.
    pub hosts: Vec<Host>,
    /// What reading them found odd, in the order of the sources and their lines.
    pub findings: Vec<Finding>,
    /// What places call the sources, in their order.
    pub sources: Vec<Arc<str>>,
}

/// One thing that is odd about an inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// Whether a host is lost or wrong by it; else it is only suspicious.
    pub is_error: bool,
    /// What, as one sentence without the place.
    pub what: String,
}

impl Inventory {
    /// Reads `sources` in their order; `format`, when given, is that of every file, standard input
    /// and command.
    ///
    /// A host that several sources name is one: for each field the first source that says it counts,
    /// and the tags are united.
    ///
    /// # Errors
    /// When a source cannot be read, a file is not what its format says, a command fails or does not
    /// end in time (status 75), or a name of the command line is none.
    pub fn read(sources: &[Source], format: Option<Format>) -> Result<Self> {
        let mut merged = Merged::default();
        for source in sources {
            let found = read_one(source, format)?;
            merged.take(found);
        }
        Ok(merged.inventory)
    }
}

#[derive(Default)]
struct Merged {
    inventory: Inventory,
    by_name: BTreeMap<String, usize>,
}

impl Merged {
    fn take(&mut self, found: Found) {
        let all = &mut self.inventory;
        all.sources.push(Arc::clone(&found.source));
        for host in found.hosts {
            match self.by_name.entry(host.name.clone()) {
                Entry::Occupied(at) => fill(&mut all.hosts[*at.get()], host),
                Entry::Vacant(at) => {
                    at.insert(all.hosts.len());
                    all.hosts.push(host);
                }
            }
        }
        let mut findings = found.findings;
        let first = Arc::clone(&found.source);
        // Variables that stand in files beside an inventory come after the lines of itself.
        findings.sort_by(|one, other| {
            let key = |finding: &Finding| (finding.place.source != first, finding.place.clone());
            key(one).cmp(&key(other))
        });
        all.findings.extend(findings);
    }
}

/// Puts what `other` says where `host` says nothing.
fn fill(host: &mut Host, other: Host) {
    host.address = host.address.take().or(other.address);
    host.port = host.port.or(other.port);
    host.user = host.user.take().or(other.user);
    host.jump = host.jump.take().or(other.jump);
    if host.keys.is_empty() {
        host.keys = other.keys;
    }
    if host.tags != other.tags {
        for (key, values) in &other.tags {
            host.tags.entry(key.clone()).or_default().extend(values.iter().cloned());
        }
    }
}

fn read_one(source: &Source, format: Option<Format>) -> Result<Found> {
    let mut found = Found::new(&source.name());
    match source {
        Source::File(path) => read_file(path, format, &mut found)?,
        Source::Stdin => {
            let text = source::read_file(Path::new("-"))?;
            parse(&text, format.unwrap_or(Format::of_text(&text)), &mut found)?;
        }
        Source::Command { line, timeout } => {
            let text = source::run(line, *timeout)?;
            parse(&text, format.unwrap_or(Format::of_text(&text)), &mut found)?;
        }
        Source::Names(words) => {
            names::read_words(words, &mut found);
            if let Some(finding) = found.findings.first() {
                let what = finding.what.trim_end_matches("; it is left out");
                return Err(Error::failed(format!("cannot take the hosts of the command line: {what}")));
            }
        }
    }
    Ok(found)
}

fn read_file(path: &Path, format: Option<Format>, found: &mut Found) -> Result<()> {
    let text = source::read_file(path)?;
    if path.as_os_str() != "-" {
        found.folder = path.parent().map(Path::to_path_buf);
    }
    if text.starts_with("#!") && format.is_none() {
        let path = path.display();
        return Err(Error::failed(format!("{path} is a program; let --hosts-command run it")));
    }
    let format = format.unwrap_or(Format::of_file(path, &text));
    if format == Format::SshConfig && path.as_os_str() != "-" {
        let config = SshConfig::read(&[path])?;
        found.findings = config.findings().to_vec();
        for host in config.hosts() {
            match check::name(&host.name) {
                Ok(()) => found.hosts.push(host),
                Err(what) => found.error(host.place.line, format!("{what}; it is left out")),
            }
        }
        return Ok(());
    }
    parse(&text, format, found)
}

/// Reads `text`.
fn parse(text: &str, format: Format, found: &mut Found) -> Result<()> {
    let said = match format {
        Format::Toml => toml::read(text).map(|tree| ours::read(tree, found)),
        Format::Csv => csv::read(text, found),
        Format::Json => json::read(text).and_then(|tree| read_tree(tree, false, found)),
        Format::AnsibleYaml => yaml::read(text).and_then(|tree| read_tree(tree, true, found)),
        Format::AnsibleIni => {
            ansible::read_ini(text, found);
            Ok(())
        }
        Format::SshConfig => Err((0, "an ssh_config is read from a file only".into())),
        Format::Names => {
            names::read(text, found);
            Ok(())
        }
    };
    said.map_err(|(line, what)| {
        let place = found.place(line);
        Error::failed(format!("cannot read {place} as {}: {}", format.name(), short(what)))
    })?;
    if found.hosts.is_empty() && found.findings.is_empty() {
        found.warn(0, "there is no host in it");
    }
    found.finish();
    Ok(())
}

/// JSON and YAML hold our fields or groups of Ansible.
fn read_tree(tree: Node, has_ranges: bool, found: &mut Found) -> std::result::Result<(), (u64, String)> {
    for (line, what) in tree.twice() {
        found.error(line, what);
    }
    if ours::is_ours(&tree) {
        ours::read(tree, found);
        return Ok(());
    }
    ansible::read_tree(tree, has_ranges, found)
}

/// The hosts that a jump leads through, without users and ports.
fn hops(jump: &str) -> impl Iterator<Item = &str> {
    let hops = jump.split(',').map(str::trim).filter(|hop| *hop != "none");
    hops.filter_map(|hop| names::Target::read(hop).ok().map(|target| target.host))
}
