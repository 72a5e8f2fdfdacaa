//! Which hosts a `Host` or `Match` line means.

use crate::glob::Glob;

use super::expand::Local;
use super::line::{arguments, words};

/// When a block applies, besides the block that includes it.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    /// To every host.
    Always,
    /// To none: it depends on what is not known here.
    Never,
    /// To the hosts with these names.
    Host(Vec<Pattern>),
    /// To the hosts that are all of this.
    Match(Vec<Criterion>),
}

/// One pattern of a list.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    is_negated: bool,
    glob: Glob,
}

/// One criterion of a `Match` line.
#[derive(Debug, Clone)]
pub(super) struct Criterion {
    is_negated: bool,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    /// Known before there is a host: `all`, `localuser`.
    Settled(bool),
    /// In the second pass only: `final`, `canonical`.
    Final,
    Host(Vec<Pattern>),
    OriginalHost(Vec<Pattern>),
    User(Vec<Pattern>),
}

/// What is asked of a condition.
pub(super) struct Asked<'a> {
    /// What `Host` compares: the name, in the second pass the address.
    pub(super) host: &'a str,
    /// The address so far, for `Match host`, in lower case.
    pub(super) address: &'a str,
    /// The name as it was told, in lower case.
    pub(super) original: &'a str,
    /// The user so far.
    pub(super) user: &'a str,
    /// Whether this is the second pass.
    pub(super) is_final: bool,
}

/// A condition, and what of it cannot be asked here.
pub(super) struct Parsed {
    pub(super) condition: Condition,
    /// Why it never applies.
    pub(super) not_here: Option<String>,
    /// Whether it asks for a second pass.
    pub(super) wants_final: bool,
}

impl Condition {
    /// The names that a `Host` line means one by one; `None` when there are others, or exceptions.
    pub(super) fn names(&self) -> Option<Vec<&str>> {
        let Self::Host(patterns) = self else { return None };
        patterns.iter().map(|pattern| pattern.glob.literal().filter(|_| !pattern.is_negated)).collect()
    }

    /// The concrete names of a `Host` line.
    pub(super) fn concrete(&self) -> impl Iterator<Item = &str> {
        let patterns = if let Self::Host(patterns) = self { patterns.as_slice() } else { &[] };
        patterns.iter().filter(|pattern| !pattern.is_negated).filter_map(|pattern| pattern.glob.literal())
    }

    /// Whether it depends on what was said before it.
    pub(super) fn is_match(&self) -> bool {
        matches!(self, Self::Match(_))
    }

    /// Whether it holds.
    pub(super) fn holds(&self, asked: &Asked<'_>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Host(patterns) => is_in(patterns, asked.host),
            Self::Match(criteria) => criteria.iter().all(|one| one.what.holds(asked) != one.is_negated),
        }
    }
}

impl What {
    fn holds(&self, asked: &Asked<'_>) -> bool {
        match self {
            Self::Settled(holds) => *holds,
            Self::Final => asked.is_final,
            Self::Host(patterns) => is_in(patterns, asked.address),
            Self::OriginalHost(patterns) => is_in(patterns, asked.original),
            Self::User(patterns) => is_in(patterns, asked.user),
        }
    }
}

/// Whether a pattern matches and none of the negated ones does.
fn is_in(patterns: &[Pattern], text: &str) -> bool {
    let mut matching = patterns.iter().filter(|pattern| pattern.glob.matches(text)).peekable();
    matching.peek().is_some() && matching.all(|pattern| !pattern.is_negated)
}

/// The patterns behind `Host`.
pub(super) fn host(rest: &str) -> Result<Parsed, String> {
    let patterns = arguments(rest)?;
    if patterns.is_empty() || patterns.iter().any(String::is_empty) {
        return Err("host has no pattern".into());
    }
    let patterns = patterns.iter().map(|pattern| Pattern::new(pattern)).collect();
    Ok(Parsed { condition: Condition::Host(patterns), not_here: None, wants_final: false })
}

impl Pattern {
    fn new(text: &str) -> Self {
        let glob = text.strip_prefix('!').unwrap_or(text);
        Self { is_negated: glob.len() < text.len(), glob: Glob::new(glob) }
    }
}

