//! What is wrong with a command line, as the one sentence that every other failure is.
//!
//! clap says it in several lines that begin with `error:` and name no tool: no line for a mail from
//! cron, and none for the journal, where each would be a message of its own.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::error::Error;
use crate::near;

/// The error of the tool `name` that says what clap found wrong with `args`, and the way out.
pub(crate) fn sentence(name: &str, usage: &clap::Error, args: impl Iterator<Item = OsString>) -> Error {
    let args: Vec<OsString> = args.collect();
    let said = match usage.kind() {
        ErrorKind::UnknownArgument => unknown(usage),
        ErrorKind::InvalidSubcommand => {
            let wanted = text(usage, ContextKind::InvalidSubcommand);
            offering(format!("there is no command `{wanted}`"), usage, ContextKind::SuggestedSubcommand)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            "no command is given".into()
        }
        ErrorKind::MissingRequiredArgument => missing(usage),
        ErrorKind::InvalidValue if text(usage, ContextKind::InvalidValue).is_empty() => {
            let arg = text(usage, ContextKind::InvalidArg);
            if is_one_empty(&args) { empty(&arg) } else { format!("a value is required for `{arg}`") }
        }
        ErrorKind::InvalidValue => {
            let known = near::either(&quoted(usage, ContextKind::ValidValue));
            let refused = format!("{}: it is none of {known}", refused(usage));
            offering(refused, usage, ContextKind::SuggestedValue)
        }
        ErrorKind::ValueValidation if text(usage, ContextKind::InvalidValue).is_empty() => {
            empty(&text(usage, ContextKind::InvalidArg))
        }
        ErrorKind::ValueValidation => return refused_by_its_parser(usage),
        ErrorKind::ArgumentConflict => conflict(usage),
        ErrorKind::InvalidUtf8 => no_utf8(&args),
        _ => one_line(usage),
    };
    let has_a_way_out = said.contains("; ") || said.contains(": ");
    Error::failed(if has_a_way_out { said } else { format!("{said}; see `{name} --help`") })
}

/// Whether a value was given and is empty; an option at the end has none.
fn is_one_empty(args: &[OsString]) -> bool {
    args.iter().any(|arg| {
        arg.is_empty() || arg.to_str().is_some_and(|arg| arg.starts_with('-') && arg.ends_with('='))
    })
}

fn empty(arg: &str) -> String {
    format!("the value of `{arg}` is empty; is a variable of the shell not set?")
}

fn unknown(usage: &clap::Error) -> String {
    let wanted = text(usage, ContextKind::InvalidArg);
    if !wanted.starts_with('-') {
        return format!("`{wanted}` is one argument too many");
    }
    offering(format!("there is no option `{wanted}`"), usage, ContextKind::SuggestedArg)
}

/// `said`, with what clap offers instead where that is a slip away from what was written: clap takes
/// names of the same letters for alike, and an offer that was not meant costs more than none.
fn offering(said: String, usage: &clap::Error, offer: ContextKind) -> String {
    let wrong = [ContextKind::InvalidArg, ContextKind::InvalidSubcommand, ContextKind::InvalidValue];
    let wrong = wrong.into_iter().rev().map(|kind| text(usage, kind)).find(|text| !text.is_empty());
    let offers = texts(usage, offer);
    said + &near::did_you_mean(&wrong.unwrap_or_default(), offers.iter().map(String::as_str))
}

fn missing(usage: &clap::Error) -> String {
    let missing = quoted(usage, ContextKind::InvalidArg);
    match missing.split_last() {
        Some((last, [])) => format!("{last} is missing"),
        Some((last, rest)) => format!("{} and {last} are missing", rest.join(", ")),
        None => one_line(usage),
    }
}

fn conflict(usage: &clap::Error) -> String {
    let (one, others) =
        (text(usage, ContextKind::InvalidArg), near::either(&quoted(usage, ContextKind::PriorArg)));
    if others == format!("`{one}`") {
        return format!("`{one}` can be given only once");
    }
    if others.is_empty() {
        return one_line(usage);
    }
    format!("`{one}` cannot be used with {others}")
}

fn refused(usage: &clap::Error) -> String {
    let (value, option) = (text(usage, ContextKind::InvalidValue), text(usage, ContextKind::InvalidArg));
    format!("cannot take `{value}` for `{option}`")
}

/// The reason has the place in the value below its first line where it knows one.
fn refused_by_its_parser(usage: &clap::Error) -> Error {
    let reason = std::error::Error::source(usage).map(ToString::to_string).unwrap_or_default();
    let reason = of_number(&reason).unwrap_or(reason);
    let mut lines = reason.lines();
    let sentence = format!("{}: {}", refused(usage), lines.next().unwrap_or("it is none"));
    Error::failed(sentence).showing(lines.map(|line| line.strip_prefix("  ").unwrap_or(line).to_owned()))
}

/// What clap and std say of a number, in words: `0 is not in 1..18446744073709551615`.
fn of_number(reason: &str) -> Option<String> {
    match reason {
        "invalid digit found in string" => return Some("it is no whole number".into()),
        "number too large to fit in target type" => return Some("it is too large".into()),
        _ => {}
    }
    let (value, range) = reason.split_once(" is not in ")?;
    let (least, most) = range.split_once("..")?;
    let least: i128 = least.parse().ok()?;
    let (most, is_included) = most.strip_prefix('=').map_or((most, false), |most| (most, true));
    let most = most.parse::<i128>().ok()? - i128::from(!is_included);
    let is_any =
        [u32::MAX.into(), i64::MAX.into(), u64::MAX.into()].contains(&(most + i128::from(!is_included)));
    let is_above = value.parse::<i128>().is_ok_and(|value| value > most);
    Some(if is_any && is_above {
        "it is too large".into()
    } else if is_any {
        format!("it is at least {least}")
    } else {
        format!("it is from {least} to {most}")
    })
}

