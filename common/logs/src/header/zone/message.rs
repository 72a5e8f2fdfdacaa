//! Behind a tag: the message, which carries a level only as a record of its own.

use super::{Verdict, Zone, json_level, logfmt_level, makers};
use crate::header::group::Group;
use crate::header::{self, Found, first, token};
use crate::stamp;

/// `name: 1000: root: INFO:` has no more tags than this.
const MOST_TAGS: usize = 3;

impl Zone<'_> {
    /// The message begins: only a record inside it can still tell its level.
    pub(super) fn message(mut self, start: usize) -> Verdict {
        // No host before the tag: this is no syslog, and the program speaks for itself.
        let direct = self.names == 0 && !self.is_syslog();
        self.at = start;
        self.skip_gap();
        let rest = self.rest();
        let found = match rest.first() {
            Some(b'{') if rest.get(1) == Some(&b'"') => json_level(self.text, self.at),
            Some(b'<') => self.marked(),
            Some(b'%') => makers::cisco(self.text, self.at),
            Some(b'[') if direct => Group::at(self.text, self.at).and_then(|group| {
                group.level(self.text).filter(|f| f.word.len() >= 4 && f.word == (group.start..group.end))
            }),
            Some(_) if direct => self.tagged(),
            Some(_) => self.aligned(),
            None => None,
        };
        if let Some(found) = found {
            return Verdict::Level(Found { settled: false, ..found });
        }
        if self.inner { Verdict::None } else { self.inner_record() }
    }

    /// `NetworkManager[1]: <info>  [1741…] message`.
    fn marked(&self) -> Option<Found> {
        let group = Group::at(self.text, self.at)?;
        let found = token::mild_word(self.text, group.start)?;
        (found.word.end == group.end).then_some(found)
    }

    /// `tag: error: message`, `tag: ERROR [x] message`, `name: 1000: root: INFO: message`.
    fn tagged(&self) -> Option<Found> {
        if let Some(found) = token::upper_word(self.text, self.at) {
            // Go's standard logger: its `ERROR:` is a level, all less is message.
            let next = self.text.get(found.word.end);
            let strong =
                if self.is_go() { next == Some(&b':') } else { self.has_strong_tail(found.word.end) };
            return strong.then_some(found);
        }
        if self.is_go() {
            return None;
        }
        if let Some(found) = token::mild_word(self.text, self.at) {
            return (self.text.get(found.word.end) == Some(&b':')).then_some(found);
        }
        self.counted()
    }

    /// Tags up to a level, one of which is a number.
    fn counted(&self) -> Option<Found> {
        let mut at = self.at;
        let mut number = false;
        for _ in 0..MOST_TAGS {
            if let Some(found) = token::upper_word(self.text, at).filter(|_| number) {
                return (self.text.get(found.word.end) == Some(&b':')).then_some(found);
            }
            let end = token::end(self.text, at);
            let tag = self.text[at..end].strip_suffix(b":").filter(|tag| !tag.is_empty())?;
            number |= tag.iter().all(u8::is_ascii_digit);
            at = end + usize::from(self.text.get(end) == Some(&b' '));
        }
        None
    }

    /// Pacemaker aligns its levels to the right, in eight columns: `crmd[1]:   notice: message`.
    fn aligned(&self) -> Option<Found> {
        const COLUMNS: usize = 8;
        let found = token::mild_word(self.text, self.at)?;
        let fits = self.gap.spaces > 1 && self.gap.spaces + found.word.len() == 1 + COLUMNS;
        (fits && self.text.get(found.word.end) == Some(&b':')).then_some(found)
    }

    /// A whole record behind a syslog tag: klog, logfmt, or one with its own date and time.
    fn inner_record(&self) -> Verdict {
        if let Some(found) = first::glog(self.text, self.at) {
            return Verdict::Level(found);
        }
        let at = self.at + header::opening(self.rest());
        let rest = self.text.get(at..).unwrap_or_default();
        let stamp = stamp::at(rest).map(|stamp| (at..at + stamp.len, stamp.form));
        if let Some((range, form)) = stamp.filter(|(range, form)| header::is_dated(self.text, range, *form)) {
            let mut inner = Zone::after(self.text, &range, form);
            inner.inner = true;
            return match inner.read() {
                Verdict::Level(found) => Verdict::Level(Found { settled: false, ..found }),
                other => other,
            };
        }
        logfmt_level(self.text, self.at).map_or(Verdict::None, Verdict::Level)
    }
}
