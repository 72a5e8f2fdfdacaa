//! Every fault that a watcher of folders meets, and the tests that make it happen.
//!
//! | | fault | tests |
//! |---|---|---|
//! | 1 | the kernel's queue overflows | `losses::an_overflow_of_the_queue_loses_nothing` |
//! | 2 | watches or instances run out | [`super::faults_limits`], the first two |
//! | 3 | the folder is removed and made again, or replaced | `faults_folders::a_folder_that_is_removed_and_made_again_is_watched_again`, `…::another_folder_under_the_old_name_is_watched` |
//! | 4 | it is missing at the start | `faults_folders::a_folder_that_is_not_there_at_the_start_is_waited_for`, `…::a_single_pass_over_what_is_not_there_is_no_success` |
//! | 5 | mounts come and go over it | `faults_folders::what_is_mounted_over_the_folder_is_watched_and_then_the_folder_again` |
//! | 6 | a folder or a file may not be read | `faults_folders::what_may_not_be_read_is_said_once_and_taken_when_it_may`, `…::a_single_pass_that_could_not_read_all_is_no_success`, `…::a_file_that_may_not_be_read_is_hashed_when_it_may` |
//! | 7 | no room under the ledger | all of [`super::faults_disk`]; ENOSPC and EDQUOT at every call in [`super::faults_sweep`] |
//! | 8 | the ledger is damaged, cut short, newer, read-only, or held | [`super::faults_ledger`], up to the journals |
//! | 9 | a command hangs, and what it started holds on | `faults_commands::who_hangs_…`, `…::what_a_command_leaves_behind_…`; `src/tree/tests.rs` |
//! | 10 | it cannot be run | `faults_commands::a_command_that_cannot_be_run_ends_the_watcher_and_spoils_no_file` |
//! | 11 | SIGTERM, and another one | `faults_commands::sigterm_…`, `…::after_the_grace_…`, `…::a_second_sigterm_…` |
//! | 12 | SIGKILL at every step | all of [`super::faults_sweep`]; `losses::a_killed_watcher_loses_nothing_and_tells_what_it_repeats`; `faults_commands::who_is_killed_…` |
//! | 13 | the clock jumps | `faults_files::a_time_in_the_future_or_long_ago_blocks_nothing`, `faults_ledger::a_wait_from_before_the_clock_was_set_back_is_no_longer_than_any`; a clock that is set while it runs is `a_clock_that_is_set_is_noticed` in `src/ready.rs` |
//! | 14 | an inode is used again | `losses::one_name_with_new_content_is_a_new_file_each_time` |
//! | 15 | names, contents and links that are alike | `faults_files::files_that_are_alike_are_told_apart_as_is_asked` |
//! | 16 | writers that are slow, die, map, or come again | `losses::a_half_is_not_taken_while_it_is_written`, `losses::a_file_that_is_opened_again_…`; `faults_files::what_is_open_…`, `…::what_is_mapped_…`, `…::a_writer_that_opens_its_file_again_…` |
//! | 17 | trees move, folders become links, links loop | `losses::files_that_are_renamed_into_the_folder_are_taken_once`; `faults_folders::a_tree_that_is_moved_in_…`, `…::links_lead_nowhere_…` |
//! | 18 | names of any bytes, and paths that are too long | `faults_files::any_name_arrives_as_it_is`, `…::a_path_that_is_too_long_…` |
//! | 19 | commands change, delete or make files | `faults_commands::a_command_that_changes_its_own_file_…`, `…::a_command_may_delete_its_file_and_make_others` |
//! | 20 | the shelves are elsewhere, within, full, or closed | all of [`super::faults_shelf`] |
//! | 21 | descriptors, zombies and records add up | `faults_limits::two_thousand_files_leave_no_descriptor_and_no_zombie`; `faults_sweep::without_descriptors_nothing_is_lost` |
//! | 22 | commands print much, or to nobody | `faults_limits::however_much_…`, `…::a_closed_output_…` |
//! | 23 | file systems that do not tell of changes | `faults_folders::what_an_overlay_does_not_tell_…`; NFS, FUSE and the like are known by their numbers: `src/filesystem.rs` |
//! | 24 | process numbers are used again | `faults_ledger::a_command_that_has_survived_…`, `…::a_start_whose_command_is_gone_…`; `a_number_that_is_used_again_is_another_process` in `src/tree/tests.rs` |
//! | 25 | several nodes on one ledger | there is no such ledger yet |
//!
//! What is here: a folder, its watcher, and mounts of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use testkit::notes::{self, Note};

