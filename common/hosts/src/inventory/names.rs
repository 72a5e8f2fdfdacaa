//! Lists of names: one `[user@]host[:port]` or range per line, `#` begins a comment.

use std::collections::{BTreeMap, BTreeSet};

use super::check;
use super::found::Found;
use crate::host::Host;
use crate::ranges;

/// `[user@]host[:port]`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target<'t> {
    pub(super) user: Option<&'t str>,
    pub(super) host: &'t str,
    pub(super) port: Option<u16>,
}

impl<'t> Target<'t> {
    /// Takes `text` apart: `[::1]:22`, bare IPv6 and `ssh://` included. The host may be a range.
    pub(super) fn read(text: &'t str) -> Result<Self, String> {
        let text = text.strip_prefix("ssh://").unwrap_or(text);
        let (user, rest) = text.rsplit_once('@').map_or((None, text), |(user, rest)| (Some(user), rest));
        let (host, port) = host_and_port(rest)?;
        if host.is_empty() {
            return Err("there is no host".into());
        }
        Ok(Self { user, host, port: port.map(check::port).transpose()? })
    }

    /// Whether user and host can be meant.
    pub(super) fn check(&self) -> Result<(), String> {
        self.user.map_or(Ok(()), check::user)?;
        check::name(self.host)
    }
}

fn host_and_port(text: &str) -> Result<(&str, Option<&str>), String> {
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    if let Some((inner, after)) = bracketed.filter(|(inner, _)| check::is_ipv6(inner)) {
        return match (after, after.strip_prefix(':')) {
            ("", _) => Ok((inner, None)),
            (_, Some(port)) => Ok((inner, Some(port))),
            _ => Err(format!("`{after}` stands after the address [{inner}]")),
        };
    }
    // The colons of `[01:50]` belong to the range.
    let after_ranges = text.rfind(']').map_or(0, |end| end + 1);
    match text[after_ranges..].matches(':').count() {
        0 => Ok((text, None)),
        1 => Ok(text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port)))),
        _ if check::is_ipv6(text) => Ok((text, None)),
        _ => Err(format!("`{text}` is no IPv6 address; an address with a port is written [::1]:22")),
    }
}

/// Reads a list; what is no host is a finding.
pub(super) fn read(text: &str, found: &mut Found) {
    let lines = text.lines().enumerate().map(|(index, line)| (index as u64 + 1, without_comment(line)));
    read_entries(lines.filter(|(_, line)| !line.is_empty()), found);
}

/// Reads the names of a command line, which has no lines.
pub(super) fn read_words(words: &[String], found: &mut Found) {
    read_entries(words.iter().map(|word| (0, word.as_str())), found);
}

fn read_entries<'t>(entries: impl Iterator<Item = (u64, &'t str)>, found: &mut Found) {
    let mut hosts = Vec::new();
    for (line, entry) in entries {
        if let Err(what) = read_entry(entry, line, found, &mut hosts) {
            found.error(line, format!("{what}; it is left out"));
        }
    }
    let split = split_by_port(&hosts);
    let mut seen: BTreeMap<String, (Option<String>, u64)> = BTreeMap::new();
    for mut host in hosts {
        if let Some(port) = host.port.filter(|_| split.contains(&host.name)) {
            let name = if host.name.contains(':') {
                format!("[{}]:{port}", host.name)
            } else {
                format!("{}:{port}", host.name)
            };
            host.address = Some(std::mem::replace(&mut host.name, name));
        }
        match seen.get(&host.name) {
            None => {
                seen.insert(host.name.clone(), (host.user.clone(), host.place.line));
                found.hosts.push(host);
            }
            // The same word again is no fault; another user would be lost without a word.
            Some((user, _)) if host.user.is_none() || *user == host.user => {}
            Some((_, first)) => {
                let at = if *first > 0 { format!(" on line {first}") } else { String::new() };
                let what = format!("`{}` is already there{at} with another user; it is left out", host.name);
                found.error(host.place.line, what);
            }
        }
    }
}

