//! Files that come into a folder, in the ways in which files come, and what came when.
//!
//! Nothing is left to chance: the same [`Plan`] makes the same names and the same bytes. What is made
//! says which one it is: the first 16 bytes of each file are its serial number and a newline.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How many files a slow writer has begun at the same time.
const BEGUN: usize = 32;

/// How many files each new folder gets.
const PER_FOLDER: u64 = 10;

/// How files come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Created, written and closed, one after the other.
    Burst,
    /// Written in a folder beside the watched one, and renamed into it.
    RenameIn,
    /// As `Burst`, into folders that are made on the way: three deep, ten files in each.
    Nested,
    /// In two halves with [`Plan::gap`] between them, several at the same time.
    Slow,
    /// As `Slow`, and closed between the halves.
    Reopen,
    /// Under one name, which is deleted before each.
    Recreate,
}

/// What is to be made.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How.
    pub mode: Mode,
    /// Where: a folder that is there. `RenameIn` makes one beside it, with `.beside` at its name.
    pub folder: PathBuf,
    /// How many.
    pub count: u64,
    /// The serial number of the first.
    pub first: u64,
    /// How many bytes each has; below 16 they do not say which one it is.
    pub size: usize,
    /// How many a second at most; `None` is as fast as it goes.
    pub rate: Option<u32>,
    /// How long `Slow` and `Reopen` wait before the second half.
    pub gap: Duration,
}

impl Plan {
    /// So many files of 200 bytes, as fast as it goes, with 3 ms between halves.
    #[must_use]
    pub fn new(mode: Mode, folder: impl Into<PathBuf>, count: u64) -> Self {
        let gap = Duration::from_millis(3);
        Self { mode, folder: folder.into(), count, first: 0, size: 200, rate: None, gap }
    }

    /// Makes the files, and tells of each when it is complete.
    ///
    /// Returns the longest time for which a file lay there with one half, 0 where there are no halves:
    /// who says a writer is through after less than that is told so by a busy machine too.
    ///
    /// # Errors
    /// When one cannot be written; those before it are there.
    pub fn make(&self, mut tell: impl FnMut(&Arrival)) -> io::Result<Duration> {
        let mut pace =
            Pace { next: Instant::now(), every: self.rate.map(|rate| Duration::from_secs(1) / rate) };
        let mut begun: VecDeque<Half> = VecDeque::new();
        let mut longest = Duration::ZERO;
        for serial in self.first..self.first + self.count {
            while begun
                .front()
                .is_some_and(|half| begun.len() == BEGUN || pace.is_after(half.since + self.gap))
            {
                self.end(begun.pop_front(), &mut longest, &mut tell)?;
            }
            pace.wait();
            match self.mode {
                Mode::Slow | Mode::Reopen => begun.push_back(self.begin(serial)?),
                _ => tell(&self.one(serial)?),
            }
        }
        while !begun.is_empty() {
            self.end(begun.pop_front(), &mut longest, &mut tell)?;
        }
        Ok(longest)
    }

    /// Makes a file that comes at once.
    fn one(&self, serial: u64) -> io::Result<Arrival> {
        let bytes = content(serial, self.size);
        match self.mode {
            Mode::RenameIn => self.rename_in(serial, &bytes),
            Mode::Nested => {
                let folder = self.nested(serial);
                if serial.is_multiple_of(PER_FOLDER) || serial == self.first {
                    fs::create_dir_all(&folder)?;
                }
                whole(folder.join(name(serial)), serial, &bytes)
            }
            Mode::Recreate => {
                let path = self.folder.join("again.dat");
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                    _ => whole(path, serial, &bytes),
                }
            }
            Mode::Burst | Mode::Slow | Mode::Reopen => whole(self.folder.join(name(serial)), serial, &bytes),
        }
    }

    fn rename_in(&self, serial: u64, bytes: &[u8]) -> io::Result<Arrival> {
        let mut beside = OsString::from(&self.folder);
        beside.push(".beside");
        let beside = PathBuf::from(beside);
        fs::create_dir_all(&beside)?;
        let made = whole(beside.join(name(serial)), serial, bytes)?;
        let path = self.folder.join(name(serial));
        let closed = now();
        fs::rename(&made.path, &path)?;
        Ok(Arrival { closed, path, ..made })
    }

    /// The first ten files go into a new folder, the next ten into a new one in that, and so on.
    fn nested(&self, serial: u64) -> PathBuf {
        let number = serial / PER_FOLDER;
        let (tree, depth) = (number / 3, number % 3);
        let mut folder = self.folder.join(format!("tree{tree:06}"));
        for level in 0..depth {
            folder.push(format!("level{level}"));
        }
        folder
    }

    fn begin(&self, serial: u64) -> io::Result<Half> {
        let path = self.folder.join(name(serial));
        let bytes = content(serial, self.size);
        let mut file = File::create_new(&path)?;
        file.write_all(&bytes[..self.size / 2])?;
        let file = (self.mode == Mode::Slow).then_some(file);
        Ok(Half { path, serial, bytes, file, since: Instant::now() })
    }

    fn end(
        &self,
        half: Option<Half>,
        longest: &mut Duration,
        tell: &mut impl FnMut(&Arrival),
    ) -> io::Result<()> {
        let Some(half) = half else { return Ok(()) };
        sleep((half.since + self.gap).saturating_duration_since(Instant::now()));
        let mut file = match half.file {
            Some(file) => file,
            None => OpenOptions::new().append(true).open(&half.path)?,
        };
        file.write_all(&half.bytes[self.size / 2..])?;
        let closed = now();
        drop(file);
        *longest = half.since.elapsed().max(*longest);
        tell(&Arrival { serial: half.serial, size: self.size as u64, closed, path: half.path });
        Ok(())
    }
}

