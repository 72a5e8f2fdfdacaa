//! Ids of deployments: `20261121T113812Z-3f9a1c`, which sort by time. That of a rollback ends in `-back`: hosts
//! keep nothing else that tells it from a deployment, and the one behind it must not go forward again.

use chrono::{DateTime, NaiveDateTime, Utc};

/// How the time in an id is written.
const FORM: &str = "%Y%m%dT%H%M%SZ";

/// How the id of a rollback ends.
const BACK: &str = "-back";

/// A new one, behind `newest` also when the clock of who made that one was ahead, or it is not a second old:
/// hosts take the last one for current. `newest` may be empty.
pub(crate) fn fresh(newest: &str) -> String {
    behind(newest, Utc::now(), fastrand::u32(..1 << 24))
}

/// The same id, for a rollback.
pub(crate) fn of_rollback(id: &str) -> String {
    format!("{id}{BACK}")
}

/// Whether it is the id of a rollback.
pub(crate) fn is_rollback(id: &str) -> bool {
    id.ends_with(BACK)
}

fn behind(newest: &str, now: DateTime<Utc>, chance: u32) -> String {
    let stamp = newest.split('-').next().unwrap_or_default();
    let last = NaiveDateTime::parse_from_str(stamp, FORM).ok().map(|last| last.and_utc());
    let next = last.and_then(|last| last.checked_add_signed(chrono::TimeDelta::seconds(1)));
    let time = next.map_or(now, |next| next.max(now));
    format!("{}-{chance:06x}", time.format(FORM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sorts_behind_the_newest() {
        let check = |newest: &str, now: &str, want: &str| {
            assert_eq!(behind(newest, now.parse().unwrap(), 0x3f_9a1c), want, "{newest}");
            assert!(newest < want, "{newest}");
        };
        check("", "2026-11-21T11:38:12Z", "20261121T113812Z-3f9a1c");
        check("20261121T113811Z-ffffff", "2026-11-21T11:38:12.9Z", "20261121T113812Z-3f9a1c");
        check("20261121T113812Z-ffffff", "2026-11-21T11:38:12.9Z", "20261121T113813Z-3f9a1c");
        check("20261121T113812Z-ffffff-back", "2026-11-21T11:38:12.9Z", "20261121T113813Z-3f9a1c");
        check("20261231T235959Z-000000", "2026-11-21T11:38:12Z", "20270101T000000Z-3f9a1c");
        // What is no id of ours sorts as it does.
        check("0-of-somebody-else", "2026-11-21T11:38:12Z", "20261121T113812Z-3f9a1c");
    }
}
