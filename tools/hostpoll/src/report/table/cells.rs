//! How a value looks in the table.

use crate::report::detail::{Cell, Kind};
use crate::report::shown;

/// The units that bytes are told in, each 1024 of the one before.
const UNITS: [&str; 7] = ["", "K", "M", "G", "T", "P", "E"];

/// Above so many percent a value is worth a look, and above so many it is worth a person.
const WARN: f64 = 75.0;
const ALARM: f64 = 90.0;

/// A cell as text; `-` for what is absent.
pub(super) fn text(cell: &Cell, kind: Kind) -> String {
    match (cell, kind) {
        (Cell::Absent, _) => "-".into(),
        (Cell::Text(text), _) => shown(text).into_owned(),
        (Cell::Number(number), Kind::Percent) => format!("{number:.1}"),
        (Cell::Number(number), Kind::Bytes) => bytes(*number),
        (Cell::Number(number), Kind::Seconds) => span(*number),
        (Cell::Number(number), Kind::Number) if number.fract() != 0.0 && number.abs() < 1e6 => {
            format!("{number:.2}")
        }
        (Cell::Number(number), _) => format!("{:.0}", number + 0.0),
    }
}

/// `1.5G`, as df(1) has it.
fn bytes(number: f64) -> String {
    let (mut number, mut unit) = (number, 0);
    // What would be rounded to 1024 is one of the next unit.
    while number.abs() >= 1023.95 && unit + 1 < UNITS.len() {
        number /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(number.abs() < 9.95 && number.fract() != 0.0);
    format!("{number:.digits$}{}", UNITS[unit])
}

/// `12d 3h`, the two largest units.
fn span(seconds: f64) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
    let seconds = seconds.max(0.0) as u64;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (1.., ..) => format!("{days}d {}h", hours % 24),
        (0, 1.., _) => format!("{hours}h {}m", minutes % 60),
        (0, 0, 1..) => format!("{minutes}m {}s", seconds % 60),
        _ => format!("{seconds}s"),
    }
}

/// A bar of eight cells, filled by eighths.
pub(super) fn bar(percent: f64) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 64")]
    let eighths = (percent.clamp(0.0, 100.0) * 64.0 / 100.0).round() as usize;
    let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    "█".repeat(eighths / 8) + part
}

/// The colour of a percentage, as a terminal wants it.
pub(super) fn colour(percent: f64) -> &'static str {
    match percent {
        percent if percent >= ALARM => "\x1b[31m",
        percent if percent >= WARN => "\x1b[33m",
        _ => "\x1b[32m",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(number: f64, kind: Kind, want: &str) {
        assert_eq!(text(&Cell::Number(number), kind), want);
    }

    #[test]
    fn units_are_for_people() {
        check(0.0, Kind::Bytes, "0");
        check(1023.0, Kind::Bytes, "1023");
        check(1536.0, Kind::Bytes, "1.5K");
        check(1_048_575.0, Kind::Bytes, "1.0M");
        check(9.96 * 1024.0, Kind::Bytes, "10K");
        check(1e30, Kind::Bytes, "867361737988E");
        check(59.9, Kind::Seconds, "59s");
        check(3700.0, Kind::Seconds, "1h 1m");
        check(1_000_000.0, Kind::Seconds, "11d 13h");
        check(99.95, Kind::Percent, "100.0");
        check(0.5, Kind::Number, "0.50");
        check(12.0, Kind::Number, "12");
    }

    #[test]
    fn a_bar_has_eight_cells() {
        assert_eq!(bar(100.0), "████████");
        assert_eq!(bar(0.0), "");
        assert_eq!(bar(50.0), "████");
        assert_eq!(bar(7.0), "▌");
        assert_eq!([bar(-5.0), bar(1e9)], [bar(0.0), bar(100.0)]);
    }
}
