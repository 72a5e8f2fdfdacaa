//! Texts, patterns, numbers and times as they are written out.

use common::units;

use super::problem::clip;
use super::token::Lexer;
use super::{Given, Pattern, Place, Problem};
use crate::number::Number;

/// Reads a text in the quotes that it begins with.
pub(super) fn text(lexer: &mut Lexer<'_>, quote: char) -> Result<String, Problem> {
    let start = lexer.at;
    let mut text = String::new();
    lexer.at += 1;
    loop {
        text.push_str(lexer.take_while(|c| c != quote && c != '\\'));
        let Some(found) = lexer.rest().chars().next() else {
            let place = Place { start, end: start + 1 };
            let sentence = format!("the text that begins here is never closed; close it with {quote}");
            return Err(Problem::new(place, sentence));
        };
        if found == quote {
            lexer.at += 1;
            return Ok(text);
        }
        text.push(escaped(lexer)?);
    }
}

/// Reads a backslash and what stands behind it.
fn escaped(lexer: &mut Lexer<'_>) -> Result<char, Problem> {
    let start = lexer.at;
    lexer.at += 1;
    let Some(behind) = lexer.rest().chars().next() else {
        return Err(lexer.problem(start, "the expression ends behind `\\`; write \\\\ for a backslash"));
    };
    lexer.at += behind.len_utf8();
    match behind {
        '\\' | '"' | '\'' => Ok(behind),
        'n' => Ok('\n'),
        't' => Ok('\t'),
        'r' => Ok('\r'),
        _ => {
            let sentence = format!("`\\{behind}` means nothing in a text; write \\\\ for a backslash");
            Err(lexer.problem(start, sentence))
        }
    }
}

/// Reads `/regex/flags`.
pub(super) fn pattern(lexer: &mut Lexer<'_>) -> Result<Pattern, Problem> {
    let start = lexer.at;
    lexer.at += 1;
    let from = lexer.at;
    loop {
        lexer.take_while(|c| c != '/' && c != '\\');
        match lexer.rest().chars().next() {
            Some('\\') => {
                lexer.at += 1;
                lexer.at += lexer.rest().chars().next().map_or(0, char::len_utf8);
            }
            Some(_) => break,
            None => {
                let place = Place { start, end: start + 1 };
                let sentence = "the pattern that begins here is never closed; close it with /, \
                                and write \\/ for a slash in it";
                return Err(Problem::new(place, sentence));
            }
        }
    }
    let place = lexer.since(from);
    let source = &lexer.text[from..lexer.at];
    lexer.at += 1;
    let flags_start = lexer.at;
    let flags = lexer.take_while(char::is_alphanumeric);
    if !flags.chars().all(|flag| matches!(flag, 'i' | 's' | 'm' | 'x')) {
        let sentence = "behind a pattern stand the flags i, s, m and x; write \\/ for a slash in it, \
                        and a text in quotes";
        return Err(lexer.problem(flags_start, sentence));
    }
    if source.is_empty() {
        return Err(lexer.problem(start, "an empty pattern matches everything; write /regex/"));
    }
    Pattern::new(source, flags, place)
}

/// Whether a number or a time begins here.
pub(super) fn begins_measure(rest: &str) -> bool {
    let unsigned = rest.strip_prefix(['+', '-']).unwrap_or(rest);
    let digits = unsigned.strip_prefix('.').unwrap_or(unsigned);
    digits.starts_with(|c: char| c.is_ascii_digit())
}

/// Reads a number or a time.
pub(super) fn measure(lexer: &mut Lexer<'_>) -> Result<Given, Problem> {
    let start = lexer.at;
    take_measure(lexer);
    let is_day = is_date(&lexer.text[start..lexer.at]) && lexer.at - start == DATE;
    if is_day && is_time_of_day(lexer.rest()) {
        lexer.at += 1;
        take_measure(lexer);
    }
    if lexer.rest().strip_prefix('/').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        lexer.take_while(|c| c.is_ascii_digit() || c == '/');
        let shown = clip(&lexer.text[start..lexer.at]);
        let sentence = format!("`{shown}` is no time, as nobody knows its month; write 2026-03-01");
        return Err(lexer.problem(start, sentence));
    }
    let spelling = &lexer.text[start..lexer.at];
    if is_date(spelling) || spelling.contains(':') {
        return Ok(Given::Time(spelling.to_owned()));
    }
    if Number::parse(spelling.as_bytes()).is_some() {
        return Ok(Given::Number(spelling.to_owned()));
    }
    Err(lexer.problem(start, unmeasured(spelling)))
}

/// Takes letters, digits, dots and colons, and signs before a digit.
fn take_measure(lexer: &mut Lexer<'_>) {
    let rest = lexer.rest();
    let is_sign = |c: char| matches!(c, '+' | '-');
    let is_last = |(at, c): &(usize, char)| {
        let behind = &rest[at + c.len_utf8()..];
        let is_signed = is_sign(*c) && (behind.starts_with(|c: char| c.is_ascii_digit()) || *at == 0);
        !(is_signed || c.is_alphanumeric() || matches!(c, '.' | ':' | '_'))
    };
    lexer.at += rest.char_indices().find(is_last).map_or(rest.len(), |(at, _)| at);
}

/// The length of `2026-03-01`.
const DATE: usize = 10;

/// Whether it begins as `2026-03` does.
fn is_date(text: &str) -> bool {
    let digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    (0..4).all(digit) && text.as_bytes().get(4) == Some(&b'-') && digit(5) && digit(6)
}

/// Whether it begins as ` 10:30` does.
fn is_time_of_day(rest: &str) -> bool {
    let Some((hour, _)) = rest.strip_prefix(' ').and_then(|rest| rest.split_once(':')) else { return false };
    matches!(hour.len(), 1 | 2) && hour.bytes().all(|byte| byte.is_ascii_digit())
}

fn unmeasured(spelling: &str) -> String {
    let shown = clip(spelling);
    if units::duration(spelling).is_ok() {
        return format!("`{shown}` is a duration; write a time as now - {shown}");
    }
    let plain: String = spelling.chars().filter(|c| *c != '_').collect();
    if plain != spelling && Number::parse(plain.as_bytes()).is_some() {
        return format!("`{shown}` is no number; write {}", clip(&plain));
    }
    format!(
        "`{shown}` is no number and no time; a text stands in quotes, a column that begins with a digit \
         in backticks"
    )
}

/// Reads what may stand behind `now`, which begins at `start`: `- 2h`, `+ 1d`.
pub(super) fn now(lexer: &mut Lexer<'_>, start: usize) -> Result<Given, Problem> {
    let end = lexer.at;
    lexer.take_while(char::is_whitespace);
    let rest = lexer.rest();
    let Some(sign) = rest.chars().next().filter(|c| matches!(c, '+' | '-')) else {
        lexer.at = end;
        if rest.starts_with('(') {
            return Err(lexer.problem(start, "`now` takes no parentheses; write now - 2h"));
        }
        return Ok(Given::Time("now".into()));
    };
    lexer.at += 1;
    lexer.take_while(char::is_whitespace);
    let from = lexer.at;
    let length = lexer.take_while(|c| c.is_alphanumeric() || c == '.');
    if length.is_empty() {
        return Err(lexer.problem(start, format!("behind `now {sign}` stands a duration, as in now - 2h")));
    }
    units::duration(length).map_err(|sentence| lexer.problem(from, sentence))?;
    Ok(Given::Time(format!("now {sign} {length}")))
}
