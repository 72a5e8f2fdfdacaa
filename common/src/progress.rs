//! A line that tells a person how far a run is: on a terminal, and nowhere else.

use std::io::{IsTerminal, Write as _, stderr};
use std::time::{Duration, Instant};

/// What takes no longer than this is not worth a line.
const PATIENCE: Duration = Duration::from_secs(1);

/// Often enough to be seen moving, seldom enough to cost nothing.
const PERIOD: Duration = Duration::from_millis(200);

/// The line, on standard error.
#[derive(Debug)]
pub struct Line {
    /// `None`: nobody reads it.
    begun: Option<Instant>,
    /// Since then, when it is drawn again.
    next: Duration,
    is_shown: bool,
}

impl Line {
    /// For a person, unless `is_quiet` or standard error is no terminal.
    #[must_use]
    pub fn new(is_quiet: bool) -> Self {
        let begun = (!is_quiet && stderr().is_terminal()).then(Instant::now);
        Self { begun, next: PATIENCE, is_shown: false }
    }

    /// Draws what `text` says for the time that has passed, when it is time for it.
    pub fn show(&mut self, text: impl FnOnce(Duration) -> String) {
        let Some(begun) = self.begun else { return };
        let elapsed = begun.elapsed();
        if elapsed >= self.next {
            self.next = elapsed + PERIOD;
            self.is_shown = true;
            self.write(&format!("\r{}\x1b[K", text(elapsed)));
        }
    }

    /// Takes the line away, as another one is to be written. If it was there, the next
    /// [`Line::show`] draws it again at once.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            self.next = Duration::ZERO;
            self.write("\r\x1b[K");
        }
    }

    /// A terminal that has gone is no reason to stop.
    fn write(&mut self, text: &str) {
        if stderr().write_all(text.as_bytes()).is_err() {
            self.begun = None;
        }
    }
}
