//! Telling a person or a pager what a run came to: `--on-event CMD`.

use serde::Serialize;

use crate::report::KeyName;
use crate::state::Wait;

/// What is worth a person's attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// The new key is in use, the old one is gone.
    Rotated,
    /// The old key is in use again.
    RolledBack,
    /// The rotation does not go on by itself.
    NeedsHuman,
    /// Some consumers do not use the new key yet; the old one is kept.
    Pending,
    /// The old key may go when somebody says so.
    WaitingForConfirm,
    /// The run failed.
    Failed,
}

/// What the command reads.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Event<'a> {
    /// What it is.
    #[serde(rename = "event")]
    pub(crate) kind: Kind,
    /// The name of the credential.
    pub(crate) name: &'a str,
    /// The id of the rotation, when there is one.
    pub(crate) rotation: Option<&'a str>,
    /// How far it is.
    pub(crate) phase: Option<String>,
    /// The exit status.
    pub(crate) status: u8,
    /// Why it is so.
    pub(crate) why: Option<&'a str>,
    /// The key that is in use, or is to be.
    #[serde(flatten)]
    pub(crate) key: Key,
    /// When, as RFC 3339 in UTC.
    pub(crate) time: String,
}

/// A key of an event.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Key {
    key: Option<String>,
    fingerprint: Option<String>,
}

impl From<KeyName> for Key {
    fn from(KeyName { id, fingerprint }: KeyName) -> Self {
        Self { key: Some(id), fingerprint: Some(fingerprint) }
    }
}

impl Kind {
    /// What a run that stopped with `wait` is to a person, who has heard of `before` already; none when it
    /// is nothing, or nothing new.
    pub(crate) fn of(wait: &Wait, before: Option<&Wait>) -> Option<Self> {
        if before.is_some_and(|before| before.is_like(wait)) {
            return None;
        }
        match wait.status {
            0 | 75 => None,
            10 => Some(Self::RolledBack),
            11 => Some(Self::NeedsHuman),
            // Time passes by itself, and a hold was a person's own will.
            12 => wait.why.contains("`keyrotate confirm`").then_some(Self::WaitingForConfirm),
            23 => Some(Self::Pending),
            _ => Some(Self::Failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(status: u8, why: &str) -> Wait {
        Wait { status, why: why.into() }
    }

    #[test]
    fn a_person_hears_once_of_what_matters() {
        let check = |now: Wait, before: Option<Wait>, want| assert_eq!(Kind::of(&now, before.as_ref()), want);
        check(wait(12, "both keys are good until 9"), None, None);
        check(wait(12, "`keyrotate confirm` has it go"), None, Some(Kind::WaitingForConfirm));
        check(
            wait(12, "`keyrotate confirm` has it go"),
            Some(wait(12, "`keyrotate confirm` has it go")),
            None,
        );
        check(
            wait(12, "`keyrotate confirm`"),
            Some(wait(12, "both are good")),
            Some(Kind::WaitingForConfirm),
        );
        check(wait(23, "web03: out of reach"), None, Some(Kind::Pending));
        check(wait(23, "web03: out of reach"), Some(wait(23, "web04: out of reach")), None);
        check(wait(23, "db: broken"), Some(wait(23, "web04: out of reach")), Some(Kind::Pending));
        check(wait(11, "a foreign key"), None, Some(Kind::NeedsHuman));
        check(wait(10, "rolled back"), None, Some(Kind::RolledBack));
        check(wait(75, "out of reach"), None, None);
        check(wait(2, "no spec"), None, Some(Kind::Failed));
        check(wait(13, "disk full"), None, Some(Kind::Failed));
    }

    #[test]
    fn an_event_is_one_flat_object() {
        let event = Event {
            kind: Kind::Rotated,
            name: "orders",
            rotation: Some("r1"),
            phase: None,
            status: 0,
            why: None,
            key: KeyName { id: "AK2".into(), fingerprint: "a52d159f262b".into() }.into(),
            time: "2026-03-14T09:26:53Z".into(),
        };
        let want = concat!(
            r#"{"event":"rotated","name":"orders","rotation":"r1","phase":null,"status":0,"why":null,"#,
            r#""key":"AK2","fingerprint":"a52d159f262b","time":"2026-03-14T09:26:53Z"}"#
        );
        assert_eq!(serde_json::to_string(&event).unwrap(), want);
    }
}