/// A file that is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Which one.
    pub serial: u64,
    /// How many bytes it has.
    pub size: u64,
    /// When it was closed for the last time, or renamed, in nanoseconds since 1970: the moment before.
    pub closed: i64,
    /// Where it is.
    pub path: PathBuf,
}

/// A file of which one half is written.
struct Half {
    path: PathBuf,
    serial: u64,
    bytes: Vec<u8>,
    file: Option<File>,
    since: Instant,
}

/// When the next file may come.
struct Pace {
    next: Instant,
    every: Option<Duration>,
}

impl Pace {
    /// Whether there is time for something else until then.
    fn is_after(&self, time: Instant) -> bool {
        self.every.is_some() && time <= self.next
    }

    fn wait(&mut self) {
        if let Some(every) = self.every {
            sleep(self.next.saturating_duration_since(Instant::now()));
            self.next += every;
        }
    }
}

fn name(serial: u64) -> String {
    format!("{serial:08}.dat")
}

fn content(serial: u64, size: usize) -> Vec<u8> {
    let mut bytes = format!("{serial:>15}\n").into_bytes();
    bytes.resize(size, b'x');
    bytes
}

fn whole(path: PathBuf, serial: u64, bytes: &[u8]) -> io::Result<Arrival> {
    let mut file = File::create_new(&path)?;
    file.write_all(bytes)?;
    let closed = now();
    drop(file);
    Ok(Arrival { serial, size: bytes.len() as u64, closed, path })
}

/// Nanoseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// The line of a manifest for an arrival: when it was closed, its serial number, its size, its path.
#[must_use]
pub fn manifest_line(arrival: &Arrival) -> Vec<u8> {
    let Arrival { closed, serial, size, path } = arrival;
    let mut line = format!("{closed} {serial} {size} ").into_bytes();
    line.extend(crate::notes::escaped(path));
    line.push(b'\n');
    line
}

/// Reads a manifest.
///
/// # Errors
/// When it cannot be read.
///
/// # Panics
/// When a line is none of [`manifest_line`].
pub fn read_manifest(path: &Path) -> io::Result<Vec<Arrival>> {
    let bytes = fs::read(path)?;
    let lines = bytes.split_inclusive(|&byte| byte == b'\n');
    Ok(lines.map(|line| arrival_of(line).expect("a line of a manifest")).collect())
}

fn arrival_of(line: &[u8]) -> Option<Arrival> {
    let [closed, serial, size, path] = crate::notes::words::<4>(line)?;
    let number = |word: &[u8]| std::str::from_utf8(word).ok()?.parse::<u64>().ok();
    Some(Arrival {
        serial: number(serial)?,
        size: number(size)?,
        closed: i64::try_from(number(closed)?).ok()?,
        path: crate::notes::unescaped(path),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mode: Mode) -> Vec<Arrival> {
        let top = tempfile::tempdir().unwrap();
        let folder = top.path().join("in");
        fs::create_dir(&folder).unwrap();
        let mut arrivals = Vec::new();
        let plan = Plan { first: 7, ..Plan::new(mode, &folder, 65) };
        let longest = plan.make(|arrival| arrivals.push(arrival.clone())).unwrap();
        assert_eq!(longest > Duration::ZERO, matches!(mode, Mode::Slow | Mode::Reopen));
        let serials: Vec<u64> = arrivals.iter().map(|arrival| arrival.serial).collect();
        assert_eq!(serials, (7..72).collect::<Vec<_>>());
        for arrival in arrivals.iter().filter(|arrival| mode != Mode::Recreate || arrival.serial == 71) {
            let bytes = fs::read(&arrival.path).unwrap();
            assert_eq!(bytes, content(arrival.serial, 200));
            assert!(arrival.path.starts_with(&folder), "{arrival:?}");
        }
        let manifest = top.path().join("manifest");
        fs::write(&manifest, arrivals.iter().flat_map(manifest_line).collect::<Vec<_>>()).unwrap();
        assert_eq!(read_manifest(&manifest).unwrap(), arrivals);
        arrivals
    }

    #[test]
    fn each_mode_makes_whole_files_and_tells_of_each() {
        for mode in [Mode::Burst, Mode::RenameIn, Mode::Slow, Mode::Reopen, Mode::Recreate] {
            check(mode);
        }
    }

    #[test]
    fn folders_are_three_deep_with_ten_files_each() {
        let made = check(Mode::Nested);
        let folder = |serial: usize| made[serial - 7].path.parent().unwrap().to_owned();
        assert!(folder(29).ends_with("tree000000/level0/level1"));
        assert!(folder(30).ends_with("tree000001"));
        assert_eq!(folder(20), folder(29));
        assert_ne!(folder(19), folder(20));
    }
}
