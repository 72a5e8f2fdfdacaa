//! The variables of Ansible that say how a host is reached.

use std::collections::BTreeMap;

use super::super::Finding;
use super::super::check;
use super::super::found::Found;
use super::super::names::Target;
use super::groups::{Var, VarValue, Vars};
use super::words::words;
use crate::host::Place;

/// Findings about variables: one for each place, however many hosts inherit it.
#[derive(Default)]
pub(super) struct Said(BTreeMap<(Place, String), bool>);

impl Said {
    fn error(&mut self, var: &Var, what: String) {
        self.0.insert((var.place.clone(), what), true);
    }

    fn warn(&mut self, var: &Var, what: String) {
        self.0.insert((var.place.clone(), what), false);
    }

    pub(super) fn tell(self, found: &mut Found) {
        let finding = |((place, what), is_error)| Finding { place, is_error, what };
        self.0.into_iter().map(finding).for_each(|finding| found.tell(finding));
    }
}

/// The variables that hold for one host.
pub(super) struct Known<'v> {
    pub(super) name: &'v str,
    /// Those of its own, the first that has a variable counts.
    pub(super) own: [&'v Vars; 2],
    pub(super) inherited: &'v Vars,
}

/// The connections of Ansible that are SSH.
const SSH: [&str; 8] = [
    "ssh",
    "smart",
    "paramiko",
    "paramiko_ssh",
    "libssh",
    "ansible.builtin.ssh",
    "ansible.builtin.paramiko_ssh",
    "ansible.netcommon.libssh",
];

impl<'v> Known<'v> {
    fn get(&self, key: &str) -> Option<&'v Var> {
        self.own.iter().find_map(|vars| vars.get(key)).or_else(|| self.inherited.get(key))
    }

    /// The text of the first of `keys` that is there, with what stands for the name of the host put
    /// in; an error, which is told, when it is encrypted or a template.
    fn text(&self, keys: &[&str], said: &mut Said) -> Result<Option<(&'v Var, String)>, ()> {
        let found = keys.iter().find_map(|key| self.get(key).map(|var| (*key, var)));
        let Some((key, var)) = found else { return Ok(None) };
        let text = match &var.value {
            VarValue::Scalar(text) => text,
            VarValue::Other => return Ok(None),
            VarValue::Vault => {
                said.error(var, format!("`{key}` is encrypted with ansible-vault, which is not read here"));
                return Err(());
            }
        };
        match filled(text, self.name) {
            Some(text) if text.is_empty() => Ok(None),
            Some(text) => Ok(Some((var, text))),
            None => {
                said.error(var, format!("`{key}` is a template, and templates are not expanded here"));
                Err(())
            }
        }
    }

    /// How it is reached when not through SSH.
    pub(super) fn not_ssh(&self) -> Option<&'v str> {
        match &self.get("ansible_connection")?.value {
            VarValue::Scalar(how) if !SSH.contains(&how.as_str()) && !how.contains("{{") => Some(how),
            _ => None,
        }
    }

    /// Its port; an error, which is told, makes the host another one than was meant.
    pub(super) fn port(&self, said: &mut Said) -> Result<Option<u16>, ()> {
        let Some((var, text)) = self.text(&["ansible_ssh_port", "ansible_port"], said)? else {
            return Ok(None);
        };
        let left_out = |what| said.error(var, format!("{what}; its hosts are left out"));
        check::port(&text).map(Some).map_err(left_out)
    }

    /// Where it is, likewise.
    pub(super) fn address(&self, said: &mut Said) -> Result<Option<String>, ()> {
        let Some((var, text)) = self.text(&["ansible_ssh_host", "ansible_host"], said)? else {
            return Ok(None);
        };
        let inner = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
        let text = inner.filter(|inner| check::is_ipv6(inner)).unwrap_or(&text);
        let left_out = |what| said.error(var, format!("{what}; its hosts are left out"));
        check::address(text).map(|()| Some(text.to_owned())).map_err(left_out)
    }

    /// A value that can be given elsewhere: a wrong one is told and not used, and the host stays.
    pub(super) fn checked(
        &self,
        keys: &[&str],
        check: impl Fn(&str) -> Result<(), String>,
        said: &mut Said,
    ) -> Option<String> {
        let (var, text) = self.text(keys, said).ok()??;
        match check(&text) {
            Ok(()) => Some(text),
            Err(what) => {
                said.error(var, format!("{what}; it is not used"));
                None
            }
        }
    }

    /// The jump host that the arguments for ssh name.
    pub(super) fn jump(&self, said: &mut Said) -> Option<String> {
        let mut jump = None;
        // ssh takes the first, and Ansible gives them in this order.
        for key in ["ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args"] {
            let Ok(Some((var, text))) = self.text(&[key], said) else { continue };
            match jump_of(&text) {
                Ok(found) => jump = jump.or(found),
                Err(what) => said.warn(var, format!("in `{key}`, {what}; it is not used")),
            }
        }
        jump.filter(|jump| jump != "none")
    }
}