use super::mill::note_file;

/// How long a condition is waited for: far more than any needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `is_so`.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "waited in vain until {what}");
        sleep(Duration::from_millis(5));
    }
}

/// The names in a folder; none when it is not there.
pub(crate) fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

/// A folder `in` to be watched with the ledger `state` and the notes beside it. Dropped, it kills its
/// watcher.
pub(crate) struct Site {
    top: TempDir,
    launcher: Vec<String>,
    watcher: Option<Child>,
}

impl Site {
    pub(crate) fn new() -> Self {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir(top.path().join("in")).unwrap();
        Self { top, launcher: Vec::new(), watcher: None }
    }

    /// From now on watchers are started by this, which ends by `exec "$@"`.
    pub(crate) fn launch_by(&mut self, words: &[&str]) {
        self.launcher = words.iter().map(|&word| word.to_owned()).collect();
    }

    /// Where `name` is, without a link in the path.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.top.path().canonicalize().unwrap().join(name)
    }

    /// Puts a file with this content into the watched folder.
    pub(crate) fn put(&self, name: impl AsRef<Path>, text: &str) {
        testkit::write(self.path("in").join(name), text);
    }

    /// The program with these arguments, in the folder of the site; `{}` there stands for it.
    pub(crate) fn tool(&self, args: &[&str]) -> Command {
        let mut words: Vec<PathBuf> = self.launcher.iter().map(PathBuf::from).collect();
        words.push(testkit::sweep::program(env!("CARGO_BIN_EXE_dirwatch")));
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(args).current_dir(self.path("")).env_remove("RUST_LOG");
        command.env("HOME", self.path("")).env_remove("XDG_STATE_HOME").stdin(Stdio::null());
        command
    }

    /// The flags, then where it watches and records, then the command: that which notes, unless another
    /// one is given.
    pub(crate) fn line(&self, flags: &[&str], command: &[&str]) -> Command {
        let mut line = self.tool(flags);
        if !flags.iter().any(|flag| flag.starts_with("--state")) {
            line.arg("--state=state");
        }
        line.args(["in", "--"]);
        if command.is_empty() {
            line.arg(note_file()).arg(self.path("notes")).arg("{}");
        }
        line.args(command);
        line
    }

    /// Starts a watcher.
    pub(crate) fn start(&mut self, flags: &[&str], command: &[&str]) {
        let line = self.line(flags, command);
        self.spawn(line);
    }

    /// Starts a watcher by this line.
    pub(crate) fn spawn(&mut self, mut line: Command) {
        assert!(self.watcher.is_none(), "one watches already");
        let errors = File::options().append(true).create(true).open(self.path("errors")).unwrap();
        self.watcher = Some(line.stdout(Stdio::null()).stderr(errors).spawn().unwrap());
    }

    /// Runs it to its end: its status, 128+n after signal n, and what it printed and said.
    pub(crate) fn run(mut line: Command) -> (i32, String, String) {
        let output = line.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (status_of(output.status), text(&output.stdout), text(&output.stderr))
    }

    /// A single pass: its status and what it said.
    pub(crate) fn once(&self, flags: &[&str], command: &[&str]) -> (i32, String) {
        let (status, _, said) = Self::run(self.line(&[flags, &["--once"]].concat(), command));
        (status, said)
    }

    /// What `--list`, `--status` or the like prints.
    pub(crate) fn look(&self, flag: &str) -> (i32, String, String) {
        Self::run(self.tool(&[flag, "--state=state"]))
    }

    /// How many files have this state.
    pub(crate) fn count(&self, state: &str) -> usize {
        self.look(&format!("--list={state}")).1.lines().skip(1).count()
    }

    /// The process id of the watcher.
    pub(crate) fn pid(&self) -> u32 {
        self.watcher.as_ref().unwrap().id()
    }

    /// Waits until `is_so`, while the watcher watches.
    #[track_caller]
    pub(crate) fn wait(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let since = Instant::now();
        while !is_so(self) {
            let ended = self.watcher.as_mut().and_then(|watcher| watcher.try_wait().unwrap());
            assert!(ended.is_none(), "it ended with {ended:?} before {what}\n{}", self.said());
            assert!(since.elapsed() < PATIENCE, "waited in vain until {what}\n{}", self.said());
            sleep(Duration::from_millis(5));
        }
    }

    /// Waits until a file with this name was noted.
    #[track_caller]
    pub(crate) fn wait_noted(&mut self, name: &str) {
        self.wait(&format!("{name} is noted"), |site| site.noted().contains_key(name));
    }

    /// Waits until it has said this.
    #[track_caller]
    pub(crate) fn wait_said(&mut self, part: &str) {
        self.wait(&format!("\"{part}\" is said"), |site| site.said().contains(part));
    }

    pub(crate) fn notes(&self) -> Vec<Note> {
        notes::read(&self.path("notes")).unwrap()
    }

    /// The attempts of each file, by the name it had.
    pub(crate) fn noted(&self) -> BTreeMap<String, Vec<u32>> {
        let mut noted: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for note in self.notes() {
            let name = note.path.file_name().unwrap_or(OsStr::new("")).to_string_lossy().into_owned();
            noted.entry(name).or_default().push(note.attempt.unwrap());
        }
        noted
    }

    /// What the watchers have said.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.path("errors")).unwrap_or_default()).into_owned()
    }

    /// How often the watchers have said this.
    pub(crate) fn times_said(&self, part: &str) -> usize {
        self.said().matches(part).count()
    }

    /// Sends the watcher a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.watcher.as_ref().unwrap()), signal).unwrap();
    }

    /// Waits for the end of the watcher.
    #[track_caller]
    pub(crate) fn ended(&mut self) -> i32 {
        let since = Instant::now();
        loop {
            let ended = self.watcher.as_mut().unwrap().try_wait().unwrap();
            if let Some(status) = ended {
                self.watcher = None;
                return status_of(status);
            }
            assert!(since.elapsed() < PATIENCE, "it does not end\n{}", self.said());
            sleep(Duration::from_millis(1));
        }
    }

    /// Ends the watcher as systemd does.
    #[track_caller]
    pub(crate) fn end(&mut self) -> i32 {
        self.signal(Signal::TERM);
        self.ended()
    }

    /// Kills the watcher.
    #[track_caller]
    pub(crate) fn kill(&mut self) {
        self.signal(Signal::KILL);
        assert_eq!(self.ended(), 137);
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(mut watcher) = self.watcher.take() {
            let _already_gone = watcher.kill();
            let _nothing_to_do = watcher.wait();
        }
    }
}

