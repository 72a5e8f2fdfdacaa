//! Hosts for a deployment: one sshd by many names, a folder for each.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use testkit::sshd::Sshd;

/// What is on all hosts before the first deployment.
pub(crate) const OLD: &str = "{\"workers\": 1}\n";

/// What the first deployment makes of it.
pub(crate) const NEW: &str = "{\"workers\": 4}\n";

/// The mode before, which the spec does not name.
pub(crate) const MODE: u32 = 0o604;

/// What never comes takes so long. A guard that is left alone waits for a minute, on a busy machine for two.
const PATIENCE: Duration = Duration::from_secs(150);

/// Hosts, a spec, and a folder for the audit log.
pub(crate) struct Rig {
    pub(crate) server: Sshd,
    pub(crate) folder: TempDir,
    spec: Spec,
}

/// What differs between rigs; texts in which `FOLDER` is that of the rig.
#[derive(Clone)]
pub(crate) struct Spec {
    /// The environments and their hosts.
    pub(crate) envs: &'static [(&'static str, &'static [&'static str])],
    /// Lines before the first table.
    pub(crate) head: String,
    /// Tables.
    pub(crate) tables: String,
    /// Lines of an environment.
    pub(crate) env_lines: BTreeMap<&'static str, String>,
    /// The value in all hosts' files.
    pub(crate) workers: u32,
}

impl Spec {
    /// One environment of three hosts.
    pub(crate) fn three() -> Self {
        Self::of(&[("prod", &["web01", "web02", "web03"])])
    }

    /// These environments.
    pub(crate) fn of(envs: &'static [(&'static str, &'static [&'static str])]) -> Self {
        let (head, tables, env_lines) = (String::new(), String::new(), BTreeMap::new());
        Self { envs, head, tables, env_lines, workers: 4 }
    }

    /// With more tables.
    pub(crate) fn with(mut self, tables: &str) -> Self {
        self.tables.push_str(tables);
        self.tables.push('\n');
        self
    }

    /// With more lines in an environment.
    pub(crate) fn env(mut self, env: &'static str, lines: &str) -> Self {
        self.env_lines.entry(env).or_default().push_str(&format!("{lines}\n"));
        self
    }

    fn text(&self, folder: &Path, config: &Path) -> String {
        let mut text = format!(
            "name = \"web\"\nsource = \"app.json.j2\"\npath = \"FOLDER/{{{{ host }}}}/etc/app.json\"\n\
             store = \"FOLDER/store\"\n{}\n[values]\nworkers = {}\n[ssh]\nconfig = \"{}\"\n{}\n",
            self.head,
            self.workers,
            config.display(),
            self.tables
        );
        for (name, hosts) in self.envs {
            let lines = self.env_lines.get(name).map_or("", String::as_str);
            text.push_str(&format!("[[environments]]\nname = \"{name}\"\nhosts = {hosts:?}\n{lines}\n"));
        }
        if !self.tables.contains("timeout") {
            // A check that is slow has failed, and on a busy machine each of them is.
            text = text.replace("[[health]]", "[[health]]\ntimeout = \"50s\"");
        }
        text.replace("FOLDER", &folder.display().to_string())
    }
}

impl Rig {
    /// With the old file on all hosts. None where there is no sshd.
    pub(crate) fn start(spec: Spec) -> Option<Self> {
        Sshd::new().start().map(|server| Self::at(server, spec))
    }

