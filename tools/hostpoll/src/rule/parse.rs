//! The text of a rule: NAME, a comparison, a number.

use common::near;

use super::{Compare, Of, Problem, Rule, Subject};
use crate::values::METRICS;

/// The units that a number can have, each 1024 of the one before.
const UNITS: [&str; 5] = ["K", "M", "G", "T", "P"];

/// Where a part of a rule is, in bytes.
type Place = std::ops::Range<usize>;

/// Reads a rule.
pub(super) fn rule(text: &str, commands: &[String]) -> Result<Rule, Problem> {
    let problem = |place: Place, sentence: String| Problem {
        sentence,
        text: text.to_owned(),
        start: place.start,
        end: place.end,
    };
    let example = "a rule is a name, a comparison and a number, such as `cpu_percent>90`";
    let whole = 0..text.len();
    let Some(at) = text.find(['<', '>', '=', '!']) else {
        return Err(problem(whole, format!("no comparison; {example}")));
    };
    let name = trimmed(text, 0..at);
    if name.is_empty() {
        return Err(problem(at..at + 1, format!("no name before the comparison; {example}")));
    }
    let Some((sign, compare, _)) = Compare::ALL.into_iter().find(|(sign, ..)| text[at..].starts_with(sign))
    else {
        let end = at + text[at..].chars().take_while(|c| "<>=!".contains(*c)).count();
        let sentence = "this is no comparison; there are > >= < <= == and !=".into();
        return Err(problem(at..end, sentence));
    };
    let number = trimmed(text, at + sign.len()..text.len());
    let (limit, is_percent) = match limit(&text[number.clone()]) {
        Ok(limit) => limit,
        Err(sentence) => return Err(problem(number, sentence)),
    };
    let subject = subject(&text[name.clone()], is_percent, commands)
        .map_err(|(is_number, sentence)| problem(if is_number { number } else { name }, sentence))?;
    Ok(Rule { text: text.to_owned(), subject, compare, limit })
}

/// A place without the blanks around it.
fn trimmed(text: &str, place: Place) -> Place {
    let part = &text[place.clone()];
    let start = place.start + part.len() - part.trim_start().len();
    start..(start + part.trim().len())
}

/// What a rule is about; or whether its number is wrong, and why.
fn subject(name: &str, is_percent: bool, commands: &[String]) -> Result<Subject, (bool, String)> {
    let of = if is_percent { Of::Percent } else { Of::Number };
    match name {
        "unreachable" => return Ok(Subject::Unreachable(of)),
        "failed" => return Ok(Subject::Failed(of)),
        "disk_mount" => return Err((false, "disk_mount is text; a rule compares numbers".into())),
        _ => {}
    }
    let of_command = |command: &String| {
        name.strip_prefix(command.as_str())
            .is_some_and(|key| key.is_empty() || key.len() > 1 && key.starts_with('.'))
    };
    let is_known = METRICS.iter().any(|metric| metric.name == name) || commands.iter().any(of_command);
    if !is_known {
        let names = METRICS.iter().map(|metric| metric.name).filter(|name| *name != "disk_mount");
        let names = names.chain(["unreachable", "failed"]).chain(commands.iter().map(String::as_str));
        let begun = || METRICS.iter().find(|metric| is_begun(name, metric.name));
        let way_out = match (near::did_you_mean(name, names), begun()) {
            // That of one file system; no slip of the finger leads from it to that of the fullest.
            _ if name == "used_percent" => "; did you mean `disk_percent`?".into(),
            (near, _) if !near.is_empty() => near,
            (_, Some(metric)) => format!("; did you mean `{}`?", metric.name),
            _ => "; it is neither a metric nor the NAME of a --command".into(),
        };
        return Err((false, format!("no value `{name}`{way_out}")));
    }
    if is_percent && !name.ends_with("_percent") {
        return Err((true, format!("{name} is no percentage; write a plain number")));
    }
    Ok(Subject::Value(name.to_owned()))
}

/// Whether `word` is the first word of `name`: `cpu` of `cpu_percent`.
fn is_begun(word: &str, name: &str) -> bool {
    !word.is_empty() && name.strip_prefix(word).is_some_and(|rest| rest.starts_with('_'))
}

/// A number, and whether it has a `%`; with `K`, `M`, `G`, `T` or `P` it is so many times 1024.
fn limit(text: &str) -> Result<(f64, bool), String> {
    let (number, is_percent) =
        text.strip_suffix('%').map_or((text, false), |number| (number.trim_end(), true));
    let unit = UNITS.iter().position(|unit| number.ends_with(unit)).filter(|_| !is_percent);
    let (number, factor) = match unit {
        Some(index) => (&number[..number.len() - 1], 1024_f64.powi(i32::try_from(index).unwrap_or(0) + 1)),
        None => (number, 1.0),
    };
    // Names such as `inf` and `nan` are numbers to the standard library.
    let is_decimal = number.contains(|c: char| c.is_ascii_digit())
        && number.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    match number.parse::<f64>() {
        Ok(number) if is_decimal && (number * factor).is_finite() => Ok((number * factor, is_percent)),
        _ if text.is_empty() => Err("no number behind the comparison".into()),
        _ => Err("this is no number; write 90, 0.5, 10% or 4G".into()),
    }
}
