//! Words after the timestamp: which are levels, which are names, which begin the message.

use std::ops::Range;

use super::{Step, Zone, logfmt_level, makers};
use crate::fields;
use crate::header::{Found, first, token};
use crate::level::Level;

impl Zone<'_> {
    pub(super) fn word(&self) -> Step {
        let rest = self.rest();
        let (count, capitals) = token::letters(rest);
        if let Some(found) = token::upper_of(self.text, self.at, (count, capitals)) {
            return self.upper(found);
        }
        let next = rest.get(count).copied();
        if let Some(step) = self.maker(count, next) {
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
        if let Some(found) = token::mild_of(self.text, self.at, (count, capitals))
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

    /// Words that only one maker's headers have.
    fn maker(&self, count: usize, next: Option<u8>) -> Option<Step> {
        let rest = self.rest();
        match rest[0] {
            b'P' if self.tokens == 0 => {
                if let Some(step) = makers::php(self.text, self.at) {
                    return Some(step);
                }
            }
            b'L' if rest.starts_with(b"LEVEL: ") => return makers::db2(self.text, self.at).map(Step::Level),
            b'S' if &rest[..count] == b"SUCCESS"
                && self.gap.pipe
                && rest[count..].trim_ascii_start().starts_with(b"|") =>
            {
                return Some(Step::Level(Found::new(Level::Info, self.at..self.at + count, "Loguru")));
            }
            b'D' | b'F' if self.names == 0 && self.numbers == 1 && self.gap.spaces > 1 => {
                if let Some(found) = makers::apple(self.text, self.at, count) {
                    return Some(Step::Level(found));
                }
            }
            _ => {}
        }
        if self.tokens == 0 {
            if let Some(found) = first::glog(self.text, self.at).or_else(|| makers::sap(self.text, self.at)) {
                return Some(Step::Level(found));
            }
            if next == Some(b',')
                && let Some(found) = makers::topics(self.text, self.at)
            {
                return Some(Step::Level(found));
            }
        }
        if self.tokens == 2
            && self.names == 1
            && let Some(found) = makers::websphere(self.text, self.at)
        {
            return Some(Step::Level(found));
        }
        self.postgres(count, next)
    }

    /// `LOG:  message`, and the words of the lines that explain the record before.
    fn postgres(&self, count: usize, next: Option<u8>) -> Option<Step> {
        let rest = self.rest();
        let log = |rule| Step::Level(Found::new(Level::Info, self.at..self.at + count, rule));
        match (&rest[..count], next) {
            (b"LOG", Some(b':')) => Some(log("PostgreSQL")),
            (b"LOG", Some(b' ')) if self.tokens > 0 => Some(log("PostgreSQL")),
            (b"LOG", Some(b' ')) if self.gap.spaces > 1 && rest.get(count + 1) == Some(&b'[') => {
                Some(log("NestJS"))
            }
            (b"DETAIL" | b"HINT" | b"STATEMENT" | b"CONTEXT" | b"QUERY" | b"LOCATION", Some(b':')) => {
                rest[count..].starts_with(b":  ").then_some(Step::Detail)
            }
            _ => None,
        }
    }

    fn upper(&self, found: Found) -> Step {
        let word = &self.text[found.word.clone()];
        let next = self.text.get(found.word.end).copied();
        // Nagios: `SERVICE ALERT: host;…;CRITICAL;` reports a state of somebody else.
        if self.after_capitals && word == b"ALERT" {
            return Step::Stop;
        }
        // syslog puts no level between the host and a colon: this is the tag or the message.
        if self.is_syslog() && self.names > 0 && next == Some(b':') {
            return Step::Stop;
        }
        match self.soft {
            0 => Step::Level(found),
            1 if self.has_strong_tail(found.word.end) || self.after_main() => {
                Step::Level(Found { settled: false, ..found })
            }
            _ => Step::Stop,
        }
    }

    /// Java's main thread names itself: `… main WARN Unable to instantiate …` (Log4j's own log).
    fn after_main(&self) -> bool {
        self.names == 1 && self.tokens == 1 && self.text[..self.at].ends_with(b" main ")
    }

    /// `unbound[75:0] notice: m`, `idarch.exe [4960,47448] Warning: m`: one program and its number.
    fn after_process(&self) -> bool {
        self.names == 1 && (!self.is_syslog() || self.inner) && self.text[..self.at].ends_with(b"] ")
    }

    /// What follows a level in a header, but hardly a word in a sentence.
    pub(super) fn has_strong_tail(&self, end: usize) -> bool {
        let tail = &self.text[end..];
        matches!(
            tail,
            [b':' | b']' | b'|' | b'[' | b'(' | b'\t' | b'/', ..]
                | [b' ', b' ' | b'[' | b'(' | b'-' | b'|' | b':' | b'<', ..]
        )
    }

    /// A level in lower case or with one capital counts only where no sentence puts it.
    fn mild_is_framed(&self, end: usize) -> bool {
        let tail = &self.text[end..];
        let spaces = token::spaces(tail);
        let next = tail.get(spaces).copied();
        let first = self.tokens == 0;
        let nameless = self.names == 0;
        // F5 and rsyslog's older templates: `host err mcpd[7]: message`.
        if self.is_syslog() && self.tokens == 1 && self.names == 1 && is_tag(tail) {
            return token::severity(&self.text[self.at..end]).is_some();
        }
        if self.soft > 0 {
            // Its longest word fills the column: `host corosync warning [MAIN  ] message`.
            if self.soft <= 2 && end - self.at == 7 && spaces == 1 && is_subsystem(&tail[1..]) {
                return true;
            }
            // Corosync: `host corosync notice  [MAIN  ] message`.
            // Pacemaker: `host pacemaker-fenced  [3442] (log_action) \twarning: message`.
            return (self.soft <= 2 && spaces >= 2 && next == Some(b'['))
                || (self.soft == 1 && self.gap.tab && tail.first() == Some(&b':'));
        }
        match (spaces, next) {
            (0, Some(b':')) if self.gap.tab || self.after_process() => true,
            (0, Some(b':' | b'/' | b']' | b'>')) | (_, None) => {
                nameless || (self.gap.dash && !self.is_syslog())
            }
            (_, Some(b'|')) => self.gap.pipe,
            (0, _) => false,
            (_, Some(b':')) => nameless,
            (1, Some(b'-')) if self.gap.dash && tail.get(2) == Some(&b' ') => true,
            (1, Some(b'[')) => first,
            // VMware: `F5A5AB90 info 'vm:…'`.
            (1, Some(b'\'')) => nameless && self.numbers == 1,
            (1, _) => {
                (self.gap.tab && tail[0] == b'\t') || (first && (self.gap.comma || is_program(&tail[1..])))
            }
            // The columns of macOS' `log show`: `0x2e8f3    Error       0x0`.
            (_, _) => first || self.gap.tab || (nameless && self.numbers == 1 && self.gap.spaces >= 2),
        }
    }

    fn letter_is_framed(&self, next: Option<u8>) -> bool {
        let tail = &self.rest()[1..];
        let first = self.tokens == 0;
        match next {
            // Telegraf: `I! Loaded inputs`.
            Some(b'!') => first,
            // logcat -v time: `D/Tag( 1702): message`; -v long: `1234: 5678 D/Tag ]`.
            Some(b'/') => {
                (first || self.numbers >= 2) && tail.iter().take(64).any(|b| matches!(b, b'(' | b':' | b']'))
            }
            Some(b'\t') => self.gap.tab,
            Some(b' ') => {
                let spaces = token::spaces(tail);
                let word = &tail[spaces..token::end(tail, spaces)];
                let after = token::spaces(&tail[spaces + word.len()..]);
                let component = word == b"-" || (word.len() >= 2 && word.iter().all(u8::is_ascii_uppercase));
                // logcat; TensorFlow `…: I tensorflow/`; WebSphere; etcd `I | x`; MongoDB `I NETWORK  [`.
                self.numbers >= 2
                    || (first && self.gap.colon)
                    || (first && spaces >= 2)
                    || (first && (word == b"|" || is_logger(word)))
                    || (first && component && (after >= 2 || tail[spaces + word.len()..].starts_with(b" [")))
            }
            _ => false,
        }
    }

    /// A token that begins with letters and goes on with something else.
    fn compound(&self, count: usize, next: Option<u8>, end: usize) -> Step {
        let token = &self.text[self.at..end];
        // Most tokens are plain names, and that is told by one look at their bytes.
        let marks = token.iter().fold(0, |marks, byte| {
            marks
                | match byte {
                    b'.' | b'[' | b'(' | b')' => 1,
                    b':' => 2,
                    b'=' => 4,
                    _ => 0,
                }
        });
        let found = match marks & 1 {
            0 => None,
            _ => self.suffixed(token, count, next).or_else(|| makers::vmware(token, self.at)),
        };
        if let Some(found) = found.or_else(|| if marks & 2 == 0 { None } else { self.between_colons(end) }) {
            return Step::Level(found);
        }
        if marks & 4 != 0
            && let Some(pair) = fields::pair(self.text, self.at)
        {
            return match logfmt_level(self.text, self.at) {
                Some(found) => Step::Level(found),
                None => Step::Hard(pair.value.end.max(end)),
            };
        }
        let is_id = token.len() >= 8 && token.iter().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(b));
        if is_id {
            return Step::Number(end);
        }
        if token.ends_with(b":") { Step::Message(end) } else { Step::Hard(end) }
    }

    /// `user.warn`, `app.ERROR:`, `util.py[DEBUG]:`, `krb5kdc[1](info):`.
    fn suffixed(&self, token: &[u8], count: usize, next: Option<u8>) -> Option<Found> {
        let found = |level, range: Range<usize>, rule| {
            Some(Found::new(level, self.at + range.start..self.at + range.end, rule))
        };
        if self.tokens == 0 && matches!(next, Some(b'0'..=b'9')) {
            let number = token[count..].iter().take_while(|b| b.is_ascii_digit()).count();
            // A pattern of VMware's prints a number right behind the level: `WARN574240[Thread-35]`.
            if count >= 4 && token.get(count + number) == Some(&b'[') && self.is_capitals(self.at + count) {
                return found(Level::of_word(&token[..count])?, 0..count, "level and number");
            }
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
    pub(super) fn between_colons(&self, end: usize) -> Option<Found> {
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
}

/// ` mcpd[1234]: `: a blank, a program with its number, a colon.
fn is_tag(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b" ") else { return false };
    let Some(tag) = rest[..token::end(rest, 0)].strip_suffix(b"]:") else { return false };
    let Some(open) = tag.iter().position(|b| *b == b'[') else { return false };
    open > 0 && open + 1 < tag.len() && tag[open + 1..].iter().all(u8::is_ascii_digit)
}

/// `[MAIN  ]`: capitals, padded.
fn is_subsystem(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"[") else { return false };
    let (count, capitals) = token::letters(rest);
    let spaces = token::spaces(&rest[count..]);
    count == capitals && count >= 3 && rest.get(count + spaces) == Some(&b']')
}

/// `i.q.c.http.Server`: a name of three parts or more.
fn is_logger(word: &[u8]) -> bool {
    let parts = word.split(|b| *b == b'.');
    parts.clone().nth(2).is_some()
        && parts.into_iter().all(|part| part.first().is_some_and(u8::is_ascii_alphabetic))
}

/// `vpxd[05160] [Originator@…`: a program with its number, and brackets behind it.
fn is_program(text: &[u8]) -> bool {
    let token = &text[..token::end(text, 0)];
    let Some(open) = token.iter().position(|b| *b == b'[') else { return false };
    let number = token[open + 1..].strip_suffix(b"]").unwrap_or_default();
    open > 0
        && !number.is_empty()
        && number.iter().all(u8::is_ascii_digit)
        && text[token.len()..].starts_with(b" [")
}
