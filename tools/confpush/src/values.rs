//! Values of templates: those of all hosts, under those of an environment, under those of a host.

use serde_json::Value;
use specs::Table;

use crate::spec::{Environment, Spec, Values};

/// What a template has without anybody giving it.
pub(crate) const GIVEN: [&str; 3] = ["host", "env", "name"];

/// Reads a table of values.
pub(crate) fn read(table: Table<'_>) -> Values {
    for (name, line) in table.keys() {
        let path = table.path_of(name);
        if let Some(why) = wrong_name(name) {
            table.fault(line, format!("`{path}`: {why}"));
        }
    }
    table.into_values()
}

/// Why no template could name a value so.
pub(crate) fn wrong_name(name: &str) -> Option<String> {
    if GIVEN.contains(&name) {
        return Some(format!("a template has `{name}` already; give it another name"));
    }
    let is_good = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let is_name = name.chars().all(is_good)
        && !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit());
    (!is_name).then(|| {
        "a template could not name it; its name is letters, digits and `_`, not first a digit".into()
    })
}

/// The values of `host` in `environment`, with what every template has.
pub(crate) fn of(spec: &Spec, environment: &Environment, host: &str) -> Values {
    let mut all = spec.values.clone();
    overlay(&mut all, &environment.values);
    if let Some(own) = environment.host_values.get(host) {
        overlay(&mut all, own);
    }
    for (name, value) in GIVEN.into_iter().zip([host, &environment.name, &spec.name]) {
        all.insert(name.to_owned(), Value::from(value));
    }
    all
}

/// Puts `upper` over `lower`: tables key by key, everything else whole.
fn overlay(lower: &mut Values, upper: &Values) {
    for (key, value) in upper {
        match (lower.get_mut(key), value) {
            (Some(Value::Object(lower)), Value::Object(upper)) => overlay(lower, upper),
            _ => {
                lower.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_laid_over_each_other_key_by_key() {
        let check = |lower: &str, upper: &str, want: &str| {
            let mut all = serde_json::from_str(lower).unwrap();
            overlay(&mut all, &serde_json::from_str(upper).unwrap());
            assert_eq!(Value::Object(all).to_string(), want);
        };
        check(r#"{"a":1,"b":2}"#, r#"{"b":3,"c":4}"#, r#"{"a":1,"b":3,"c":4}"#);
        check(r#"{"a":{"b":{"c":1,"d":2}}}"#, r#"{"a":{"b":{"c":3}}}"#, r#"{"a":{"b":{"c":3,"d":2}}}"#);
        check(r#"{"a":[1,2]}"#, r#"{"a":[3]}"#, r#"{"a":[3]}"#);
        check(r#"{"a":{"b":1}}"#, r#"{"a":false}"#, r#"{"a":false}"#);
        check(r#"{"a":1}"#, r#"{"a":{"b":1}}"#, r#"{"a":{"b":1}}"#);
    }

    #[test]
    fn a_template_can_name_every_value() {
        let check = |name: &str, want: bool| assert_eq!(wrong_name(name).is_none(), want, "{name}");
        check("workers", true);
        check("_2", true);
        for bad in ["host", "env", "name", "db-host", "2a", "", "ä", "a.b"] {
            check(bad, false);
        }
    }
}
