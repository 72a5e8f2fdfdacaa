//! What of the environment a command does not inherit.

use std::env;
use std::ffi::{OsStr, OsString};

use secrets::conceal;

/// What logs in somewhere, or runs a program that asks for a password. All that begins with `AWS_` is
/// hidden, too: a command that states which key it uses would state ours.
const NAMES: &[&str] = &[
    "AZURE_CLIENT_SECRET",
    "CONSUL_HTTP_TOKEN",
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "GITLAB_TOKEN",
    "GIT_ASKPASS",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "MYSQL_PWD",
    "PGPASSFILE",
    "PGPASSWORD",
    "REDISCLI_AUTH",
    "SSHPASS",
    "SSH_ASKPASS",
    "SUDO_ASKPASS",
    "VAULT_TOKEN",
];

/// The names of the variables that a command does not get.
pub(super) fn hidden() -> impl Iterator<Item = OsString> {
    env::vars_os().filter(|(name, value)| is_hidden(name, value)).map(|(name, _)| name)
}

/// Whether it is in the list, or its value holds a secret that is known here.
fn is_hidden(name: &OsStr, value: &OsStr) -> bool {
    let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
    NAMES.contains(&&*name) || name.starts_with("AWS_") || conceal::hide(&value) != *value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_logs_in_is_hidden() {
        let check = |name: &str, value: &str, want: bool| {
            assert_eq!(is_hidden(OsStr::new(name), OsStr::new(value)), want, "{name}");
        };
        conceal::secret(&"an0ther-secret".into());
        check("AWS_PROFILE", "x", true);
        check("PGPASSWORD", "", true);
        check("ORDERS", "redis://:an0ther-secret@db", true);
        check("ORDERS", "redis://db", false);
        check("PATH", "/bin", false);
        check("AWSOME", "x", false);
    }
}
