//! The zone after the timestamp: token by token until a level, or until the message begins.
//!
//! A token is *hard* when no prose looks like it (numbers, addresses, logger names, capitals) and
//! *soft* when it is a bare word (`main`, a host name, or already the message). Hard tokens are
//! passed over freely; each soft one makes the demands on what may still be a level stricter. A
//! token that ends with a colon is a tag: the message begins after it, and only an inner record
//! with a header of its own can still carry a level.

mod makers;
mod message;
mod words;

pub(super) use makers::{cisco_anywhere, csvlog, php_level};

use std::ops::Range;

use super::group::Group;
use super::{Found, token};
use crate::fields::{self, Keys};
use crate::stamp::{self, Form};

/// What the zone told.
pub(super) enum Verdict {
    Level(Found),
    /// `DETAIL:`, `HINT:` and their like: a stamped line that belongs to the record before.
    Detail,
    None,
}

/// More tokens than the longest known header has before its level (BGL: 7).
const MOST_TOKENS: usize = 10;

pub(super) struct Zone<'t> {
    text: &'t [u8],
    at: usize,
    custom: Custom,
    gap: Gap,
    tokens: usize,
    /// Tokens that are words of some kind, not numbers or brackets.
    names: usize,
    soft: usize,
    /// Numbers directly before this token.
    numbers: usize,
    /// The token before was a bare word in capitals.
    after_capitals: bool,
    inner: bool,
}

/// What the form of the stamp says about whoever wrote it.
#[derive(PartialEq, Eq)]
enum Custom {
    /// `2025/03/14 …`: Go's standard logger has no level, and `http: error: x` is a message.
    Go,
    /// `Mar 14 09:26:53`: a host and a tag follow, and no level.
    Syslog,
    Other,
}

/// What stood between two tokens.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each byte stood there or did not")]
struct Gap {
    spaces: usize,
    tab: bool,
    pipe: bool,
    dash: bool,
    comma: bool,
    colon: bool,
}

enum Step {
    Level(Found),
    Detail,
    /// A group or another stamp.
    Skip(usize),
    Hard(usize),
    Soft(usize),
    Number(usize),
    /// The message begins here.
    Message(usize),
    Stop,
}

impl<'t> Zone<'t> {
    pub(super) fn after(text: &'t [u8], stamp: &Range<usize>, form: Form) -> Self {
        let custom = if text.get(stamp.start + 4) == Some(&b'/') {
            Custom::Go
        } else if !form.has_year() && text.get(stamp.start).is_some_and(u8::is_ascii_alphabetic) {
            Custom::Syslog
        } else {
            Custom::Other
        };
        Self {
            text,
            at: stamp.end,
            custom,
            gap: Gap::default(),
            tokens: 0,
            names: 0,
            soft: 0,
            numbers: 0,
            after_capitals: false,
            inner: false,
        }
    }

    pub(super) fn read(mut self) -> Verdict {
        while self.tokens < MOST_TOKENS {
            self.skip_gap();
            let step = self.step();
            self.after_capitals = matches!(step, Step::Hard(end) | Step::Soft(end) if self.is_capitals(end));
            match step {
                Step::Level(found) => return Verdict::Level(found),
                Step::Detail => return Verdict::Detail,
                Step::Skip(end) => (self.at, self.numbers) = (end, 0),
                Step::Hard(end) => (self.at, self.numbers, self.names) = (end, 0, self.names + 1),
                // Three bare words are a sentence.
                Step::Soft(_) if self.soft == 2 => return Verdict::None,
                Step::Soft(end) => {
                    (self.at, self.numbers, self.names, self.soft) = (end, 0, self.names + 1, self.soft + 1);
                }
                Step::Number(end) => (self.at, self.numbers) = (end, self.numbers + 1),
                Step::Message(start) => return self.message(start),
                Step::Stop => return Verdict::None,
            }
            self.tokens += 1;
        }
        Verdict::None
    }

