//! What is done on one host.

use common::answer::Answer;
use remote::keys::Held;
use remote::link::{failed, open, open_as_operator, run, try_run};
use remote::shell::quoted;
use remote::{Class, Session};
use zeroize::Zeroizing;

use super::authorized::{self, Listed};
use super::hosts::Host;
use crate::ssh::file::Content;

/// How the file is reached.
pub(super) enum Way {
    /// As somebody else, with the operator's own keys.
    Operator,
    /// As the account itself, with the first of these keys that it takes.
    Keys(Vec<Held>),
}

impl Way {
    /// A session for changing the file.
    pub(super) fn session(&self, host: &Host) -> Answer<Session> {
        match self {
            Self::Operator => open_as_operator(&host.site.reach, &host.admin),
            Self::Keys(keys) => open(&host.site.reach, &host.with(keys.clone())),
        }
    }
}

/// Logs in with `key` and nothing else, as the account.
pub(super) fn log_in(host: &Host, key: &Held) -> Answer<Session> {
    let reach = &host.site.reach;
    let mut session = match open(reach, &host.with(vec![key.clone()])) {
        Answer::Yes(session) => session,
        other => return other,
    };
    if session.key().is_none() {
        return Answer::Unknown("it lets everybody in, without any key".into());
    }
    let user = &host.site.target.user;
    match try_run(&mut session, reach, "id -un", None) {
        Ok(said) if said.status != 0 => {
            Answer::Unknown(format!("it does not say who we are: {}", said.why()))
        }
        Ok(said) => match String::from_utf8_lossy(&said.output).trim_end() {
            name if name == user => Answer::Yes(session),
            name => Answer::No(format!(
                "it takes us for {}, not for {user}",
                secrets::conceal::quoted(name.as_bytes())
            )),
        },
        // The key may be for one command only; sshd has let this user in with it all the same.
        Err(failure) if failure.class == Class::Command && host.is_run_by_others() => Answer::Yes(session),
        Err(failure) => failed(&failure),
    }
}

/// Whether the host lets `key` in, as whomever.
pub(super) fn lets_in(host: &Host, key: &Held) -> Answer<bool> {
    match open(&host.site.reach, &host.with(vec![key.clone()])) {
        Answer::Yes(_) => Answer::Yes(true),
        Answer::No(_) => Answer::Yes(false),
        Answer::Unknown(why) => Answer::Unknown(why),
    }
}

/// A session for changing the file, once a log-in with `other` has worked: that very session where the
/// account changes the file itself.
pub(super) fn proved(host: &Host, other: &Held) -> Answer<Session> {
    let session = log_in(host, other);
    if host.is_run_by_others() { session.and_then(|_| Way::Operator.session(host)) } else { session }
}

/// Whether all is there that a rotation needs: the file with the old key, which can be written.
pub(super) fn is_ready(host: &Host, session: &mut Session, old: Option<&str>) -> Answer {
    list(host, session).and_then(|keys| {
        let Some(old) = old else { return host.file.is_writable(session, &host.site.reach) };
        match keys.iter().find(|key| key.id == old) {
            Some(key) if key.is_enabled => host.file.is_writable(session, &host.site.reach),
            Some(_) => Answer::No(format!("{old} is disabled in authorized_keys")),
            None => Answer::No(format!("{old} is not in authorized_keys")),
        }
    })
}

/// The keys in the file; none when there is no file.
pub(super) fn list(host: &Host, session: &mut Session) -> Answer<Vec<Listed>> {
    let content = host.file.read(session, &host.site.reach);
    content.map(|content| content.as_deref().map_or_else(Vec::new, |bytes| authorized::keys(bytes)))
}

/// Adds a key, by its id and its line.
pub(super) fn add(host: &Host, session: &mut Session, new: (&str, &str), old: Option<&str>) -> Answer {
    edit(host, session, |bytes| authorized::add(bytes, new, old))
}

/// Disables the key `id`.
pub(super) fn disable(host: &Host, session: &mut Session, id: &str) -> Answer {
    edit(host, session, |bytes| Ok(authorized::set(bytes, id, false)))
}

/// Enables the key `id`, which must be there.
pub(super) fn enable(host: &Host, session: &mut Session, id: &str) -> Answer {
    edit(host, session, |bytes| {
        if authorized::keys(bytes).iter().any(|key| key.id == id) {
            return Ok(authorized::set(bytes, id, true));
        }
        Err(format!("{id} is not in authorized_keys any more"))
    })
}

/// Removes the key `id`.
pub(super) fn remove(host: &Host, session: &mut Session, id: &str) -> Answer {
    edit(host, session, |bytes| Ok(authorized::remove(bytes, id)))
}

/// How often sshd has let the key `id` in, by its log and the one before it.
pub(super) fn count(host: &Host, session: &mut Session, id: &str) -> Answer<u64> {
    let log = quoted(host.auth_log.as_deref().unwrap_or_default());
    let script = format!(
        "l={log}; [ -r \"$l\" ] || {{ cat \"$l\"; exit 1; }}; \
         if [ -r \"$l.1\" ]; then set -- \"$l.1\" \"$l\"; else set -- \"$l\"; fi; \
         cat \"$@\" | grep -F {} | grep -c 'Accepted publickey for '; true",
        quoted(id)
    );
    run(session, &host.site.reach, &script, None).and_then(|said| {
        let number = String::from_utf8_lossy(&said.output).trim().parse();
        match number {
            Ok(count) if said.status == 0 => Answer::Yes(count),
            _ => Answer::Unknown(format!("its log cannot be read: {}", said.why())),
        }
    })
}

type Change = Result<Option<Vec<u8>>, String>;

fn edit(host: &Host, session: &mut Session, mut change: impl FnMut(&[u8]) -> Change) -> Answer {
    host.file.edit(session, &host.site.reach, |content: &Content| {
        match change(content.as_deref().map_or(&[], |bytes| bytes.as_slice())) {
            Ok(changed) => Answer::Yes(changed.map(Zeroizing::new)),
            Err(why) => Answer::No(why),
        }
    })
}
