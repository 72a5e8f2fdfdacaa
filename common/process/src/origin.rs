//! Who does something, where and when.

use chrono::{SecondsFormat, Utc};
use nix::unistd::{User, gethostname, getuid};

/// Who does something, where and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// When, as RFC 3339 in UTC with milliseconds.
    pub time: String,
    /// The user: see [`who`].
    pub who: String,
    /// The name of the machine; empty when it has none.
    pub host: String,
    /// This process.
    pub pid: u32,
}

impl Origin {
    /// This process, now.
    #[must_use]
    pub fn now() -> Self {
        let host = gethostname().map(|name| name.to_string_lossy().into_owned());
        Self {
            time: Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
            who: who(),
            host: host.unwrap_or_default(),
            pid: std::process::id(),
        }
    }
}

/// The user that this process belongs to, and who became that user by sudo(8); as `root (sudo: jan)`.
/// The second name is what the environment says, which its owner can change.
#[must_use]
pub fn who() -> String {
    let uid = getuid();
    let name = User::from_uid(uid).ok().flatten().map_or_else(|| format!("uid {uid}"), |user| user.name);
    match std::env::var("SUDO_USER") {
        Ok(before) if !before.is_empty() => {
            format!("{name} (sudo: {})", before.chars().take(64).collect::<String>())
        }
        _ => name,
    }
}
