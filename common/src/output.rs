//! Which inputs and outputs do not go together.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::error::{Error, Result};

/// Refuses to write where an input is read: a file that grows while it is read never ends, and one
/// that the shell has emptied for us has nothing left to read.
///
/// # Errors
/// When the output (a path, or standard output where that is a file) and an input are one file, by
/// whatever names.
pub fn refuse_inputs(inputs: &[impl AsRef<Path>], output: Option<&Path>) -> Result<()> {
    let out = match output {
        Some(path) => std::fs::metadata(path).ok(),
        None => of(io::stdout().as_fd().try_clone_to_owned()),
    };
    let Some(out) = out.filter(Metadata::is_file) else { return Ok(()) };
    for input in inputs {
        let input = input.as_ref();
        let is_stdin = input.as_os_str() == "-";
        let found = if is_stdin {
            of(io::stdin().as_fd().try_clone_to_owned())
        } else {
            std::fs::metadata(input).ok()
        };
        if found.is_some_and(|found| (found.dev(), found.ino()) == (out.dev(), out.ino())) {
            let output = output.map_or("standard output".into(), |path| path.display().to_string());
            let input = if is_stdin { "standard input".into() } else { input.display().to_string() };
            return Err(Error::failed(format!(
                "{output} is the same file as the input {input}; name another"
            )));
        }
    }
    Ok(())
}

fn of(fd: io::Result<std::os::fd::OwnedFd>) -> Option<Metadata> {
    File::from(fd.ok()?).metadata().ok()
}
