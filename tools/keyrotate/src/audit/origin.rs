//! Who does something, where and when.

use chrono::{SecondsFormat, Utc};
use nix::unistd::{User, gethostname, getuid};

/// Who does something, where and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) time: String,
    pub(super) who: String,
    pub(super) host: String,
    pub(super) pid: u32,
}

impl Origin {
    /// This process, now.
    pub(super) fn now() -> Self {
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
pub(crate) fn who() -> String {
    let uid = getuid();
    let name = User::from_uid(uid).ok().flatten().map_or_else(|| format!("uid {uid}"), |user| user.name);
    match std::env::var("SUDO_USER") {
        Ok(before) if !before.is_empty() => {
            format!("{name} (sudo: {})", before.chars().take(64).collect::<String>())
        }
        _ => name,
    }
}
