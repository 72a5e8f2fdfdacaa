//! Which levels are meant: `WARNING`, `=INFO`, `DEBUG..INFO`, and lists of these.

use std::str::FromStr;

use logs::Level;

/// A set of levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Levels(u8);

impl Levels {
    /// Whether `level` is one of them.
    #[inline]
    #[must_use]
    pub fn has(self, level: Level) -> bool {
        self.0 & (1 << level as u8) != 0
    }

    fn between(least: Level, most: Level) -> Self {
        let meant = Level::ALL.iter().filter(|level| (least..=most).contains(level));
        Self(meant.fold(0, |set, level| set | 1 << *level as u8))
    }
}

impl FromStr for Levels {
    type Err = String;

    /// Reads what an operator types: `WARNING` is that and above, `=INFO` exactly that,
    /// `DEBUG..INFO` these two and what is between them, `..INFO` that and below; commas join.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::default();
        for part in text.split(',') {
            all.0 |= one(part.trim())?.0;
        }
        Ok(all)
    }
}

fn one(text: &str) -> Result<Levels, String> {
    if let Some(exactly) = text.strip_prefix('=') {
        let level = exactly.trim().parse()?;
        return Ok(Levels::between(level, level));
    }
    let Some((least, most)) = text.split_once("..") else {
        return Ok(Levels::between(text.parse()?, Level::Critical));
    };
    let end = |text: &str, open| if text.trim().is_empty() { Ok(open) } else { text.trim().parse() };
    let (least, most) = (end(least, Level::Trace)?, end(most, Level::Critical)?);
    if least > most {
        return Err(format!("`{text}` is empty; write it as {most}..{least}"));
    }
    Ok(Levels::between(least, most))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: &str) {
        let levels = text.parse::<Levels>().unwrap();
        let names = Level::ALL.into_iter().filter(|level| levels.has(*level)).map(Level::name);
        assert_eq!(names.collect::<Vec<_>>().join(" "), want, "{text}");
    }

    #[test]
    fn a_level_is_meant_with_all_above() {
        check("WARNING", "WARNING ERROR CRITICAL");
        check("warn", "WARNING ERROR CRITICAL");
        check("trace", "TRACE DEBUG INFO NOTICE WARNING ERROR CRITICAL");
        check("fatal", "CRITICAL");
    }

    #[test]
    fn exactly_ranges_and_lists() {
        check("=INFO", "INFO");
        check("=debug,=error", "DEBUG ERROR");
        check("DEBUG..INFO", "DEBUG INFO");
        check("INFO..INFO", "INFO");
        check("..info, error", "TRACE DEBUG INFO ERROR CRITICAL");
        check("warning..", "WARNING ERROR CRITICAL");
        check("..", "TRACE DEBUG INFO NOTICE WARNING ERROR CRITICAL");
    }

    #[test]
    fn what_is_no_level_is_told_the_names() {
        for bad in ["", "loud", "=", "INFO,", "INFO..loud", "<INFO"] {
            let message = bad.parse::<Levels>().unwrap_err();
            assert!(message.contains("is no level; say one of TRACE, DEBUG"), "{bad}: {message}");
        }
        assert!("ERROR..INFO".parse::<Levels>().unwrap_err().contains("INFO..ERROR"));
    }
}