fn status_of(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// Mounts of our own, which live as long as this.
pub(crate) struct Mounts {
    holder: Child,
    pid: String,
}

impl Mounts {
    /// Runs `script` in a mount namespace of its own, in the folder of `site`; `None`, and a line that says
    /// so, where that is not allowed.
    pub(crate) fn new(site: &Site, script: &str) -> Option<Self> {
        let mut unshare = Command::new("unshare");
        unshare.args(["--map-root-user", "--mount", "sh", "-ec"]);
        unshare.arg(format!("{script}\necho ready; exec cat")).current_dir(site.path(""));
        unshare.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut holder = unshare.spawn().ok()?;
        let mut line = String::new();
        BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let pid = holder.id().to_string();
        let mounts = Self { holder, pid };
        if line != "ready\n" {
            println!("skipped: `unshare --map-root-user --mount` cannot do `{script}` here");
            return None;
        }
        Some(mounts)
    }

    /// What starts a command among these mounts, in the folder of `site`.
    pub(crate) fn launcher(&self, site: &Site) -> Vec<String> {
        let enter = ["nsenter", "--target", &self.pid, "--user", "--preserve-credentials", "--mount"];
        // A folder that was entered before shows nothing of these mounts.
        let folder = site.path("").display().to_string();
        let words = ["sh", "-ec", r#"cd "$0"; exec "$@""#, &folder];
        enter.into_iter().chain(words).map(str::to_owned).collect()
    }

    /// Runs a script among them.
    #[track_caller]
    pub(crate) fn sh(&self, site: &Site, script: &str) {
        let launcher = self.launcher(site);
        let mut line = Command::new(&launcher[0]);
        let done = line.args(&launcher[1..]).args(["sh", "-ec", script]).output().unwrap();
        assert!(done.status.success(), "{script}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

impl Drop for Mounts {
    fn drop(&mut self) {
        let _already_gone = self.holder.kill();
        let _nothing_to_do = self.holder.wait();
    }
}

/// Has root obey the modes of files, as everybody else does; false, and a line that says so, where that
/// cannot be.
pub(crate) fn obey_modes(site: &mut Site) -> bool {
    if !rustix::process::geteuid().is_root() {
        return true;
    }
    let words = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", "--"];
    let probe = Command::new(words[0]).args([words[1], words[2], "true"]).output();
    if !probe.is_ok_and(|run| run.status.success()) {
        println!("skipped: setpriv cannot take capabilities away here");
        return false;
    }
    site.launch_by(&words);
    true
}