/// The criteria behind `Match`. Commands are never run: what a file says must not run anything here.
pub(super) fn criteria(rest: &str, local: &Local) -> Result<Parsed, String> {
    let words = words(rest)?;
    let mut words = words.iter();
    let (mut criteria, mut not_here, mut wants_final) = (Vec::new(), None, false);
    while let Some(word) = words.next() {
        let name = word.strip_prefix('!').unwrap_or(word).to_ascii_lowercase();
        let is_negated = word.starts_with('!');
        let what = match name.as_str() {
            "all" if criteria.len() > 1 || words.len() > 0 => {
                return Err("`all` stands alone, or behind canonical or final".into());
            }
            "all" => What::Settled(true),
            "final" | "canonical" => {
                wants_final |= name == "final";
                What::Final
            }
            _ => {
                let argument = words.next().filter(|argument| !argument.is_empty());
                let argument = argument.ok_or_else(|| format!("`{name}` of match has no value"))?;
                let Some(what) = argued(&name, argument, local)? else {
                    not_here = Some(format!("`match {name}` is not asked here; its block is passed over"));
                    continue;
                };
                what
            }
        };
        criteria.push(Criterion { is_negated, what });
    }
    if criteria.is_empty() && not_here.is_none() {
        return Err("match has no criterion".into());
    }
    let condition = if not_here.is_some() { Condition::Never } else { Condition::Match(criteria) };
    Ok(Parsed { condition, not_here, wants_final })
}

/// A criterion with its value; `None` for those that are never asked.
fn argued(name: &str, argument: &str, local: &Local) -> Result<Option<What>, String> {
    let list = |text: &str| text.split(',').map(Pattern::new).collect::<Vec<_>>();
    Ok(Some(match name {
        "host" => What::Host(list(&argument.to_ascii_lowercase())),
        "originalhost" => What::OriginalHost(list(&argument.to_ascii_lowercase())),
        "user" => What::User(list(argument)),
        "localuser" => What::Settled(is_in(&list(argument), &local.user)),
        "exec" | "localnetwork" | "tagged" | "command" | "version" | "sessiontype" => return Ok(None),
        _ => return Err(format!("`{name}` is no criterion of match")),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str) -> Asked<'_> {
        Asked { host: name, address: name, original: name, user: "ops", is_final: false }
    }

    #[test]
    fn a_host_line_means_its_patterns_without_the_negated() {
        let check = |patterns: &str, name: &str, want: bool| {
            assert_eq!(host(patterns).unwrap().condition.holds(&asked(name)), want, "{patterns} {name}");
        };
        check("web1 web2", "web2", true);
        check("web*", "web2", true);
        check("web* !web2", "web2", false);
        check("!web2 web*", "web2", false);
        check("!web2", "web3", false);
        check("\"web2\" # web3", "web3", false);
        check("WEB2", "web2", false);
    }

    #[test]
    fn a_match_line_is_all_of_its_criteria() {
        let local = Local { user: "ada".into(), ..Local::default() };
        let check = |text: &str, want: bool| {
            assert_eq!(criteria(text, &local).unwrap().condition.holds(&asked("web1")), want, "{text}");
        };
        check("all", true);
        check("!all", false);
        check("host WEB*,!web2", true);
        check("host web*,!web1", false);
        check("host=web1 user=root", false);
        check("user root,ops", true);
        check("!user root", true);
        check("localuser ada originalhost web1", true);
        check("localuser bob", false);
        check("final", false);
        check("!final all", true);
        check("exec true", false);
        check("!exec true", false);
        check("tagged x host web1", false);
    }

    #[test]
    fn what_is_no_match_line_is_refused() {
        let check = |text: &str, want: &str| {
            let error = criteria(text, &Local::default()).map(|_| ()).unwrap_err();
            assert!(error.contains(want), "{text}: {error}");
        };
        check("", "no criterion");
        check("host", "no value");
        check("hots web1", "is no criterion");
        check("all host web1", "stands alone");
        check("host web1 user x all", "stands alone");
        assert!(host("").is_err());
    }
}
