//! Whether a file is complete: nobody has it open for writing, and it was quiet for long enough.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use crate::identity::{Kind, Stamp};
use crate::lease::{Writers, writers};

/// How long a file must have been quiet where the kernel does not tell about its writers.
pub(crate) const SETTLE: Duration = Duration::from_secs(2);

/// How far the wall clock may run away from the monotonic one before its ages are not believed.
const SKEW: Duration = Duration::from_millis(500);

/// What a look at a file found.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It is complete, and this is what it is; open for reading where we may.
    Complete(Stamp, Option<File>),
    /// Somebody has it open for writing.
    Busy,
    /// It must be looked at again after this time.
    Unquiet(Stamp, Duration),
    /// It is not there any more.
    Gone,
    /// It is no regular file, or its name leads nowhere.
    NoFile,
}

/// The two clocks: files carry times of the wall clock, which somebody may set at any moment.
#[derive(Debug)]
pub(crate) struct Clock {
    /// The same moment on both clocks.
    anchor: (Instant, SystemTime),
    /// When the wall clock was last found to have been set.
    jumped: Option<Instant>,
}

/// One moment on both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    /// On the clock that nobody sets.
    pub(crate) monotonic: Instant,
    /// On the wall, in nanoseconds since 1970.
    pub(crate) wall: i64,
    /// How long the wall clock can be trusted to have run evenly; `None` since the start.
    steady: Option<Duration>,
}

impl Now {
    /// The wall clock in milliseconds since 1970.
    pub(crate) fn milliseconds(self) -> i64 {
        self.wall / 1_000_000
    }

    /// How long ago the wall clock was at `then`; `None` when that is ahead, or when the clock was set
    /// in between.
    fn since(self, then: i64) -> Option<Duration> {
        let age = Duration::from_nanos(u64::try_from(self.wall.checked_sub(then)?).ok()?);
        (self.steady.is_none_or(|steady| age < steady)).then_some(age)
    }
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { anchor: (Instant::now(), SystemTime::now()), jumped: None }
    }

    /// This moment.
    pub(crate) fn now(&mut self) -> Now {
        self.read(Instant::now(), SystemTime::now())
    }

    fn read(&mut self, monotonic: Instant, wall: SystemTime) -> Now {
        let expected = self.anchor.1 + (monotonic - self.anchor.0);
        let away = wall.duration_since(expected).unwrap_or_else(|behind| behind.duration());
        if away > SKEW {
            self.jumped = Some(monotonic);
        }
        // Forgives the slow drift of a clock that is being disciplined.
        self.anchor = (monotonic, wall);
        let since_epoch = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Now {
            monotonic,
            wall: i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX),
            steady: self.jumped.map(|jump| monotonic - jump),
        }
    }
}

/// What an earlier look at an unquiet file found, and when.
pub(crate) type Seen = (Stamp, Instant);

/// Looks whether `path`, which was `stamp` a moment ago, is complete.
///
/// `settle` is what the operator asks for; without it, leases decide, and where there are none
/// [`SETTLE`] counts. `seen` is what the last look found, if that was [`Verdict::Unquiet`].
pub(crate) fn look(path: &Path, stamp: Stamp, how: &How, now: Now) -> io::Result<Verdict> {
    if stamp.kind != Kind::File {
        return Ok(Verdict::NoFile);
    }
    // Not blocking, should the name have become a pipe in this moment.
    let follow = if how.follow { 0 } else { libc::O_NOFOLLOW };
    let opened =
        OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | follow).open(path);
    let (file, stamp, writers) = match opened {
        Ok(file) => {
            let writers = writers(&file);
            let stamp = Stamp::of_open(&file)?;
            (Some(file), stamp, writers)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Verdict::Gone),
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => return Ok(Verdict::NoFile),
        // Whoever holds a write lease, such as an SMB server, is asked to give it back, and writes until then.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Verdict::Busy),
        // Unreadable for us; the command may have other rights.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => (None, stamp, Writers::Unknown),
        Err(error) => return Err(error),
    };
    if stamp.kind != Kind::File {
        return Ok(Verdict::NoFile);
    }
    if writers == Writers::Some {
        return Ok(Verdict::Busy);
    }
    let settle = how.settle.unwrap_or(if writers == Writers::None { Duration::ZERO } else { SETTLE });
    Ok(match unquiet_for(&stamp, settle, how.seen.as_ref(), now) {
        Some(wait) => Verdict::Unquiet(stamp, wait),
        None => Verdict::Complete(stamp, file),
    })
}

/// How [`look`] looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct How {
    /// Whether symbolic links are followed.
    pub(crate) follow: bool,
    /// How long a file must have been quiet.
    pub(crate) settle: Option<Duration>,
    /// What the last look found.
    pub(crate) seen: Option<Seen>,
}

