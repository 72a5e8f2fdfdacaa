//! Levels that one maker puts where nobody else does.

use super::{Step, Zone};
use crate::header::group::Group;
use crate::header::{Found, token};
use crate::level::Level;

/// `%ASA-4-106023:`, `%SEC_LOGIN-5-LOGIN_SUCCESS:`, `%PIM-SW1-6-JOIN:`: Cisco's facility, severity
/// and mnemonic. The digit is syslog's.
pub(super) fn cisco(text: &[u8], at: usize) -> Option<Found> {
    let token = &text[at..token::end(text, at)];
    let body = token.strip_prefix(b"%")?;
    // IOS XR puts a blank before the colon.
    let apart = || text[at + token.len()..].starts_with(b" :").then_some(body.len());
    let body = &body[..body.iter().position(|b| *b == b':').or_else(apart)?];
    if !body.first()?.is_ascii_uppercase() {
        return None;
    }
    let is_name =
        |part: &[u8]| !part.is_empty() && part.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let mut start = 0;
    for (index, part) in body.split(|b| *b == b'-').enumerate() {
        if index > 0
            && let [digit @ b'0'..=b'7'] = part
        {
            let mnemonic = body.get(start + 2..)?;
            let level = Level::of_syslog(u64::from(digit - b'0'))?;
            let word = at + 1 + start..at + 2 + start;
            return is_name(mnemonic).then(|| Found::new(level, word, "Cisco severity"));
        }
        if !is_name(part) {
            return None;
        }
        start += part.len() + 1;
    }
    None
}

/// As [`cisco`], behind a header that is no other's: `000012: RP/0/CPU0:Mar 14 …: bgp[7]: %ROUTING-BGP-5-…`.
pub(in crate::header) fn cisco_anywhere(text: &[u8]) -> Option<Found> {
    let at = memchr::memchr(b'%', text).filter(|at| text[..*at].ends_with(b": "))?;
    cisco(text, at)
}

/// `*ERROR* [thread] name message`: Apache Sling, and Adobe's products on it.
pub(super) fn starred(text: &[u8], at: usize) -> Option<Found> {
    let (count, capitals) = token::letters(&text[at + 1..]);
    let word = at + 1..at + 1 + count;
    let level = Level::of_word(&text[word.clone()]).filter(|_| count == capitals)?;
    text[word.end..].starts_with(b"* ").then(|| Found::new(level, word, "level between stars"))
}

/// `PHP Warning:  message`, `PHP Fatal error:  message`, and the trace below it.
pub(super) fn php(text: &[u8], at: usize) -> Option<Step> {
    let message = text[at..].strip_prefix(b"PHP ")?;
    if message.starts_with(b" ") || message.starts_with(b"Stack trace:") {
        return Some(Step::Detail);
    }
    let (level, length) = php_level(message)?;
    let start = at + 4;
    Some(Step::Level(Found::new(level, start..start + length, "PHP")))
}

/// `Warning:`, `Fatal error:`, `Parse error:`, and how long the word is.
pub(in crate::header) fn php_level(message: &[u8]) -> Option<(Level, usize)> {
    let (count, _) = token::letters(message);
    let level = match &message[..count] {
        b"Fatal" if message[count..].starts_with(b" error:") => Level::Critical,
        b"Parse" if message[count..].starts_with(b" error:") => Level::Error,
        word if message.get(count) == Some(&b':') => Level::of_word(word)?,
        _ => return None,
    };
    Some((level, count))
}

/// `I363420E1996          LEVEL: Severe`: the first line of a record of DB2's db2diag.log.
pub(super) fn db2(text: &[u8], at: usize) -> Option<Found> {
    let start = at + b"LEVEL: ".len();
    let word = text[start..].trim_ascii_end();
    let level = match word {
        b"Event" => Level::Info,
        _ => Level::of_word(word)?,
    };
    Some(Found::new(level, start..start + word.len(), "DB2"))
}

/// `system,error,critical`: the topics of `MikroTik`'s `RouterOS`, of which the gravest counts.
pub(super) fn topics(text: &[u8], at: usize) -> Option<Found> {
    let token = &text[at..token::end(text, at)];
    let mut best: Option<Found> = None;
    let mut start = at;
    for topic in token.split(|b| *b == b',') {
        if topic.len() < 3 || !topic.iter().all(u8::is_ascii_lowercase) {
            return None;
        }
        if matches!(topic, b"debug" | b"info" | b"warning" | b"error" | b"critical") {
            let level = Level::of_word(topic)?;
            if best.as_ref().is_none_or(|best| best.level < level) {
                best = Some(Found::new(level, start..start + topic.len(), "RouterOS topic"));
            }
        }
        start += topic.len() + 1;
    }
    best
}

/// `000000a1 ServletWrappe E com.ibm…`: IBM `WebSphere` cuts and pads the logger to 13 letters.
pub(super) fn websphere(text: &[u8], at: usize) -> Option<Found> {
    const WIDTH: usize = 13;
    let level = match text[at] {
        b'F' => Level::Critical,
        b'E' => Level::Error,
        b'W' => Level::Warning,
        b'A' | b'I' | b'C' => Level::Info,
        b'D' => Level::Debug,
        _ => return None,
    };
    let start = at.checked_sub(WIDTH + 1)?;
    let name = text[start..at].trim_ascii_end();
    let thread = text[..start].strip_suffix(b" ")?;
    let fits = text.get(at + 1) == Some(&b' ')
        && !name.contains(&b' ')
        && name.len() <= WIDTH
        && thread.len() > 8
        && thread[thread.len() - 8..].iter().all(u8::is_ascii_hexdigit);
    fits.then(|| Found::new(level, at..at + 1, "WebSphere"))
}

