//! What is odd about an inventory as a whole.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::near;

use super::{Finding, Inventory, hops};
use crate::host::Host;
use crate::ssh_config::SshConfig;

/// The permissions of group and others, for which ssh(1) refuses a private key.
const OTHERS: u32 = 0o077;

impl Inventory {
    /// All that is odd, sorted by place: what reading found, and what only the whole shows: two names
    /// for one place, jump hosts that nobody knows, jumps in a circle, keys that are not there or
    /// that others may read. `config` may know jump hosts that the inventory does not.
    #[must_use]
    pub fn lint(&self, config: &SshConfig) -> Vec<Finding> {
        let mut all = self.findings.clone();
        let by_name: BTreeMap<&str, &Host> =
            self.hosts.iter().map(|host| (host.name.as_str(), host)).collect();
        all.extend(self.same_places());
        all.extend(self.unknown_jumps(&by_name, config));
        all.extend(self.circles(&by_name));
        all.extend(self.odd_keys());
        let mut order: BTreeMap<&str, usize> = BTreeMap::new();
        let sources = self.sources.iter().chain(all.iter().map(|finding| &finding.place.source));
        for source in sources {
            let next = order.len();
            order.entry(source).or_insert(next);
        }
        let mut keyed: Vec<(usize, Finding)> =
            all.iter().map(|finding| (order[&*finding.place.source], finding.clone())).collect();
        keyed.sort_by(|(one, left), (other, right)| (one, left.place.line).cmp(&(other, right.place.line)));
        keyed.into_iter().map(|(_, finding)| finding).collect()
    }

    fn same_places(&self) -> Vec<Finding> {
        let mut seen: BTreeMap<(String, u16), &Host> = BTreeMap::new();
        let mut found = Vec::new();
        for host in &self.hosts {
            let address = host.address.as_ref().unwrap_or(&host.name).to_ascii_lowercase();
            let port = host.port.unwrap_or(22);
            let what = format!("`{}` and `{{}}` are both at {address} port {port}", host.name);
            match seen.insert((address, port), host) {
                None => {}
                Some(first) => found.push(odd(host, false, what.replace("{}", &first.name))),
            }
        }
        found
    }

    fn unknown_jumps(&self, by_name: &BTreeMap<&str, &Host>, config: &SshConfig) -> Vec<Finding> {
        let mut found = Vec::new();
        for host in &self.hosts {
            for hop in host.jump.iter().flat_map(|jump| jump.split(',')).map(str::trim) {
                // A user, a port or a domain shows that no entry of an inventory is meant.
                let is_known = |name: &str| {
                    hop.contains(['@', '.', ':'])
                        || by_name.contains_key(name)
                        || config.settings(name).host_name.is_some()
                };
                if hops(hop).any(|name| !is_known(name)) {
                    let near = near::best(hop, near::slips(hop).min(3), by_name.keys().copied());
                    let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                    let whose = format!("`{}` jumps through `{hop}`", host.name);
                    let what = format!("{whose}, which is no host of the inventory{near}");
                    found.push(odd(host, true, what));
                }
            }
        }
        found
    }

    /// Jumps lead from a host to the first of its hops, and on through the jumps of that one: ssh(1)
    /// takes the others of a chain as they are.
    fn circles(&self, by_name: &BTreeMap<&str, &Host>) -> Vec<Finding> {
        let next = |host: &Host| hops(host.jump.as_deref()?).next().and_then(|hop| by_name.get(hop)).copied();
        let mut walked: BTreeMap<&str, usize> = BTreeMap::new();
        let mut found = Vec::new();
        for (walk, start) in self.hosts.iter().enumerate() {
            let mut host = start;
            let closed = loop {
                match walked.get(host.name.as_str()) {
                    Some(earlier) => break *earlier == walk,
                    None => drop(walked.insert(&host.name, walk)),
                }
                match next(host) {
                    Some(hop) => host = hop,
                    None => break false,
                }
            };
            if closed {
                let mut names = vec![host.name.as_str()];
                let mut at = next(host);
                while let Some(hop) = at.filter(|hop| hop.name != host.name) {
                    names.push(&hop.name);
                    at = next(hop);
                }
                names.push(&host.name);
                found.push(odd(host, true, format!("jumps in a circle: {}", names.join(" -> "))));
            }
        }
        found
    }

    fn odd_keys(&self) -> Vec<Finding> {
        let mut first: BTreeMap<&Path, &Host> = BTreeMap::new();
        for host in &self.hosts {
            // `none` of ssh_config(5) is no file.
            for key in host.keys.iter().filter(|key| key.as_os_str() != "none") {
                first.entry(key).or_insert(host);
            }
        }
        let finding = |(key, host): (&Path, &Host)| wrong_with(key).map(|what| odd(host, false, what));
        first.into_iter().filter_map(finding).collect()
    }
}

fn odd(host: &Host, is_error: bool, what: String) -> Finding {
    Finding { place: host.place.clone(), is_error, what }
}

fn wrong_with(key: &Path) -> Option<String> {
    let shown = key.display();
    match fs::metadata(key) {
        Err(error) => Some(format!("cannot look at the key {shown}: {error}")),
        Ok(meta) if !meta.is_file() => Some(format!("the key {shown} is no file")),
        Ok(meta) if meta.permissions().mode() & OTHERS != 0 => {
            let mode = meta.permissions().mode() & 0o777;
            Some(format!("others may use the key {shown} (mode {mode:04o}); run chmod go= on it"))
        }
        Ok(_) => None,
    }
}