fn read_entry(entry: &str, line: u64, found: &Found, hosts: &mut Vec<Host>) -> Result<(), String> {
    let target = Target::read(entry)?;
    target.user.map_or(Ok(()), check::user)?;
    let names =
        if check::is_ipv6(target.host) { vec![target.host.to_owned()] } else { ranges::expand(target.host)? };
    found.room(hosts.len() + names.len())?;
    for name in names {
        check::name(&name)?;
        let host = Host::named(name, found.place(line));
        hosts.push(Host { user: target.user.map(str::to_owned), port: target.port, ..host });
    }
    Ok(())
}

/// The names that are given with more than one port: `127.0.0.1:2201 127.0.0.1:2202` are two hosts,
/// and each is called by both.
fn split_by_port(hosts: &[Host]) -> BTreeSet<String> {
    let mut ports: BTreeMap<&str, u16> = BTreeMap::new();
    let mut split = BTreeSet::new();
    for host in hosts {
        let Some(port) = host.port else { continue };
        if *ports.entry(&host.name).or_insert(port) != port {
            split.insert(host.name.clone());
        }
    }
    split
}

fn without_comment(line: &str) -> &str {
    let is_comment = |at: &usize| *at == 0 || line[..*at].ends_with([' ', '\t']);
    let end = line.match_indices('#').map(|(at, _)| at).find(is_comment);
    line[..end.unwrap_or(line.len())].trim()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, want: &[&str]) {
        let mut found = Found::new("hosts.txt");
        read(text, &mut found);
        let host = |host: &Host| {
            let user = host.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
            let address = host.address.as_ref().map(|address| format!("={address}")).unwrap_or_default();
            let port = host.port.map(|port| format!(" {port}")).unwrap_or_default();
            format!("{}: {user}{}{address}{port}", host.place.line, host.name)
        };
        let mut all: Vec<String> = found.hosts.iter().map(host).collect();
        all.extend(found.findings.iter().map(|finding| format!("{}! {}", finding.place.line, finding.what)));
        assert_eq!(all, want, "{text}");
    }

    #[test]
    fn one_host_or_range_per_line() {
        let text = "# all\nweb01\n\nroot@db1:2222 # main\r\n[::1]:22\n[::1]\n2001:db8::1\na#b.example.com";
        let bad = "8! the name `a#b.example.com` holds `#`; it is left out";
        check(text, &["2: web01", "4: root@db1 2222", "5: ::1 22", "7: 2001:db8::1", bad]);
        check("ops@w[1:2]:22", &["1: ops@w1 22", "1: ops@w2 22"]);
        check("[1-2]\nfe80::1%eth0", &["1: 1", "1: 2", "2: fe80::1%eth0"]);
    }

    #[test]
    fn one_bad_line_is_a_finding() {
        check("a b\nc", &["2: c", "1! the name `a b` holds a space; it is left out"]);
        check("root@", &["1! there is no host; it is left out"]);
        check("a:0", &["1! the port 0 is not from 1 to 65535; it is left out"]);
        check(
            "1:2:x",
            &["1! `1:2:x` is no IPv6 address; an address with a port is written [::1]:22; it is left out"],
        );
        check("[::1]x", &["1! `x` stands after the address [::1]; it is left out"]);
        check("w[2-1]", &["1! `2-1` at character 3 of `w[2-1]` runs backwards; it is left out"]);
    }

    #[test]
    fn a_name_with_two_ports_is_two_hosts() {
        check("h:1\nh:2\nh", &["1: h:1=h 1", "2: h:2=h 2", "3: h"]);
        check("[::1]:1\n[::1]:2", &["1: [::1]:1=::1 1", "2: [::1]:2=::1 2"]);
        check("h:1\nh:1\nh", &["1: h 1"]);
        check("a@h\nb@h", &["1: a@h", "2! `h` is already there on line 1 with another user; it is left out"]);
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(text in "[\\[\\]0-9a-c,:/@#é \n%-]{0,30}") {
            let mut found = Found::new("x");
            read(&text, &mut found);
            prop_assert!(found.hosts.iter().all(|host| check::name(&host.name).is_ok() || host.address.is_some()));
        }
    }
}