/// `d Authentication   SAMLAuthenticator.cpp(00091) : message`: the trace files of SAP HANA.
pub(super) fn sap(text: &[u8], at: usize) -> Option<Found> {
    let level = match text[at] {
        b'd' => Level::Debug,
        b'i' => Level::Info,
        b'w' => Level::Warning,
        b'e' => Level::Error,
        b'f' => Level::Critical,
        _ => return None,
    };
    if text.get(at + 1) != Some(&b' ') {
        return None;
    }
    let component = at + 2;
    let end = token::end(text, component);
    let file = end + token::spaces(&text[end..]);
    let source = &text[file..token::end(text, file)];
    let line = source.strip_suffix(b")")?;
    let open = line.iter().rposition(|b| *b == b'(')?;
    let fits = end > component
        && open > 0
        && line.len() > open + 1
        && line[open + 1..].iter().all(u8::is_ascii_digit)
        && text[file + source.len()..].starts_with(b" : ");
    fits.then(|| Found::new(level, at..at + 1, "SAP HANA"))
}

/// `0x2e8f3    Fault       0x0`: the types of macOS' `log show` that no other logger has.
pub(super) fn apple(text: &[u8], at: usize, count: usize) -> Option<Found> {
    let level = match &text[at..at + count] {
        b"Default" => Level::Info,
        b"Fault" => Level::Critical,
        _ => return None,
    };
    let activity = text[at + count..].strip_prefix(b"  ")?.trim_ascii_start();
    activity.starts_with(b"0x").then(|| Found::new(level, at..at + count, "log show"))
}

/// `Wa(180)`: the first two letters of `ESXi`'s severity with the PRI; `cpu22:4401)WARNING:`: its kernel.
pub(super) fn vmware(token: &[u8], at: usize) -> Option<Found> {
    if let [first, second, b'(', pri @ ..] = token {
        let level = match &[*first, *second] {
            b"Em" | b"Al" | b"Cr" => Level::Critical,
            b"Er" => Level::Error,
            b"Wa" => Level::Warning,
            b"No" => Level::Notice,
            b"In" => Level::Info,
            b"Db" => Level::Debug,
            _ => return None,
        };
        let digits = pri.iter().take_while(|b| b.is_ascii_digit()).count();
        let fits = digits > 1 && pri.get(digits) == Some(&b')');
        return fits.then(|| Found::new(level, at..at + 2, "VMware severity"));
    }
    let rest = token.strip_prefix(b"cpu").filter(|rest| rest.first().is_some_and(u8::is_ascii_digit))?;
    let close = token.len() - rest.len() + rest.iter().position(|b| *b == b')')? + 1;
    let found = token::upper_word(token, close)?;
    let word = at + found.word.start..at + found.word.end;
    (token.get(found.word.end) == Some(&b':')).then(|| Found::new(found.level, word, "VMware kernel"))
}

/// The severities of `PostgreSQL`'s csvlog: a column of its own, before the five letters of the state.
pub(in crate::header) fn csvlog(text: &[u8], from: usize) -> Option<Found> {
    let mut at = from;
    let mut last: Option<std::ops::Range<usize>> = None;
    while text.get(at) == Some(&b',') {
        let field = csv_field(text, at + 1);
        let quoted = text.get(at + 1) == Some(&b'"');
        let inside = &text[field.clone()];
        if let Some(word) = last.filter(|_| is_state(inside)) {
            let level = match &text[word.clone()] {
                b"LOG" => Some(Level::Info),
                other if other.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) => {
                    Level::of_word(other)
                }
                _ => None,
            };
            if let Some(level) = level {
                return Some(Found::new(level, word, "PostgreSQL csvlog"));
            }
        }
        at = field.end + usize::from(quoted);
        last = Some(field);
    }
    None
}

/// The inside of the CSV field that begins at `at`.
fn csv_field(text: &[u8], at: usize) -> std::ops::Range<usize> {
    let rest = text.get(at..).unwrap_or_default();
    if rest.first() != Some(&b'"') {
        return at..at + rest.iter().position(|b| *b == b',').unwrap_or(rest.len());
    }
    let mut end = at + 1;
    while let Some(byte) = text.get(end) {
        if *byte == b'"' {
            if text.get(end + 1) != Some(&b'"') {
                break;
            }
            end += 1;
        }
        end += 1;
    }
    at + 1..end.min(text.len())
}

/// An SQLSTATE: five digits or capitals.
fn is_state(field: &[u8]) -> bool {
    field.len() == 5
        && field[0].is_ascii_alphanumeric()
        && field.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

impl Zone<'_> {
    /// `(…): [pam] [function] (0x0010): message`: SSSD's levels are the bits of its debug mask.
    pub(super) fn sssd(&self, group: &Group) -> Option<Found> {
        if self.tokens != 2 || self.names > 0 || self.text.get(group.after) != Some(&b':') {
            return None;
        }
        let level = match &self.text[group.start..group.end] {
            b"0x0010" | b"0x0020" => Level::Critical,
            b"0x0040" => Level::Error,
            b"0x0080" => Level::Warning,
            b"0x0100" => Level::Info,
            b"0x0200" | b"0x0400" => Level::Debug,
            b"0x1000" | b"0x2000" | b"0x4000" | b"0x10000" | b"0x20000" => Level::Trace,
            _ => return None,
        };
        Some(Found::new(level, group.start..group.end, "SSSD debug level"))
    }
}
