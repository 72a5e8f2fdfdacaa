//! Writes kept records as they came in, or their number.

mod encoding;

use std::io::Write;
use std::path::Path;

use crate::sieve::{Head, Keep};
use crate::source::Source;
use common::{Error, OrCannot, Out, Result};
use encoding::Encoder;
use files::Replacement;
use logs::Level;

/// What is written of the kept records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Form {
    /// Their number instead of their bytes.
    pub count: bool,
    /// The level in colour.
    pub colour: bool,
    /// At most so many of them.
    pub max: Option<u64>,
    /// Each line behind the name of its input.
    pub named: bool,
}

enum Target<'o> {
    Stdout(&'o mut Out),
    File(Box<Replacement>, &'o Path),
}

/// Takes kept records and writes them.
pub struct Emit<'o> {
    target: Target<'o>,
    form: Form,
    kept: u64,
    encoder: Option<Encoder>,
    begun: bool,
    /// What stands before each line, and whether one begins.
    name: Vec<u8>,
    at_line: bool,
    failed: Option<Error>,
}

impl<'o> Emit<'o> {
    /// Writes to `out`, or, where a path is given, puts a file there by [`Emit::finish`].
    ///
    /// # Errors
    /// When no file can be put there.
    pub fn new(out: &'o mut Out, path: Option<&'o Path>, form: Form) -> Result<Self> {
        let target = match path {
            Some(path) => Target::File(Box::new(Replacement::begin(path)?), path),
            None => Target::Stdout(out),
        };
        let (name, at_line) = (Vec::new(), true);
        Ok(Self { target, form, kept: 0, encoder: None, begun: false, name, at_line, failed: None })
    }

    /// How many records were kept.
    #[must_use]
    pub fn kept(&self) -> u64 {
        self.kept
    }

    /// Tells that what follows was read from `source`. The first input decides how the output is
    /// encoded: in UTF-16, or not.
    pub fn reads_from(&mut self, source: &Source) {
        if !self.begun {
            self.begun = true;
            self.encoder = source.utf16.map(Encoder::new);
        }
        if let Some(encoder) = &mut self.encoder {
            let rest = encoder.reads_from(source.utf16.is_some());
            self.write(&rest);
        }
        if self.form.named {
            self.name.clear();
            self.name.extend([source.name.as_bytes(), b": "].concat());
        }
    }

    /// The first error of a write, if there was one.
    ///
    /// # Errors
    /// That error; nothing was written after it.
    pub fn check(&mut self) -> Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Whether a write has failed; [`Emit::check`] tells how.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Hands what was written to the system, so that a reader sees it now.
    pub fn flush(&mut self) {
        if let (Target::Stdout(out), None) = (&mut self.target, &self.failed) {
            self.failed = out.flush().err();
        }
    }

    /// Writes what is left, and puts the output file in its place.
    ///
    /// # Errors
    /// When it cannot be written; the output file is then as it was.
    pub fn finish(mut self) -> Result<u64> {
        if self.form.count {
            self.write(format!("{}\n", self.kept).as_bytes());
        } else if let Some(encoder) = &mut self.encoder {
            let rest = encoder.reads_from(false);
            self.write(&rest);
        }
        self.check()?;
        if let Target::File(file, _) = self.target {
            file.commit()?;
        }
        Ok(self.kept)
    }

    /// Writes text of records, each line of it behind the name where that is asked for.
    #[inline]
    fn put_lines(&mut self, text: &[u8]) {
        if !self.form.named {
            return self.put(text);
        }
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            if std::mem::replace(&mut self.at_line, line.ends_with(b"\n")) {
                let name = std::mem::take(&mut self.name);
                self.put(&name);
                self.name = name;
            }
            self.put(line);
        }
    }

    fn put(&mut self, text: &[u8]) {
        if let Some(mut encoder) = self.encoder.take() {
            self.write(encoder.encode(text));
            self.encoder = Some(encoder);
        } else {
            self.write(text);
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        if bytes.is_empty() || self.failed.is_some() {
            return;
        }
        let written = match &mut self.target {
            Target::Stdout(out) => out.write_all(bytes),
            Target::File(file, path) => file.write_all(bytes).or_cannot("write", path),
        };
        self.failed = written.err();
    }
}

impl Keep for Emit<'_> {
    #[inline]
    fn begin(&mut self, head: &Head<'_>) {
        self.kept += 1;
        if self.form.count {
            return;
        }
        if self.form.named && !self.at_line {
            // The last line of the input before had no line end, and this name is not to stand within it.
            self.put_lines(b"\n");
        }
        match head.level {
            Some(level) if self.form.colour && !head.word.is_empty() => {
                self.put_lines(&head.bytes[..head.word.start]);
                self.put(colour_of(level));
                self.put_lines(&head.bytes[head.word.clone()]);
                self.put(b"\x1b[0m");
                self.put_lines(&head.bytes[head.word.end..]);
            }
            _ => self.put_lines(head.bytes),
        }
    }

    #[inline]
    fn more(&mut self, bytes: &[u8]) {
        if !self.form.count {
            self.put_lines(bytes);
        }
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.failed.is_some() || self.form.max.is_some_and(|max| self.kept >= max)
    }
}

/// The sequence that begins the colour of a level (ECMA-48, SGR).
fn colour_of(level: Level) -> &'static [u8] {
    match level {
        Level::Trace => b"\x1b[2m",
        Level::Debug => b"\x1b[34m",
        Level::Info => b"\x1b[32m",
        Level::Notice => b"\x1b[36m",
        Level::Warning => b"\x1b[33m",
        Level::Error => b"\x1b[31m",
        Level::Critical => b"\x1b[1;31m",
    }
}
