//! What lives where.

use common::{Out, Outcome, Result};
use secrets::conceal::hide;
use serde::Serialize;

use super::plan::Deployment;
use super::{Form, HostStatus, short, table};
use crate::station::{FileState, Kept, Seen};
use crate::status::State;

/// Prints a line for each host.
///
/// # Errors
/// When it cannot be printed, or as [`crate::status::of_hosts`]; all is printed then.
pub(crate) fn status(out: &mut Out, form: Form, hosts: &[HostStatus]) -> Result<Outcome> {
    if form == Form::Json {
        hosts.iter().try_for_each(|host| out.write_json(&Object::of(host)))?;
    } else if let Some(first) = hosts.first() {
        let has_many = hosts.iter().any(|host| host.spec != first.spec);
        let rows: Vec<Vec<String>> = hosts.iter().map(|host| row(host, has_many)).collect();
        table(out, &["SPEC", "ENV", "HOST", "VERSION", "DEPLOYMENT", "SINCE", "STATE"], &rows)?;
    }
    crate::status::of_hosts(hosts)
}

fn row(host: &HostStatus, has_many: bool) -> Vec<String> {
    let current = host.seen().and_then(Seen::current);
    let of = |get: fn(&Kept) -> &str| current.map(get).unwrap_or_default().to_owned();
    vec![
        if has_many { host.spec.clone() } else { String::new() },
        host.env.clone(),
        host.host.clone(),
        of(|kept| short(&kept.version)),
        of(|kept| &kept.id),
        of(|kept| &kept.time),
        State::of(host).to_string(),
    ]
}

#[derive(Serialize)]
struct Object<'a> {
    spec: &'a str,
    env: &'a str,
    host: &'a str,
    path: &'a str,
    state: &'static str,
    /// What more there is to say of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    version: Option<&'a str>,
    id: Option<&'a str>,
    who: Option<&'a str>,
    since: Option<&'a str>,
    /// The file.
    live: Option<&'a FileState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<Deployment<'a>>,
    /// What `rollback` may go back to, the oldest first.
    kept: &'a [Kept],
}

impl<'a> Object<'a> {
    fn of(host: &'a HostStatus) -> Self {
        let seen = host.seen();
        let current = seen.and_then(Seen::current);
        let state = State::of(host);
        Self {
            spec: &host.spec,
            env: &host.env,
            host: &host.host,
            path: &host.path,
            state: state.word(),
            why: state.why().as_deref().map(hide),
            version: current.map(|kept| kept.version.as_str()),
            id: current.map(|kept| kept.id.as_str()),
            who: current.map(|kept| kept.who.as_str()),
            since: current.map(|kept| kept.time.as_str()),
            live: seen.and_then(|seen| seen.live.as_ref()),
            open: seen.and_then(|seen| seen.open.as_ref()).map(Deployment::of),
            kept: seen.map(|seen| seen.kept.as_slice()).unwrap_or_default(),
        }
    }
}