    fn skip_gap(&mut self) {
        self.gap = Gap::default();
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b' ' => self.gap.spaces += 1,
                b'\t' => self.gap.tab = true,
                b'|' => self.gap.pipe = true,
                b',' | b';' => self.gap.comma = true,
                b':' => self.gap.colon = true,
                b']' | b')' | b'>' => {}
                // Logback's own lines point with `|-`.
                b'-' if matches!(self.text.get(self.at + 1), Some(b' ' | b'-'))
                    || self.text[self.at - 1] == b'|' =>
                {
                    self.gap.dash = true;
                }
                _ => return,
            }
            self.at += 1;
        }
    }

    fn is_syslog(&self) -> bool {
        self.custom == Custom::Syslog
    }

    fn is_go(&self) -> bool {
        self.custom == Custom::Go
    }

    fn rest(&self) -> &'t [u8] {
        &self.text[self.at..]
    }

    fn is_capitals(&self, end: usize) -> bool {
        self.text[self.at..end].iter().all(u8::is_ascii_uppercase)
    }

    fn step(&self) -> Step {
        let rest = self.rest();
        match rest.first() {
            None | Some(b'"' | b'\'' | b'=' | b'\r' | b'\n') => Step::Stop,
            Some(b'{') if rest.get(1) == Some(&b'"') => {
                json_level(self.text, self.at).map_or(Step::Stop, Step::Level)
            }
            Some(b'[' | b'(' | b'<' | b'{') => self.group(),
            Some(b'%') => makers::cisco(self.text, self.at).map_or_else(|| self.number(), Step::Level),
            Some(b'*') => makers::starred(self.text, self.at).map_or_else(|| self.number(), Step::Level),
            Some(byte) if byte.is_ascii_alphabetic() => self.word(),
            Some(_) => self.number(),
        }
    }

    fn group(&self) -> Step {
        let Some(group) = Group::at(self.text, self.at) else { return Step::Stop };
        if let Some(found) = self.inner_in(&group) {
            return Step::Level(found);
        }
        // `<error>text</error>` is an element of XML.
        let element = self.text[self.at] == b'<'
            && self.text.get(group.after).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'<');
        let Some(found) = group.level(self.text).filter(|_| !element) else {
            if let Some(found) = self.sssd(&group) {
                return Step::Level(found);
            }
            // `launchd[1] (com.acme.agent): message`.
            let is_tag = self.text.get(group.after) == Some(&b':');
            let named = self.names >= 2 || (self.is_syslog() && self.names >= 1);
            return if is_tag && named { Step::Message(group.after) } else { Step::Skip(group.after) };
        };
        let capitals = self.text[found.word.clone()].iter().all(u8::is_ascii_uppercase);
        if self.soft == 0 {
            return Step::Level(found);
        }
        // `iPhone Springboard(Front)[7] <Error>: message`
        let marked = self.text[self.at] == b'<' && self.text.get(group.after) == Some(&b':');
        if self.soft == 1 && (capitals || marked) {
            return Step::Level(Found { settled: false, ..found });
        }
        Step::Stop
    }

    /// A record of its own in brackets, behind a host and a program: `[2025-03-14 …: WARNING/Main]`.
    fn inner_in(&self, group: &Group) -> Option<Found> {
        if self.inner || self.names == 0 {
            return None;
        }
        let stamp = stamp::at(&self.text[group.start..group.end])?;
        if !stamp.form.has_year() || super::is_epoch(&self.text[group.start..]) {
            return None;
        }
        let end = group.start + stamp.len;
        let mut inner = Zone::after(&self.text[..group.end], &(group.start..end), stamp.form);
        inner.inner = true;
        match inner.read() {
            Verdict::Level(found) => Some(Found { settled: false, ..found }),
            _ => None,
        }
    }

    /// A token that begins with a digit or a sign.
    fn number(&self) -> Step {
        if let Some(stamp) = stamp::at(self.rest()) {
            return Step::Skip(self.at + stamp.len);
        }
        let end = self.token_end();
        let token = &self.text[self.at..end];
        if let Some(found) = self.between_colons(end) {
            return Step::Level(found);
        }
        let body = token.strip_suffix(b":").unwrap_or(token);
        if !body.iter().any(u8::is_ascii_alphanumeric) {
            // `###`, `***`: decoration of a message.
            return Step::Stop;
        }
        if body.iter().all(|b| b.is_ascii_hexdigit() || b".-_/#x%+".contains(b)) {
            return Step::Number(self.at + body.len());
        }
        if body.len() < token.len() { Step::Message(end) } else { Step::Hard(end) }
    }

    fn token_end(&self) -> usize {
        token::end_or_pipe(self.text, self.at)
    }
}

pub(super) fn json_level(text: &[u8], at: usize) -> Option<Found> {
    let (level, word) = fields::json(text.get(at..)?, &Keys::default(), false)?.level?;
    Some(Found::new(level, at + word.start..at + word.end, "JSON in the message"))
}

pub(super) fn logfmt_level(text: &[u8], at: usize) -> Option<Found> {
    let (level, word) = fields::logfmt(text.get(at..)?, &Keys::default(), false)?.level?;
    Some(Found::new(level, at + word.start..at + word.end, "level=…"))
}
