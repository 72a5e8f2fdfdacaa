//! What people and programs read: how far a rotation is, who uses which key, what is to come, what was.

pub(crate) mod log;
pub(crate) mod plan;
pub(crate) mod status;
pub(crate) mod verify;

use serde::Serialize;

/// How results look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people.
    Text,
    /// JSON, one object a line.
    Json,
}

/// A key as results name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct KeyName {
    /// Its id.
    pub(crate) id: String,
    /// The fingerprint of its secret.
    pub(crate) fingerprint: String,
}

impl KeyName {
    /// The name of `credential`.
    pub(crate) fn of(credential: &crate::credential::Credential) -> Self {
        Self { id: credential.id.clone(), fingerprint: credential.fingerprint() }
    }

    /// For people: the id, and the fingerprint where that is something else.
    pub(crate) fn told(&self) -> String {
        let Self { id, fingerprint } = self;
        if short(id) == fingerprint { fingerprint.clone() } else { format!("{id} ({fingerprint})") }
    }
}

/// An id for people: of a digest so many digits as a fingerprint has.
fn short(id: &str) -> &str {
    let is_digest = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    id.get(..12).filter(|_| is_digest).unwrap_or(id)
}

#[cfg(test)]
pub(crate) mod tests {
    use common::out::Held;
    use common::{Out, Result};

    use crate::clock::{Now, Timer};
    use crate::credential::Credential;
    use crate::state::{Phase, Progress, Rotation, State};

    /// What `print` prints.
    pub(crate) fn printed(print: impl FnOnce(&mut Out) -> Result<()>) -> String {
        let mut held = Held::new("memory");
        print(held.out()).unwrap();
        String::from_utf8(held.take().unwrap()).unwrap()
    }

    pub(crate) fn at(seconds: i64) -> Now {
        Now { wall_ms: seconds * 1000, boot_ms: seconds * 1000, boot: "b".into() }
    }

    pub(crate) fn credential(id: &str, secret: &str) -> Credential {
        Credential { id: id.into(), secret: secret.into(), public: std::collections::BTreeMap::new() }
    }

    /// A rotation of two consumers that soaks since the second 1000, from `AK1` to `AK2`.
    pub(crate) fn soaking() -> State {
        let progress = Progress { is_touched: true, is_written: true, is_attested: true };
        let json = serde_json::json!({
            "id": "r1", "begun": 900, "phase": "SOAK", "back": null, "target": "", "is_noisy": false, "is_deleting": false,
            "ids_before": ["AK1"], "asked": null, "old": null, "new": null,
            "consumers": {}, "skipped": {}, "timer": null, "used": null,
            "confirmed": null, "refusals": null, "waits": null,
        });
        let mut rotation: Rotation = serde_json::from_value(json).unwrap();
        rotation.old = Some(credential("AK1", "abc"));
        rotation.new = Some(credential("AK2", "abd"));
        rotation.timer = Some(Timer::begin(&at(1000)));
        rotation.consumers = [("web".to_owned(), progress), ("batch".to_owned(), progress)].into();
        assert_eq!(rotation.phase, Phase::Soak);
        State { rotation: Some(rotation), ..State::default() }
    }
}
