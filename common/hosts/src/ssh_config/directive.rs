//! A keyword with its arguments: what it says, or why it says nothing.

use std::path::PathBuf;

use super::expand::{Local, foreign_token, takes, tilde, variables};
use super::line::{arguments, seconds};

/// One value for the hosts of its block. Paths have their `~` and `${VARIABLE}` already expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Directive {
    HostName(String),
    Port(u16),
    User(String),
    IdentityFile(String),
    CertificateFile(String),
    IdentitiesOnly(bool),
    IdentityAgent(String),
    ProxyJump(String),
    ProxyCommand(String),
    UserKnownHosts(Vec<String>),
    GlobalKnownHosts(Vec<String>),
    StrictHostKeyChecking(String),
    HostKeyAlias(String),
    ConnectTimeout(u64),
}

/// What came of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A value.
    This(Directive),
    /// Nothing that matters here.
    Nothing,
    /// Something that ssh(1) would do and that is not done here: the line is passed over.
    NotHere(String),
}

/// What a keyword of ssh_config(5), in lower case, says with the `rest` of its line.
///
/// # Errors
/// When ssh(1) would refuse the line: why, without the place.
pub(super) fn parse(keyword: &str, rest: &str, local: &Local) -> Result<Said, String> {
    let line = Line { keyword, rest, local };
    let directive = match keyword {
        "hostname" => Directive::HostName(line.one()?),
        "port" => Directive::Port(line.port()?),
        "user" => Directive::User(line.one()?),
        "identityfile" => return line.path(Directive::IdentityFile),
        "certificatefile" => return line.path(Directive::CertificateFile),
        "identityagent" => return line.path(Directive::IdentityAgent),
        "identitiesonly" => Directive::IdentitiesOnly(line.flag()?),
        "proxyjump" => Directive::ProxyJump(line.jump()?),
        // A command is the rest of the line as it stands, `#` and quotes included.
        "proxycommand" => Directive::ProxyCommand(line.not_empty(rest)?),
        "userknownhostsfile" => return line.paths(Directive::UserKnownHosts),
        "globalknownhostsfile" => return line.paths(Directive::GlobalKnownHosts),
        "stricthostkeychecking" => Directive::StrictHostKeyChecking(line.strictness()?),
        "hostkeyalias" => Directive::HostKeyAlias(line.one()?),
        "connecttimeout" => return line.timeout(),
        "canonicalizehostname" if !matches!(line.one()?.as_str(), "no" | "false") => {
            return Ok(Said::NotHere("names are not canonicalized here".into()));
        }
        _ => return Ok(Said::Nothing),
    };
    let allowed = match &directive {
        Directive::HostName(_) => takes::HOST,
        Directive::User(_) => takes::USER,
        Directive::ProxyJump(_) => takes::JUMP,
        _ => return Ok(Said::This(directive)),
    };
    Ok(match &directive {
        Directive::HostName(value) | Directive::User(value) | Directive::ProxyJump(value) => {
            line.without_foreign_token(value, allowed).map_or(Said::This(directive), Said::NotHere)
        }
        _ => Said::This(directive),
    })
}

/// A keyword and what stands behind it.
struct Line<'a> {
    keyword: &'a str,
    rest: &'a str,
    local: &'a Local,
}

