//! What is remembered between runs: how far a rotation is, and what it is about.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::clock::Timer;
use crate::credential::Credential;

/// All that is remembered of one credential.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// The rotation that is under way.
    pub(crate) rotation: Option<Rotation>,
    /// The one that ended last.
    pub(crate) last: Option<Last>,
    /// Nothing is disabled or deleted while this is there.
    pub(crate) hold: Option<Hold>,
}

/// A rotation that is under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rotation {
    /// A word that no other rotation has; letters and digits.
    pub(crate) id: String,
    /// When it began, in seconds since 1970.
    pub(crate) begun: i64,
    /// How far it is: what has been done, durably.
    pub(crate) phase: Phase,
    /// What tells its target from others.
    pub(crate) target: String,
    /// Why it goes back, when it does.
    pub(crate) back: Option<Back>,
    /// The ids that the target had before, ours and others.
    pub(crate) ids_before: Vec<String>,
    /// When the target was asked to make a credential, in seconds since 1970: one that is there now, and
    /// was not before, may be ours.
    pub(crate) asked: Option<i64>,
    /// The credential before.
    #[serde(with = "sealed", default)]
    pub(crate) old: Option<Credential>,
    /// The credential after.
    #[serde(with = "sealed", default)]
    pub(crate) new: Option<Credential>,
    /// How far each consumer is: all that the spec has named since the rotation began.
    pub(crate) consumers: BTreeMap<String, Progress>,
    /// What tells the place of each consumer that may have the new key from others.
    #[serde(default)]
    pub(crate) places: BTreeMap<String, String>,
    /// Consumers and sites that the operator has given up.
    pub(crate) skipped: BTreeMap<String, Skip>,
    /// The time of the phase that waits: SOAK, WATCH.
    pub(crate) timer: Option<Timer>,
    /// When the old key was last seen in use, as a time of the timer in milliseconds, and the count then.
    pub(crate) used: Option<Used>,
    /// Whether the target may have been told to disable the old key.
    #[serde(default)]
    pub(crate) is_disabling: bool,
    /// Whether the target may have been told to delete the old key.
    pub(crate) is_deleting: bool,
    /// Who confirmed that the old key may go.
    pub(crate) confirmed: Option<String>,
    /// The log-ins with refused credentials that the target had counted when the phase that waits began.
    pub(crate) refusals: Option<u64>,
    /// Whether that count grew although both keys were good: somebody tries others all the time.
    pub(crate) is_noisy: bool,
    /// What the last run ended with, when it waits.
    pub(crate) waits: Option<Wait>,
}

/// How far a rotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Phase {
    /// It is written down which keys there are.
    Intent,
    /// A secret of ours is durable; the target does not know it.
    Staged,
    /// The target accepts both keys, durably.
    Created,
    /// The new key is proved.
    Proved,
    /// Every consumer was given the new key.
    Deployed,
    /// Every consumer uses it, and works.
    Attested,
    /// Both keys are good, and time passes.
    Soak,
    /// The old key may go.
    Confirmed,
    /// The target refuses the old key, which could be enabled again.
    Disabled,
    /// That is watched for a while.
    Watch,
    /// The old key is gone for good.
    Deleted,
    /// That is proved: the old key is refused, the new one works.
    Canary,
}

impl Rotation {
    /// Whether the way back is open: nothing is gone for good.
    pub(crate) fn can_go_back(&self) -> bool {
        self.phase < Phase::Deleted && !self.is_deleting
    }
}

impl Display for Phase {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Intent => "INTENT",
            Self::Staged => "STAGED",
            Self::Created => "CREATED",
            Self::Proved => "PROVED",
            Self::Deployed => "DEPLOYED",
            Self::Attested => "ATTESTED",
            Self::Soak => "SOAK",
            Self::Confirmed => "CONFIRMED",
            Self::Disabled => "DISABLED",
            Self::Watch => "WATCH",
            Self::Deleted => "DELETED",
            Self::Canary => "CANARY",
        })
    }
}

/// A rotation that goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Back {
    /// Why.
    pub(crate) reason: String,
    /// Who said so.
    pub(crate) by: String,
}

/// How far a consumer is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Whether a write of the new key may have begun.
    pub(crate) is_touched: bool,
    /// Whether it was given the key that it is to have, and has taken it up.
    pub(crate) is_written: bool,
    /// Whether it said so itself, and works.
    pub(crate) is_attested: bool,
}

/// Something the operator has given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Skip {
    /// Why.
    pub(crate) reason: String,
    /// Who said so.
    pub(crate) by: String,
}

/// When the old key was last seen in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Used {
    /// At this time of the timer, in milliseconds.
    pub(crate) at_ms: u64,
    /// The count of uses then, where the target counts.
    pub(crate) count: Option<u64>,
}

/// Why a run ended before the rotation did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wait {
    /// The exit status.
    pub(crate) status: u8,
    /// The sentence.
    pub(crate) why: String,
}

impl Wait {
    /// Whether it says the same as `other`, apart from numbers and times.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let words = |wait: &Self| wait.why.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
        self.status == other.status && words(self) == words(other)
    }
}

/// The rotation that ended last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Last {
    /// Its id.
    #[serde(default)]
    pub(crate) rotation: String,
    /// When, in seconds since 1970.
    pub(crate) ended: i64,
    /// Whether the new key is in use, or it went back.
    pub(crate) is_rotated: bool,
    /// The id of the key in use since.
    pub(crate) key: String,
    /// Its fingerprint.
    pub(crate) fingerprint: String,
}

/// Nothing is disabled or deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hold {
    /// Until then, in seconds since 1970; for ever without.
    pub(crate) until: Option<i64>,
    /// Who said so.
    pub(crate) by: String,
}

/// Credentials in the journal, which is the one place where they are written with their secret.
mod sealed {
    use std::collections::BTreeMap;

    use secrecy::ExposeSecret;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::credential::Credential;

    #[derive(Serialize)]
    struct Out<'a> {
        id: &'a str,
        secret: &'a str,
        public: &'a BTreeMap<String, String>,
    }

    #[derive(Deserialize)]
    struct In {
        id: String,
        secret: String,
        public: BTreeMap<String, String>,
    }

    #[expect(clippy::ref_option, reason = "the signature is serde's")]
    pub(super) fn serialize<S: Serializer>(
        credential: &Option<Credential>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match credential {
            Some(Credential { id, secret, public }) => {
                Some(Out { id, secret: secret.expose_secret(), public }).serialize(to)
            }
            None => None::<Out<'_>>.serialize(to),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Credential>, D::Error> {
        let found = Option::<In>::deserialize(from)?;
        // `into` hands the same memory on, which is cleared when the secret is dropped.
        Ok(found.map(|In { id, secret, public }| Credential { id, secret: secret.into(), public }))
    }
}
