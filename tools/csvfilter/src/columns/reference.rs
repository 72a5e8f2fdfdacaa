//! Columns as the command line names them: `name`, `` `any name` ``, `$3`, and lists of these.

use std::fmt::{self, Display};

/// A column as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// By its name in the header, exactly.
    Name(String),
    /// `$3`: by its place, counted from 1.
    Position(usize),
}

/// A part of a list of columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A single column.
    One(Reference),
    /// `$2-$5`: from the first to the last, both included, or to the end of the table: `$3-`.
    Range(usize, Option<usize>),
}

impl Reference {
    /// Parses a column of the command line: `$3`, a name in backticks where a doubled one stands for
    /// one, or anything else as a name. White space around it is no part of it.
    ///
    /// # Errors
    /// A sentence when a backtick is not closed, or there is no column `$0`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(quoted) = text.strip_prefix('`') {
            return unquoted(quoted)
                .map(Self::Name)
                .ok_or_else(|| format!("{text} is no name; close it with a backtick"));
        }
        match text.strip_prefix('$').filter(|digits| is_digits(digits)) {
            Some(digits) => position(digits).map(Self::Position),
            None if text.is_empty() => Err("a column has no name here; write it as a, `a b` or $3".into()),
            None => Ok(Self::Name(text.to_owned())),
        }
    }
}

impl Display for Reference {
    /// As an expression has it: bare where that can be read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Position(position) => write!(f, "${position}"),
            Self::Name(name) if crate::expr::is_bare(name) => f.write_str(name),
            Self::Name(name) => write!(f, "`{}`", name.replace('`', "``")),
        }
    }
}

/// Parses a list of columns: `a,$3,`` `x,y` ``,$5-$7,$9-`.
///
/// # Errors
/// A sentence when an item is empty, or no column.
pub fn parse_list(text: &str) -> Result<Vec<Item>, String> {
    split_list(text).map(item).collect()
}

/// Splits `COLUMN=REST` at the first `=` that stands in no backticks.
///
/// # Errors
/// A sentence when there is no `=`, or no column before it.
pub fn split_assignment(text: &str) -> Result<(Reference, &str), String> {
    let at = outside(text, '=').ok_or_else(|| format!("`{text}` has no `=`; write COLUMN=VALUE"))?;
    if text[..at].trim().is_empty() {
        return Err(format!("`{text}` has no column before `=`; write COLUMN=VALUE"));
    }
    Ok((Reference::parse(&text[..at])?, &text[at + 1..]))
}

/// The parts between the commas that stand in no backticks.
pub(crate) fn split_list(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let at = outside(text, ',');
        rest = at.map(|at| &text[at + 1..]);
        Some(at.map_or(text, |at| &text[..at]))
    })
}

/// Where `mark` first stands in no backticks; those within a name that does not begin with one are a
/// part of it.
fn outside(text: &str, mark: char) -> Option<usize> {
    if !text.trim_start().starts_with('`') {
        return text.find(mark);
    }
    let mut is_inside = false;
    let mut at = |(at, c): (usize, char)| {
        is_inside ^= c == '`';
        (c == mark && !is_inside).then_some(at)
    };
    text.char_indices().find_map(&mut at)
}

/// The position of `$3`, without its `$`.
///
/// # Errors
/// A sentence when it is 0, or more than any table has.
pub(crate) fn position(digits: &str) -> Result<usize, String> {
    match digits.parse() {
        Ok(0) => Err("no column $0; columns are counted from $1".into()),
        Ok(position) => Ok(position),
        Err(_) => Err(format!("no table has ${digits}")),
    }
}

fn item(text: &str) -> Result<Item, String> {
    let text = text.trim();
    let Some((first, last)) = range(text) else { return Reference::parse(text).map(Item::One) };
    let first = position(first)?;
    let last = last.map(position).transpose()?;
    match last {
        Some(last) if last < first => Err(format!("{text} runs backwards; write ${last}-${first}")),
        _ => Ok(Item::Range(first, last)),
    }
}

/// The digits of `$2-$5` and `$3-`.
fn range(text: &str) -> Option<(&str, Option<&str>)> {
    let (first, last) = text.strip_prefix('$')?.split_once('-')?;
    if !is_digits(first) {
        return None;
    }
    if last.is_empty() {
        return Some((first, None));
    }
    let last = last.strip_prefix('$').unwrap_or(last);
    is_digits(last).then_some((first, Some(last)))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What stands between backticks, the first of which was taken away.
fn unquoted(quoted: &str) -> Option<String> {
    let inner = quoted.strip_suffix('`')?;
    let name = inner.replace("``", "\0");
    let is_whole = !name.contains('`') && !inner.contains('\0');
    is_whole.then(|| name.replace('\0', "`"))
}
