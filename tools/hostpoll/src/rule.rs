//! `--fail-on`: when a run that went well has nevertheless bad news.
//!
//! `cpu_percent > 90` holds when it does on any host; `unreachable > 10%` and `failed > 3` are about
//! all hosts of a round. The names are those of [`METRICS`] and of the `--command`s.

mod parse;

use std::fmt::{self, Display, Formatter};

use common::{Error, log, tool};
use unicode_width::UnicodeWidthStr;

use crate::outcome::Polled;
use crate::report::Summary;
use crate::values::{METRICS, Metric, Needs, Values, plain};

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// As it was given.
    text: String,
    subject: Subject,
    compare: Compare,
    limit: f64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    /// A value of each host.
    Value(String),
    /// Hosts that could not be spoken to.
    Unreachable(Of),
    /// Hosts without an answer, for whatever reason.
    Failed(Of),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Number,
    Percent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    Over,
    AtLeast,
    Under,
    AtMost,
    Equal,
    Other,
}

impl Compare {
    const ALL: [(&str, Self, &str); 6] = [
        (">=", Self::AtLeast, "at least"),
        ("<=", Self::AtMost, "at most"),
        ("==", Self::Equal, "equal to"),
        ("!=", Self::Other, "other than"),
        (">", Self::Over, "over"),
        ("<", Self::Under, "under"),
    ];

    #[allow(clippy::float_cmp, reason = "equality is asked for: of counts and states, which are exact")]
    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Over => value > limit,
            Self::AtLeast => value >= limit,
            Self::Under => value < limit,
            Self::AtMost => value <= limit,
            Self::Equal => value == limit,
            Self::Other => value != limit,
        }
    }

    fn words(self) -> &'static str {
        Self::ALL.iter().find(|(_, one, _)| *one == self).map_or("", |(_, _, words)| words)
    }

    fn sign(self) -> &'static str {
        Self::ALL.iter().find(|(_, one, _)| *one == self).map_or("", |(sign, ..)| sign)
    }
}

impl Rule {
    /// Reads a rule. `commands` are the names of the `--command`s.
    ///
    /// # Errors
    /// When it is none, or speaks of a value that there is not; the nearest names are told.
    pub fn parse(text: &str, commands: &[String]) -> Result<Self, Problem> {
        parse::rule(text, commands)
    }

    /// Whether it is about all hosts of a round, and how many of them fail.
    #[must_use]
    pub fn is_about_hosts(&self) -> bool {
        !matches!(self.subject, Subject::Value(_))
    }

    /// The metric that it is about, when it is about one.
    #[must_use]
    pub fn metric(&self) -> Option<&'static Metric> {
        let Subject::Value(name) = &self.subject else { return None };
        METRICS.iter().find(|metric| metric.name == name)
    }

    /// Whether `value` trips it.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        self.compare.holds(value, self.limit)
    }

    fn is_of(&self, value: f64, unit: &str) -> String {
        format!("is {}{unit}, {} {}{unit}", plain(value), self.compare.words(), plain(self.limit))
    }
}

impl Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (name, unit) = match &self.subject {
            Subject::Value(name) => (name.as_str(), ""),
            Subject::Unreachable(of) => ("unreachable", of.unit()),
            Subject::Failed(of) => ("failed", of.unit()),
        };
        write!(f, "{name}{}{}{unit}", self.compare.sign(), plain(self.limit))
    }
}

impl Of {
    fn unit(self) -> &'static str {
        match self {
            Self::Number => "",
            Self::Percent => "%",
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "hosts are counted in thousands")]
    fn value(self, count: usize, total: usize) -> f64 {
        match self {
            Self::Number => count as f64,
            // Of no hosts at all none failed.
            Self::Percent => 100.0 * count as f64 / total.max(1) as f64,
        }
    }
}

/// A mistake in a rule: a sentence with the way out, and the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    sentence: String,
    text: String,
    start: usize,
    end: usize,
}

impl Problem {
    /// The usage error, with the rule and a mark under the place.
    #[must_use]
    pub fn usage(&self) -> Error {
        tool::usage(format!("--fail-on: {}", self.sentence)).showing(self.excerpt())
    }

    /// The rule, and a line of `^` under the place.
    #[must_use]
    pub fn excerpt(&self) -> [String; 2] {
        let width = |part: &str| log::escape(part).width();
        let indent = width(&self.text[..self.start]);
        let marks = width(&self.text[self.start..self.end]).max(1);
        [log::escape(&self.text), " ".repeat(indent) + &"^".repeat(marks)]
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Problem {}

/// Rules that watch hosts and rounds.
#[derive(Debug, Default)]
pub struct Rules {
    rules: Vec<Watched>,
}

#[derive(Debug)]
struct Watched {
    rule: Rule,
    /// Whether a host of this round told the value.
    was_told: bool,
    /// Whether any host of this round answered.
    had_answers: bool,
}

/// What rules say of a round, in sentences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What tripped: the run ends with status 1.
    pub tripped: Vec<String>,
    /// What could not be judged.
    pub warnings: Vec<String>,
}

impl Rules {
    /// These rules.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        let watched = |rule| Watched { rule, was_told: false, had_answers: false };
        Self { rules: rules.into_iter().map(watched).collect() }
    }

    /// Judges a host; returns what tripped, a sentence each, with the name of the host before it.
    /// A value that is absent trips nothing.
    pub fn host(&mut self, polled: &Polled) -> Vec<String> {
        if self.rules.is_empty() {
            return Vec::new();
        }
        let Some(values) = Values::of(polled) else { return Vec::new() };
        let mut tripped = Vec::new();
        for watched in &mut self.rules {
            let Subject::Value(name) = &watched.rule.subject else { continue };
            watched.had_answers = true;
            let Some(value) = values.get(name) else { continue };
            watched.was_told = true;
            if watched.rule.holds(value) {
                let place = match (name.as_str(), values.disk_mount) {
                    ("disk_percent", Some(mount)) => format!(" of {mount}"),
                    _ => String::new(),
                };
                tripped.push(format!("{}: {name}{place} {}", polled.name, watched.rule.is_of(value, "")));
            }
        }
        tripped
    }

    /// Judges a round, after all of its hosts; the next round begins anew.
    pub fn round(&mut self, summary: &Summary) -> Verdict {
        let mut verdict = Verdict::default();
        for watched in &mut self.rules {
            let rule = &watched.rule;
            let (name, of, count) = match &rule.subject {
                Subject::Unreachable(of) => ("unreachable", *of, summary.unreachable),
                Subject::Failed(of) => ("failed", *of, summary.failures()),
                Subject::Value(name) => {
                    if watched.had_answers && !watched.was_told {
                        verdict.warnings.push(untold(&rule.text, name));
                    }
                    (watched.had_answers, watched.was_told) = (false, false);
                    continue;
                }
            };
            let value = of.value(count, summary.total);
            if rule.holds(value) {
                let rounded = (value * 10.0).round() / 10.0;
                let hosts = format!("({count} of {} hosts)", summary.total);
                verdict.tripped.push(format!("{name} {} {hosts}", rule.is_of(rounded, of.unit())));
            }
        }
        verdict
    }
}

fn untold(text: &str, name: &str) -> String {
    let needs = METRICS.iter().find(|metric| metric.name == name).map(|metric| metric.needs);
    let why = match needs {
        Some(Needs::Samples) => "; it needs two samples: give --interval",
        Some(Needs::Window) => "; it needs two readings: give --cpu-window or --interval",
        _ => "",
    };
    format!("--fail-on '{text}' judged nothing: no host told {name}{why}")
}

#[cfg(test)]
mod tests;
