//! Starting a command.

use std::env;
use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use common::Error;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn, posix_spawnp};
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::Pid;
use rustix::fs::{Access, Mode, OFlags, access, fcntl_setfl, open};
use rustix::io::Errno;
use rustix::process;

use super::{End, Job, Settings};
use crate::service::OWN_VARIABLES;
use crate::template;
use crate::tree;

/// What is the same for all commands, prepared once: std's `Command` reads the whole environment anew
/// for each.
pub(super) struct Spawner {
    settings: Settings,
    /// Where [`find`] has found the program: a search in PATH costs every start 2 microseconds for each
    /// folder before the right one. When it is not there any more it is searched again.
    found: Option<CString>,
    program: CString,
    environment: Vec<CString>,
    attributes: PosixSpawnAttr,
    nothing: File,
}

impl Spawner {
    /// # Errors
    /// When the system has no descriptor or no memory left.
    pub(super) fn new(settings: Settings) -> io::Result<Self> {
        let program = settings.template.program();
        let found = find(program).and_then(|path| CString::new(path.into_os_string().into_vec()).ok());
        // Each command leads a group, and has no signal blocked; the runtime ignores SIGPIPE in us.
        let mut attributes = PosixSpawnAttr::init()?;
        attributes.set_pgroup(Pid::from_raw(0))?;
        attributes.set_sigmask(&SigSet::empty())?;
        attributes.set_sigdefault(&SigSet::from(Signal::SIGPIPE))?;
        attributes.set_flags(
            PosixSpawnFlags::POSIX_SPAWN_SETPGROUP
                | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK
                | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF,
        )?;
        Ok(Self {
            program: CString::new(program.as_bytes())?,
            found,
            environment: inherited(),
            attributes,
            nothing: File::open("/dev/null")?,
            settings,
        })
    }

    /// Starts the command for a job; `token` is what [`tree::TOKEN`] says in its environment.
    pub(super) fn spawn(&self, job: &Job, token: &str) -> Result<process::Pid, End> {
        let Settings { template, stdin, follow, .. } = &self.settings;
        let content = match job.files.first().filter(|_| *stdin) {
            None => None,
            Some(file) => match content(&file.path, *follow) {
                Ok(content) => Some(content),
                Err(full) if is_passing(&full) => return Err(End::NoRoom(full)),
                Err(cause) => return Err(End::Unreadable(cause)),
            },
        };
        let input = content.as_ref().unwrap_or(&self.nothing);
        let started = self.start(job, token, input).map_err(io::Error::from);
        started.map_err(|cause| not_started(template.program(), cause))
    }

    fn start(&self, job: &Job, token: &str, input: &File) -> nix::Result<process::Pid> {
        let mut actions = PosixSpawnFileActions::init()?;
        actions.add_dup2(input.as_raw_fd(), 0)?;
        let mut arguments = vec![self.program.clone()];
        for argument in self.settings.template.arguments(&job.files) {
            arguments.push(CString::new(argument.into_vec()).map_err(|_| nix::Error::EINVAL)?);
        }
        let mut own = template::environment(&job.files);
        own.push((tree::TOKEN, token.into()));
        let own: Vec<CString> =
            own.into_iter().filter_map(|(name, value)| variable(name.as_ref(), &value)).collect();
        let environment: Vec<&CString> = self.environment.iter().chain(&own).collect();
        let (attributes, environment) = (&self.attributes, environment.as_slice());
        if let Some(found) = &self.found {
            match posix_spawn(found.as_c_str(), &actions, attributes, &arguments, environment) {
                Err(nix::Error::ENOENT) => {}
                started => return started.and_then(number),
            }
        }
        posix_spawnp(&self.program, &actions, attributes, &arguments, environment).and_then(number)
    }
}

fn number(pid: Pid) -> nix::Result<process::Pid> {
    process::Pid::from_raw(pid.as_raw()).ok_or(nix::Error::ESRCH)
}

/// Our own environment, without what belongs to this process, to another watcher's command, or to each
/// command anew.
fn inherited() -> Vec<CString> {
    let is_own = |name: &OsStr| {
        OWN_VARIABLES.iter().chain(&template::VARIABLES).any(|own| name == *own) || name == tree::TOKEN
    };
    env::vars_os()
        .filter(|(name, _)| !is_own(name))
        .filter_map(|(name, value)| variable(&name, &value))
        .collect()
}

