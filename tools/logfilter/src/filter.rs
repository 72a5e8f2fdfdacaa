//! The question asked of every record: does it belong to the selection?

use logs::Level;
use logs::clock::Time;
use regex::bytes::Regex;

use crate::select::Levels;

/// What is asked for. Everything that is `None` is not asked.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The levels.
    pub levels: Option<Levels>,
    /// Whether a record that tells no level passes.
    pub keep_unknown: bool,
    /// The first and the last nanosecond of the time range.
    pub span: Option<(Time, Time)>,
    /// What the bytes of the record must match.
    pub pattern: Option<Regex>,
    /// Whether the records that fail are the ones to keep.
    pub inverted: bool,
}

/// What level and time of a record say, before its bytes are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It passes.
    Pass,
    /// Its level or its time is not asked for.
    Fail,
    /// It fails because it tells no level.
    NoLevel,
    /// It fails because nothing before it in its file tells a time.
    NoTime,
}

impl Filter {
    /// Judges a record by its level and its time.
    #[inline]
    #[must_use]
    pub fn judge(&self, level: Option<Level>, time: Option<Time>) -> Verdict {
        if let Some((first, last)) = self.span {
            match time {
                None => return Verdict::NoTime,
                Some(time) if time < first || time > last => return Verdict::Fail,
                Some(_) => {}
            }
        }
        match (level, self.levels) {
            (None, _) if !self.keep_unknown => Verdict::NoLevel,
            (Some(level), Some(levels)) if !levels.has(level) => Verdict::Fail,
            _ => Verdict::Pass,
        }
    }

    /// Whether a record that passed by level and time is kept for its bytes; so is one that failed,
    /// with no bytes to look at, when the selection is inverted.
    #[must_use]
    pub fn keeps(&self, verdict: Verdict, bytes: &[u8]) -> bool {
        let passes =
            verdict == Verdict::Pass && self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(bytes));
        passes != self.inverted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(levels: Option<&str>, span: Option<(i64, i64)>) -> Filter {
        Filter {
            levels: levels.map(|text| text.parse().unwrap()),
            keep_unknown: levels.is_none(),
            span: span.map(|(first, last)| (Time::from_secs(first), Time::from_secs(last))),
            ..Filter::default()
        }
    }

    #[test]
    fn level_and_time_must_both_pass() {
        let check = |filter: &Filter, level: Option<Level>, secs: Option<i64>, want: Verdict| {
            assert_eq!(filter.judge(level, secs.map(Time::from_secs)), want, "{level:?} {secs:?}");
        };
        let all = filter(None, None);
        check(&all, None, None, Verdict::Pass);
        let errors = filter(Some("error"), None);
        check(&errors, Some(Level::Error), None, Verdict::Pass);
        check(&errors, Some(Level::Info), None, Verdict::Fail);
        check(&errors, None, None, Verdict::NoLevel);
        let both = filter(Some("error"), Some((10, 20)));
        check(&both, Some(Level::Error), Some(10), Verdict::Pass);
        check(&both, Some(Level::Error), Some(20), Verdict::Pass);
        check(&both, Some(Level::Error), Some(21), Verdict::Fail);
        check(&both, Some(Level::Error), None, Verdict::NoTime);
        check(&both, None, Some(9), Verdict::Fail);
        check(&both, None, Some(10), Verdict::NoLevel);
        check(&Filter { keep_unknown: true, ..both }, None, Some(10), Verdict::Pass);
    }

    #[test]
    fn inverted_keeps_what_would_be_dropped_and_nothing_else() {
        let pattern = Some(Regex::new("disk").unwrap());
        for filter in [filter(Some("error"), None), Filter { pattern, ..filter(Some("error"), None) }] {
            let not = Filter { inverted: true, ..filter.clone() };
            for verdict in [Verdict::Pass, Verdict::Fail, Verdict::NoLevel, Verdict::NoTime] {
                for bytes in [&b"disk full"[..], b"all well"] {
                    assert_ne!(filter.keeps(verdict, bytes), not.keeps(verdict, bytes));
                }
            }
        }
    }
}
