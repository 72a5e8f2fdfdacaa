//! What a `--command` said: a number, JSON, `key=value`, or text.

use serde_json::Value as Json;

use super::{Answer, Sections};
use crate::sample::{Extra, Value};

/// More values of one command are not kept: each is a row or a series at the reader's.
const MOST: usize = 1000;

/// Of text no more bytes are kept.
const LONGEST: usize = 1000;

pub(super) fn read(answer: &mut Answer<'_>) {
    for (number, (name, _)) in answer.wanted.commands.iter().enumerate() {
        let (said, status) = said(&answer.sections, number);
        let Some(status) = status else {
            let why = answer.sections.stopped_before(&format!("status {number}"));
            let is_it = answer.sections.open() == Some(&format!("extra {number}"));
            let why = match why {
                Some(_) if is_it => "it has not ended by the deadline".to_owned(),
                Some(why) => format!("not run: {why}"),
                None => "not run".to_owned(),
            };
            answer.sample.failed.push((name.clone(), why));
            continue;
        };
        let values = values(said);
        if status != 0 {
            answer.sample.failed.push((name.clone(), format!("it ended with status {status}")));
        } else if values.is_empty() {
            answer.sample.failed.push((name.clone(), "it said nothing".to_owned()));
        } else if values.len() == MOST {
            let why = format!("only its first {MOST} values are kept");
            answer.sample.failed.push((name.clone(), why));
        }
        if !values.is_empty() {
            answer.sample.extras.push(Extra { name: name.clone(), status, values });
        }
    }
}

/// What the command of that number said, and its status when it has ended.
fn said<'a>(sections: &Sections<'a>, number: usize) -> (&'a str, Option<i32>) {
    let prefix = format!("status {number} ");
    // Its status stands in the heading, so it has ended even where nothing follows.
    let status = sections.all().find_map(|name| name.strip_prefix(&prefix)?.parse().ok());
    (sections.get(&format!("extra {number}")).unwrap_or_default(), status)
}

/// The values by key.
fn values(text: &str) -> Vec<(String, Value)> {
    let text = text.trim();
    let mut values = Vec::new();
    if text.starts_with(['{', '[']) && json(text, &mut values).is_some() {
        return values;
    }
    values.clear();
    if let Some(value) = scalar(text) {
        return vec![(String::new(), value)];
    }
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        pairs(line, &mut values);
    }
    values.truncate(MOST);
    if values.is_empty() && !text.is_empty() {
        values.push((String::new(), Value::Text(line(text))));
    }
    values
}

/// One value of JSON, or several one after the other, by their place then.
fn json(text: &str, values: &mut Vec<(String, Value)>) -> Option<()> {
    let all: Vec<Json> =
        serde_json::Deserializer::from_str(text).into_iter().collect::<Result<_, _>>().ok()?;
    match all.as_slice() {
        [one] => flatten("", one, values),
        several => {
            for (place, one) in several.iter().enumerate() {
                flatten(&place.to_string(), one, values);
            }
        }
    }
    Some(())
}

/// `serde_json` refuses what is nested deeper than 128, so this ends.
fn flatten(key: &str, value: &Json, values: &mut Vec<(String, Value)>) {
    let below = |part: &str| if key.is_empty() { part.to_owned() } else { format!("{key}.{part}") };
    let value = match value {
        Json::Object(object) => {
            return object.iter().for_each(|(part, one)| flatten(&below(part), one, values));
        }
        Json::Array(array) => {
            let each = array.iter().enumerate();
            return each.for_each(|(place, one)| flatten(&below(&place.to_string()), one, values));
        }
        Json::Null => return,
        Json::Bool(truth) => Value::Number(f64::from(u8::from(*truth))),
        Json::Number(number) => match number.as_f64().filter(|number| number.is_finite()) {
            Some(number) => Value::Number(number),
            None => Value::Text(number.to_string()),
        },
        Json::String(text) => Value::Text(line(text)),
    };
    if values.len() < MOST {
        values.push((key.to_owned(), value));
    }
}

/// The pairs of a line: a line of nothing but words with `=`, or one `key=value` whose value may hold
/// spaces. Other lines are prose.
fn pairs(line_of: &str, values: &mut Vec<(String, Value)>) {
    let pair = |text: &str| {
        let (key, value) = text.split_once('=')?;
        let key = key.trim();
        let is_key = !key.is_empty() && !key.contains(char::is_whitespace);
        is_key.then(|| (key.to_owned(), scalar(value).unwrap_or_else(|| Value::Text(line(unquoted(value))))))
    };
    let words: Option<Vec<_>> = line_of.split_whitespace().map(pair).collect();
    match words {
        Some(words) => values.extend(words),
        None => values.extend(pair(line_of)),
    }
}

/// A number, or a truth value as 0 or 1.
fn scalar(text: &str) -> Option<Value> {
    let text = unquoted(text.trim());
    match text {
        "true" => return Some(Value::Number(1.0)),
        "false" => return Some(Value::Number(0.0)),
        _ => {}
    }
    // `parse` takes `inf`, `nan` and `infinity` too.
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let number: f64 = text.parse().ok().filter(|number: &f64| is_number && number.is_finite())?;
    Some(Value::Number(number))
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// The first line, and not more of it than is kept.
fn line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let cut = (0..=LONGEST.min(line.len())).rev().find(|at| line.is_char_boundary(*at));
    line[..cut.unwrap_or(0)].trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: f64) -> Value {
        Value::Number(value)
    }

    fn text(value: &str) -> Value {
        Value::Text(value.to_owned())
    }

    fn check(said: &str, want: &[(&str, Value)]) {
        let want: Vec<_> = want.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        assert_eq!(values(said), want, "{said}");
    }

    #[test]
    fn a_single_value_has_no_key() {
        check("42\n", &[("", number(42.0))]);
        check("  -1.5e3 ", &[("", number(-1500.0))]);
        check("true\n", &[("", number(1.0))]);
        check("active (running)\nmore\n", &[("", text("active (running)"))]);
        check("nan", &[("", text("nan"))]);
        check("1e999", &[("", text("1e999"))]);
        check("12 apples", &[("", text("12 apples"))]);
        check("\n \n", &[]);
    }

    #[test]
    fn pairs_are_words_or_lines() {
        check("a=1 b=\"2\" c=x", &[("a", number(1.0)), ("b", number(2.0)), ("c", text("x"))]);
        check(
            "ActiveState=active\nSubState=running now\n",
            &[("ActiveState", text("active")), ("SubState", text("running now"))],
        );
        check("ok=false\nprose here\n", &[("ok", number(0.0))]);
        check("the answer=42", &[("", text("the answer=42"))]);
    }

    #[test]
    fn json_is_flattened() {
        check(
            "{\"a\":{\"b\":[1,true,null,\"x\\ny\"]},\"c\":2.5}",
            &[("a.b.0", number(1.0)), ("a.b.1", number(1.0)), ("a.b.3", text("x")), ("c", number(2.5))],
        );
        check("{\"a\":1}\n{\"a\":2}\n", &[("0.a", number(1.0)), ("1.a", number(2.0))]);
        check("{\"a\":1", &[("", text("{\"a\":1"))]);
        check(&"[".repeat(500), &[("", text(&"[".repeat(500)))]);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        assert_eq!(values(&format!("[{}1]", "1,".repeat(5000))).len(), MOST);
        assert_eq!(values(&"a=1 ".repeat(5000)).len(), MOST);
        check(&"é".repeat(5000), &[("", text(&"é".repeat(LONGEST / 2)))]);
    }
}
