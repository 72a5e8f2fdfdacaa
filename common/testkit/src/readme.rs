//! A README is its tool's manual and its test: its `console` blocks are executed.

mod blocks;
mod places;
mod unattended;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::diff::diff;
use crate::process::{Process, Stdin, Stdout, clean_env, path_of};
use crate::{testdata, write};
use blocks::Step;

/// How long one command may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A line of a manual that stands for any number of lines of output, none included.
const ANY_LINES: &str = "...";

/// Executes every `console` block of the README at `manual` (relative to the package), and fails with
/// the line number, the command and a diff for every command that does not do what is written there.
///
/// ````text
/// ```console
/// $ logcount app.log | head -2         run by bash, without pipefail, in a copy of testdata/
/// ERROR 2                              what it prints, stdout and stderr as they come
/// ...                                  any number of lines
/// $ logcount --level error <<'END'     a command goes on
/// > INFO nothing to see                … in lines that begin with `> `
/// > END
/// ? 1                                  the exit status, 0 unless given
/// ```
/// ````
///
/// The commands of `cron` and `ini` blocks, lines of a crontab and of a unit, are run too, wherever they
/// stand between the others; they may print anything, and have to end with status 0.
///
/// `program` is `env!("CARGO_BIN_EXE_…")`: its folder comes first on the `PATH`. All commands of one
/// README share one copy of [`testdata`], so a file written by one is there for the next; the
/// copies are as new as the run, so an example that depends on the time of a file sets it with
/// `touch -d`. Shell variables and the current folder do not outlive their command, nor does what it
/// leaves in the background. White space at the ends of lines, and empty lines at the end, do not
/// count.
///
/// With `README_BLESS=1` in the environment the outputs and statuses that differ are written into the
/// README instead.
///
/// # Panics
/// When an output or a status differs, when the README has nothing to execute, or when a block would
/// be left out because it is not quite a `console` block.
#[track_caller]
pub fn readme(program: impl AsRef<Path>, manual: impl AsRef<Path>) {
    readme_with(program, manual, |_| {});
}

/// As [`readme`], for examples that need more than `testdata/`: `prepare` is called once before them
/// with the folder in which they run, which is their `HOME` too.
///
/// # Panics
/// As [`readme`], and when `prepare` does.
#[track_caller]
pub fn readme_with(program: impl AsRef<Path>, manual: impl AsRef<Path>, prepare: impl FnOnce(&Path)) {
    execute(program.as_ref(), manual.as_ref(), Paths::AsWritten, prepare);
}

/// As [`readme_with`], for a manual that shows a whole system: `/etc`, `/run`, `/srv`, `/usr/local` and
/// `/var` in its commands lie below the folder in which they run, and their outputs do not say so.
///
/// # Panics
/// As [`readme_with`].
#[track_caller]
pub fn readme_of_a_system(program: impl AsRef<Path>, manual: impl AsRef<Path>, prepare: impl FnOnce(&Path)) {
    execute(program.as_ref(), manual.as_ref(), Paths::BelowTheFolder, prepare);
}

/// What an absolute path in a command means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Paths {
    AsWritten,
    BelowTheFolder,
}

#[track_caller]
fn execute(program: &Path, manual: &Path, paths: Paths, prepare: impl FnOnce(&Path)) {
    let text = fs::read_to_string(manual)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", manual.display()));
    let wrong = mismatches(&text, (program, paths), prepare);
    let wrong = wrong.unwrap_or_else(|refusal| panic!("{}: {refusal}", manual.display()));
    if wrong.is_empty() {
        return;
    }
    let can_be_blessed = wrong.iter().any(|mismatch| mismatch.step.place.is_some());
    if can_be_blessed && std::env::var_os("README_BLESS").is_some_and(|bless| bless == "1") {
        write(manual, blessed(&text, &wrong));
        eprintln!("blessed {} outputs of {}", wrong.len(), manual.display());
        return;
    }
    let report: String = wrong.iter().map(|mismatch| mismatch.report(manual)).collect();
    panic!("{report}README_BLESS=1 writes what was got into the README");
}

/// A command that did not do what is written.
struct Mismatch {
    step: Step,
    output: Vec<String>,
    status: i32,
    /// Why there is no status: the command had to be killed.
    late: Option<String>,
}

/// Executes the blocks of `text` and returns what differs.
fn mismatches(
    text: &str,
    program: (&Path, Paths),
    prepare: impl FnOnce(&Path),
) -> Result<Vec<Mismatch>, String> {
    let steps = blocks::parse(text)?;
    let folder = tempfile::tempdir().map_err(|error| format!("cannot make a temporary folder: {error}"))?;
    if testdata().is_dir() {
        copy(&testdata(), folder.path()).map_err(|error| format!("cannot copy testdata: {error}"))?;
    }
    prepare(folder.path());
    let ran = steps.into_iter().map(|step| run(step, program, folder.path()));
    Ok(ran.filter(Mismatch::differs).collect())
}

fn run(step: Step, (program, paths): (&Path, Paths), folder: &Path) -> Mismatch {
    let mut command = Command::new("bash");
    clean_env(&mut command, folder, program);
    let written = match paths {
        Paths::AsWritten => step.command.clone(),
        Paths::BelowTheFolder => {
            let mut programs = folder.join("usr/local/bin:").into_os_string();
            programs.push(path_of(program));
            command.env("PATH", programs);
            places::within(&step.command, folder)
        }
    };
    command.args(["-c", &written]).current_dir(folder);
    let mut process = Process::start(command, Stdin::File("/dev/null".into()), Stdout::WithStderr, TIMEOUT);
    let (status, late) = match process.finish() {
        Ok(status) => (status, None),
        Err(late) => (-1, Some(late)),
    };
    let mut output = String::from_utf8_lossy(&process.stderr).into_owned();
    if paths == Paths::BelowTheFolder {
        output = places::without(&output, folder);
    }
    Mismatch { output: lines(&output), step, status, late }
}

