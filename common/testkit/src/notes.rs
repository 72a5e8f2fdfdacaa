//! What a command noted of the files it was run for, and whether those were all of them, whole, and once.
//!
//! A note is one line: when the command started in nanoseconds since 1970, the serial number the file
//! has in its content, its size, the attempt, the idempotency key, and the path. `-` stands for what is
//! not known. In the path a newline is `\n` and a backslash `\\`.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::arrivals::Arrival;

/// A command was run for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// When it started, in nanoseconds since 1970.
    pub started: i64,
    /// Which of the files it was; `None` when not even that much of it was written.
    pub serial: Option<u64>,
    /// How many bytes the file had; `None` when it was not there.
    pub size: Option<u64>,
    /// Which attempt it was, if the command was told.
    pub attempt: Option<u32>,
    /// The idempotency key, if the command was told.
    pub id: Option<String>,
    /// The file.
    pub path: PathBuf,
}

/// The notes so far; none when there is no such file. A line that is still being written is left.
///
/// # Errors
/// When the file cannot be read.
///
/// # Panics
/// When a line is no note.
pub fn read(path: &Path) -> io::Result<Vec<Note>> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let lines = bytes.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"));
    let parsed =
        lines.map(|line| note_of(line).unwrap_or_else(|| panic!("no note: {}", line.escape_ascii())));
    Ok(parsed.collect())
}

fn note_of(line: &[u8]) -> Option<Note> {
    let [started, serial, size, attempt, id, path] = words::<6>(line)?;
    let text = |word| std::str::from_utf8(word).ok().filter(|text| *text != "-");
    Some(Note {
        started: text(started)?.parse().ok()?,
        serial: text(serial).and_then(|word| word.parse().ok()),
        size: text(size).and_then(|word| word.parse().ok()),
        attempt: text(attempt).and_then(|word| word.parse().ok()),
        id: text(id).map(str::to_owned),
        path: unescaped(path),
    })
}

/// The words of a line; the last is the rest of it, without its newline.
pub(crate) fn words<const N: usize>(line: &[u8]) -> Option<[&[u8]; N]> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.splitn(N, |&byte| byte == b' ').collect::<Vec<_>>().try_into().ok()
}

pub(crate) fn escaped(path: &Path) -> Vec<u8> {
    let escape = |&byte: &u8| match byte {
        b'\n' => vec![b'\\', b'n'],
        b'\\' => vec![b'\\', b'\\'],
        _ => vec![byte],
    };
    path.as_os_str().as_bytes().iter().flat_map(escape).collect()
}

pub(crate) fn unescaped(word: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word.iter();
    while let Some(&byte) = rest.next() {
        let real = if byte == b'\\' {
            rest.next().map(|&next| if next == b'n' { b'\n' } else { next })
        } else {
            Some(byte)
        };
        bytes.extend(real);
    }
    PathBuf::from(std::ffi::OsString::from_vec(bytes))
}

/// What became of the files that arrived.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// How many arrived.
    pub arrived: usize,
    /// No command was run for these.
    pub lost: Vec<PathBuf>,
    /// One command was run for so many.
    pub once: usize,
    /// Several commands were run for these.
    pub more: Vec<PathBuf>,
    /// A command was run for these before they were complete, or after they had gone.
    pub partial: Vec<PathBuf>,
    /// A command was run for what is none of them.
    pub strange: Vec<PathBuf>,
    /// From the last close to the start of the first command, in nanoseconds, in order.
    pub waits: Vec<i64>,
}

/// Compares what arrived with what was noted.
///
/// A note belongs to the arrival whose serial number it found in the file, or, when it found none, to
/// one with that path.
#[must_use]
pub fn judge(arrivals: &[Arrival], notes: &[Note]) -> Verdict {
    let by_serial: BTreeMap<u64, usize> =
        arrivals.iter().enumerate().map(|(at, one)| (one.serial, at)).collect();
    let by_path: BTreeMap<&OsStr, usize> =
        arrivals.iter().enumerate().map(|(at, one)| (one.path.as_os_str(), at)).collect();
    let mut of_each: Vec<Vec<&Note>> = vec![Vec::new(); arrivals.len()];
    let mut verdict = Verdict { arrived: arrivals.len(), ..Verdict::default() };
    for note in notes {
        let by_content = note.serial.and_then(|serial| by_serial.get(&serial));
        match by_content.or_else(|| by_path.get(note.path.as_os_str())) {
            Some(&at) => of_each[at].push(note),
            None => verdict.strange.push(note.path.clone()),
        }
    }
    for (arrival, notes) in arrivals.iter().zip(of_each) {
        match notes.len() {
            0 => verdict.lost.push(arrival.path.clone()),
            1 => verdict.once += 1,
            _ => verdict.more.push(arrival.path.clone()),
        }
        if notes.iter().any(|note| note.size != Some(arrival.size)) {
            verdict.partial.push(arrival.path.clone());
        }
        verdict.waits.extend(notes.iter().map(|note| note.started - arrival.closed).min());
    }
    verdict.waits.sort_unstable();
    verdict
}

