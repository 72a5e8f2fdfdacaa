//! Paths as they are shown: parsed again, they are the same path.

use std::fmt::{Display, Formatter, Result};

use super::{Path, Token};
use crate::string;

impl Display for Path {
    /// Dotted, with quotes around odd keys only; the whole document is `.`.
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        if self.is_root() {
            return out.write_str(".");
        }
        for (place, token) in self.tokens().iter().enumerate() {
            match token {
                Token::Name(name) if is_plain(name) && place == 0 => out.write_str(name)?,
                Token::Name(name) if is_plain(name) => write!(out, ".{name}")?,
                Token::Name(name) if place == 0 => out.write_str(&quoted(name))?,
                Token::Name(name) => write!(out, "[{}]", quoted(name))?,
                Token::Index(index) => write!(out, "[{index}]")?,
                Token::Last(back) => write!(out, "[-{back}]")?,
                Token::End => out.write_str("[-]")?,
            }
        }
        Ok(())
    }
}

/// Whether `name` needs no quotes, neither in a path nor before `=` or `:=`.
fn is_plain(name: &str) -> bool {
    let plain = |letter: char| letter.is_alphanumeric() || "_-$@+%/".contains(letter);
    !name.is_empty() && !name.starts_with('/') && name.chars().all(plain)
}

fn quoted(name: &str) -> String {
    String::from_utf8_lossy(&string::encode(name)).into_owned()
}
