//! A file on another host: read whole, and replaced whole or not at all.
//!
//! The content goes over standard input, and so do the checksums of what was read and of what is to be:
//! what somebody else wrote between reading and replacing is not lost, and what a broken connection cut
//! off never gets the name. The script is for any POSIX shell with cksum(1) and readlink(1); flock(1)
//! and a sync(1) of single files are used where they are. The lock is a file `.NAME.lock` beside it,
//! which stays; a file that other programs may lock, as jsonset does, is locked itself for the moment of
//! the rename.

use remote::{Command, Reach, Session};
use zeroize::Zeroizing;

use common::answer::Answer;
use remote::link::{Said, run};
use remote::shell;

use super::cksum;

const REPLACE: &str = include_str!("replace.sh");

/// What the script also begins with: the file itself, behind symbolic links.
const FIND: &str = r#"(LC_ALL=C; export LC_ALL; fail() { echo "$2" >&2; exit "$1"; }
f=@FILE@; if [ -L "$f" ]; then f=$(readlink -f "$f") || fail 1 "$f leads nowhere"; fi; d=${f%/*}; "#;

/// A lock on the file itself, as flock(1) and jsonset take it: they find another file behind the name then,
/// and begin again.
const JOIN: &str = r#"if [ "$ours" = true ] && [ -e "$f" ]; then
  exec 8<"$f" || exit 1
  until flock -n 0 <&8; do again; done
  [ "$f" -ef /dev/fd/8 ] || [ ! -e /dev/fd/8 ] || exit 40
fi"#;

/// How often somebody else may be faster before that is an answer.
const ATTEMPTS: usize = 10;

/// How often the lock is tried for: ten times a second, or once where sleep(1) knows no fractions.
const TRIES: &str = "50";

/// The statuses of the script: others wrote meanwhile, hold the lock, or the content is not whole.
const CHANGED: i32 = 40;
const LOCKED: i32 = 41;
const CUT: i32 = 42;

/// What the system says when asking again would not help.
const DEFINITE: [&str; 7] = [
    "Permission denied",
    "Operation not permitted",
    "Read-only file system",
    "Is a directory",
    "is no file",
    "is not root's",
    "password is required",
];

/// A file on another host.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    /// Its path as a word of sh(1).
    path: String,
    /// The mode of a file that is not there yet, in octal digits.
    mode: String,
    /// What to do without its folder, for reading and for writing.
    folder: [&'static str; 2],
    /// What takes the lock of other programs.
    join: &'static str,
    /// What must be true before anything is written.
    guard: &'static str,
    /// Who does it, when that is not who is logged in.
    user: Option<String>,
}

/// What is in a file; `None`: there is no such file.
pub(crate) type Content = Option<Zeroizing<Vec<u8>>>;

impl Remote {
    /// The file `path`, which is absolute, in a folder that exists. A new one gets `mode`.
    pub(crate) fn at(path: &str, mode: u32) -> Self {
        Self {
            path: shell::quoted(path),
            mode: format!("{mode:o}"),
            folder: [r#"fail 44 "there is no folder $d; perhaps it is not mounted""#; 2],
            join: JOIN,
            guard: ":",
            user: None,
        }
    }

    /// The file `path` that says who may log in as `user`: in the home folder of `user` unless it is
    /// absolute. With `becomes` who is logged in is somebody else, and becomes `user` for what is in
    /// that home: root would follow any link that `user` can make.
    pub(crate) fn of_account(path: &str, user: &str, becomes: bool) -> Self {
        let is_absolute = path.starts_with('/');
        Self {
            path: if is_absolute {
                shell::quoted(path)
            } else {
                format!("\"$HOME\"/{}", shell::quoted(path))
            },
            // sshd reads it as `user`, and there is no secret in it.
            mode: if is_absolute { "644".into() } else { "600".into() },
            folder: ["true", r#"mkdir -p -m 700 "$d" || exit 1"#],
            join: ":",
            guard: r#"[ -O "$d" ] || [ "$(id -u)" != 0 ] || fail 1 "the folder $d is not root's, and root is to write there""#,
            user: (becomes && !is_absolute).then(|| user.to_owned()),
        }
    }

    /// What is in it.
    pub(crate) fn read(&self, session: &mut Session, reach: &Reach) -> Answer<Content> {
        let [folder, _] = self.folder;
        let script = format!(
            r#"{FIND}[ -d "$d" ] || {folder}; [ ! -e "$f" ] || [ -f "$f" ] || fail 1 "$f is no file"; cat "$f")"#
        );
        run(session, reach, &self.told(&script), None).and_then(|said| match said.status {
            0 => Answer::Yes(Some(said.output)),
            _ if said.complaint.contains("No such file or directory") => Answer::Yes(None),
            _ => refused(&said),
        })
    }

    /// Puts `is` in the place of `was`, durably: mode, owner and a symbolic link to it stay. A yes says
    /// whether it did: not when something else is there by now.
    pub(crate) fn replace(
        &self,
        session: &mut Session,
        reach: &Reach,
        (was, is): (&Content, &[u8]),
    ) -> Answer<bool> {
        let script = self.told(&self.replacing());
        run(session, reach, &script, Some(input(was, is))).and_then(|said| match said.status {
            0 => Answer::Yes(true),
            CHANGED => Answer::Yes(false),
            LOCKED if said.complaint.is_empty() => Answer::Unknown("another program took the lock".into()),
            LOCKED => Answer::Unknown(said.complaint),
            CUT => Answer::Unknown("the content did not arrive whole".into()),
            _ => refused(&said),
        })
    }

    fn replacing(&self) -> String {
        let script = REPLACE.replace("@MARK@", &Command::mark()).replace("@TRIES@", TRIES);
        let script = script.replace("@MODE@", &self.mode).replace("@FOLDER@", self.folder[1]);
        script.replace("@GUARD@", self.guard).replace("@JOIN@", self.join)
    }

    /// Replaces it by what `change` makes of it, however often others write meanwhile; `None` leaves it
    /// as it is, and makes sure that it lasts.
    pub(crate) fn edit(
        &self,
        session: &mut Session,
        reach: &Reach,
        mut change: impl FnMut(&Content) -> Answer<Option<Zeroizing<Vec<u8>>>>,
    ) -> Answer {
        for _ in 0..ATTEMPTS {
            let was = match self.read(session, reach) {
                Answer::Yes(was) => was,
                other => return other.map(drop),
            };
            let done = match change(&was) {
                Answer::Yes(Some(is)) => self.replace(session, reach, (&was, &is)),
                Answer::Yes(None) => self.sync(session, reach).map(|()| true),
                other => return other.map(drop),
            };
            match done {
                Answer::Yes(false) => {}
                other => return other.map(drop),
            }
        }
        Answer::Unknown(format!("others wrote to the file {ATTEMPTS} times while it was to be changed"))
    }

    /// One who was killed may have renamed it, and not come to this.
    fn sync(&self, session: &mut Session, reach: &Reach) -> Answer {
        self.succeeds(session, reach, r#"[ ! -e "$f" ] || { sync "$f" && sync "$d"; } 2>/dev/null || sync"#)
    }

    /// Whether who is to write there can.
    pub(crate) fn is_writable(&self, session: &mut Session, reach: &Reach) -> Answer {
        let guard = self.guard;
        let script =
            format!(r#"[ -d "$d" ] || d=${{d%/*}}; {guard}; [ -w "$d" ] || fail 1 "$d: Permission denied""#);
        self.succeeds(session, reach, &script)
    }

    /// Whether `script` does, which knows the file as `$f` and its folder as `$d`.
    fn succeeds(&self, session: &mut Session, reach: &Reach, script: &str) -> Answer {
        let script = format!("{FIND}{script})");
        run(session, reach, &self.told(&script), None)
            .and_then(|said| if said.status == 0 { Answer::Yes(()) } else { refused(&said) })
    }

    /// `script` for this file, run by whom it is to be run by.
    fn told(&self, script: &str) -> String {
        let script = script.replace("@FILE@", &self.path);
        let Some(user) = &self.user else { return script };
        let (user, script) = (shell::quoted(user), shell::quoted(&script));
        format!(
            "if [ \"$(id -u)\" = 0 ]; then su -s /bin/sh -c {script} {user}; \
             else sudo -n -H -u {user} /bin/sh -c {script}; fi"
        )
    }
}

/// What the script reads.
fn input(was: &Content, is: &[u8]) -> Zeroizing<Vec<u8>> {
    let was = was.as_deref().map_or("none".into(), |bytes| cksum::of(bytes));
    let head = format!("{was}\n{}\n", cksum::of(is));
    let mut input = Zeroizing::new(Vec::with_capacity(head.len() + is.len()));
    input.extend_from_slice(head.as_bytes());
    input.extend_from_slice(is);
    input
}

fn refused<T>(said: &Said) -> Answer<T> {
    // The words are the script's or the system's, and its status says no more.
    let why = if said.complaint.is_empty() { said.why() } else { said.complaint.clone() };
    if DEFINITE.iter().any(|what| why.contains(what)) { Answer::No(why) } else { Answer::Unknown(why) }
}

#[cfg(test)]
mod tests;
