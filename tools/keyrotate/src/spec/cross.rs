//! What several parts of a spec must agree on.

use common::near;
use specs::Table;

use super::Spec;
use crate::consumer::Hold;
use crate::provider;

/// Looks for what does not go together. `table` is the whole spec.
pub(super) fn check(spec: &Spec, table: &Table<'_>) {
    if !spec.gates.unused.is_zero() && never_tells_use(&spec.provider) {
        let log = if matches!(spec.provider, provider::Config::Ssh(_)) { " without `auth_log`" } else { "" };
        let what = format!(
            "`gates.unused` waits for ever: this target does not tell when a key was used{log}; leave it out; \
             with `confirm = \"manual\"` a human has the last word"
        );
        table.fault(spec.lines.unused, what);
    }
    let parts = parts(&spec.provider);
    for (at, (one, line)) in spec.consumers.iter().zip(&spec.lines.consumers).enumerate() {
        if one.attest.is_none() && !matches!(one.hold, Hold::Exec { .. }) {
            let what = format!(
                "`attest = \"file\"`: what the file of `{}` holds is tried, and nobody knows what its program \
                 uses; better have it say that itself",
                one.name
            );
            table.warn(*line, what);
        }
        if let (Hold::File { format, .. }, Some(parts)) = (&one.hold, parts) {
            for name in format.placeholders().iter().filter(|name| !parts.contains(&name.as_str())) {
                let hint = near::did_you_mean(name, parts.iter().copied());
                table.fault(*line, format!("`{}`: this target has no `{{{name}}}`{hint}", one.name));
            }
        }
        if let Some(other) = spec.consumers[..at].iter().find(|other| share_a_file(&one.hold, &other.hold)) {
            let what = format!(
                "`{}` and `{}` are the same file: one would undo what the other does",
                other.name, one.name
            );
            table.fault(*line, what);
        }
    }
}

/// Whether the target knows nothing of the use of a key.
fn never_tells_use(provider: &provider::Config) -> bool {
    match provider {
        provider::Config::File(_) | provider::Config::Redis(_) => true,
        provider::Config::Ssh(config) => !config.tells_use(),
        _ => false,
    }
}

/// The parts that a credential of this target has; `None`: only a plug-in knows.
fn parts(provider: &provider::Config) -> Option<&'static [&'static str]> {
    match provider {
        provider::Config::Redis(_) | provider::Config::Postgres(_) => {
            Some(&["secret", "id", "fingerprint", "user"])
        }
        provider::Config::Ssh(_) => Some(&["secret", "id", "fingerprint", "public"]),
        provider::Config::Aws(_) | provider::Config::File(_) => Some(&["secret", "id", "fingerprint"]),
        provider::Config::Exec(_) => None,
    }
}

/// Whether two consumers are one file, as far as the spec tells: which hosts a pattern means is not known
/// here.
fn share_a_file(one: &Hold, other: &Hold) -> bool {
    let (Hold::File { path, hosts, .. }, Hold::File { path: other_path, hosts: other_hosts, .. }) =
        (one, other)
    else {
        return false;
    };
    let is_here = hosts.is_empty() && other_hosts.is_empty();
    path == other_path && (is_here || hosts.iter().any(|host| other_hosts.contains(host)))
}
