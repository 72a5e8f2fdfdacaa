//! What would change, as a unified diff.

use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline, group_diff_ops};

/// Unchanged lines around a change, as `diff -u` has them.
const CONTEXT: usize = 3;

/// From here on the shortest diff is no longer looked for; what is found is still right. Two files
/// with nothing in common would otherwise take time quadratic in their lines.
const PATIENCE: Duration = Duration::from_secs(2);

/// So many bytes are compared at once: slices are compared by memcmp(3), bytes one by one are not.
const BLOCK: usize = 4096;

/// The difference between `old` and `new` as `diff -u` writes it, with `name` in both headers and
/// without times; empty when there is none. patch(1) makes `new` out of `old` with it.
///
/// Lines end at `\n`; a `\r` before it belongs to the line. A file of one long line is printed
/// twice, so the result may be as large as both together.
pub(crate) fn unified(name: &Path, old: &[u8], new: &[u8]) -> Vec<u8> {
    if old == new {
        return Vec::new();
    }
    let (start, old_end, new_end) = changed(old, new);
    let old_lines = lines(&old[start..old_end]);
    let new_lines = lines(&new[start..new_end]);
    let deadline = Instant::now().checked_add(PATIENCE);
    let changes = capture_diff_slices_deadline(Algorithm::Myers, &old_lines, &new_lines, deadline);
    let before = memchr::memchr_iter(b'\n', &old[..start]).count();
    let mut diff = header(name);
    for hunk in group_diff_ops(changes, CONTEXT) {
        print(&hunk, before, (&old_lines, &new_lines), &mut diff);
    }
    diff
}

/// Where the changed lines begin in both, and where they end in each, context included. Edits of a
/// large file touch few lines of it, and only those become slices.
fn changed(old: &[u8], new: &[u8]) -> (usize, usize, usize) {
    let same = common_prefix(old, new);
    let start = lines_back(old, same, CONTEXT);
    // What both begin with is no part of what both end with, or it would be counted twice.
    let same = common_suffix(&old[same..], &new[same..]);
    // The lengths are those of the slices, so the subtraction cannot go below zero.
    let tail = &old[old.len() - same..];
    let context = lines_on(tail, CONTEXT);
    (start, old.len() - same + context, new.len() - same + context)
}

fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.chunks_exact(BLOCK).zip(b.chunks_exact(BLOCK)).take_while(|(a, b)| a == b).count();
    let same = blocks * BLOCK;
    same + a[same..].iter().zip(&b[same..]).take_while(|(a, b)| a == b).count()
}

fn common_suffix(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.rchunks_exact(BLOCK).zip(b.rchunks_exact(BLOCK)).take_while(|(a, b)| a == b).count();
    let same = blocks * BLOCK;
    let (a, b) = (&a[..a.len() - same], &b[..b.len() - same]);
    same + a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
}

/// The start of the line that is `count` lines before the one that `at` is in.
fn lines_back(bytes: &[u8], at: usize, count: usize) -> usize {
    memchr::memrchr_iter(b'\n', &bytes[..at]).nth(count).map_or(0, |newline| newline + 1)
}

/// The end of the `count`th line after the one that `bytes` begin in the middle of.
fn lines_on(bytes: &[u8], count: usize) -> usize {
    memchr::memchr_iter(b'\n', bytes).nth(count).map_or(bytes.len(), |newline| newline + 1)
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').collect()
}

fn header(name: &Path) -> Vec<u8> {
    let name = quoted(name.as_os_str().as_encoded_bytes());
    [b"--- ", &*name, b"\n+++ ", &*name, b"\n"].concat()
}

/// As GNU diff does, which patch(1) understands: a name with a blank, a quote, a backslash or a
/// control character is a string of C.
fn quoted(name: &[u8]) -> Vec<u8> {
    let odd = |byte: &u8| *byte <= b' ' || matches!(*byte, b'"' | b'\\' | 0x7f);
    if !name.iter().any(odd) {
        return name.to_vec();
    }
    let mut quoted = vec![b'"'];
    for &byte in name {
        match byte {
            b'"' | b'\\' => quoted.extend([b'\\', byte]),
            0..b' ' | 0x7f => quoted.extend(format!("\\{byte:03o}").bytes()),
            _ => quoted.push(byte),
        }
    }
    quoted.push(b'"');
    quoted
}

/// Prints one hunk; `before` lines stand before the first of `lines`, which are the old and the new.
fn print(hunk: &[DiffOp], before: usize, lines: (&[&[u8]], &[&[u8]]), diff: &mut Vec<u8>) {
    let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { return };
    let old = range(before, &(first.old_range().start..last.old_range().end));
    let new = range(before, &(first.new_range().start..last.new_range().end));
    diff.extend(format!("@@ -{old} +{new} @@\n").bytes());
    for change in hunk {
        let (removed, added) = (&lines.0[change.old_range()], &lines.1[change.new_range()]);
        if let DiffOp::Equal { .. } = change {
            put(b' ', removed, diff);
        } else {
            put(b'-', removed, diff);
            put(b'+', added, diff);
        }
    }
}

fn put(sign: u8, lines: &[&[u8]], diff: &mut Vec<u8>) {
    for line in lines {
        diff.push(sign);
        diff.extend_from_slice(line);
        if !line.ends_with(b"\n") {
            diff.extend_from_slice(b"\n\\ No newline at end of file\n");
        }
    }
}