impl Line<'_> {
    fn not_empty(&self, value: &str) -> Result<String, String> {
        if value.is_empty() { Err(format!("{} has no value", self.keyword)) } else { Ok(value.into()) }
    }

    fn all(&self) -> Result<Vec<String>, String> {
        let all = arguments(self.rest)?;
        if all.is_empty() || all.iter().any(String::is_empty) {
            return Err(format!("{} has no value", self.keyword));
        }
        Ok(all)
    }

    fn one(&self) -> Result<String, String> {
        let mut all = self.all()?;
        if all.len() > 1 {
            return Err(format!("{} takes one value; put it in quotes when it has blanks", self.keyword));
        }
        self.not_empty(&all.pop().unwrap_or_default())
    }

    fn port(&self) -> Result<u16, String> {
        let value = self.one()?;
        // The one name of services(5) that anybody writes here.
        let port = if value == "ssh" { Some(22) } else { value.parse().ok().filter(|port| *port > 0) };
        port.ok_or_else(|| format!("`{value}` is no port"))
    }

    fn flag(&self) -> Result<bool, String> {
        let value = self.one()?;
        match value.to_ascii_lowercase().as_str() {
            "yes" | "true" => Ok(true),
            "no" | "false" => Ok(false),
            _ => Err(format!("`{value}` is not yes or no")),
        }
    }

    fn strictness(&self) -> Result<String, String> {
        let value = self.one()?.to_ascii_lowercase();
        match value.as_str() {
            "yes" | "true" | "no" | "false" | "off" | "ask" | "accept-new" => Ok(value),
            _ => Err(format!("`{value}` is not yes, no, ask, off or accept-new")),
        }
    }

    fn timeout(&self) -> Result<Said, String> {
        let value = self.one()?;
        if value == "none" {
            // It sets the value to what it is without the line, against lines that come later.
            return Ok(Said::Nothing);
        }
        let seconds = seconds(&value).ok_or_else(|| format!("`{value}` is no time"))?;
        Ok(Said::This(Directive::ConnectTimeout(seconds)))
    }

    /// ssh(1) takes the first word as it stands, with quotes, and passes over what follows.
    fn jump(&self) -> Result<String, String> {
        let words = self.rest.split('#').next().unwrap_or_default();
        self.not_empty(words.split([' ', '\t']).next().unwrap_or_default())
    }

    fn path(&self, directive: fn(String) -> Directive) -> Result<Said, String> {
        Ok(match self.expanded(&self.one()?) {
            Ok(path) => Said::This(directive(path)),
            Err(why) => Said::NotHere(why),
        })
    }

    fn paths(&self, directive: fn(Vec<String>) -> Directive) -> Result<Said, String> {
        let expanded: Result<Vec<_>, _> = self.all()?.iter().map(|path| self.expanded(path)).collect();
        Ok(match expanded {
            Ok(paths) => Said::This(directive(paths)),
            Err(why) => Said::NotHere(why),
        })
    }

    /// What does not depend on the host is expanded once.
    fn expanded(&self, path: &str) -> Result<String, String> {
        match self.without_foreign_token(path, takes::PATH) {
            Some(why) => Err(why),
            None => variables(&tilde(path, self.local)?),
        }
    }

    fn without_foreign_token(&self, value: &str, allowed: &str) -> Option<String> {
        let token = foreign_token(value, allowed)?;
        Some(format!("the token {token} is not expanded here in {}", self.keyword))
    }
}

/// The paths with their tokens expanded.
pub(super) fn as_paths(values: &[String], expand: impl Fn(&str) -> String) -> Vec<PathBuf> {
    values.iter().map(|value| PathBuf::from(expand(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(keyword: &str, rest: &str) -> Result<Said, String> {
        parse(keyword, rest, &Local { home: "/h".into(), ..Local::default() })
    }

    #[test]
    fn a_keyword_says_its_value() {
        let check = |keyword: &str, rest: &str, want: Directive| {
            assert_eq!(said(keyword, rest), Ok(Said::This(want)), "{keyword} {rest}");
        };
        check("hostname", "%h.example.com # c", Directive::HostName("%h.example.com".into()));
        check("port", "22", Directive::Port(22));
        check("port", "ssh", Directive::Port(22));
        check("identityfile", "\"~/a b\"", Directive::IdentityFile("/h/a b".into()));
        check("identitiesonly", "Yes", Directive::IdentitiesOnly(true));
        check("proxyjump", "a,b:2 c # d", Directive::ProxyJump("a,b:2".into()));
        check("proxycommand", "nc %h # x", Directive::ProxyCommand("nc %h # x".into()));
        let files = vec!["/h/a".to_owned(), "/b".to_owned()];
        check("userknownhostsfile", "~/a /b", Directive::UserKnownHosts(files));
        check("stricthostkeychecking", "Accept-New", Directive::StrictHostKeyChecking("accept-new".into()));
        check("connecttimeout", "1m", Directive::ConnectTimeout(60));
    }

    #[test]
    fn what_ssh_would_refuse_is_an_error() {
        let check = |keyword: &str, rest: &str, want: &str| {
            let error = said(keyword, rest).unwrap_err();
            assert!(error.contains(want), "{keyword} {rest}: {error}");
        };
        check("port", "abc", "`abc` is no port");
        check("port", "0", "no port");
        check("port", "65536", "no port");
        check("port", "22 23", "one value");
        check("user", "", "no value");
        check("user", "\"\"", "no value");
        check("user", "\"a", "not closed");
        check("identitiesonly", "maybe", "yes or no");
        check("stricthostkeychecking", "maybe", "yes, no, ask");
        check("connecttimeout", "soon", "no time");
        check("proxyjump", "# a", "no value");
        check("proxycommand", "", "no value");
    }

    #[test]
    fn what_is_not_done_here_is_told() {
        let check = |keyword: &str, rest: &str, want: &str| match said(keyword, rest) {
            Ok(Said::NotHere(why)) => assert!(why.contains(want), "{why}"),
            other => panic!("{keyword} {rest}: {other:?}"),
        };
        check("identityfile", "/x/%C", "%C");
        check("hostname", "%p", "%p");
        check("identityagent", "${NO_SUCH}/agent", "NO_SUCH is not set");
        check("canonicalizehostname", "yes", "canonicalized");
        assert_eq!(said("canonicalizehostname", "no"), Ok(Said::Nothing));
        assert_eq!(said("forwardx11", "perhaps"), Ok(Said::Nothing));
    }
}
