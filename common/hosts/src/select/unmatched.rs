//! What of a selection means no host, with what was probably meant.

use std::collections::BTreeSet;

use common::near;

use crate::host::Host;

use super::{GROUP, Names, Term, Test, lower};

/// The sentence on a term that means no host; `sign` stands before it.
pub(super) fn sentence(term: &Term, sign: &str, hosts: &[Host]) -> Option<String> {
    if let Test::Names(names) = &term.test
        && names.is_list
    {
        return missing(names, &term.text, hosts);
    }
    if hosts.iter().any(|host| term.test.matches(host)) {
        return None;
    }
    let what = match &term.test {
        Test::Tag { key, value } => of_tag(key, value.as_str(), hosts),
        Test::Names(_) if term.text.contains(char::is_whitespace) => {
            (format!("is the name of no host and no {GROUP}; commas separate terms"), None)
        }
        Test::Names(_) => (format!("is the name of no host and no {GROUP}"), of_name(&term.text, hosts)),
    };
    let (what, near) = what;
    let near = near.map(|near| format!("; did you mean `{sign}{near}`?")).unwrap_or_default();
    Some(format!("`{sign}{}` {what}{near}", term.text))
}

/// So many values of a tag can be told one by one.
const FEW: usize = 5;

/// What is wrong with a tag, and the tag that is near to it.
fn of_tag(key: &str, value: &str, hosts: &[Host]) -> (String, Option<String>) {
    let values: BTreeSet<&str> =
        hosts.iter().filter_map(|host| host.tags.get(key)).flatten().map(String::as_str).collect();
    if values.is_empty() {
        let keys: BTreeSet<&str> =
            hosts.iter().flat_map(|host| &host.tags).map(|(key, _)| key.as_str()).collect();
        let near = exactly(key, &keys).or_else(|| nearest(key, keys));
        let near = near.map(|near| format!("{near}={value}"));
        return (format!("means no host: none has a tag `{key}`"), near);
    }
    if value.contains(char::is_whitespace) && value.contains('=') {
        return ("means no host; commas separate terms".into(), None);
    }
    let near = exactly(value, &values).or_else(|| nearest(value, values.iter().copied()));
    let what = match near {
        None if values.len() <= FEW => {
            let values: Vec<String> = values.iter().map(|value| format!("`{key}={value}`")).collect();
            format!("means no host; there is {}", near::either(&values))
        }
        _ => "means no host".into(),
    };
    (what, near.map(|near| format!("{key}={near}")))
}

/// Fleets have many names that are alike: not as many slips as elsewhere are likely in a long one.
fn nearest<'w>(wanted: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    near::best(wanted, near::slips(wanted).min(3), words)
}

/// The word that differs in its upper and lower case only.
fn exactly<'w>(wanted: &str, words: &BTreeSet<&'w str>) -> Option<&'w str> {
    words.iter().find(|word| word.eq_ignore_ascii_case(wanted)).copied()
}

fn of_name(name: &str, hosts: &[Host]) -> Option<String> {
    let groups: BTreeSet<&str> =
        hosts.iter().filter_map(|host| host.tags.get(GROUP)).flatten().map(String::as_str).collect();
    let values: BTreeSet<(&str, &str)> = hosts
        .iter()
        .flat_map(|host| &host.tags)
        .flat_map(|(key, values)| values.iter().map(move |value| (key.as_str(), value.as_str())))
        .collect();
    // `--limit prod` where `env=prod` was meant.
    let tag = values.iter().find(|(key, value)| *key != GROUP && *value == name);
    tag.map(|(key, value)| format!("{key}={value}")).or_else(|| {
        let group = exactly(name, &groups);
        let names = hosts.iter().map(|host| host.name.as_str()).chain(groups);
        group.or_else(|| nearest(name, names)).map(str::to_owned)
    })
}

/// The names of a list that are no host.
fn missing(names: &Names, text: &str, hosts: &[Host]) -> Option<String> {
    let known: BTreeSet<_> = hosts.iter().map(|host| lower(&host.name)).collect();
    let mut missing = names.exact.iter().filter(|name| !known.contains(name.as_str()));
    let first = missing.next()?;
    let count = missing.count() + 1;
    let such = if count == 1 { format!("`{first}`") } else { format!("such as `{first}`") };
    Some(format!("`{text}`: {count} of {} names are no known host, {such}", names.exact.len()))
}
