//! What puts a header of its own around the line of a program: container runtimes and syslog.

use crate::level::Level;
use crate::stamp::{self, Form};

/// Where a container runtime got a line from, and whether the line goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// stderr, not stdout: the two are cut into parts independently.
    pub is_stderr: bool,
    /// The runtime cut the line here (at 16 KiB); the next part belongs to it.
    pub goes_on: bool,
}

/// A line in the format of the container runtime interface: `TIME stdout F inner`
/// (Kubernetes, `kubelet-cri-logging.md`).
#[must_use]
pub fn cri(line: &[u8]) -> Option<(usize, Form, Part, &[u8])> {
    let stamp = stamp::at(line)?;
    let rest = line.get(stamp.len..)?.strip_prefix(b" std")?;
    let (is_stderr, rest) = match rest {
        [b'o', b'u', b't', b' ', rest @ ..] => (false, rest),
        [b'e', b'r', b'r', b' ', rest @ ..] => (true, rest),
        _ => return None,
    };
    let (goes_on, inner) = match rest {
        [b'F', inner @ ..] => (false, inner),
        [b'P', inner @ ..] => (true, inner),
        _ => return None,
    };
    // Tags may follow after colons, `P:tag`; none are defined so far.
    let inner = match inner {
        [b' ', inner @ ..] => inner,
        [] => inner,
        _ => return None,
    };
    Some((stamp.len, stamp.form, Part { is_stderr, goes_on }, inner))
}

/// The PRI of a syslog line, `<34>`: its severity, where its digits stand, and the rest.
#[must_use]
pub fn pri(line: &[u8]) -> Option<(Level, std::ops::Range<usize>, &[u8])> {
    let inner = line.strip_prefix(b"<")?;
    let digits = inner.iter().take(4).take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 || digits > 3 || inner.get(digits) != Some(&b'>') {
        return None;
    }
    let number = inner[..digits].iter().fold(0_u64, |n, b| n * 10 + u64::from(b - b'0'));
    // 23 facilities of 8 severities (RFC 5424, 6.2.1).
    let level = (number <= 191).then(|| Level::of_syslog(number & 7)).flatten()?;
    Some((level, 1..1 + digits, &inner[digits + 1..]))
}

/// `web_1  | inner`, as docker compose and foreman print it.
#[must_use]
pub fn compose(line: &[u8]) -> Option<&[u8]> {
    let name = line.iter().take(64).take_while(|b| b.is_ascii_alphanumeric() || b"_.-@".contains(b)).count();
    let name = numbered(line, name);
    let spaces = line[name..].iter().take(64).take_while(|b| **b == b' ').count();
    let inner = line[name + spaces..].strip_prefix(b"|")?;
    let inner = inner.strip_prefix(b" ").unwrap_or(inner);
    let is_level = Level::of_word(&line[..name]).is_some();
    (name > 0 && spaces > 0 && !is_level && !inner.is_empty()).then_some(inner)
}

/// `jvm 1    | inner`, as Tanuki's wrapper prints it without a level: the name goes on to the number.
fn numbered(line: &[u8], name: usize) -> usize {
    let digits =
        line.get(name + 1..).map_or(0, |rest| rest.iter().take_while(|b| b.is_ascii_digit()).count());
    let letters = line[..name].iter().all(u8::is_ascii_alphabetic);
    if letters && line.get(name) == Some(&b' ') && digits > 0 { name + 1 + digits } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cri_line_has_a_stream_and_a_part() {
        let check = |line: &str, want: Option<(bool, bool, &str)>| {
            let got = cri(line.as_bytes()).map(|(_, _, part, inner)| {
                (part.is_stderr, part.goes_on, std::str::from_utf8(inner).unwrap())
            });
            assert_eq!(got, want, "{line}");
        };
        check("2025-03-14T09:26:53.123456789Z stdout F INFO x", Some((false, false, "INFO x")));
        check("2025-03-14T09:26:53.123456789+02:00 stderr P half", Some((true, true, "half")));
        check("2025-03-14T09:26:53.123456789Z stdout F", Some((false, false, "")));
        check("2025-03-14T09:26:53.123456789Z stdlog F x", None);
        check("2025-03-14T09:26:53.123456789Z stdout Full", None);
    }

    #[test]
    fn a_pri_has_a_severity() {
        let check = |line: &str, want: Option<Level>| {
            assert_eq!(pri(line.as_bytes()).map(|(level, ..)| level), want, "{line}");
        };
        check("<34>Oct 11", Some(Level::Critical));
        check("<165>1 2003", Some(Level::Notice));
        check("<191>x", Some(Level::Debug));
        check("<192>x", None);
        check("<>x", None);
        check("<1234>x", None);
        check("<a>x", None);
    }

    #[test]
    fn compose_puts_the_service_first() {
        let check = |line: &str, want: Option<&str>| {
            assert_eq!(compose(line.as_bytes()).map(|i| std::str::from_utf8(i).unwrap()), want, "{line}");
        };
        check("web_1  | INFO x", Some("INFO x"));
        check("jvm 1    | INFO x", Some("INFO x"));
        check("INFO   | jvm 1    | 2015/07/29", None);
        check("row 1 2 | 3", None);
        check("no pipe", None);
        check("| x", None);
    }
}
