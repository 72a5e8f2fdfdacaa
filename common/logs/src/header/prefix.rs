//! Records behind a prefix: a few tokens that are no prose, then a timestamp or a whole record.

use memchr::memchr;

use super::{Header, Sort, first, is_dated, is_epoch, opening, stamped, token};
use crate::stamp;

/// `nova-api.log 2017-…`, `10.0.0.1 - - [11/Feb/2013:…]`, `- 1117838570 2005.06.03 …` have no more.
const MOST_TOKENS: usize = 3;

/// A timestamp after one to three tokens. Behind tokens that might be prose (`supervisor:`, `app`)
/// it takes a year and a level to make a header.
pub(super) fn read(text: &[u8]) -> Option<Header> {
    if let Some(header) = glued(text).or_else(|| access(text)) {
        return Some(header);
    }
    let mut at = 0;
    let mut vague = false;
    for index in 0..MOST_TOKENS {
        let end = token::end(text, at);
        let token = &text[at..end];
        if !is_prefix(token, index) {
            if !is_name(token) {
                return None;
            }
            vague = true;
        }
        at = end + token::spaces(&text[end..]);
        let from = at + opening(text.get(at..)?);
        let Some(stamp) = stamp::at(text.get(from..)?) else {
            if vague && !text[..token::end(text, at)].ends_with(b":") {
                if !is_pod(text) {
                    return None;
                }
                if index == 1
                    && let Some(header) = pod(text, at)
                {
                    return Some(header);
                }
            }
            continue;
        };
        if vague {
            let introduced = token.ends_with(b":") || is_pod(text);
            return if introduced && stamp.form.has_year() { levelled(text, at) } else { None };
        }
        let dated = is_dated(text, &(from..from + stamp.len), stamp.form) || is_label(&text[..end]);
        return if dated { stamped(text, at) } else { None };
    }
    None
}

/// `shop.acme.com 10.0.0.7 - alice [14/Mar/2025:09:26:53 +0000] "GET / HTTP/1.1" 200 7`: whatever
/// stands before the time and the quoted request of an access log.
fn access(text: &[u8]) -> Option<Header> {
    let open = memchr(b'[', text).filter(|open| text[..*open].ends_with(b" "))?;
    let header = stamped(text, open)?;
    let (stamp, form) = header.stamp.as_ref()?;
    (form.has_date() && text[stamp.end..].starts_with(b"] \"")).then_some(header)
}

/// The record at `at`, if it has a level.
fn levelled(text: &[u8], at: usize) -> Option<Header> {
    if is_epoch(&text[at..]) {
        return None;
    }
    stamped(text, at).filter(|header| header.level.is_some())
}

/// `HsmService:2021-05-19 17:36:35,978[MainThread]…`: only a colon between a name and the time.
fn glued(text: &[u8]) -> Option<Header> {
    let (count, _) = token::letters(text);
    let rest = text[count..].strip_prefix(b":")?;
    let year = rest.iter().take_while(|b| b.is_ascii_digit()).count() == 4;
    if count > 0 && year { levelled(text, count + 1) } else { None }
}

/// stern prints `POD CONTAINER` before each line of a program.
fn pod(text: &[u8], at: usize) -> Option<Header> {
    let found = first::inner(text, at)?;
    Some(Header::of(Sort::Record, "").with_level(found))
}

/// Pods have names of several parts: `web-5d4f8c7b9-abcde`.
fn is_pod(text: &[u8]) -> bool {
    let name = &text[..token::end(text, 0)];
    name.split(|b| *b == b'-').nth(2).is_some()
        && name.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(b))
}

/// A word that may be a name or the beginning of a sentence.
fn is_name(token: &[u8]) -> bool {
    let name = token.strip_suffix(b":").unwrap_or(token);
    !name.is_empty()
        && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/'))
}

/// Is this, before the stamp, one of the ways that Redis begins: `1:M`, `1234:signal-handler`,
/// `[1234]`, or nothing?
pub(super) fn is_redis(text: &[u8]) -> bool {
    let prefix = text.trim_ascii_end();
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    match prefix {
        [] => true,
        [b'[', rest @ ..] => digits(rest) > 0 && &rest[digits(rest)..] == b"]",
        _ => {
            let n = digits(prefix);
            n > 0 && matches!(prefix[n..], [b':', b'M' | b'S' | b'C' | b'X'] | [b':', b's', ..])
        }
    }
}

/// BGL and its kin begin with `-` or an alert label in capitals: `KERNDTLB`, `R_MPT1`.
fn is_label(prefix: &[u8]) -> bool {
    prefix == b"-"
        || (prefix.first().is_some_and(u8::is_ascii_uppercase)
            && prefix.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_'))
}

/// A token that may stand before the timestamp: a name, a number or an address, but no prose.
fn is_prefix(token: &[u8], index: usize) -> bool {
    match token {
        b"-" | b"|" => true,
        [] | [.., b':' | b',' | b'.' | b'!' | b'?'] | [b'"' | b'\'' | b'{' | b'<' | b'=', ..] => false,
        _ => {
            (index == 0 && is_label(token))
                || token.iter().any(|b| {
                    b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-' | b'/' | b':' | b'@' | b'|' | b'[')
                })
        }
    }
}