/// The lines of an output as they are compared and written.
fn lines(output: &str) -> Vec<String> {
    output.trim_end().lines().map(|line| line.trim_end().to_owned()).collect()
}

impl Mismatch {
    fn differs(&self) -> bool {
        let want = lines(&self.step.output.join("\n"));
        self.late.is_some() || self.status != self.step.status || !matches(&want, &self.output)
    }

    fn report(&self, manual: &Path) -> String {
        let command = format!("{}:{}: $ {}\n", manual.display(), self.step.line, self.step.command);
        let status = match &self.late {
            Some(late) => format!("  {late}\n"),
            None if self.status == self.step.status => String::new(),
            None => format!("  status: wanted {}, got {}\n", self.step.status, self.status),
        };
        command + &status + &diff(&lines(&self.step.output.join("\n")), &self.output)
    }
}

/// Whether `got` is what `want` describes.
fn matches(want: &[String], got: &[String]) -> bool {
    match want.split_first() {
        None => got.is_empty(),
        Some((any, rest)) if any == ANY_LINES => (0..=got.len()).any(|skip| matches(rest, &got[skip..])),
        Some((line, rest)) => got.first() == Some(line) && matches(rest, &got[1..]),
    }
}

/// `text` with what was really printed. A command that had to be killed keeps what is written.
fn blessed(text: &str, wrong: &[Mismatch]) -> String {
    let mut all: Vec<String> = text.lines().map(str::to_owned).collect();
    for mismatch in wrong.iter().rev().filter(|mismatch| mismatch.late.is_none()) {
        let status = (mismatch.status != 0).then(|| format!("? {}", mismatch.status));
        if let Some(place) = mismatch.step.place.clone() {
            all.splice(place, mismatch.output.iter().cloned().chain(status));
        }
    }
    all.join("\n") + "\n"
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir(&target)?;
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Executes one block and compares the report on it.
    fn check(block: &str, want: &str) {
        let wrong = mismatches(
            &format!("```console\n{block}```\n"),
            (Path::new("/bin/true"), Paths::AsWritten),
            |_| {},
        )
        .unwrap();
        let report: String = wrong.iter().map(|mismatch| mismatch.report(Path::new("R"))).collect();
        assert_eq!(report, want, "{block}");
    }

    #[test]
    fn what_is_written_is_what_happens() {
        check("$ echo a; echo b >&2; echo c\na\nb\nc\n", "");
        check("$ echo 'a  '; echo; echo\na\n", "");
        check("$ false | true\n$ exit 23\n? 23\n$ kill $$\n? 143\n", "");
        check("$ cat <<'E'\n> $x\n> E\n$x\n", "");
        check("$ echo 1 > made; cd /\n$ cat made\n1\n", "");
        check("$ echo $LC_ALL $TZ $TERM $RUST_LOG $NO_COLOR; test $HOME = $PWD\nC.UTF-8 UTC dumb\n", "");
        check("$ read x || echo nothing\nnothing\n", "");
    }

    #[test]
    fn what_is_not_written_is_reported() {
        check("$ echo a\n", "R:2: $ echo a\n    + a\n");
        check("$ echo a\nb\n", "R:2: $ echo a\n    - b\n    + a\n");
        check("$ exit 2\n", "R:2: $ exit 2\n  status: wanted 0, got 2\n");
        check("$ true\n? 1\n", "R:2: $ true\n  status: wanted 1, got 0\n");
        check("$ true\n$ echo ' a'\na\n", "R:3: $ echo ' a'\n    - a\n    +  a\n");
    }

    #[test]
    fn three_dots_are_any_number_of_lines() {
        check("$ seq 9\n1\n...\n9\n$ seq 9\n...\n$ true\n...\n$ seq 9\n...\n4\n...\n", "");
        check("$ seq 2\n1\n...\n3\n", "R:2: $ seq 2\n      1\n    - ...\n    - 3\n    + 2\n");
    }

    #[test]
    fn a_readme_without_anything_to_execute_fails() {
        assert!(
            mismatches("# t\n\n```text\n$ true\n```\n", (Path::new("/bin/true"), Paths::AsWritten), |_| {})
                .is_err()
        );
    }

    #[test]
    fn blessing_changes_what_differs_and_nothing_else() {
        let text = "# t\n\n```console\n$ seq 3\n...\n$ echo a\nold\n? 1\n$ exit 2\n```\nend\n";
        let wrong = mismatches(text, (Path::new("/bin/true"), Paths::AsWritten), |_| {}).unwrap();
        let want = "# t\n\n```console\n$ seq 3\n...\n$ echo a\na\n$ exit 2\n? 2\n```\nend\n";
        assert_eq!(blessed(text, &wrong), want);
        assert!(mismatches(want, (Path::new("/bin/true"), Paths::AsWritten), |_| {}).unwrap().is_empty());
    }

    #[test]
    fn the_test_fails_or_blesses_through_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let manual = folder.path().join("README.md");
        write(&manual, "```console\n$ true\n```\n");
        readme("/bin/true", &manual);
        write(&manual, "```console\n$ false\n```\n");
        let failed = std::panic::catch_unwind(|| readme("/bin/true", &manual));
        assert!(failed.is_err() || std::env::var_os("README_BLESS").is_some());
    }

    #[test]
    fn the_data_are_a_copy() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(from.path().join("logs/a.log"), "x");
        copy(from.path(), to.path()).unwrap();
        assert_eq!(fs::read(to.path().join("logs/a.log")).unwrap(), b"x");
    }
}
