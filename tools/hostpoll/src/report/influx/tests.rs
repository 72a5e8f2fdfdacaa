use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::report::Format;
use crate::report::fixtures::{failed, golden, host, options, sample, text, wanted};

/// A point, as a strict reading of the specification understands it.
#[derive(Debug)]
struct Point {
    measurement: String,
    tags: BTreeMap<String, String>,
    fields: BTreeMap<String, String>,
    stamp: i64,
}

/// Reads one element up to one of `ends` that is not escaped.
fn element<'t>(text: &'t str, ends: &[char]) -> (String, &'t str) {
    let mut read = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some((_, next @ (',' | '=' | ' ' | '\\'))) => read.push(next),
                other => panic!("a lone backslash before {other:?} in {text}"),
            },
            c if ends.contains(&c) => return (read, &text[at..]),
            c => {
                assert!(!c.is_control(), "{text}");
                read.push(c);
            }
        }
    }
    (read, "")
}

/// Reads a field: a string, an integer or a float.
fn field(text: &str) -> (String, &str) {
    let Some(string) = text.strip_prefix('"') else {
        let end = text.find([',', ' ']).unwrap();
        let number = &text[..end];
        match number.strip_suffix('i') {
            Some(integer) => drop(integer.parse::<i64>().unwrap()),
            None => assert!(number.parse::<f64>().unwrap().is_finite()),
        }
        return (number.to_owned(), &text[end..]);
    };
    let mut read = String::new();
    let mut chars = string.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (read, &string[at + 1..]),
            '\\' => read.push(chars.next().map(|(_, c)| c).filter(|c| matches!(c, '"' | '\\')).unwrap()),
            c => read.push(c),
        }
    }
    panic!("no end of the string in {text}");
}

fn parse(line: &str) -> Point {
    let (measurement, mut rest) = element(line, &[',', ' ']);
    assert!(!measurement.is_empty());
    let (mut tags, mut fields) = (BTreeMap::new(), BTreeMap::new());
    while let Some(tag) = rest.strip_prefix(',') {
        let (key, behind) = element(tag, &['=']);
        let (value, behind) = element(&behind[1..], &[',', ' ']);
        assert!(!key.is_empty() && !value.is_empty(), "{line}");
        assert!(tags.insert(key, value).is_none(), "twice in {line}");
        rest = behind;
    }
    rest = rest.strip_prefix(' ').unwrap();
    loop {
        let (key, behind) = element(rest, &['=']);
        let (value, behind) = field(&behind[1..]);
        assert!(!key.is_empty() && fields.insert(key, value).is_none(), "{line}");
        rest = &behind[1..];
        if behind.starts_with(' ') {
            break;
        }
    }
    Point { measurement, tags, fields, stamp: rest.parse().unwrap() }
}

fn points(text: &str) -> Vec<Point> {
    text.lines().map(parse).collect()
}

#[test]
fn every_line_keeps_to_the_protocol() {
    let text = text(Format::Influx, options(wanted()), &[host("web01", sample()), failed("web02")]);
    golden("hosts.influx", &text);
    let points = points(&text);
    assert!(points.iter().all(|point| point.stamp == 1_767_323_045_250_000_000));
    assert!(points.iter().all(|point| point.tags["group"] == "a,b"));
    let find = |name: &str, key: &str, value: &str| {
        let is =
            |point: &&Point| point.measurement == name && point.tags.get(key).is_some_and(|tag| tag == value);
        points.iter().find(is).unwrap()
    };
    assert_eq!(find("cpu", "cpu", "cpu-total").fields["usage_system"], "5");
    assert_eq!(find("disk", "path", "/srv/a \"b\\c").fields["total"], "1099511627776i");
    assert_eq!(find("hostpoll_probe", "name", "queue").fields["state"], "over,flow=\"1\"");
    assert_eq!(find("hostpoll", "host", "web02").fields["error_class"], "timeout");
}

proptest! {
    #[test]
    fn no_text_breaks_a_line(name in any::<String>(), tag in any::<String>(), mount in any::<String>()) {
        let mut polled = host(&name, sample());
        polled.tags = std::sync::Arc::new(vec![("a b".into(), tag), ("host".into(), "other".into())]);
        if let Ok(sample) = &mut polled.result {
            sample.filesystems[0].mountpoint.clone_from(&mount);
        }
        let text = text(Format::Influx, options(wanted()), &[polled]);
        let points = points(&text);
        let disk = points.iter().find(|point| point.measurement == "disk").unwrap();
        let want = common::log::escape(&mount);
        prop_assert_eq!(disk.tags.get("path").map_or("", String::as_str), want);
    }
}
