//! A line of the protocol, escaped.

use std::io::Write;

use chrono::{DateTime, Utc};

use crate::report::shown;

/// The lines of one host.
#[derive(Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    tags: Vec<u8>,
    stamp: i64,
}

impl Writer {
    /// Begins with a host that answered at `time`.
    pub(super) fn begin(&mut self, time: DateTime<Utc>) {
        self.bytes.clear();
        self.tags.clear();
        // Years after 2262 have no nanoseconds in 64 bits.
        self.stamp = time.timestamp_nanos_opt().unwrap_or(i64::MAX);
    }

    /// A tag that every line of the host has. An empty one is none.
    pub(super) fn common_tag(&mut self, key: &str, value: &str) {
        tag(&mut self.tags, key, value);
    }

    /// What was written since the host began.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Begins a line. Without a field it will not be there.
    pub(super) fn line(&mut self, measurement: &str, tags: &[(&str, &str)]) -> Line<'_> {
        let begin = self.bytes.len();
        escaped(&mut self.bytes, measurement, b", ");
        self.bytes.extend_from_slice(&self.tags);
        for (key, value) in tags {
            tag(&mut self.bytes, key, value);
        }
        Line { writer: self, begin, has_fields: false }
    }
}

/// A line that is being written.
pub(super) struct Line<'w> {
    writer: &'w mut Writer,
    begin: usize,
    has_fields: bool,
}

impl Line<'_> {
    fn key(&mut self, key: &str) {
        self.writer.bytes.push(if self.has_fields { b',' } else { b' ' });
        self.has_fields = true;
        escaped(&mut self.writer.bytes, key, b",= ");
        self.writer.bytes.push(b'=');
    }

    /// A field that is a float, also when it has nothing behind the point.
    pub(super) fn number(&mut self, key: &str, number: f64) {
        if number.is_finite() {
            self.key(key);
            let _a_vec_takes_all = write!(self.writer.bytes, "{}", number + 0.0);
        }
    }

    /// A field that is an integer, which is signed.
    pub(super) fn count(&mut self, key: &str, count: u64) {
        self.key(key);
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let _a_vec_takes_all = write!(self.writer.bytes, "{count}i");
    }

    /// A field that is a string.
    pub(super) fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        let bytes = &mut self.writer.bytes;
        bytes.push(b'"');
        for byte in shown(text).bytes() {
            if matches!(byte, b'"' | b'\\') {
                bytes.push(b'\\');
            }
            bytes.push(byte);
        }
        bytes.push(b'"');
    }

    /// Ends the line.
    pub(super) fn end(self) {
        if self.has_fields {
            let _a_vec_takes_all = writeln!(self.writer.bytes, " {}", self.writer.stamp);
        } else {
            self.writer.bytes.truncate(self.begin);
        }
    }
}

fn tag(to: &mut Vec<u8>, key: &str, value: &str) {
    if key.is_empty() || value.is_empty() {
        return;
    }
    to.push(b',');
    escaped(to, key, b",= ");
    to.push(b'=');
    escaped(to, value, b",= ");
}

/// Names and tags. A backslash is doubled: alone it would escape what follows it, or, at the end, the
/// comma.
fn escaped(to: &mut Vec<u8>, text: &str, special: &[u8]) {
    for byte in shown(text).bytes() {
        if byte == b'\\' || special.contains(&byte) {
            to.push(b'\\');
        }
        to.push(byte);
    }
}