    /// The same at this server.
    pub(crate) fn at(server: Sshd, spec: Spec) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rig = Self { server, folder, spec };
        for host in rig.hosts() {
            testkit::write(rig.live(host), OLD);
            fs::set_permissions(rig.live(host), fs::Permissions::from_mode(MODE)).unwrap();
        }
        testkit::write(rig.path("app.json.j2"), "{\"workers\": {{ workers }}}\n");
        rig.down(&[]);
        rig.write();
        rig
    }

    /// Changes the spec.
    pub(crate) fn edit(&mut self, change: impl FnOnce(&mut Spec)) {
        change(&mut self.spec);
        self.write();
    }

    fn write(&self) {
        let text = self.spec.text(self.folder.path(), &self.path("ssh_config"));
        testkit::write(self.path("web.toml"), text);
    }

    /// From here on these hosts are out of reach, and all others in reach.
    pub(crate) fn down(&self, hosts: &[&str]) {
        let config = fs::read_to_string(self.server.path("ssh_config")).unwrap();
        let down = hosts.iter().map(|host| format!("Host {host}\n  Port 1\n")).collect::<Vec<_>>().concat();
        let names = format!("Host {}\n  HostName 127.0.0.1\n", self.hosts().join(" "));
        testkit::write(self.path("ssh_config"), format!("{down}{names}{config}"));
    }

    /// All hosts.
    pub(crate) fn hosts(&self) -> Vec<&'static str> {
        self.spec.envs.iter().flat_map(|(_, hosts)| hosts.iter().copied()).collect()
    }

    /// A file of the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The file that is deployed to.
    pub(crate) fn live(&self, host: &str) -> PathBuf {
        self.path(host).join("etc/app.json")
    }

    /// What is in it.
    pub(crate) fn text(&self, host: &str) -> String {
        fs::read_to_string(self.live(host)).unwrap_or_else(|error| error.to_string())
    }

    /// The arguments before the task.
    pub(crate) fn args(&self, task: &[&str]) -> Vec<String> {
        let state = self.path("state").display().to_string();
        let task = task.iter().map(|word| (*word).to_owned());
        ["--state".to_owned(), state].into_iter().chain(task).collect()
    }

    /// A run in the folder.
    pub(crate) fn command(&self, task: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_confpush"));
        command.args(self.args(task)).current_dir(self.folder.path()).env_remove("RUST_LOG");
        command.stdin(std::process::Stdio::null());
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, task: &[&str]) -> Output {
        self.command(task).output().unwrap()
    }

    /// Runs it and expects this status; what it said on both outputs.
    #[track_caller]
    pub(crate) fn expect(&self, status: i32, task: &[&str]) -> String {
        let run = self.run(task);
        let said = said(&run);
        assert_eq!(run.status.code(), Some(status), "{task:?}: {said}");
        said
    }

    /// The objects that it prints.
    #[track_caller]
    pub(crate) fn json(&self, status: i32, task: &[&str]) -> Vec<Value> {
        let run = self.run(&[task, &["--json"]].concat());
        assert_eq!(run.status.code(), Some(status), "{task:?}: {}", said(&run));
        let text = String::from_utf8(run.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// That every host has `text`, with the mode and owner that the file had at first.
    #[track_caller]
    pub(crate) fn all_have(&self, text: &str) {
        let wrong = self.wrong(&self.hosts(), text);
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    /// Hosts that do not have `text` with the mode and owner from before.
    pub(crate) fn wrong(&self, hosts: &[&str], text: &str) -> Vec<String> {
        let me = fs::metadata(self.folder.path()).unwrap();
        let check = |host: &&&str| {
            let of = fs::metadata(self.live(host)).ok();
            let is_kept =
                of.is_some_and(|of| (of.mode() & 0o7777, of.uid(), of.gid()) == (MODE, me.uid(), me.gid()));
            !is_kept || self.text(host) != text
        };
        hosts.iter().filter(check).map(|host| format!("{host}: {:?}", self.text(host))).collect()
    }

    /// What is beside the file or in the store and should not be there once a run is over.
    pub(crate) fn strays(&self) -> Vec<String> {
        let hosts = self.hosts();
        let beside = hosts.iter().flat_map(|host| {
            let names = names(&self.path(host).join("etc")).into_iter().filter(|name| name != "app.json");
            names.map(move |name| format!("{host}: {name}"))
        });
        let store = self.path("store/web");
        let strays = names(&store).into_iter().flat_map(|file| {
            let folder = store.join(&file);
            let open = names(&folder.join("open")).into_iter().map(|name| format!("open/{name}"));
            let known = ["lock", "step", "open", "kept"];
            let others = names(&folder).into_iter().filter(move |name| !known.contains(&name.as_str()));
            open.chain(others).map(move |name| format!("{file}: {name}")).collect::<Vec<_>>()
        });
        let strays = beside.chain(strays);
        strays.collect()
    }

    /// That nothing is left of a run on any host, neither files nor processes.
    #[track_caller]
    pub(crate) fn is_clean(&self) {
        assert_eq!(self.strays(), [""; 0]);
        self.is_clean_at_last();
    }

    /// That nothing is left once all processes have ended.
    #[track_caller]
    pub(crate) fn is_clean_at_last(&self) {
        let left = wait_for(|| self.processes().is_empty());
        assert!(left, "still runs: {:?}", self.processes());
        assert_eq!(self.strays(), [""; 0]);
    }

    /// The processes of sessions on the hosts that are no sshd: their ids and command lines.
    pub(crate) fn processes(&self) -> Vec<(i32, String)> {
        let folder = self.server.path("");
        let mark = format!("FLEET_SESSION={}", folder.display());
        let mark = mark.trim_end_matches('/').as_bytes().to_owned();
        let all = fs::read_dir("/proc").unwrap().flatten();
        let ours = all.filter_map(|entry| {
            let id: i32 = entry.file_name().to_str()?.parse().ok()?;
            let environ = fs::read(entry.path().join("environ")).ok()?;
            environ.split(|&byte| byte == 0).any(|one| one == mark).then_some(())?;
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            (!line.is_empty()).then_some((id, line))
        });
        ours.collect()
    }

    /// A deployment that watches its hosts with the new file.
    pub(crate) fn watching(&self) -> Child {
        let mut command = self.command(&["apply", "web.toml"]);
        let run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        assert!(wait_for(|| self.hosts().iter().all(|host| self.text(host) == NEW)));
        run
    }

    /// Ends its deployer and everything on the hosts, all at once: nobody is there to bring the old file back.
    pub(crate) fn power_cut(&self, mut run: Child) {
        run.kill().unwrap();
        for (id, _) in self.processes() {
            kill(id);
        }
        run.wait().unwrap();
        assert!(wait_for(|| self.processes().is_empty()));
        self.all_have(NEW);
    }

    /// Kills all sessions: the processes of the server that are not the one which listens.
    pub(crate) fn cut(&self) {
        for (id, line) in children(&self.server.path("sshd_config")) {
            if !line.contains("-D") {
                kill(id);
            }
        }
    }

    /// The lines of the audit log.
    pub(crate) fn history(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("state/history.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// What it said on both outputs.
pub(crate) fn said(run: &Output) -> String {
    String::from_utf8_lossy(&[run.stdout.as_slice(), &run.stderr].concat()).into_owned()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Does `again` again and again while `act` goes on, also when that fails; what came of it.
pub(crate) fn meanwhile<T: Send>(mut state: T, again: impl Fn(&mut T) + Sync, act: impl FnOnce()) -> T {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                again(&mut state);
            }
            state
        });
        let acted = std::panic::catch_unwind(std::panic::AssertUnwindSafe(act));
        is_over.store(true, Ordering::SeqCst);
        let state = other.join().unwrap();
        if let Err(panic) = acted {
            std::panic::resume_unwind(panic);
        }
        state
    })
}

/// Whether `is_so` comes to be in time.
pub(crate) fn wait_for(is_so: impl Fn() -> bool) -> bool {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if is_so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    is_so()
}

/// Ends a process at once.
pub(crate) fn kill(id: i32) {
    let _already_gone = Command::new("kill").args(["-9", &id.to_string()]).output();
}

/// The server that has this configuration, and all below it: their ids and command lines.
fn children(config: &Path) -> Vec<(i32, String)> {
    let line = |id: i32| {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).replace('\0', " ")
    };
    let ids =
        fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let ids: Vec<i32> = ids.collect();
    let config = config.display().to_string();
    let parent = |id: i32| -> Option<i32> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()
    };
    let Some(server) = ids.iter().copied().find(|id| line(*id).contains(&config)) else { return Vec::new() };
    let sessions = ids.into_iter().filter(|id| line(*id).starts_with("sshd") && below(*id, server, &parent));
    sessions.map(|id| (id, line(id))).collect()
}

fn below(mut id: i32, server: i32, parent: &impl Fn(i32) -> Option<i32>) -> bool {
    while let Some(next) = parent(id).filter(|next| *next > 1) {
        if next == server {
            return true;
        }
        id = next;
    }
    false
}
