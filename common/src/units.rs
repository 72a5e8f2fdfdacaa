//! `30s` and `10M`: durations and sizes as an operator writes them, as clap value parsers.
//!
//! A bare number is refused: `--timeout 30` has been thirty milliseconds in one tool and thirty
//! minutes in another.

use std::time::Duration;

/// The largest duration: ten years. More is a typing error, and it keeps every sum in range.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 86_400);

/// Parses `90s`, `1.5h`, `500ms`, `1h30m`, `2d`, `1w`.
///
/// # Errors
/// A sentence for clap when there is no unit, an unknown unit, or more than ten years.
pub fn duration(text: &str) -> Result<Duration, String> {
    let bad = || format!("`{text}` is no duration; write it as 500ms, 30s, 5m, 1h30m, 2d or 1w");
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(bad());
    }
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let (number, tail) = split(rest, |c| c.is_ascii_digit() || c == '.').ok_or_else(bad)?;
        let (unit, tail) = split(tail, |c| c.is_ascii_alphabetic()).ok_or_else(bad)?;
        let seconds = match unit {
            "ms" => 1e-3,
            "s" | "sec" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            "w" => 604_800.0,
            _ => return Err(bad()),
        };
        let number: f64 = number.parse().map_err(|_| bad())?;
        sum = Duration::try_from_secs_f64(number * seconds)
            .ok()
            .and_then(|part| sum.checked_add(part))
            .filter(|sum| *sum <= LONGEST)
            .ok_or_else(|| format!("`{text}` is longer than ten years"))?;
        rest = tail;
    }
    Ok(sum)
}

/// Parses a size in bytes: `512B`, `10K`, `10KiB` (powers of 1024), `10kB`, `10MB` (powers of
/// 1000), up to `T`.
///
/// # Errors
/// A sentence for clap when there is no unit, an unknown unit, or more than fits 64 bits.
pub fn size(text: &str) -> Result<u64, String> {
    let bad = || format!("`{text}` is no size; write it as 512B, 10K, 10MiB (1024) or 10MB (1000)");
    let (number, unit) = split(text.trim(), |c| c.is_ascii_digit()).ok_or_else(bad)?;
    let number: u64 = number.parse().map_err(|_| bad())?;
    let (factor, power) = match unit {
        "B" => (1_u64, 0),
        "K" | "KiB" => (1024, 1),
        "M" | "MiB" => (1024, 2),
        "G" | "GiB" => (1024, 3),
        "T" | "TiB" => (1024, 4),
        "kB" | "KB" => (1000, 1),
        "MB" => (1000, 2),
        "GB" => (1000, 3),
        "TB" => (1000, 4),
        _ => return Err(bad()),
    };
    number.checked_mul(factor.pow(power)).ok_or_else(|| format!("`{text}` is more than 16 EiB"))
}

/// Splits after the leading characters that `belongs` accepts; none is no match.
fn split(text: &str, belongs: impl Fn(char) -> bool) -> Option<(&str, &str)> {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        let check = |text: &str, want: Option<u64>| {
            assert_eq!(duration(text).ok(), want.map(Duration::from_millis), "{text}");
        };
        check("500ms", Some(500));
        check("30s", Some(30_000));
        check("1.5h", Some(5_400_000));
        check("1h30m", Some(5_400_000));
        check("2d", Some(172_800_000));
        check("1w", Some(604_800_000));
        check("0s", Some(0));
        for bad in ["", "30", "s", "-5s", "1y", "5 s", "1..5s", "11w1", "99999999999w", "1é"] {
            check(bad, None);
        }
    }

    #[test]
    fn sizes_need_a_unit() {
        let check = |text: &str, want: Option<u64>| assert_eq!(size(text).ok(), want, "{text}");
        check("512B", Some(512));
        check("10K", Some(10_240));
        check("10KiB", Some(10_240));
        check("10kB", Some(10_000));
        check("4GiB", Some(4 << 30));
        check("2TB", Some(2_000_000_000_000));
        for bad in ["", "10", "K", "-1K", "1.5M", "1X", "99999999999TiB", "10 K"] {
            check(bad, None);
        }
    }
}
