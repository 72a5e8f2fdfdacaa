//! Values of options, parsed into their types.

use std::path::PathBuf;
use std::sync::Arc;

use common::{Result, tool, units};

use crate::bad::Most;
use crate::columns::{Item, Reference, parse_list, split_assignment};
use crate::cut::LEAST_LIMIT;
use crate::simd::Cpu;

/// A list of columns; a type of its own, as a bare `Vec` is taken for a repeated flag.
pub(crate) type List = Arc<[Item]>;

/// What quotes fields; a type of its own, as a bare `Option` is taken for an optional flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quote(pub(super) Option<u8>);

/// What the processor has, or less where the environment asks for that.
pub(super) fn cpu() -> Result<Cpu> {
    let Some(wanted) = std::env::var_os("CSVFILTER_CPU").filter(|wanted| !wanted.is_empty()) else {
        return Ok(Cpu::best());
    };
    wanted.to_str().and_then(Cpu::named).ok_or_else(|| {
        let names: Vec<&str> = Cpu::all().iter().map(|(name, _)| *name).collect();
        tool::usage(format!(
            "CSVFILTER_CPU is `{}`; this processor has {}",
            wanted.display(),
            names.join(", ")
        ))
    })
}

pub(super) fn list(text: &str) -> std::result::Result<List, String> {
    parse_list(text).map(Into::into)
}

pub(super) fn renaming(text: &str) -> std::result::Result<(Reference, Vec<u8>), String> {
    let (old, new) = split_assignment(text)?;
    if new.split_once(',').is_some_and(|(_, more)| more.contains('=')) {
        return Err("it renames one column; give --rename again for another".into());
    }
    Ok((old, new.as_bytes().to_vec()))
}

pub(super) fn delimiter(text: &str) -> std::result::Result<u8, String> {
    if matches!(text, "tab" | "\\t") { Ok(b'\t') } else { character(text) }
}

pub(super) fn quote(text: &str) -> std::result::Result<Quote, String> {
    if matches!(text, "none" | "") { Ok(Quote(None)) } else { character(text).map(|byte| Quote(Some(byte))) }
}

pub(super) fn character(text: &str) -> std::result::Result<u8, String> {
    match text.as_bytes() {
        [b'\r' | b'\n'] => Err("a line end ends rows".into()),
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err("it must be one ASCII character".into()),
    }
}

pub(super) fn limit(text: &str) -> std::result::Result<usize, String> {
    let size = units::size(text)?;
    let most = 2 << 30;
    if size < LEAST_LIMIT as u64 || size > most {
        return Err("it must be from 1MiB to 2GiB".into());
    }
    usize::try_from(size).map_err(|error| error.to_string())
}

/// How many threads; more than a machine has would take its memory and never begin.
pub(super) fn jobs(text: &str) -> std::result::Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=1024).contains(number));
    number.ok_or_else(|| "it must be from 1 to 1024".into())
}

/// A file that is written. `-` is what other tools call standard output, and never meant as a name.
pub(super) fn file(path: PathBuf) -> std::result::Result<PathBuf, String> {
    if path.as_os_str() == "-" {
        return Err("it must be a file; without --output the result goes to standard output".into());
    }
    Ok(path)
}

/// `100`, or `0.5%`.
pub(super) fn most(text: &str) -> std::result::Result<Most, String> {
    let wrong = || format!("`{text}` is no number of rows as 100, and no share as 0.5%");
    let Some(share) = text.strip_suffix('%') else {
        return text.parse().map(Most::Rows).map_err(|_| wrong());
    };
    let (whole, places) = share.split_once('.').unwrap_or((share, ""));
    let is_short = !whole.is_empty() && places.len() <= 4 && places.bytes().all(|byte| byte.is_ascii_digit());
    let digits = format!("{whole}{places:0<4}");
    let share: u64 = digits.parse().ok().filter(|_| is_short).ok_or_else(wrong)?;
    if share > 1_000_000 { Err("it must be at most 100%".into()) } else { Ok(Most::PerMillion(share)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_read_exactly() {
        let check = |text: &str, want: Option<Most>| assert_eq!(most(text).ok(), want, "{text}");
        check("0", Some(Most::Rows(0)));
        check("100", Some(Most::Rows(100)));
        check("1%", Some(Most::PerMillion(10_000)));
        check("0.5%", Some(Most::PerMillion(5_000)));
        check("0.0001%", Some(Most::PerMillion(1)));
        check("100%", Some(Most::PerMillion(1_000_000)));
        for wrong in ["", "-1", "%", ".5%", "0.00001%", "101%", "1.-5%", "x"] {
            check(wrong, None);
        }
    }

    #[test]
    fn threads_are_few_enough_to_be_started() {
        assert_eq!(jobs("1"), Ok(1));
        assert_eq!(jobs("1024"), Ok(1024));
        for wrong in ["", "0", "-1", "1025", "99999999999999999999"] {
            assert!(jobs(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_written_is_a_file() {
        assert_eq!(file("./-".into()), Ok("./-".into()));
        assert!(file("-".into()).is_err());
    }

    #[test]
    fn a_character_is_one_byte_of_ascii() {
        assert_eq!(delimiter("tab"), Ok(b'\t'));
        assert_eq!(delimiter("\\t"), Ok(b'\t'));
        assert_eq!(delimiter(";"), Ok(b';'));
        assert_eq!(quote("none"), Ok(Quote(None)));
        assert_eq!(quote("'"), Ok(Quote(Some(b'\''))));
        for wrong in ["", "ab", "\n", "§"] {
            assert!(delimiter(wrong).is_err(), "{wrong:?}");
        }
    }
}
