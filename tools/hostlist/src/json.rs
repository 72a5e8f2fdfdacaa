//! Hosts as JSON Lines, which are an inventory again.

use common::log::escape_json;
use common::{Out, Result};
use hosts::Host;
use serde_json::Value;

/// Writes an object for each host, with what is known of it.
pub(crate) fn write(hosts: &[Host], out: &mut Out) -> Result<()> {
    hosts.iter().try_for_each(|host| writeln!(out, "{}", object(&fields(host))))
}

fn fields(host: &Host) -> Vec<(&str, Value)> {
    let text = |text: &Option<String>| text.as_deref().map(Value::from);
    let keys: Vec<String> = host.keys.iter().map(|key| key.display().to_string()).collect();
    let tags = host.tags.iter().map(|(key, values)| {
        let values: Value = values.iter().map(String::as_str).collect();
        (key.clone(), values)
    });
    let tags: serde_json::Map<String, Value> = tags.collect();
    let all = [
        ("name", Some(host.name.as_str().into())),
        ("address", text(&host.address)),
        ("port", host.port.map(Value::from)),
        ("user", text(&host.user)),
        ("keys", (!keys.is_empty()).then(|| keys.into())),
        ("jump", text(&host.jump)),
        ("tags", (!tags.is_empty()).then(|| tags.into())),
    ];
    all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

/// An object with its keys in this order, which the maps of `serde_json` do not keep.
pub(crate) fn object(fields: &[(&str, Value)]) -> String {
    let one = |(key, value): &(&str, Value)| format!("{}:{value}", Value::from(*key));
    escape_json(&format!("{{{}}}", fields.iter().map(one).collect::<Vec<_>>().join(",")))
}