/// `NAME=value`. There is no NUL in what was a variable or a path before.
fn variable(name: &OsStr, value: &OsStr) -> Option<CString> {
    CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).ok()
}

/// Refuses a command that is not there, before the first file is.
///
/// # Errors
/// A sentence with the way out.
pub(super) fn must_be_there(program: &OsStr) -> common::Result<()> {
    if find(program).is_some() {
        return Ok(());
    }
    match not_started(program, io::Error::from(Errno::NOENT)) {
        End::NotRunnable(error) => Err(error),
        _ => Ok(()),
    }
}

/// Opens a file to be read by a command, and no pipe that has come in its place.
fn content(path: &Path, follow: bool) -> io::Result<File> {
    // Without NONBLOCK opening a pipe waits for somebody who writes.
    let mut flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    flags.set(OFlags::NOFOLLOW, !follow);
    let file = File::from(open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file any more"));
    }
    fcntl_setfl(&file, OFlags::empty())?;
    Ok(file)
}

/// Whether the system is short of something, and will not be for ever.
fn is_passing(cause: &io::Error) -> bool {
    let passing = [Errno::AGAIN, Errno::NOMEM, Errno::MFILE, Errno::NFILE, Errno::TXTBSY, Errno::INTR];
    Errno::from_io_error(cause).is_some_and(|number| passing.contains(&number))
}

fn not_started(program: &OsStr, cause: io::Error) -> End {
    if is_passing(&cause) {
        return End::NoRoom(cause);
    }
    if Errno::from_io_error(&cause) == Some(Errno::TOOBIG) {
        return End::Failure("its names are too long for one command line".into());
    }
    let error = Error::failed(format!("cannot run {}", program.display()));
    End::NotRunnable(match reason(program, &cause) {
        Some(reason) => error.because(reason),
        None => error.because(cause),
    })
}

/// Why a command cannot be run, and the way out, where the system's own words do not say it.
fn reason(program: &OsStr, cause: &io::Error) -> Option<String> {
    let found = find(program);
    match (Errno::from_io_error(cause)?, found) {
        (Errno::NOENT, Some(path)) => Some(missing_interpreter(&path)),
        (Errno::NOENT, None) if !program.as_bytes().contains(&b'/') => {
            let path = env::var_os("PATH").unwrap_or_default();
            Some(format!("no such command in PATH ({}); name it with its whole path", path.display()))
        }
        (Errno::ACCESS, Some(path)) => Some(format!(
            "{} is not executable; give it the right with chmod +x, and look whether its file system is \
             mounted with noexec",
            path.display()
        )),
        (Errno::NOEXEC, _) => Some(format!(
            "it is no program of this machine and has no `#!` line; write `sh {}` for a shell script",
            program.display()
        )),
        _ => None,
    }
}

/// The program is there, but the kernel looks for another one that shall run it.
fn missing_interpreter(program: &Path) -> String {
    let program_name = program.display();
    let mut line = Vec::new();
    // BINPRM_BUF_SIZE: the kernel looks no further.
    let _readable = File::open(program).map(|file| file.take(256).read_to_end(&mut line));
    let first = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let words = first.strip_prefix(b"#!").unwrap_or_default().trim_ascii_start();
    let interpreter = words.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    if interpreter.is_empty() {
        return format!(
            "{program_name} is there, but not the loader it was linked for; install that, or build it anew"
        );
    }
    let carriage = if first.ends_with(b"\r") { "; its lines end with CR LF" } else { "" };
    let interpreter = String::from_utf8_lossy(interpreter);
    format!(
        "its interpreter {interpreter} is not there; install it, or mend the first line of {program_name}{carriage}"
    )
}

/// The file that a command's name means, as execvp(3) looks for it: the first that can be executed.
pub(super) fn find(program: &OsStr) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| access(path, Access::EXEC_OK).is_ok() && path.is_file();
    in_path(program, is_program).or_else(|| in_path(program, |path| path.is_file()))
}

fn in_path(program: &OsStr, is_it: impl Fn(&PathBuf) -> bool) -> Option<PathBuf> {
    if program.as_bytes().contains(&b'/') {
        return Some(PathBuf::from(program)).filter(is_it);
    }
    let path = env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    env::split_paths(&path).map(|folder| folder.join(program)).find(is_it)
}
