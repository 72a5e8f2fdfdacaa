//! The levels, and every way a logger spells one: words, letters, numbers.
//!
//! The scale is syslog's (RFC 5424, 6.2.1) with TRACE below it and everything from "critical" up in
//! one level, because that is where a person is woken. Numbers are read by their key and never by
//! their value: `30` is INFO to pino and WARNING to Python.

use std::fmt;
use std::str::FromStr;

/// How severe a record is, by its logger's own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// trace, verbose, finest
    Trace,
    /// debug, fine, config
    Debug,
    /// info, Postgres' LOG, `MySQL`'s Note and System
    Info,
    /// notice
    Notice,
    /// warn, warning
    Warning,
    /// error, severe, failure
    Error,
    /// fatal, critical, alert, emergency, panic
    Critical,
}

impl Level {
    /// All levels, from the least severe to the most.
    pub const ALL: [Self; 7] =
        [Self::Trace, Self::Debug, Self::Info, Self::Notice, Self::Warning, Self::Error, Self::Critical];

    /// The name that the tools print.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Notice => "NOTICE",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }

    /// A word or abbreviation that no logger uses for anything but a level, in any case.
    #[must_use]
    pub fn of_word(word: &[u8]) -> Option<Self> {
        let mut lower = [0; 13];
        let lower = lower.get_mut(..word.len())?;
        lower.copy_from_slice(word);
        lower.make_ascii_lowercase();
        Some(match &*lower {
            b"trace" | b"trac" | b"trc" | b"trce" | b"verbose" | b"vrb" | b"silly" | b"finest" => Self::Trace,
            b"debug" | b"dbug" | b"debu" | b"dbg" | b"fine" | b"finer" | b"debug1" | b"debug2"
            | b"debug3" | b"debug4" | b"debug5" => Self::Debug,
            b"info" | b"inf" | b"information" | b"informational" => Self::Info,
            b"notice" => Self::Notice,
            b"warn" | b"warning" | b"wrn" => Self::Warning,
            b"error" | b"err" | b"eror" | b"erro" | b"severe" | b"failure" => Self::Error,
            b"fatal" | b"critical" | b"crit" | b"ftl" | b"fata" | b"panic" | b"pani" | b"dpanic" | b"pnc"
            | b"emerg" | b"emergency" | b"alert" => Self::Critical,
            _ => return None,
        })
    }

    /// As [`Level::of_word`], and the words that are a level only where nothing else can stand:
    /// alone in brackets, or as the value of a level key.
    #[must_use]
    pub fn of_value(word: &[u8]) -> Option<Self> {
        if let Some(level) = Self::of_word(word) {
            return Some(level);
        }
        Some(match &*word.to_ascii_lowercase() {
            b"t" | b"v" | b"spam" => Self::Trace,
            b"d" | b"config" => Self::Debug,
            b"i" | b"log" | b"note" | b"system" | b"success" => Self::Info,
            b"n" => Self::Notice,
            b"w" | b"warni" => Self::Warning,
            b"e" | b"fail" | b"fault" => Self::Error,
            b"f" | b"c" => Self::Critical,
            _ => return None,
        })
    }

    /// The letter that glog, klog, Android, `MongoDB` and others put for the level.
    #[must_use]
    pub fn of_letter(letter: u8) -> Option<Self> {
        Some(match letter {
            b'V' | b'T' => Self::Trace,
            b'D' => Self::Debug,
            b'I' => Self::Info,
            b'N' => Self::Notice,
            b'W' => Self::Warning,
            b'E' => Self::Error,
            b'F' | b'C' => Self::Critical,
            _ => return None,
        })
    }

    /// The severity of syslog and journald: the lowest three bits of the PRI (RFC 5424, 6.2.1).
    #[must_use]
    pub fn of_syslog(severity: u64) -> Option<Self> {
        Some(match severity {
            0..=2 => Self::Critical,
            3 => Self::Error,
            4 => Self::Warning,
            5 => Self::Notice,
            6 => Self::Info,
            7 => Self::Debug,
            _ => return None,
        })
    }

    /// The `level` of pino and bunyan: 10, 20 … 60, and what lies between.
    #[must_use]
    pub fn of_pino(number: u64) -> Option<Self> {
        Some(match number {
            10..=19 => Self::Trace,
            20..=29 => Self::Debug,
            30..=39 => Self::Info,
            40..=49 => Self::Warning,
            50..=59 => Self::Error,
            60..=69 => Self::Critical,
            _ => return None,
        })
    }

    /// Python's `levelno`: 10 DEBUG … 50 CRITICAL, and what lies between.
    #[must_use]
    pub fn of_python(number: u64) -> Option<Self> {
        Some(match number {
            1..=9 => Self::Trace,
            10..=19 => Self::Debug,
            20..=29 => Self::Info,
            30..=39 => Self::Warning,
            40..=49 => Self::Error,
            50..=59 => Self::Critical,
            _ => return None,
        })
    }

    /// OpenTelemetry's `SeverityNumber`, 1 to 24 (logs data model, "Severity fields"); 10 is what its
    /// appendix B maps syslog's notice to.
    #[must_use]
    pub fn of_otel(number: u64) -> Option<Self> {
        Some(match number {
            1..=4 => Self::Trace,
            5..=8 => Self::Debug,
            10 => Self::Notice,
            9 | 11 | 12 => Self::Info,
            13..=16 => Self::Warning,
            17..=20 => Self::Error,
            21..=24 => Self::Critical,
            _ => return None,
        })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Level {
    type Err = String;

    /// Reads a level as an operator types it: any word a logger would use, in any case.
    fn from_str(text: &str) -> Result<Self, String> {
        Self::of_word(text.as_bytes()).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("`{text}` is no level; say one of {names}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_has_its_level() {
        let check = |words: &str, want: Option<Level>| {
            for word in words.split(' ') {
                assert_eq!(Level::of_word(word.as_bytes()), want, "{word}");
            }
        };
        check("trace TRC Verbose finest", Some(Level::Trace));
        check("DEBUG dbg Fine debug5", Some(Level::Debug));
        check("INFO inf Information", Some(Level::Info));
        check("NOTICE Notice", Some(Level::Notice));
        check("WARN Warning wrn", Some(Level::Warning));
        check("ERROR err eror SEVERE Failure", Some(Level::Error));
        check("FATAL crit ALERT emerg panic DPANIC ftl", Some(Level::Critical));
        check("DEBUGGER ERRORFREE LOG note system e informationally x", None);
        assert_eq!(Level::of_value(b"Note"), Some(Level::Info));
        assert_eq!(Level::of_value(b"handled"), None);
    }

    #[test]
    fn numbers_are_read_by_their_key() {
        assert_eq!(Level::of_pino(30), Some(Level::Info));
        assert_eq!(Level::of_python(30), Some(Level::Warning));
        assert_eq!(Level::of_otel(10), Some(Level::Notice));
        assert_eq!(Level::of_syslog(5), Some(Level::Notice));
        for none in [Level::of_pino(7), Level::of_python(60), Level::of_otel(0), Level::of_syslog(8)] {
            assert_eq!(none, None);
        }
    }

    #[test]
    fn levels_are_ordered_and_named() {
        assert!(Level::ALL.is_sorted());
        for level in Level::ALL {
            assert_eq!(level.name().parse(), Ok(level));
        }
        assert!("loud".parse::<Level>().unwrap_err().contains("NOTICE"));
    }
}
