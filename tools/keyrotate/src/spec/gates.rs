//! The gates: what must be true before a rotation goes on.

use std::time::Duration;

use specs::Table;

/// The keys of `[gates]`.
pub(super) const KEYS: [&str; 9] =
    ["checks", "tries", "window", "canary", "wave", "soak", "unused", "confirm", "watch"];

/// What must be true before a rotation goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gates {
    /// So many log-ins in a row prove a key; at least 1.
    pub(crate) checks: u32,
    /// At most so many are tried.
    pub(crate) tries: u32,
    /// The `checks` log-ins are spread over this time.
    pub(crate) window: Duration,
    /// So many consumers get the new key first.
    pub(crate) canary: usize,
    /// And so many at a time then.
    pub(crate) wave: Wave,
    /// How long both keys are good after the last consumer attested the new one.
    pub(crate) soak: Duration,
    /// How long the old key must have been unused before it is disabled; zero: its use is not asked for.
    pub(crate) unused: Duration,
    /// Who says that the old key may go.
    pub(crate) confirm: Confirm,
    /// How long the old key is disabled before it is deleted.
    pub(crate) watch: Duration,
}

/// How many consumers are in a wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wave {
    /// So many.
    Of(usize),
    /// So many in a hundred of all, rounded up.
    Percent(usize),
}

/// Who says that the old key may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirm {
    /// The gates alone.
    Auto,
    /// A human, by `keyrotate confirm`.
    Manual,
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            checks: 3,
            tries: 12,
            window: Duration::from_secs(10),
            canary: 1,
            wave: Wave::Percent(25),
            soak: Duration::from_secs(86_400),
            unused: Duration::ZERO,
            confirm: Confirm::Auto,
            watch: Duration::from_secs(3600),
        }
    }
}

impl Gates {
    /// Reads `[gates]`; what is missing has its default.
    pub(crate) fn read(mut table: Table<'_>) -> Self {
        let default = Self::default();
        let number = |table: &mut Table<'_>, key, default: u32| {
            let number = table.number(key, 1..=1000).and_then(|number| u32::try_from(number).ok());
            number.unwrap_or(default)
        };
        let tries_at = table.line_of("tries");
        let checks = number(&mut table, "checks", default.checks);
        let tries = number(&mut table, "tries", default.tries.max(4 * checks));
        if tries < checks {
            table
                .fault(tries_at, format!("`gates.tries` is less than the {checks} log-ins that are a proof"));
        }
        let canary = table.number("canary", 0..=10_000).and_then(|number| usize::try_from(number).ok());
        let confirm = match table.choice("confirm", &["auto", "manual"]) {
            Some(1) => Confirm::Manual,
            _ => Confirm::Auto,
        };
        let gates = Self {
            checks,
            tries,
            window: table.duration("window").unwrap_or(default.window),
            canary: canary.unwrap_or(default.canary),
            wave: wave(&mut table).unwrap_or(default.wave),
            soak: table.duration("soak").unwrap_or(default.soak),
            unused: table.duration("unused").unwrap_or(default.unused),
            confirm,
            watch: table.duration("watch").unwrap_or(default.watch),
        };
        table.finish();
        gates
    }

    /// The shortest time that a rotation takes.
    pub(crate) fn least(&self) -> Duration {
        self.soak.max(self.unused) + self.watch
    }

    /// `all` consumers in the waves in which they get a key, none of them empty: the canary first.
    pub(crate) fn waves<'a, T>(&self, all: &'a [T]) -> Vec<&'a [T]> {
        let (canary, rest) = all.split_at(self.canary.min(all.len()));
        let canary = Some(canary).filter(|canary| !canary.is_empty());
        canary.into_iter().chain(rest.chunks(self.wave.size(all.len()))).collect()
    }

    /// The time between two log-ins.
    pub(crate) fn pause(&self) -> Duration {
        self.window / (self.checks - 1).max(1)
    }
}

impl Wave {
    /// How many of `all` consumers are in one; at least 1.
    fn size(self, all: usize) -> usize {
        match self {
            Self::Of(count) => count.max(1),
            Self::Percent(percent) => (all * percent).div_ceil(100).max(1),
        }
    }
}

/// `wave = 5` or `wave = "25%"`.
fn wave(table: &mut Table<'_>) -> Option<Wave> {
    let line = table.line_of("wave");
    if !table.is_text("wave") {
        let count = table.number("wave", 1..=10_000)?;
        return Some(Wave::Of(usize::try_from(count).ok()?));
    }
    let text = table.text("wave")?;
    let percent = text.strip_suffix('%').and_then(|digits| digits.parse().ok());
    let percent = percent.filter(|percent| (1..=100).contains(percent));
    if percent.is_none() {
        table.fault(line, format!("`gates.wave` is `{text}`; write 5 or \"25%\""));
    }
    percent.map(Wave::Percent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use specs::{self, Faults};

    fn check(text: &str, want: &str) {
        let faults = Faults::of(text);
        let gates = Gates::read(specs::parse(text, &faults));
        let found = faults.into_sorted();
        let got = match found.first() {
            None => format!("{gates:?}"),
            Some(fault) => format!("{}: {}", fault.line, fault.what),
        };
        assert!(got.contains(want), "{got}");
    }

    #[test]
    fn a_gate_is_read_or_its_line_is_named() {
        check("", "checks: 3, tries: 12, window: 10s");
        check("checks = 5", "checks: 5, tries: 20");
        check("wave = 7", "wave: Of(7)");
        check("wave = \"50%\"", "wave: Percent(50)");
        check("confirm = \"manual\"", "confirm: Manual");
        check("checks = 0", "1: `checks`: is to be a whole number from 1 to 1000");
        check("\nchecks = 5\ntries = 2", "3: `gates.tries` is less than the 5");
        check("wave = \"0%\"", "write 5 or \"25%\"");
        check("confirm = \"maybe\"", "`confirm`: is `maybe`; it is to be `auto` or `manual`");
        check("soack = \"24h\"", "1: there is no key `soack`; did you mean `soak`?");
        check("soak = 24", "1: `soak`: is to be a text in quotes");
    }

    #[test]
    fn a_wave_is_at_least_one() {
        let check = |wave: Wave, all: usize, want: usize| assert_eq!(wave.size(all), want);
        check(Wave::Percent(25), 0, 1);
        check(Wave::Percent(25), 5, 2);
        check(Wave::Percent(100), 5, 5);
        check(Wave::Of(3), 100, 3);
    }
}
