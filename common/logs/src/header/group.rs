//! What stands in brackets: `[error]`, `[core:error]`, `[Server thread/INFO]`, `<Warning>`, `(II)`.

use super::{Found, token, zone};
use crate::level::Level;
use crate::stamp;

/// A bracketed part of a header.
pub(super) struct Group {
    /// What is inside, without the spaces around it.
    pub start: usize,
    /// Where the inside ends.
    pub end: usize,
    /// The first byte after the closing bracket.
    pub after: usize,
}

/// Longer brackets are data, not header.
const LONGEST: usize = 256;

impl Group {
    /// The group that opens at `at`, brackets of the same kind inside it counted.
    pub(super) fn at(text: &[u8], at: usize) -> Option<Self> {
        let open = *text.get(at)?;
        let close = match open {
            b'[' => b']',
            b'(' => b')',
            b'<' => b'>',
            b'{' => b'}',
            _ => return None,
        };
        let mut depth = 0_u32;
        let inside = text.get(at..)?.iter().take(LONGEST).position(|b| {
            depth += u32::from(*b == open);
            if *b == close {
                depth -= 1;
            }
            depth == 0
        })?;
        let (mut start, mut end) = (at + 1, at + inside);
        while start < end && text[start] == b' ' {
            start += 1;
        }
        while end > start && text[end - 1] == b' ' {
            end -= 1;
        }
        Some(Self { start, end, after: at + inside + 1 })
    }

    /// The level that this group is, or holds at its start or end.
    pub(super) fn level(&self, text: &[u8]) -> Option<Found> {
        let inside = &text[self.start..self.end];
        let found = |level, from: usize, to: usize| {
            Some(Found::new(level, self.start + from..self.start + to, "level in brackets"))
        };
        let opened = text[self.start - 1];
        if inside.len() >= 3 || (inside.len() == 1 && opened != b'<' && inside[0].is_ascii_uppercase()) {
            let level = if inside.len() == 1 { Level::of_letter(inside[0]) } else { self.whole(text) };
            if let Some(level) = level {
                let whole = found(level, 0, inside.len());
                // What `System` means, the text behind it decides.
                let alone = opened == b'[' && inside != b"System";
                return if alone {
                    whole.map(|found| found.settled_with(self.after - self.end))
                } else {
                    whole
                };
            }
        }
        // X.Org: (EE) (WW) (II) (!!) and, without a level, (**) (==) (--).
        if opened == b'(' && inside.len() == 2 && inside[0] == inside[1] {
            return found(Level::of_letter(inside[0])?, 0, 2);
        }
        self.compound(text)
    }

    /// The level that the inside is, word for word.
    fn whole(&self, text: &[u8]) -> Option<Level> {
        let inside = &text[self.start..self.end];
        match inside {
            b"SUCCESS" | b"Note" => Some(Level::Info),
            b"success" => (self.start == 1).then_some(Level::Info),
            // MySQL: `[System] [MY-010931] [Server] m`; the `[system]` of dbus is its bus.
            b"System" => text[self.after..].starts_with(b" [MY-").then_some(Level::Info),
            _ => Level::of_word(inside),
        }
    }

    /// `core:error`, `Server thread/INFO`, `INFO/MainProcess`, `Error - 10:23:45 AM`,
    /// `1234:5678:0314/092653.123:ERROR:file.cc(12)`.
    fn compound(&self, text: &[u8]) -> Option<Found> {
        let inside = &text[self.start..self.end];
        let found = |level, from: usize, to: usize| {
            Some(Found::new(level, self.start + from..self.start + to, "part of a bracket"))
        };
        if let Some(colon) = inside.iter().rposition(|b| *b == b':') {
            let (module, word) = (&inside[..colon], &inside[colon + 1..]);
            // Apache 2.4 names a module and a level, trace1 to trace8 included.
            let is_module = module.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
            if is_module && let Some(level) = apache(word) {
                return found(level, colon + 1, inside.len());
            }
        }
        if let Some(slash) = inside.iter().rposition(|b| *b == b'/') {
            let word = &inside[slash + 1..];
            if is_capitals(word)
                && let Some(level) = Level::of_word(word)
            {
                return found(level, slash + 1, inside.len());
            }
        }
        if let Some(found) = self.spaced(text).or_else(|| self.parameter(text)) {
            return Some(found);
        }
        let (count, _) = token::letters(inside);
        let level = Level::of_word(&inside[..count])?;
        if inside.get(count) == Some(&b'#') {
            // Haskell's monad-logger: `[Debug#SQL]`.
            return found(level, 0, count);
        }
        let tail = inside[count..].trim_ascii_start();
        let tail = tail.strip_prefix(b"- ").or_else(|| tail.strip_prefix(b", ")).unwrap_or(tail);
        let followed = inside.get(count) == Some(&b'/') && is_capitals(&inside[..count]);
        if followed || (tail.len() < inside.len() - count && stamp::at(tail).is_some()) {
            return found(level, 0, count);
        }
        None
    }
}

impl Group {
    /// `syncaas-grpc-5  INFO  com.acme.Service  opId=`: a column in capitals with room on both
    /// sides; `7F03ECE76700 verbose 'Default' opID=…`: a thread, the level, a name in quotes.
    fn spaced(&self, text: &[u8]) -> Option<Found> {
        let mut at = self.start;
        for _ in 0..3 {
            let end = token::end(text, at).min(self.end);
            let spaces = token::spaces(&text[end..self.end]);
            if spaces == 0 {
                return None;
            }
            let thread = text[at..end].iter().all(u8::is_ascii_hexdigit)
                && text[at..end].iter().any(u8::is_ascii_digit);
            at = end + spaces;
            if let Some(found) = token::upper_word(text, at).filter(|found| found.word.end < self.end) {
                let tail = &text[found.word.end..self.end];
                return tail.starts_with(b"  ").then_some(Found {
                    rule: "column in brackets",
                    settled: false,
                    ..found
                });
            }
            if thread
                && let Some(found) = token::mild_word(text, at)
                && text[found.word.end..].starts_with(b" '")
            {
                return Some(Found { rule: "thread and level", ..found });
            }
        }
        None
    }

    /// The structured data of RFC 5424: `[acme@6876 comp="edge" level="INFO"]`.
    fn parameter(&self, text: &[u8]) -> Option<Found> {
        let id = token::end(text, self.start);
        let name = &text[self.start..id];
        let enterprise = name.iter().position(|b| *b == b'@')? + 1;
        if enterprise == name.len() || !name[enterprise..].iter().all(u8::is_ascii_digit) {
            return None;
        }
        zone::logfmt_level(&text[..self.end], id + 1).map(|found| Found { settled: false, ..found })
    }
}

fn apache(word: &[u8]) -> Option<Level> {
    match word {
        b"trace1" | b"trace2" | b"trace3" | b"trace4" | b"trace5" | b"trace6" | b"trace7" | b"trace8" => {
            Some(Level::Trace)
        }
        _ if word.iter().all(u8::is_ascii_lowercase) => Level::of_word(word),
        _ => None,
    }
}

fn is_capitals(word: &[u8]) -> bool {
    word.len() >= 3 && word.iter().all(u8::is_ascii_uppercase)
}
