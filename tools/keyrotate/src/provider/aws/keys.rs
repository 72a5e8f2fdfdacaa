//! What IAM and STS answer: keys, their use, and whose they are.

use chrono::DateTime;
use common::answer::Answer;

use super::api::{Element, Text};
use crate::provider::{Key, Usage};

/// So many keys a user has at most; AWS does not raise it (IAM and AWS STS quotas).
pub(super) const MOST: usize = 2;

/// The keys in an answer to `ListAccessKeys`.
pub(super) fn listed(text: &Text) -> Answer<Vec<Key>> {
    let key = |element: Element<'_, '_>| {
        let is_enabled = match element.text("Status")? {
            "Active" => true,
            "Inactive" => false,
            _ => return None,
        };
        let made = element.text("CreateDate").and_then(time);
        Some(Key { id: element.text("AccessKeyId")?.to_owned(), is_enabled, made })
    };
    let is_whole = text.has("ListAccessKeysResult") && text.one("IsTruncated").as_deref() != Some("true");
    match text.all("member", key).map(|keys| keys.into_iter().collect::<Option<Vec<_>>>()) {
        Some(Some(keys)) if is_whole => Answer::Yes(keys),
        _ => Answer::Unknown("ListAccessKeys: the answer is not what IAM answers".into()),
    }
}

/// The use in an answer to `GetAccessKeyLastUsed`.
pub(super) fn usage(text: &Text) -> Answer<Usage> {
    match (text.one("LastUsedDate"), text.has("GetAccessKeyLastUsedResult")) {
        (None, true) => Answer::Yes(Usage::None),
        (Some(date), true) if time(&date).is_some() => {
            Answer::Yes(time(&date).map_or(Usage::None, Usage::At))
        }
        _ => Answer::Unknown("GetAccessKeyLastUsed: the answer is not what IAM answers".into()),
    }
}

/// Whether an answer to `GetCallerIdentity` is about `user`.
pub(super) fn identity(text: &Text, user: &str) -> Answer {
    let Some(arn) = text.one("Arn") else {
        return Answer::Unknown("GetCallerIdentity: the answer is not what STS answers".into());
    };
    // arn:aws:iam::123456789012:user/division/NAME
    let name = arn.splitn(6, ':').nth(5).and_then(|resource| resource.strip_prefix("user/"));
    if name.and_then(|name| name.rsplit('/').next()) == Some(user) {
        Answer::Yes(())
    } else {
        Answer::No(format!("the key is that of {arn}, not of the user {user}"))
    }
}

/// A time such as `2026-03-14T09:27:11Z`, in seconds since 1970.
fn time(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text.trim()).ok().map(|time| time.timestamp())
}

/// A day, for people.
pub(super) fn date(seconds: i64) -> Option<String> {
    DateTime::from_timestamp(seconds, 0).map(|time| time.format("%Y-%m-%d").to_string())
}