/// How long is still to be waited until a file was quiet for `settle`; `None` when it was.
fn unquiet_for(stamp: &Stamp, settle: Duration, seen: Option<&Seen>, now: Now) -> Option<Duration> {
    if settle.is_zero() {
        return None;
    }
    // Nobody can set the time of the last change but the clock itself.
    let by_wall = now.since(stamp.changed).unwrap_or_default();
    let by_sight = match seen {
        Some((earlier, when)) if earlier == stamp => now.monotonic - *when,
        _ => Duration::ZERO,
    };
    settle.checked_sub(by_wall.max(by_sight)).filter(|wait| !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn stamp(changed: i64) -> Stamp {
        Stamp { kind: Kind::File, device: 1, inode: 2, born: 3, size: 4, modified: 5, changed }
    }

    fn at(wall_s: i64, monotonic: Instant, steady: Option<Duration>) -> Now {
        Now { monotonic, wall: wall_s * 1_000_000_000, steady }
    }

    #[test]
    fn quiet_is_what_has_not_changed_for_so_long() {
        let start = Instant::now();
        let changed_at = |second: i64| stamp(second * 1_000_000_000);
        let check = |changed: i64, wall: i64, steady, seen: Option<Seen>, want: Option<u64>| {
            let now = at(wall, start + 10 * SECOND, steady);
            let got = unquiet_for(&changed_at(changed), 5 * SECOND, seen.as_ref(), now);
            assert_eq!(got, want.map(Duration::from_secs), "{changed} {wall} {steady:?} {seen:?}");
        };
        check(100, 103, None, None, Some(2));
        check(100, 105, None, None, None);
        // The clock was set three seconds ago: an age above that tells nothing.
        check(100, 900, Some(3 * SECOND), None, Some(5));
        check(100, 102, Some(3 * SECOND), None, Some(3));
        // A change that lies ahead does not block for ever: it was seen unchanged.
        check(900, 100, None, None, Some(5));
        check(900, 100, None, Some((changed_at(900), start + 8 * SECOND)), Some(3));
        check(900, 100, None, Some((changed_at(900), start + 5 * SECOND)), None);
        check(900, 100, None, Some((changed_at(899), start)), Some(5));
    }

    #[test]
    fn a_clock_that_is_set_is_noticed() {
        let mut clock = Clock::start();
        let (monotonic, wall) = clock.anchor;
        assert_eq!(clock.read(monotonic + SECOND, wall + SECOND).steady, None);
        for hours in [1_u32, 2] {
            let wall = wall + hours * 3_600 * SECOND;
            assert_eq!(clock.read(monotonic + 2 * SECOND, wall).steady, Some(Duration::ZERO));
            assert_eq!(clock.read(monotonic + 3 * SECOND, wall + SECOND).steady, Some(SECOND));
        }
        assert_eq!(clock.read(monotonic + 5 * SECOND, wall).steady, Some(Duration::ZERO), "backwards");
    }

    #[test]
    fn a_file_that_is_being_written_is_not_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let how = |settle| How { follow: false, settle, seen: None };
        let check = |settle, want: &str| {
            let now = Clock::start().now();
            let stamp = Stamp::of(&path, false).unwrap();
            let found = format!("{:?}", look(&path, stamp, &how(settle), now).unwrap());
            assert!(found.starts_with(want), "{found}");
        };
        let writer = File::create(&path).unwrap();
        check(None, "Busy");
        drop(writer);
        check(None, "Complete");
        check(Some(Duration::from_secs(60)), "Unquiet");
        check(Some(Duration::ZERO), "Complete");
        let gone = Stamp::of(&path, false).unwrap();
        fs::remove_file(&path).unwrap();
        let now = Clock::start().now();
        assert!(matches!(look(&path, gone, &how(None), now).unwrap(), Verdict::Gone));
        std::os::unix::fs::symlink("elsewhere", &path).unwrap();
        check(None, "NoFile");
        assert!(matches!(look(&path, gone, &how(None), now).unwrap(), Verdict::NoFile), "a link by now");
    }

    #[test]
    fn a_file_with_a_write_lease_is_being_written() {
        crate::lease::ignore_breaks().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let server = File::create(&path).unwrap();
        if crate::lease::hold(&server).is_err() {
            println!("skipped: the temporary folder has no leases");
            return;
        }
        let how = How { follow: false, settle: None, seen: None };
        let found = look(&path, Stamp::of(&path, false).unwrap(), &how, Clock::start().now());
        assert!(matches!(found, Ok(Verdict::Busy)), "{found:?}");
    }
}
