//! Users of a server: their passwords, and where they are kept.

use secrets::conceal;

use super::node::{Session, refusal};
use super::reply::Reply;
use crate::provider::wire::{Fault, Told};

/// A user as the server describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    /// Whether it may log in at all.
    pub(super) is_on: bool,
    /// Whether every password does.
    pub(super) is_open: bool,
    /// The SHA-256 of each password, in hexadecimal.
    pub(super) digests: Vec<String>,
}

/// Where a server keeps its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a file of their own.
    AclFile,
    /// In its configuration.
    Config,
}

/// What the digits of a digest are shortened to in sentences.
pub(super) fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

impl User {
    /// The user `name`; `None` when there is none.
    pub(super) fn get(session: &mut Session, name: &str) -> Told<Option<Self>> {
        let reply = session.ask(&["ACL", "GETUSER", name])?;
        Ok(Self::of(&reply))
    }

    fn of(reply: &Reply) -> Option<Self> {
        if reply == &Reply::Nil {
            return None;
        }
        let texts = |name: &str| -> Vec<String> {
            reply.field(name).map(Reply::parts).unwrap_or_default().iter().filter_map(Reply::text).collect()
        };
        let flags = texts("flags");
        let has = |flag: &str| flags.iter().any(|one| one == flag);
        Some(Self { is_on: has("on"), is_open: has("nopass"), digests: texts("passwords") })
    }
}

/// Gives the user one more password, or has it already.
pub(super) fn add(session: &mut Session, user: &str, digest: &str) -> Told {
    session.ask(&["ACL", "SETUSER", user, &format!("#{digest}")]).map(drop)
}

/// Takes a password from the user, or it has it no more.
pub(super) fn remove(session: &mut Session, user: &str, digest: &str) -> Told {
    let words = ["ACL", "SETUSER", user, &format!("!{digest}")];
    match session.try_ask(&words)? {
        // Redis calls it an error that there is nothing to do; there is no other word for it.
        Reply::Error(error) if error.contains("does not exist") => Ok(()),
        Reply::Error(error) => Err(refusal(&words, &error)),
        _ => Ok(()),
    }
}

/// Keeps the users over a restart, as they are now.
///
/// # Errors
/// A no when the server has no place for them, or we may not; when writing fails it is unknown what will
/// be there after a restart.
pub(super) fn save(session: &mut Session) -> Told {
    let words: &[&str] = match place(session)? {
        Place::AclFile => &["ACL", "SAVE"],
        Place::Config => &["CONFIG", "REWRITE"],
    };
    match session.try_ask(words)? {
        Reply::Error(error) if error.starts_with("ERR ") => {
            let why = conceal::quoted(error.as_bytes());
            Err(Fault::Unknown(format!("{}: {why}", words.join(" "))))
        }
        Reply::Error(error) => Err(refusal(words, &error)),
        _ => Ok(()),
    }
}

/// Whether there is a place where users are kept.
pub(super) fn is_durable(session: &mut Session) -> Told {
    place(session).map(drop)
}

fn place(session: &mut Session) -> Told<Place> {
    let file = session.ask(&["CONFIG", "GET", "aclfile"])?;
    let is_set = |reply: Option<String>| reply.is_some_and(|text| !text.is_empty());
    if is_set(file.field("aclfile").and_then(Reply::text)) {
        return Ok(Place::AclFile);
    }
    let server = session.ask(&["INFO", "server"])?.text().unwrap_or_default();
    let config = server.lines().find_map(|line| line.strip_prefix("config_file:")).map(str::to_owned);
    if is_set(config) {
        return Ok(Place::Config);
    }
    let no = "it forgets its users when it restarts; start it with an ACL file (aclfile) or a redis.conf";
    Err(Fault::No(no.into()))
}

/// Whether we may do all of the above: asked by what changes nothing, since a right that is missing would
/// else be found when consumers depend on it.
pub(super) fn may_change(session: &mut Session, user: &str) -> Told {
    for words in [&["ACL", "SETUSER", user][..], &["CLIENT", "KILL", "ID", "0"], &["ACL", "LOG", "0"]] {
        match session.try_ask(words)? {
            Reply::Error(error) if error.starts_with("NOPERM") => return Err(refusal(words, &error)),
            _ => {}
        }
    }
    Ok(())
}

/// Ends the sessions of the user, except this one.
pub(super) fn end_sessions(session: &mut Session, user: &str) -> Told {
    session.ask(&["CLIENT", "KILL", "USER", user, "SKIPME", "yes"]).map(drop)
}

/// How often a log-in of the user was refused; `None` when the server does not tell, or its log is full,
/// and old refusals make way for new ones.
pub(super) fn refusals(session: &mut Session, user: &str) -> Told<Option<u64>> {
    let longest = session.try_ask(&["CONFIG", "GET", "acllog-max-len"])?;
    let longest = longest.field("acllog-max-len").and_then(Reply::text);
    let Some(longest) = longest.and_then(|text| text.parse::<usize>().ok()) else { return Ok(None) };
    let words = ["ACL", "LOG", &longest.to_string()];
    match session.try_ask(&words)? {
        Reply::Error(error) if error.starts_with("NOPERM") => Ok(None),
        Reply::Error(error) => Err(refusal(&words, &error)),
        log => Ok(counted(&log, user, longest)),
    }
}

fn counted(log: &Reply, user: &str, longest: usize) -> Option<u64> {
    let is = |entry: &Reply, name: &str, value: &str| {
        entry.field(name).and_then(Reply::text).as_deref() == Some(value)
    };
    let entries = log.parts();
    let ours = entries.iter().filter(|entry| is(entry, "reason", "auth") && is(entry, "username", user));
    let count = |entry: &Reply| match entry.field("count") {
        Some(Reply::Number(count)) => u64::try_from(*count).unwrap_or_default(),
        _ => 0,
    };
    (entries.len() < longest).then(|| ours.map(count).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(words: &[&str]) -> Reply {
        Reply::List(words.iter().map(|word| Reply::Bytes(word.as_bytes().to_vec())).collect())
    }

    fn entry(count: i64, reason: &str, user: &str) -> Reply {
        let Reply::List(mut parts) = list(&["reason", reason, "username", user, "count"]) else {
            return Reply::Nil;
        };
        parts.push(Reply::Number(count));
        Reply::List(parts)
    }

    #[test]
    fn refusals_of_the_user_are_added_up() {
        let log = Reply::List(vec![
            entry(3, "auth", "orders"),
            entry(2, "auth", "orders"),
            entry(5, "auth", "other"),
            entry(7, "command", "orders"),
        ]);
        let check = |longest: usize, want: Option<u64>| assert_eq!(counted(&log, "orders", longest), want);
        check(128, Some(5));
        check(5, Some(5));
        check(4, None);
        assert_eq!(counted(&Reply::List(Vec::new()), "orders", 128), Some(0));
    }

    #[test]
    fn a_user_is_what_its_flags_say() {
        let flags = |flags: &[&str]| {
            let named = |name: &str| Reply::Bytes(name.as_bytes().to_vec());
            User::of(&Reply::List(vec![named("flags"), list(flags), named("passwords"), list(&["ab", "cd"])]))
        };
        let digests = vec!["ab".to_owned(), "cd".to_owned()];
        let check = |names: &[&str], is_on: bool, is_open: bool| {
            assert_eq!(flags(names), Some(User { is_on, is_open, digests: digests.clone() }));
        };
        check(&["on", "sanitize-payload"], true, false);
        check(&["off", "nopass"], false, true);
        assert_eq!(User::of(&Reply::Nil), None);
    }
}