fn no_utf8(args: &[OsString]) -> String {
    let odd: Vec<String> = args
        .iter()
        .filter(|arg| arg.to_str().is_none())
        .map(|arg| format!("`{}`", arg.as_encoded_bytes().escape_ascii()))
        .collect();
    match &odd[..] {
        [one] => format!("the argument {one} is no UTF-8"),
        several => format!("one of the arguments {} is no UTF-8", several.join(", ")),
    }
}

/// What clap says, for kinds that have no sentence here.
fn one_line(usage: &clap::Error) -> String {
    let said = usage.render().to_string();
    let first = said.split("\n\n").next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    first.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn text(usage: &clap::Error, kind: ContextKind) -> String {
    texts(usage, kind).into_iter().next().unwrap_or_default()
}

fn quoted(usage: &clap::Error, kind: ContextKind) -> Vec<String> {
    texts(usage, kind).into_iter().map(|text| format!("`{text}`")).collect()
}

fn texts(usage: &clap::Error, kind: ContextKind) -> Vec<String> {
    match usage.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Arg, ArgAction, Command};

    use super::*;

    fn check(args: &[&str], want: &str) {
        let number = Arg::new("number").long("number").value_name("N");
        let number = number.value_parser(clap::value_parser!(u64).range(1..));
        let jobs = Arg::new("jobs").long("jobs").value_name("N");
        let jobs = jobs.value_parser(clap::value_parser!(u16).range(1..=1024));
        let level = Arg::new("level").long("level").value_name("LEVEL").value_parser(["info", "error"]);
        let depth = Arg::new("depth")
            .long("depth")
            .value_name("N")
            .value_parser(|text: &str| text.parse::<u8>().map_err(|_| format!("no number\n  {text}\n  ^")));
        let quiet = Arg::new("quiet").long("quiet").action(ArgAction::SetTrue).conflicts_with("level");
        let sub = Command::new("plan").arg(
            Arg::new("file")
                .value_name("FILE")
                .required(true)
                .value_parser(clap::value_parser!(std::path::PathBuf)),
        );
        let command = Command::new("tool").args([level, depth, quiet, number, jobs]).subcommand(sub);
        let command = command.subcommand_required(true).arg_required_else_help(true);
        let all = std::iter::once(&"tool").chain(args);
        let usage = command.try_get_matches_from(all).unwrap_err();
        let error = sentence("tool", &usage, args.iter().map(OsString::from));
        let told = [std::slice::from_ref(&error.to_string()), error.excerpt()].concat().join("\n");
        assert_eq!(told, want, "{args:?}");
    }

    #[test]
    fn a_number_out_of_its_range_is_told_which_end() {
        let check = |reason: &str, want: &str| assert_eq!(of_number(reason).as_deref(), Some(want));
        check("0 is not in 1..=4294967295", "it is at least 1");
        check("5000000000 is not in 1..=4294967295", "it is too large");
        check("0 is not in 1..18446744073709551615", "it is at least 1");
        check("2000 is not in 1..=1024", "it is from 1 to 1024");
    }

    #[test]
    fn what_is_wrong_is_one_sentence_with_a_way_out() {
        check(&["--lebel=info"], "there is no option `--lebel`; did you mean `--level`?");
        check(&["--x"], "there is no option `--x`; see `tool --help`");
        check(&["-z", "plan"], "there is no option `-z`; see `tool --help`");
        check(&["plam"], "there is no command `plam`; did you mean `plan`?");
        check(&[], "no command is given; see `tool --help`");
        check(&["--quiet"], "no command is given; see `tool --help`");
        check(&["plan"], "`<FILE>` is missing; see `tool --help`");
        check(&["plan", "a", "b"], "`b` is one argument too many; see `tool --help`");
        check(&["--level"], "a value is required for `--level <LEVEL>`; see `tool --help`");
        check(
            &["--level", "eror"],
            "cannot take `eror` for `--level <LEVEL>`: it is none of `info` or `error`; did you mean `error`?",
        );
        check(&["--level="], "the value of `--level <LEVEL>` is empty; is a variable of the shell not set?");
        check(&["--depth", ""], "the value of `--depth <N>` is empty; is a variable of the shell not set?");
        check(&["plan", ""], "the value of `<FILE>` is empty; is a variable of the shell not set?");
        check(&["--number", "0"], "cannot take `0` for `--number <N>`: it is at least 1");
        check(&["--number", "x"], "cannot take `x` for `--number <N>`: it is no whole number");
        check(&["--jobs", "0"], "cannot take `0` for `--jobs <N>`: it is from 1 to 1024");
        check(&["--depth", "1x"], "cannot take `1x` for `--depth <N>`: no number\n1x\n^");
        check(
            &["--level", "info", "--quiet", "plan", "a"],
            "`--level <LEVEL>` cannot be used with `--quiet`; see `tool --help`",
        );
        check(
            &["--level", "info", "--level", "info", "plan", "a"],
            "`--level <LEVEL>` can be given only once; see `tool --help`",
        );
    }

    #[test]
    fn what_is_no_utf8_is_named() {
        use std::os::unix::ffi::OsStringExt;
        let odd = || OsString::from_vec(b"a\xff".to_vec());
        let check = |args: &[OsString], want: &str| assert_eq!(no_utf8(args), want);
        check(&["tool".into(), odd()], "the argument `a\\xff` is no UTF-8");
        check(&[odd(), odd()], "one of the arguments `a\\xff`, `a\\xff` is no UTF-8");
    }
}