/// `text` with the name of the host for `{{ inventory_hostname }}`; `None` when it holds another
/// template.
fn filled(text: &str, name: &str) -> Option<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (inner, after) = after.split_once("}}")?;
        filled.push_str(before);
        filled.push_str(match inner.trim() {
            "inventory_hostname" => name,
            "inventory_hostname_short" => name.split('.').next().unwrap_or_default(),
            _ => return None,
        });
        rest = after;
    }
    filled.push_str(rest);
    (!filled.contains("{%")).then_some(filled)
}

/// The jump host in arguments of ssh: `-J`, `-o ProxyJump=`, or the old `-o ProxyCommand="ssh -W
/// %h:%p bastion"`.
fn jump_of(text: &str) -> Result<Option<String>, String> {
    let words = words(text)?;
    let mut jump = None;
    let mut rest = words.iter().map(String::as_str);
    while let Some(word) = rest.next() {
        let found = match (word.get(..2), word.get(2..).unwrap_or_default()) {
            (Some("-J"), "") => rest.next().map(str::to_owned),
            (Some("-J"), jump) => Some(jump.to_owned()),
            (Some("-o"), "") => rest.next().map_or(Ok(None), option)?,
            (Some("-o"), pair) => option(pair)?,
            _ => None,
        };
        jump = jump.or(found);
    }
    if let Some(jump) = &jump {
        check::jump(jump)?;
    }
    Ok(jump)
}

/// The jump host of one `-o` option.
fn option(pair: &str) -> Result<Option<String>, String> {
    let (key, value) = pair.split_once(['=', ' ']).unwrap_or((pair, ""));
    let value = value.trim().trim_matches('"');
    match key.trim().to_ascii_lowercase().as_str() {
        "proxyjump" => Ok(Some(value.to_owned())),
        "proxycommand" if value.eq_ignore_ascii_case("none") => Ok(Some("none".into())),
        "proxycommand" => {
            through(value).map(Some).ok_or_else(|| "the ProxyCommand is not `ssh -W %h:%p HOST`".into())
        }
        _ => Ok(None),
    }
}

/// The host of `ssh -W %h:%p HOST`. The keys it names are left to the settings of that host.
fn through(command: &str) -> Option<String> {
    let words = words(command).ok()?;
    let mut rest = words.iter().map(String::as_str);
    let is_ssh = rest.next().is_some_and(|program| program == "ssh" || program.ends_with("/ssh"));
    let (mut port, mut user, mut host, mut forwards) = (None, None, None, false);
    while let Some(word) = rest.next().filter(|_| is_ssh) {
        match word {
            "-W" => forwards = rest.next()?.replace(['[', ']'], "") == "%h:%p",
            "-p" => port = rest.next(),
            "-l" => user = rest.next(),
            "-i" | "-o" | "-F" | "-c" | "-m" | "-b" => drop(rest.next()?),
            _ if word.starts_with('-') => {}
            _ if host.is_none() => host = Some(word),
            _ => return None,
        }
    }
    let target = Target::read(host.filter(|_| forwards)?).ok()?;
    let user = target.user.or(user).map(|user| format!("{user}@")).unwrap_or_default();
    let port = target.port.map(|port| port.to_string()).or(port.map(str::to_owned));
    let bracketed =
        if target.host.contains(':') { format!("[{}]", target.host) } else { target.host.to_owned() };
    Some(format!("{user}{bracketed}{}", port.map(|port| format!(":{port}")).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_jump(args: &str, want: Result<Option<&str>, &str>) {
        let found = jump_of(args);
        assert_eq!(found.as_ref().map(Option::as_deref).map_err(String::as_str), want, "{args}");
    }

    #[test]
    fn jumps_in_the_arguments_of_ssh() {
        check_jump("-J bastion", Ok(Some("bastion")));
        check_jump("-C -Jops@bastion:2222 -o ProxyJump=other", Ok(Some("ops@bastion:2222")));
        check_jump("-o ProxyJump=a,b", Ok(Some("a,b")));
        check_jump("-o 'ProxyJump a' -oStrictHostKeyChecking=no", Ok(Some("a")));
        check_jump("-o StrictHostKeyChecking=no -q", Ok(None));
        check_jump("-o ProxyCommand=\"ssh -W %h:%p -q ops@bastion -p 2222\"", Ok(Some("ops@bastion:2222")));
        check_jump("-oProxyCommand='ssh -l a -i k -W [%h]:%p ::1'", Ok(Some("a@[::1]")));
        check_jump("-oProxyCommand=none", Ok(Some("none")));
        let other = "the ProxyCommand is not `ssh -W %h:%p HOST`";
        check_jump("-o ProxyCommand='nc -x proxy %h %p'", Err(other));
        check_jump("-o ProxyCommand='ssh bastion nc %h %p'", Err(other));
        check_jump("-J 'a b'", Err("in the jump `a b`, the name `a b` holds a space"));
        check_jump("-J", Ok(None));
    }

    #[test]
    fn the_name_of_the_host_is_the_only_template() {
        for (text, want) in [
            ("{{ inventory_hostname }}.example.com", Some("a.b.example.com")),
            ("{{inventory_hostname_short}}-{{ inventory_hostname }}", Some("a-a.b")),
            ("{{ other }}", None),
            ("{{ inventory_hostname", None),
            ("{% if x %}", None),
            ("plain", Some("plain")),
        ] {
            assert_eq!(filled(text, "a.b").as_deref(), want, "{text}");
        }
    }
}
