//! The zone after the timestamp: token by token until a level, or until the message begins.
//!
//! A token is *hard* when no prose looks like it (numbers, addresses, logger names, capitals) and
//! *soft* when it is a bare word (`main`, a host name, or already the message). Hard tokens are
//! passed over freely; each soft one makes the demands on what may still be a level stricter. A
//! token that ends with a colon is a tag: the message begins after it, and only an inner record
//! with a header of its own can still carry a level.

use std::ops::Range;

use super::group::Group;
use super::{Found, token};
use crate::fields::{self, Keys};
use crate::header;
use crate::level::Level;
use crate::stamp;

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
    /// The stamp is `2025/03/14 …`, as Go's standard logger writes it: it has no level, and
    /// `http: error: x` is a message.
    slashed: bool,
    gap: Gap,
    tokens: usize,
    soft: usize,
    /// Numbers directly before this token.
    numbers: usize,
    /// The token before was a bare word in capitals.
    after_capitals: bool,
    inner: bool,
}

/// What stood between two tokens.
#[derive(Default)]
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
    Hard(usize),
    Soft(usize),
    Number(usize),
    /// The message begins here.
    Message(usize),
    Stop,
}

impl<'t> Zone<'t> {
    pub(super) fn after(text: &'t [u8], stamp: &Range<usize>) -> Self {
        Self {
            text,
            at: stamp.end,
            slashed: text.get(stamp.start + 4) == Some(&b'/'),
            gap: Gap::default(),
            tokens: 0,
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
            self.after_capitals = matches!(step, Step::Hard(end) if self.is_capitals(end));
            match step {
                Step::Level(found) => return Verdict::Level(found),
                Step::Detail => return Verdict::Detail,
                Step::Hard(end) => (self.at, self.numbers) = (end, 0),
                Step::Soft(end) => (self.at, self.numbers, self.soft) = (end, 0, self.soft + 1),
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
                b'-' if matches!(self.text.get(self.at + 1), Some(b' ' | b'-')) => self.gap.dash = true,
                _ => return,
            }
            self.at += 1;
        }
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
            Some(b'{') if rest.get(1) == Some(&b'"') => self.json(self.at),
            Some(b'[' | b'(' | b'<' | b'{') => self.group(),
            Some(byte) if byte.is_ascii_alphabetic() => self.word(),
            Some(_) => self.number(),
        }
    }

    fn json(&self, at: usize) -> Step {
        json_level(self.text, at).map_or(Step::Stop, Step::Level)
    }

    fn group(&self) -> Step {
        let Some(group) = Group::at(self.text, self.at) else { return Step::Stop };
        let Some(found) = group.level(self.text) else { return Step::Hard(group.after) };
        let capitals = self.text[found.word.clone()].iter().all(u8::is_ascii_uppercase);
        if self.soft == 0 {
            return Step::Level(found);
        }
        if self.soft == 1 && capitals {
            return Step::Level(Found { settled: false, ..found });
        }
        Step::Stop
    }

    /// A token that begins with a digit or a sign.
    fn number(&self) -> Step {
        let rest = self.rest();
        if let Some(stamp) = stamp::at(rest) {
            return Step::Hard(self.at + stamp.len);
        }
        let end = self.token_end();
        let token = &self.text[self.at..end];
        if let Some(found) = self.between_colons(end) {
            return Step::Level(found);
        }
        let body = token.strip_suffix(b":").unwrap_or(token);
        if body.iter().all(|b| b.is_ascii_hexdigit() || b".-_/#x%+".contains(b)) {
            return Step::Number(self.at + body.len());
        }
        if body.len() < token.len() { Step::Message(end) } else { Step::Hard(end) }
    }

    fn token_end(&self) -> usize {
        let end = token::end(self.text, self.at);
        self.text[self.at..end].iter().position(|b| *b == b'|').map_or(end, |pipe| self.at + pipe)
    }

    fn word(&self) -> Step {
        if let Some(found) = token::upper_word(self.text, self.at) {
            return self.upper(found);
        }
        let rest = self.rest();
        let (count, capitals) = token::letters(rest);
        let next = rest.get(count).copied();
        if let Some(step) = self.postgres(count, next).or_else(|| self.php()) {
            return step;
        }
        if count == 1
            && let Some(level) = Level::of_letter(rest[0]).or((rest[0] == b'A').then_some(Level::Critical))
            && self.letter_is_framed(next)
        {
            let found = Found::new(level, self.at..self.at + 1, "letter after the stamp");
            let settled = self.numbers >= 2 && next == Some(b' ');
            return Step::Level(if settled { found.settled() } else { found });
        }
        if let Some(found) = token::mild_word(self.text, self.at)
            && self.mild_is_framed(found.word.end)
        {
            return Step::Level(found);
        }
        let end = self.token_end();
        if end > self.at + count {
            return self.compound(count, next, end);
        }
        let capital_word = count >= 2 && capitals == count && self.tokens > 0;
        let camel = capitals >= 2 || (capitals == 1 && !rest[0].is_ascii_uppercase());
        if capital_word || (camel && capitals < count) { Step::Hard(end) } else { Step::Soft(end) }
    }

    fn upper(&self, found: Found) -> Step {
        // Nagios: `SERVICE ALERT: host;…;CRITICAL;` reports a state of somebody else.
        if self.after_capitals && self.text[found.word.clone()].eq(b"ALERT") {
            return Step::Stop;
        }
        match self.soft {
            0 => Step::Level(found),
            1 if self.has_strong_tail(found.word.end) => Step::Level(Found { settled: false, ..found }),
            _ => Step::Stop,
        }
    }

    /// What follows a level in a header, but hardly a word in a sentence.
    fn has_strong_tail(&self, end: usize) -> bool {
        let tail = &self.text[end..];
        match tail {
            [] | [b':' | b']' | b'|' | b'[' | b'(' | b'\t' | b'/', ..] => true,
            [b' ', b' ' | b'[' | b'(' | b'-' | b'|' | b':' | b'<', ..] => true,
            _ => false,
        }
    }

    /// A level in lower case or with one capital counts only where no sentence puts it.
    fn mild_is_framed(&self, end: usize) -> bool {
        let tail = &self.text[end..];
        let spaces = token::spaces(tail);
        let next = tail.get(spaces).copied();
        let first = self.tokens == 0;
        if self.soft > 0 {
            // Corosync: `host corosync notice  [MAIN  ] message`.
            return self.soft <= 2 && spaces >= 2 && next == Some(b'[');
        }
        match (spaces, next) {
            (0, Some(b':' | b'/' | b']' | b'>')) | (_, None) => true,
            (0, _) => false,
            (_, Some(b'|')) => self.gap.pipe,
            (_, Some(b':')) => true,
            (1, Some(b'-')) => self.gap.dash && tail.get(2) == Some(&b' '),
            (1, Some(b'[')) => first,
            (1, _) => (self.gap.tab && tail[0] == b'\t') || (first && self.gap.comma),
            (_, _) => first || self.gap.tab,
        }
    }

    fn letter_is_framed(&self, next: Option<u8>) -> bool {
        let tail = &self.rest()[1..];
        let first = self.tokens == 0;
        match next {
            // Telegraf: `I! Loaded inputs`.
            Some(b'!') => first,
            // logcat -v time: `D/Tag( 1702): message`.
            Some(b'/') => first && tail.iter().take(64).any(|b| matches!(b, b'(' | b':')),
            Some(b'\t') => self.gap.tab,
            Some(b' ') => {
                let spaces = token::spaces(tail);
                let word = &tail[spaces..token::end(tail, spaces)];
                let after = token::spaces(&tail[spaces + word.len()..]);
                let component = word == b"-" || (word.len() >= 2 && word.iter().all(u8::is_ascii_uppercase));
                // logcat; TensorFlow `…: I tensorflow/`; WebSphere; etcd `I | x`; MongoDB `I NETWORK  [`.
                self.numbers >= 2
                    || (first && self.gap.colon)
                    || spaces >= 2
                    || word == b"|"
                    || (first && component && (after >= 2 || tail[spaces + word.len()..].starts_with(b" [")))
            }
            _ => false,
        }
    }

    /// `LOG:  message`, and the words of the lines that explain the record before.
    fn postgres(&self, count: usize, next: Option<u8>) -> Option<Step> {
        let rest = self.rest();
        let log = || Step::Level(Found::new(Level::Info, self.at..self.at + count, "PostgreSQL"));
        match (&rest[..count], next) {
            (b"LOG", Some(b':')) => Some(log()),
            (b"LOG", Some(b' ')) if self.tokens > 0 => Some(log()),
            (b"DETAIL" | b"HINT" | b"STATEMENT" | b"CONTEXT" | b"QUERY" | b"LOCATION", Some(b':')) => {
                rest[count..].starts_with(b":  ").then_some(Step::Detail)
            }
            _ => None,
        }
    }

    /// `PHP Warning:  message`, `PHP Fatal error:  message`, and the trace below it.
    fn php(&self) -> Option<Step> {
        let message = self.rest().strip_prefix(b"PHP ")?;
        if self.tokens > 0 {
            return None;
        }
        if message.starts_with(b" ") || message.starts_with(b"Stack trace:") {
            return Some(Step::Detail);
        }
        let (count, _) = token::letters(message);
        let level = match &message[..count] {
            b"Fatal" | b"Parse" if message[count..].starts_with(b" error:") => Level::Critical,
            word if message.get(count) == Some(&b':') => Level::of_word(word)?,
            _ => return None,
        };
        let start = self.at + 4;
        Some(Step::Level(Found::new(level, start..start + count, "PHP")))
    }

    /// A token that begins with letters and goes on with something else.
    fn compound(&self, count: usize, next: Option<u8>, end: usize) -> Step {
        let token = &self.text[self.at..end];
        if let Some(found) = self.suffixed(token, count, next).or_else(|| self.between_colons(end)) {
            return Step::Level(found);
        }
        if let Some(pair) = fields::pair(self.text, self.at) {
            return match logfmt_level(self.text, self.at) {
                Some(found) => Step::Level(found),
                None => Step::Hard(pair.value.end.max(end)),
            };
        }
        if token.ends_with(b":") { Step::Message(end) } else { Step::Hard(end) }
    }

    /// `user.warn`, `app.ERROR:`, `util.py[DEBUG]:`, `krb5kdc[1](info):`, `Wa(180)`.
    fn suffixed(&self, token: &[u8], count: usize, next: Option<u8>) -> Option<Found> {
        let found = |level, range: Range<usize>, rule| {
            Some(Found::new(level, self.at + range.start..self.at + range.end, rule))
        };
        if next == Some(b'(')
            && count == 2
            && token[3..].iter().take_while(|b| b.is_ascii_digit()).count() > 1
        {
            // VMware: the first two letters of the severity, and the PRI in brackets.
            let number = token[3..].iter().take_while(|b| b.is_ascii_digit());
            let number = number.fold(0_u64, |n, b| n.wrapping_mul(10).wrapping_add(u64::from(b - b'0')));
            return found(Level::of_syslog(number & 7)?, 0..count, "VMware severity");
        }
        if let Some(dot) = token.iter().rposition(|b| *b == b'.') {
            let word = &token[dot + 1..];
            if let Some(level) = token::severity(word)
                && token::is_facility(&token[..dot])
            {
                return found(level, dot + 1..token.len(), "facility.severity");
            }
            let (letters, capitals) = token::letters(word);
            if letters >= 3 && letters == capitals && matches!(word.get(letters), Some(b':')) {
                return found(Level::of_word(&word[..letters])?, dot + 1..dot + 1 + letters, "channel.LEVEL");
            }
        }
        for (open, close) in [(b'[', b']'), (b'(', b')')] {
            let Some(start) = token.iter().rposition(|b| *b == open) else { continue };
            let inside = &token[start + 1..];
            let Some(length) = inside.iter().position(|b| *b == close) else { continue };
            let level = match open {
                b'[' => token::upper_word(token, start + 1).map(|found| found.level),
                _ => token::severity(&inside[..length]).filter(|_| token.ends_with(b"):")),
            };
            if let Some(level) = level {
                return found(level, start + 1..start + 1 + length, "level after a name");
            }
        }
        None
    }

    /// `10.0.0.1(5432):user@db:[1234]:LOG:` and `name:ERROR:file`.
    fn between_colons(&self, end: usize) -> Option<Found> {
        let token = &self.text[self.at..end];
        let mut from = token.iter().position(|b| *b == b':')? + 1;
        while from < token.len() {
            let length = token[from..].iter().position(|b| *b == b':')?;
            let range = self.at + from..self.at + from + length;
            let word = &self.text[range.clone()];
            if word == b"LOG" {
                return Some(Found::new(Level::Info, range, "PostgreSQL"));
            }
            if word.len() >= 3 && word.iter().all(u8::is_ascii_uppercase) {
                return Some(Found::new(Level::of_word(word)?, range, "level between colons"));
            }
            from += length + 1;
        }
        None
    }

    /// The message begins: only a record inside it can still tell its level.
    fn message(mut self, start: usize) -> Verdict {
        let direct = self.tokens == 0 && !self.slashed;
        self.at = start;
        self.skip_gap();
        let rest = self.rest();
        let found = match rest.first() {
            Some(b'{') if rest.get(1) == Some(&b'"') => json_level(self.text, self.at),
            Some(b'<') => Group::at(self.text, self.at).and_then(|group| group.level(self.text)),
            Some(b'[') => Group::at(self.text, self.at).and_then(|group| {
                group.level(self.text).filter(|f| f.word.len() >= 4 && f.word == (group.start..group.end))
            }),
            Some(_) if direct => token::mild_word(self.text, self.at)
                .filter(|found| self.text.get(found.word.end) == Some(&b':'))
                .or_else(|| {
                    token::upper_word(self.text, self.at).filter(|f| self.has_strong_tail(f.word.end))
                }),
            // Pacemaker: `crmd[123]:   notice: message`.
            Some(_) if self.gap.spaces >= 3 => token::mild_word(self.text, self.at)
                .filter(|found| self.text.get(found.word.end) == Some(&b':')),
            _ => None,
        };
        if let Some(found) = found {
            return Verdict::Level(Found { settled: false, ..found });
        }
        if self.inner { Verdict::None } else { self.inner_record() }
    }

    /// A whole record behind a syslog tag: klog, logfmt, or one with its own date and time.
    fn inner_record(&self) -> Verdict {
        let rest = self.rest();
        if let Some(found) = header::first::glog(self.text, self.at) {
            return Verdict::Level(found);
        }
        let stamp = stamp::at(rest).map(|stamp| (self.at..self.at + stamp.len, stamp.form));
        if let Some((range, _)) = stamp.filter(|(range, form)| header::is_dated(self.text, range, *form)) {
            let mut inner = Zone::after(self.text, &range);
            inner.inner = true;
            return inner.read();
        }
        logfmt_level(self.text, self.at).map_or(Verdict::None, Verdict::Level)
    }
}

fn json_level(text: &[u8], at: usize) -> Option<Found> {
    let (level, word) = fields::json(&text[at..], &Keys::default(), false)?.level?;
    Some(Found::new(level, at + word.start..at + word.end, "JSON in the message"))
}

fn logfmt_level(text: &[u8], at: usize) -> Option<Found> {
    let (level, word) = fields::logfmt(&text[at..], &Keys::default(), false)?.level?;
    Some(Found::new(level, at + word.start..at + word.end, "level=…"))
}
