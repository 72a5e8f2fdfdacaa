//! `[strategy]`: how a deployment goes over the hosts of an environment.

use std::time::Duration;

use specs::Table;

/// How a deployment goes over the hosts of an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Strategy {
    /// So many hosts first, alone; 0: none.
    pub(crate) canary: usize,
    /// So many at once afterwards.
    pub(crate) batch: Count,
    /// More hosts that fail than this undo everything.
    pub(crate) max_failures: Count,
    /// With more hosts out of reach than this no later environment is deployed to.
    pub(crate) max_down: Count,
    /// A host goes back by itself after so long without a word.
    pub(crate) confirm_within: Duration,
}

/// A guard counts whole seconds.
const SHORTEST: Duration = Duration::from_secs(1);

/// A number of hosts, as the spec has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// So many.
    Number(usize),
    /// So many of a hundred, from 0 to 100.
    Percent(u8),
}

impl Count {
    /// How many of `all` that is, rounded down.
    pub(crate) fn of(self, all: usize) -> usize {
        match self {
            Self::Number(number) => number,
            Self::Percent(percent) => all * usize::from(percent) / 100,
        }
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl Default for Strategy {
    fn default() -> Self {
        Self {
            canary: 0,
            batch: Count::Percent(100),
            max_failures: Count::Number(0),
            max_down: Count::Percent(50),
            confirm_within: Duration::from_secs(60),
        }
    }
}

impl Strategy {
    /// Reads `[strategy]`; what is missing is as in `base`.
    pub(super) fn read(mut table: Table<'_>, base: Self) -> Self {
        let canary = table.number("canary", 0..=10_000).and_then(|number| usize::try_from(number).ok());
        let (batch_at, within_at) = (table.line_of("batch"), table.line_of("confirm_within"));
        let batch = count(&mut table, "batch").unwrap_or(base.batch);
        if matches!(batch, Count::Number(0) | Count::Percent(0)) {
            table.fault(batch_at, format!("`{}` of no host never ends", table.path_of("batch")));
        }
        let max_failures = count(&mut table, "max_failures").unwrap_or(base.max_failures);
        let max_down = count(&mut table, "max_down").unwrap_or(base.max_down);
        let confirm_within = table.duration("confirm_within").unwrap_or(base.confirm_within);
        if confirm_within < SHORTEST {
            let key = table.path_of("confirm_within");
            table.fault(within_at, format!("`{key}` is {confirm_within:?}; {SHORTEST:?} is the least"));
        }
        table.finish();
        Self { canary: canary.unwrap_or(base.canary), batch, max_failures, max_down, confirm_within }
    }

    /// How many hosts each wave has, one after the other, of `all`.
    pub(crate) fn waves(&self, all: usize) -> Vec<usize> {
        let mut waves = Vec::new();
        let mut left = all;
        let canary = self.canary.min(left);
        if canary > 0 && canary < all {
            waves.push(canary);
            left -= canary;
        }
        let batch = self.batch.of(all).max(1);
        while left > 0 {
            waves.push(batch.min(left));
            left -= batch.min(left);
        }
        waves
    }
}

/// `batch = 5` or `batch = "25%"`.
fn count(table: &mut Table<'_>, key: &'static str) -> Option<Count> {
    let line = table.line_of(key);
    if !table.is_text(key) {
        let count = table.number(key, 0..=1_000_000)?;
        return usize::try_from(count).ok().map(Count::Number);
    }
    let text = table.text(key)?;
    let percent = text.strip_suffix('%').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let percent = percent.and_then(|digits| digits.parse().ok()).filter(|percent| *percent <= 100);
    if percent.is_none() {
        let key = table.path_of(key);
        table.fault(line, format!("`{key}` is `{text}`; write 5, or \"25%\" from 0% to 100%"));
    }
    percent.map(Count::Percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_go_in_waves() {
        let check = |canary, batch, all, want: &[usize]| {
            let confirm_within = Duration::from_secs(60);
            let strategy = Strategy { canary, batch, confirm_within, ..Strategy::default() };
            assert_eq!(strategy.waves(all), want);
        };
        check(1, Count::Percent(25), 20, &[1, 5, 5, 5, 4]);
        check(0, Count::Percent(100), 20, &[20]);
        check(1, Count::Number(10), 1, &[1]);
        check(3, Count::Percent(1), 6, &[3, 1, 1, 1]);
        check(9, Count::Number(2), 3, &[2, 1]);
        check(1, Count::Number(2), 0, &[]);
    }

    #[test]
    fn what_is_missing_is_as_before() {
        let check = |text: &str, want: &str| {
            let faults = specs::Faults::of(text);
            let base = Strategy { canary: 3, ..Strategy::default() };
            let got = format!("{:?}", Strategy::read(specs::parse(text, &faults), base));
            let found = faults.into_sorted();
            let got = found.first().map_or(got, |fault| format!("{}: {}", fault.line, fault.what));
            assert!(got.contains(want), "{got}");
        };
        check(
            "",
            "canary: 3, batch: Percent(100), max_failures: Number(0), max_down: Percent(50), confirm_within: 60s",
        );
        check("max_down = 0", "max_down: Number(0)");
        check("max_down = '5'", "1: `max_down` is `5`; write 5, or \"25%\"");
        check(
            "canary = 0\nbatch = '25%'\nmax_failures = 2",
            "canary: 0, batch: Percent(25), max_failures: Number(2)",
        );
        check("max_failures = '100%'", "max_failures: Percent(100)");
        check("batch = '101%'", "1: `batch` is `101%`; write 5, or \"25%\"");
        check("batch = '+5%'", "1: `batch` is `+5%`");
        check("batch = 0", "1: `batch` of no host never ends");
        check("max_failures = -1", "`max_failures`: is to be a whole number");
        check("confirm_within = '10ms'", "1: `confirm_within` is 10ms; 1s is the least");
        check("confirm_whithin = '1m'", "did you mean `confirm_within`?");
    }
}
