//! What came of a deployment or a rollback.

use common::natural::natural;
use common::{Out, Result};
use secrets::conceal::hide;
use serde::Serialize;

use super::fold::{fold, names};
use super::{EnvResult, Form, HostResult, Word, hosts, short, shown};

/// Prints what came of it in one environment: to people one line, and one for all hosts with the same
/// fate, those that need somebody first; to programs one object.
///
/// # Errors
/// When it cannot be printed.
pub(crate) fn result<'a>(out: &mut Out, form: Form, result: &'a EnvResult) -> Result<()> {
    if form == Form::Json {
        return out.write_json(&Object::of(result));
    }
    // That all are down says why.
    let why = result.why.as_ref().filter(|_| result.verdict != Word::Down);
    let why = why.map(|why| format!(": {}", shown(why))).unwrap_or_default();
    let (spec, env) = (shown(&result.spec), shown(&result.env));
    writeln!(out, "{spec} to {env}: {}{why}", sentence(result))?;
    if let Some(id) = &result.id {
        let version = short(&result.version);
        let version =
            if version.is_empty() { String::new() } else { format!(", version {}", shown(version)) };
        let back = result.back_to.as_ref().map(|to| format!(", back to {}", shown(to))).unwrap_or_default();
        writeln!(out, "  deployment {}{back}{version}, {:.1} s", shown(id), result.seconds)?;
    }
    // What the environment failed of is told already.
    let is_told = |host: &HostResult, why: &str| {
        let told = result.why.as_deref();
        told == Some(why) || told == Some(&format!("{}: {why}", host.host))
    };
    let why = |host: &'a HostResult| host.why.as_deref().filter(|why| !is_told(host, why));
    let mut all = fold(&result.hosts, |host| (host.fate, why(host)));
    all.sort_by(|((one, _), first), ((other, _), second)| {
        let name = |those: &[&HostResult]| those.first().map(|host| host.host.clone()).unwrap_or_default();
        other.cmp(one).then_with(|| natural(&name(first), &name(second)))
    });
    for ((fate, why), those) in all {
        let why = why.map(|why| format!(": {}", shown(why))).unwrap_or_default();
        let names = names(those.iter().map(|one| one.host.as_str()));
        writeln!(out, "  {}: {names}{why}", word(fate))?;
    }
    Ok(())
}

fn sentence(result: &EnvResult) -> String {
    let done = result.hosts.iter().filter(|host| host.fate == Word::Done).count();
    match result.verdict {
        Word::Begun => "begun".into(),
        Word::Done => format!("done on {}", hosts(done)),
        Word::Partial => format!("done on {done} of {}", hosts(result.hosts.len())),
        Word::Unchanged => "nothing to do".into(),
        Word::Down => "all hosts are down, nothing was changed".into(),
        Word::Untouched => "not touched".into(),
        Word::Refused => "refused, nothing was changed".into(),
        Word::Busy => "somebody else is at it, nothing was changed".into(),
        Word::Failed => "failed, nothing was changed".into(),
        Word::RolledBack => "FAILED and rolled back".into(),
        Word::NotRolledBack => "FAILED and NOT wholly rolled back, somebody is needed".into(),
    }
}

/// A fate for people.
fn word(fate: Word) -> &'static str {
    match fate {
        Word::Begun => "begun",
        Word::Done => "done",
        Word::Partial => "partly done",
        Word::Unchanged => "unchanged",
        Word::Down => "down",
        Word::Untouched => "not touched",
        Word::Refused => "refused",
        Word::Busy => "busy",
        Word::Failed => "failed",
        Word::RolledBack => "rolled back",
        Word::NotRolledBack => "NOT rolled back",
    }
}

#[derive(Serialize)]
struct Object<'a> {
    spec: &'a str,
    env: &'a str,
    id: Option<&'a str>,
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    back_to: Option<&'a str>,
    outcome: Word,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    seconds: f64,
    hosts: Vec<Fate<'a>>,
}

#[derive(Serialize)]
struct Fate<'a> {
    host: &'a str,
    outcome: Word,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl<'a> Object<'a> {
    fn of(result: &'a EnvResult) -> Self {
        let host = |host: &'a HostResult| Fate {
            host: &host.host,
            outcome: host.fate,
            why: host.why.as_deref().map(hide),
        };
        Self {
            spec: &result.spec,
            env: &result.env,
            id: result.id.as_deref(),
            version: &result.version,
            back_to: result.back_to.as_deref(),
            outcome: result.verdict,
            why: result.why.as_deref().map(hide),
            // Nobody needs less than a millisecond.
            seconds: (result.seconds * 1000.0).round() / 1000.0,
            hosts: result.hosts.iter().map(host).collect(),
        }
    }
}
