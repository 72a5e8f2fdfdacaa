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
        // All words but three fit in a number, and numbers are told apart faster than words.
        if word.len() > 8 {
            return Self::of_long_word(word);
        }
        let key = word.iter().fold(0, |key, byte| (key << 8) | u64::from(byte.to_ascii_lowercase()));
        Some(match key {
            TRACE | TRAC | TRC | TRCE | VERBOSE | VRB | SILLY | FINEST => Self::Trace,
            DEBUG | DBUG | DEBU | DBG | FINE | FINER | DEBUG1 | DEBUG2 | DEBUG3 | DEBUG4 | DEBUG5 => {
                Self::Debug
            }
            INFO | INF => Self::Info,
            NOTICE => Self::Notice,
            WARN | WARNING | WRN => Self::Warning,
            ERROR | ERR | EROR | ERRO | SEVERE | FAILURE => Self::Error,
            FATAL | CRITICAL | CRIT | FTL | FATA | PANIC | PANI | DPANIC | PNC | EMERG | ALERT => {
                Self::Critical
            }
            _ => return None,
        })
    }

    fn of_long_word(word: &[u8]) -> Option<Self> {
        if word.eq_ignore_ascii_case(b"information") || word.eq_ignore_ascii_case(b"informational") {
            return Some(Self::Info);
        }
        word.eq_ignore_ascii_case(b"emergency").then_some(Self::Critical)
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

/// The bytes of a word in lower case as one number.
const fn key(word: &[u8]) -> u64 {
    let mut key = 0;
    let mut at = 0;
    while at < word.len() {
        key = (key << 8) | word[at] as u64;
        at += 1;
    }
    key
}

const TRACE: u64 = key(b"trace");
const TRAC: u64 = key(b"trac");
const TRC: u64 = key(b"trc");
const TRCE: u64 = key(b"trce");
const VERBOSE: u64 = key(b"verbose");
const VRB: u64 = key(b"vrb");
const SILLY: u64 = key(b"silly");
const FINEST: u64 = key(b"finest");
const DEBUG: u64 = key(b"debug");
const DBUG: u64 = key(b"dbug");
const DEBU: u64 = key(b"debu");
const DBG: u64 = key(b"dbg");
const FINE: u64 = key(b"fine");
const FINER: u64 = key(b"finer");
const DEBUG1: u64 = key(b"debug1");
const DEBUG2: u64 = key(b"debug2");
const DEBUG3: u64 = key(b"debug3");
const DEBUG4: u64 = key(b"debug4");
const DEBUG5: u64 = key(b"debug5");
const INFO: u64 = key(b"info");
const INF: u64 = key(b"inf");
const NOTICE: u64 = key(b"notice");
const WARN: u64 = key(b"warn");
const WARNING: u64 = key(b"warning");
const WRN: u64 = key(b"wrn");
const ERROR: u64 = key(b"error");
const ERR: u64 = key(b"err");
const EROR: u64 = key(b"eror");
const ERRO: u64 = key(b"erro");
const SEVERE: u64 = key(b"severe");
const FAILURE: u64 = key(b"failure");
const FATAL: u64 = key(b"fatal");
const CRITICAL: u64 = key(b"critical");
const CRIT: u64 = key(b"crit");
const FTL: u64 = key(b"ftl");
const FATA: u64 = key(b"fata");
const PANIC: u64 = key(b"panic");
const PANI: u64 = key(b"pani");
const DPANIC: u64 = key(b"dpanic");
const PNC: u64 = key(b"pnc");
const EMERG: u64 = key(b"emerg");
const ALERT: u64 = key(b"alert");

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
