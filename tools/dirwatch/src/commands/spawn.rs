//! Starting a command.

use std::env;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use common::Error;
use rustix::fs::{Access, Mode, OFlags, access, fcntl_setfl, open};
use rustix::io::Errno;

use super::{End, Job, Settings};
use crate::service::OWN_VARIABLES;
use crate::template;
use crate::tree;

/// Starts the command for a job; `token` is what [`tree::TOKEN`] says in its environment. `found` is
/// where [`find`] has found the program: a search in PATH costs every start 2 microseconds for each folder
/// before the right one. When it is not there any more it is searched again.
pub(super) fn spawn(settings: &Settings, found: Option<&Path>, job: &Job, token: &str) -> Result<Child, End> {
    let input = match job.files.first().filter(|_| settings.stdin) {
        None => Stdio::null(),
        Some(file) => match content(&file.path, settings.follow) {
            Ok(content) => content.into(),
            Err(full) if is_passing(&full) => return Err(End::NoRoom(full)),
            Err(cause) => return Err(End::Unreadable(cause)),
        },
    };
    let program = settings.template.program();
    let mut command = Command::new(found.map_or(program, Path::as_os_str));
    command.arg0(program);
    command.args(settings.template.arguments(&job.files));
    command.envs(template::environment(&job.files)).env(tree::TOKEN, token);
    for variable in OWN_VARIABLES {
        command.env_remove(variable);
    }
    // A batch has no path, and a watcher that another one has started has inherited one.
    if job.files.len() > 1 {
        command.env_remove("DIRWATCH_PATH");
    }
    command.stdin(input).process_group(0);
    match command.spawn() {
        Err(gone) if gone.kind() == io::ErrorKind::NotFound && found.is_some() => {
            spawn(settings, None, job, token)
        }
        started => started.map_err(|cause| not_started(program, cause)),
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
