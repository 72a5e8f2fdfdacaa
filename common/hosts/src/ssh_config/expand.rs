//! `~`, `${VARIABLE}` and the `%` tokens of values.

use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User, gethostname, getuid};

/// What values are expanded with that is the same for all hosts.
#[derive(Debug, Clone, Default)]
pub(super) struct Local {
    /// The name of the local user.
    pub(super) user: String,
    /// The home folder: `HOME`, and the account's without it. ssh(1) looks at the account only.
    pub(super) home: String,
    /// The number of the local user.
    pub(super) uid: String,
    /// What this machine calls itself, with its domain where it knows it.
    pub(super) host: String,
}

impl Local {
    /// This process, on this machine.
    pub(super) fn here() -> Self {
        let uid: Uid = getuid();
        let account = User::from_uid(uid).ok().flatten();
        let home = std::env::home_dir().map(|home| home.to_string_lossy().into_owned());
        Self {
            user: account.map_or_else(|| std::env::var("USER").unwrap_or_default(), |account| account.name),
            home: home.unwrap_or_default(),
            uid: uid.to_string(),
            host: gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        }
    }
}

/// What the tokens of one host's values mean.
pub(super) struct Tokens<'a> {
    /// `%n`: the name as it was told.
    pub(super) name: &'a str,
    /// `%h`: the address, in lower case.
    pub(super) host: &'a str,
    /// `%p`
    pub(super) port: u16,
    /// `%r`: the remote user.
    pub(super) user: &'a str,
    /// `%k`: the alias of the host key, or the name.
    pub(super) key_alias: &'a str,
    /// `%j`: the jump host.
    pub(super) jump: &'a str,
    /// The rest.
    pub(super) local: &'a Local,
}

/// Which tokens the keywords take; `%C` of ssh(1) is not among them: it names sockets, which nothing
/// here opens.
pub(super) mod takes {
    /// `HostName`.
    pub(in super::super) const HOST: &str = "%h";
    /// `ProxyJump`.
    pub(in super::super) const JUMP: &str = "%hnpr";
    /// `User`.
    pub(in super::super) const USER: &str = "%hnpudiLlkj";
    /// Paths.
    pub(in super::super) const PATH: &str = "%hnprudiLlkj";
}

/// The first token in `value` that is none of those in `allowed`.
pub(super) fn foreign_token<'v>(value: &'v str, allowed: &str) -> Option<&'v str> {
    let mut rest = value;
    while let Some(at) = rest.find('%') {
        let token = &rest[at..];
        let Some(letter) = token[1..].chars().next() else { return Some(token) };
        let end = 1 + letter.len_utf8();
        if !allowed.contains(letter) {
            return Some(&token[..end]);
        }
        rest = &token[end..];
    }
    None
}

impl Tokens<'_> {
    /// `value` with its tokens expanded.
    pub(super) fn expand(&self, value: &str) -> String {
        let mut expanded = String::with_capacity(value.len());
        let mut rest = value;
        while let Some((before, behind)) = rest.split_once('%') {
            expanded.push_str(before);
            let mut letters = behind.chars();
            if let Some(token) = letters.next() {
                self.push(token, &mut expanded);
            }
            rest = letters.as_str();
        }
        expanded + rest
    }

    fn push(&self, token: char, expanded: &mut String) {
        let short = || self.local.host.split('.').next().unwrap_or_default();
        match token {
            'h' => expanded.push_str(self.host),
            'n' => expanded.push_str(self.name),
            'p' => expanded.push_str(&self.port.to_string()),
            'r' => expanded.push_str(self.user),
            'k' => expanded.push_str(self.key_alias),
            'j' => expanded.push_str(self.jump),
            'u' => expanded.push_str(&self.local.user),
            'd' => expanded.push_str(&self.local.home),
            'i' => expanded.push_str(&self.local.uid),
            'l' => expanded.push_str(&self.local.host),
            'L' => expanded.push_str(short()),
            other => expanded.push(other),
        }
    }
}

/// `~/x` and `~user/x` with the home folder in place.
pub(super) fn tilde(path: &str, local: &Local) -> Result<String, String> {
    let Some(behind) = path.strip_prefix('~') else { return Ok(path.into()) };
    let (user, rest) = behind.find('/').map_or((behind, ""), |slash| behind.split_at(slash));
    if user.is_empty() {
        return Ok(format!("{}{rest}", local.home));
    }
    let account = User::from_name(user).ok().flatten();
    let account =
        account.ok_or_else(|| format!("there is no user `{user}` here, whose home `~{user}` is"))?;
    Ok(format!("{}{rest}", account.dir.display()))
}

/// `${NAME}` with the value of the variable.
pub(super) fn variables(value: &str) -> Result<String, String> {
    let mut expanded = String::new();
    let mut rest = value;
    while let Some((before, behind)) = rest.split_once("${") {
        let (name, after) = behind.split_once('}').ok_or("a `${` is not closed")?;
        let found = std::env::var(name).map_err(|_| format!("the variable {name} is not set"))?;
        expanded.push_str(before);
        expanded.push_str(&found);
        rest = after;
    }
    Ok(expanded + rest)
}

/// Where the configuration of the user lies.
pub(super) fn user_folder(local: &Local) -> PathBuf {
    Path::new(&local.home).join(".ssh")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local() -> Local {
        Local {
            user: "ada".into(),
            home: "/home/ada".into(),
            uid: "1000".into(),
            host: "desk.example.com".into(),
        }
    }

    #[test]
    fn each_token_has_its_meaning() {
        let local = local();
        let tokens = Tokens {
            name: "Web1",
            host: "10.0.0.1",
            port: 2222,
            user: "ops",
            key_alias: "alias",
            jump: "bastion",
            local: &local,
        };
        let check = |value: &str, want: &str| assert_eq!(tokens.expand(value), want, "{value}");
        check("%d/.ssh/%r@%h:%p", "/home/ada/.ssh/ops@10.0.0.1:2222");
        check("%n %k %j %u %i %L %l", "Web1 alias bastion ada 1000 desk desk.example.com");
        check("100%%h", "100%h");
        check("none", "none");
    }

    #[test]
    fn a_token_that_is_not_taken_is_named() {
        let check = |value: &str, want: Option<&str>| {
            assert_eq!(foreign_token(value, takes::HOST), want, "{value}");
        };
        check("%h.example.com", None);
        check("%%%h", None);
        check("%p", Some("%p"));
        check("x%C", Some("%C"));
        check("100%", Some("%"));
        check("%é", Some("%é"));
    }

    #[test]
    fn home_folders_are_found() {
        let check = |path: &str, want: &str| assert_eq!(tilde(path, &local()).unwrap(), want);
        check("~/.ssh/id", "/home/ada/.ssh/id");
        check("~", "/home/ada");
        check("/x/~", "/x/~");
        check("~root/x", "/root/x");
        assert!(tilde("~no-such-user/x", &local()).is_err());
    }

    #[test]
    fn variables_are_those_of_the_process() {
        assert_eq!(variables("${CARGO_PKG_NAME}/x$y").unwrap(), "hosts/x$y");
        assert_eq!(variables("${NO_SUCH}").unwrap_err(), "the variable NO_SUCH is not set");
        assert!(variables("${x").is_err());
    }
}
