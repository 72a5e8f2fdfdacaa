//! `1.2 GB of 4.0 GB, 2.1 GB/s, 13,214,512 rows` on a terminal, nothing elsewhere.

use std::time::Duration;

use common::progress::Line;

/// How far a run has come.
pub(crate) struct Progress {
    line: Line,
    bytes: u64,
    /// All there is to read, where that is known.
    size: Option<u64>,
}

impl Progress {
    /// For a person, unless `is_quiet`. `size` is what there is to read, in bytes.
    pub(crate) fn new(size: Option<u64>, is_quiet: bool) -> Self {
        Self { line: Line::new(is_quiet), bytes: 0, size }
    }

    /// So many more bytes were read, and so many rows in all.
    pub(crate) fn step(&mut self, bytes: u64, rows: u64) {
        self.bytes += bytes;
        self.line.show(|elapsed| line(self.bytes, self.size, elapsed, rows));
    }

    /// Takes the line away, as another one is to be written.
    pub(crate) fn clear(&mut self) {
        self.line.clear();
    }
}

fn line(bytes: u64, size: Option<u64>, elapsed: Duration, rows: u64) -> String {
    let of = size.map_or(String::new(), |size| format!(" of {}", amount(size)));
    let rate = u128::from(bytes) * 1000 / elapsed.as_millis().max(1);
    let rate = amount(u64::try_from(rate).unwrap_or(u64::MAX));
    format!("{}{of}, {rate}/s, {} rows", amount(bytes), grouped(rows))
}

/// Three digits are enough to see it move.
fn amount(bytes: u64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
    let unit = units.iter().find(|(_, unit)| bytes >= *unit);
    unit.map_or(format!("{bytes} B"), |(name, unit)| {
        format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit)
    })
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    String::from_utf8_lossy(&groups.join(&b',')).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_bytes_rate_and_rows() {
        let check = |bytes, size, ms, rows, want: &str| {
            assert_eq!(line(bytes, size, Duration::from_millis(ms), rows), want);
        };
        check(
            1_234_567_890,
            Some(4_000_000_000),
            2000,
            13_214_512,
            "1.2 GB of 4.0 GB, 617.2 MB/s, 13,214,512 rows",
        );
        check(999, None, 1000, 7, "999 B, 999 B/s, 7 rows");
        check(0, None, 0, 1000, "0 B, 0 B/s, 1,000 rows");
    }
}