impl Verdict {
    /// Whether each was taken once and whole, and nothing else was.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.once == self.arrived && self.partial.is_empty() && self.strange.is_empty()
    }

    /// The wait that so many of a thousand do not exceed, in nanoseconds; 0 when there is none.
    #[must_use]
    pub fn wait_of(&self, thousandths: usize) -> i64 {
        let at = (self.waits.len() * thousandths / 1000).min(self.waits.len().saturating_sub(1));
        self.waits.get(at).copied().unwrap_or(0)
    }

    /// The numbers and the first of the bad ones, in one line.
    #[must_use]
    pub fn told(&self) -> String {
        let first = |paths: &[PathBuf]| match paths.first() {
            Some(path) => format!("{} ({} …)", paths.len(), path.display()),
            None => "0".to_owned(),
        };
        format!(
            "{} arrived, {} once, lost {}, more than once {}, partial {}, others {}",
            self.arrived,
            self.once,
            first(&self.lost),
            first(&self.more),
            first(&self.partial),
            first(&self.strange)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(serial: u64) -> Arrival {
        Arrival { serial, size: 20, closed: 1000, path: PathBuf::from(format!("/in/{serial}")) }
    }

    fn check(lines: &str, want: &str) {
        let notes: Vec<Note> =
            lines.split_inclusive('\n').map(|line| note_of(line.as_bytes()).unwrap()).collect();
        assert_eq!(judge(&[arrival(1), arrival(2)], &notes).told(), want, "{lines}");
    }

    #[test]
    fn all_that_may_go_wrong_is_counted() {
        let clean = "5000 1 20 1 k /in/1\n6000 2 20 - - /in/2\n";
        check(clean, "2 arrived, 2 once, lost 0, more than once 0, partial 0, others 0");
        check(
            "9 1 20 - - /in/1\n",
            "2 arrived, 1 once, lost 1 (/in/2 …), more than once 0, partial 0, others 0",
        );
        let early = "900 - 0 - - /in/1\n6000 2 10 - - /in/2\n";
        check(early, "2 arrived, 2 once, lost 0, more than once 0, partial 2 (/in/1 …), others 0");
        let again = "1 1 20 - - /in/1\n2 1 20 - - /in/1\n3 2 - - - /in/2\n4 9 20 - - /in/9\n";
        check(
            again,
            "2 arrived, 1 once, lost 0, more than once 1 (/in/1 …), partial 1 (/in/2 …), others 1 (/in/9 …)",
        );
    }

    #[test]
    fn the_wait_is_that_of_the_first_command() {
        let notes: Vec<Note> = ["7000 1 20 - - /in/1", "6000 1 20 - - /in/1", "1500 2 20 - - /in/2"]
            .map(|line| note_of(line.as_bytes()).unwrap())
            .to_vec();
        let verdict = judge(&[arrival(1), arrival(2)], &notes);
        assert_eq!(verdict.waits, [500, 5000]);
        assert_eq!((verdict.wait_of(0), verdict.wait_of(500), verdict.wait_of(990)), (500, 5000, 5000));
        assert!(!verdict.is_clean());
        assert_eq!(Verdict::default().wait_of(990), 0);
    }

    #[test]
    fn any_name_comes_back() {
        for name in ["a b", "a\nb", "a\\nb", "\\", "-", "\u{e4}"] {
            let line = [b"1 - - - - ".as_slice(), &escaped(Path::new(name)), b"\n"].concat();
            assert_eq!(note_of(&line).unwrap().path, Path::new(name));
        }
        let odd = Path::new(OsStr::from_bytes(b"\xff\n"));
        assert_eq!(unescaped(&escaped(odd)), odd);
    }
}