/// First line and number of lines; `diff -u` leaves out a number of one, and of none it names the
/// line before.
fn range(before: usize, lines: &Range<usize>) -> String {
    let start = before + lines.start;
    match lines.len() {
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        count => format!("{},{count}", start + 1),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::{ErrorKind, Write};
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::*;

    fn check(old: &str, new: &str, want: &str) {
        let diff = unified(Path::new("app.json"), old.as_bytes(), new.as_bytes());
        let want = want.replace("HEAD", "--- app.json\n+++ app.json");
        assert_eq!(String::from_utf8(diff).unwrap(), want, "{old:?} to {new:?}");
    }

    #[test]
    fn it_is_what_diff_prints() {
        check("a\n", "a\n", "");
        check("", "", "");
        check("a\n", "b\n", "HEAD\n@@ -1 +1 @@\n-a\n+b\n");
        check("", "a\n", "HEAD\n@@ -0,0 +1 @@\n+a\n");
        check("a\n", "", "HEAD\n@@ -1 +0,0 @@\n-a\n");
        check("a", "a\n", "HEAD\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
        check("a\r\nb\r\n", "a\r\nc\r\n", "HEAD\n@@ -1,2 +1,2 @@\n a\r\n-b\r\n+c\r\n");
        check(
            "1\n2\n3\n4\n5\n6\n7\n8\n9",
            "1\n2\n3\n4\nV\n6\n7\n8\n9",
            "HEAD\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+V\n 6\n 7\n 8\n",
        );
        check(
            "1\n2\n3\n4\n5\n6\n7\n8\n9\n10",
            "1\nII\n3\n4\n5\n6\n7\n8\n9\nX",
            "HEAD\n@@ -1,5 +1,5 @@\n 1\n-2\n+II\n 3\n 4\n 5\n@@ -7,4 +7,4 @@\n 7\n 8\n 9\n-10\n\
             \\ No newline at end of file\n+X\n\\ No newline at end of file\n",
        );
    }

    #[test]
    fn an_odd_name_is_quoted() {
        let check = |name: &str, want: &str| assert_eq!(quoted(name.as_bytes()), want.as_bytes());
        check("/etc/äpp.json", "/etc/äpp.json");
        check("a b.json", "\"a b.json\"");
        check("a\"\\\n.json", "\"a\\\"\\\\\\012.json\"");
    }

    /// Text of few different lines, so that some are equal, with and without a last line end.
    fn text() -> impl Strategy<Value = Vec<u8>> {
        let line = prop::sample::select(vec!["a", "b", "c\r", "", "{", "-- a", "++ b", "\\ c"]);
        (prop::collection::vec(line, 0..40), any::<bool>()).prop_map(|(lines, ended)| {
            let mut text = lines.join("\n").into_bytes();
            if ended {
                text.push(b'\n');
            }
            text
        })
    }

    /// What the diff makes of `old`, by its line numbers and its signs alone.
    fn applied(old: &[u8], diff: &[u8]) -> Vec<u8> {
        let (old, mut new, mut at, mut last) = (lines(old), Vec::new(), 0, b' ');
        for line in lines(diff).into_iter().skip(2) {
            match line[0] {
                b'@' => {
                    let text = String::from_utf8_lossy(line);
                    let range = text.split(' ').nth(1).unwrap();
                    let first: usize = range[1..].split(',').next().unwrap().parse().unwrap();
                    let start = if range.ends_with(",0") { first } else { first - 1 };
                    new.extend(old[at..start].concat());
                    at = start;
                }
                b'\\' if last == b'-' => {}
                b'\\' => assert_eq!(new.pop(), Some(b'\n')),
                b'-' => at += 1,
                b'+' => new.extend(&line[1..]),
                _ => {
                    new.extend(&line[1..]);
                    at += 1;
                }
            }
            last = line[0];
        }
        new.extend(old[at..].concat());
        new
    }

    /// What patch(1) makes of `old`; `None` where there is no patch(1).
    fn patched(old: &[u8], diff: &[u8]) -> Option<Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.json");
        File::create(&path).and_then(|mut file| file.write_all(old)).unwrap();
        let mut command = Command::new("patch");
        command.args(["-s", "-E", "-p0"]).current_dir(&folder).stdin(Stdio::piped());
        let mut child = match command.spawn() {
            Err(missing) if missing.kind() == ErrorKind::NotFound => return None,
            child => child.unwrap(),
        };
        child.stdin.take().unwrap().write_all(diff).unwrap();
        assert!(child.wait().unwrap().success(), "{}", String::from_utf8_lossy(diff));
        // Without a line left the file is removed.
        Some(fs::read(&path).unwrap_or_default())
    }

    #[test]
    fn patch_makes_the_new_file_of_it() {
        let check = |old: &str, new: &str| {
            let diff = unified(Path::new("app.json"), old.as_bytes(), new.as_bytes());
            let made = patched(old.as_bytes(), &diff);
            assert!(made.is_none_or(|made| made == new.as_bytes()), "{old:?} to {new:?}");
        };
        check("{\n \"a\": 1\n}\n", "{\n \"a\": 2\n}\n");
        check("{\r\n \"a\": 1\r\n}\r\n", "{\r\n \"a\": 2\r\n}\r\n");
        check("{\r\n \"a\": 1\r\n}", "{\r\n \"a\": 1\r\n}\r\n");
        check("{}", "{\n\t\"é\": \"\u{0}\"\n}");
        check("", "{}\n");
        check("{}\n", "");
    }

    proptest! {
        #[test]
        fn applied_it_gives_the_new_text(old in text(), new in text()) {
            let diff = unified(Path::new("app.json"), &old, &new);
            prop_assert_eq!(applied(&old, &diff), new);
        }
    }
}
