//! Hosts as a configuration for `ssh -F`.

use std::collections::{BTreeMap, BTreeSet};

use common::{Error, Out, Result};
use hosts::Host;
use hosts::cli::Selected;

/// Writes a block for each host, and for the hosts of the inventory that they are reached through.
pub(crate) fn write(selected: &Selected, out: &mut Out) -> Result<()> {
    let known: BTreeMap<&str, &Host> = selected.known.iter().map(|host| (host.name.as_str(), host)).collect();
    let mut written = BTreeSet::new();
    let mut waiting: Vec<&Host> = selected.hosts.iter().rev().collect();
    // Those that are selected come first: the jumps are found on the way.
    let mut jumps: Vec<&Host> = Vec::new();
    while let Some(host) = waiting.pop().or_else(|| jumps.pop()) {
        if !written.insert(host.name.as_str()) {
            continue;
        }
        block(host, out)?;
        let through = host.jump.iter().flat_map(|jump| jump.split(','));
        jumps.extend(through.filter_map(|jump| known.get(jump.trim())).copied());
    }
    Ok(())
}

fn block(host: &Host, out: &mut Out) -> Result<()> {
    // In a name these are patterns, and ssh(1) has no way to write them as themselves.
    if host.name.contains(['*', '?']) || host.name.starts_with('!') {
        return Err(cannot("name", &host.name));
    }
    writeln!(out, "Host {}", quoted("name", &host.name)?)?;
    if let Some(address) = &host.address {
        writeln!(out, "  HostName {}", quoted("address", &address.replace('%', "%%"))?)?;
    }
    if let Some(port) = host.port {
        writeln!(out, "  Port {port}")?;
    }
    if let Some(user) = &host.user {
        writeln!(out, "  User {}", quoted("user", user)?)?;
    }
    for key in &host.keys {
        let key = key.to_str().ok_or_else(|| cannot("key", &key.display().to_string()))?;
        writeln!(out, "  IdentityFile {}", quoted("key", &key.replace('%', "%%"))?)?;
    }
    if let Some(jump) = &host.jump {
        // ssh(1) takes the word as it stands, quotes included.
        let jump: String = jump.split_whitespace().collect();
        let is_word = !jump.contains(['#', '"', '\'']) && !jump.contains(char::is_control);
        writeln!(out, "  ProxyJump {}", if is_word { jump } else { return Err(cannot("jump", &jump)) })?;
    }
    Ok(())
}

/// A value as one argument of ssh_config(5).
fn quoted(what: &str, value: &str) -> Result<String> {
    if value.is_empty() || value.contains(char::is_control) {
        return Err(cannot(what, value));
    }
    if !value.contains([' ', '"', '\'', '\\', '#', '=']) {
        return Ok(value.to_owned());
    }
    Ok(format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")))
}

fn cannot(what: &str, value: &str) -> Error {
    Error::failed(format!("cannot write the {what} `{}` into an ssh_config", common::log::escape(value)))
}
