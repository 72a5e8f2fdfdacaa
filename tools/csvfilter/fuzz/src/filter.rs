//! All of it, from the bytes of a file to those that come out.

use std::path::PathBuf;

use common::out::Held;
use csvfilter::dialect::Dialect;
use csvfilter::number::Number;

use crate::chosen;
use crate::plainly::{Question, filter};

/// The rows that are kept are those that a plain loop over the csv crate keeps; with `--not` come the
/// others; and those that are neither are bad.
pub fn kept_dropped_and_bad_are_all_rows(data: &[u8]) {
    let Some((dialect, text)) = chosen(data) else { return };
    let text = [b"a", &[dialect.delimiter][..], b"b\n", text].concat();
    let path = PathBuf::from(format!("/dev/shm/csvfilter-fuzz-{}", std::process::id()));
    std::fs::write(&path, &text).unwrap();
    for (inverted, question) in [(None, at_least as Question), (Some("--not"), below)] {
        let wanted = filter(&text, dialect, question);
        let mut args = arguments(dialect);
        args.extend(inverted.map(str::to_owned));
        args.extend(["b >= 5".to_owned(), path.display().to_string()]);
        let mut held = Held::new("the output");
        csvfilter::run(&csvfilter::Args::of(&args).unwrap(), held.out()).unwrap();
        assert_eq!(held.take().unwrap(), wanted.kept, "{args:?}");
    }
}

fn at_least(values: &[Vec<u8>]) -> Option<bool> {
    if values[1].is_empty() {
        return Some(false);
    }
    Some(Number::parse(b"5")?.compare(&values[1])?.is_ge())
}

fn below(values: &[Vec<u8>]) -> Option<bool> {
    at_least(values).map(|holds| !holds)
}

fn arguments(dialect: Dialect) -> Vec<String> {
    let character = |byte: Option<u8>| byte.map_or("none".to_owned(), |byte| char::from(byte).to_string());
    let mut args = vec!["csvfilter".to_owned(), "-d".into(), character(Some(dialect.delimiter))];
    args.extend(["--quote".to_owned(), character(dialect.quote), "--tz".into(), "UTC".into()]);
    if dialect.comment.is_some() {
        args.extend(["--comment".to_owned(), character(dialect.comment)]);
    }
    args
}
