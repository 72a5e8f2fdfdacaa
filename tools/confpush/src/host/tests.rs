//! The scripts below every shell that is here, without a host; and a host.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Program, Stdio};
use std::time::{Duration, Instant};

use super::*;
use crate::spec::{Access, Remote};

mod basics;
mod foreign;
mod guard;
mod killed;
mod over_ssh;
mod refused;

/// What may stand behind `/bin/sh` somewhere.
const SHELLS: [&str; 6] = ["sh", "dash", "bash --posix", "busybox sh", "mksh", "ksh"];

/// Those that are here, each once.
fn shells() -> impl Iterator<Item = &'static str> {
    let name = |shell: &'static str| shell.split(' ').next().unwrap();
    let is_dash = testkit::has("dash")
        && program("sh").canonicalize().unwrap() == program("dash").canonicalize().unwrap();
    SHELLS.into_iter().filter(move |shell| testkit::has(name(shell)) && (*shell != "sh" || !is_dash))
}

/// What never comes takes so long, and what a machine with much else to do may take.
const PATIENCE: Duration = Duration::from_secs(150);

/// A machine, as far as the scripts know it.
struct Machine {
    folder: tempfile::TempDir,
    shell: &'static str,
    settings: Settings,
    within: Duration,
}

impl Machine {
    /// With the file `app.conf`, which holds `old`, mode 640, unless that is empty.
    fn new(shell: &'static str, old: &str) -> Self {
        Self::named(shell, "app.conf", old)
    }

    fn named(shell: &'static str, name: &str, old: &str) -> Self {
        // In memory, where there is such a place: a file there is synced at once.
        let shm = Path::new("/dev/shm");
        let folder = if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.unwrap();
        fs::create_dir(folder.path().join("etc")).unwrap();
        let path = folder.path().join("etc").join(name);
        if !old.is_empty() {
            testkit::write(&path, old);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        }
        let program = folder.path().join("shell");
        let (name, args) = shell.split_once(' ').unwrap_or((shell, ""));
        let text = format!("#!/bin/sh\nexec {} {args} \"$@\"\n", self::program(name).display());
        testkit::write(&program, text);
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let settings = Settings {
            name: "web".into(),
            path: path.to_str().unwrap().to_owned(),
            access: Access::default(),
            becomes: false,
            store: Some(folder.path().join("store").to_str().unwrap().to_owned()),
            trust: Vec::new(),
            keep: 2,
            validate: None,
            reload: None,
        };
        Self { folder, shell, settings, within: PATIENCE }
    }

    fn path(&self) -> &Path {
        Path::new(&self.settings.path)
    }

    fn place(&self) -> Place {
        Place::new(self.settings.clone()).with_shell(self.folder.path().join("shell").to_str().unwrap())
    }

    /// What a reload finds in the file is written down.
    fn with_reload(mut self) -> Self {
        let log = self.folder.path().join("reloads");
        let script = format!("/bin/cat {} >>'{}'", remote::shell::quoted(&self.settings.path), log.display());
        self.settings.reload = Some(Remote { script, timeout: PATIENCE });
        self
    }

    fn reloads(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.path().join("reloads")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    fn program(&self, verb: &Verb) -> Program {
        let script = self.place().whole(verb).unwrap();
        let mut words = self.shell.split(' ');
        let mut program = Program::new(program(words.next().unwrap()));
        program.args(words).arg("-c").arg(&script);
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        program
    }

    fn said(&self, verb: &Verb) -> Said {
        let mut child = self.program(verb).spawn().unwrap();
        feed(&mut child, verb);
        said(child)
    }

    fn does(&self, verb: &Verb) -> Answer {
        answer(&self.said(verb))
    }

    fn look(&self) -> Seen {
        let said = self.said(&Verb::Look);
        assert_eq!(answer(&said), Answer::Yes(()), "{}", self.shell);
        notes::read(&said.output, &self.settings.access).unwrap()
    }

    fn settle(&self) -> Settled {
        let said = self.said(&Verb::Settle);
        assert_eq!(answer(&said), Answer::Yes(()), "{}", self.shell);
        notes::settled(&said.output).unwrap()
    }

    /// A deployment of `new` on what is there now.
    fn order(&self, id: &str, new: &str) -> Order {
        let content = Content::Bytes(Zeroizing::new(new.as_bytes().to_vec()));
        let (who, version) = ("jan@box".into(), "v".into());
        Order { id: id.into(), content, version, who, seen: self.look().live, confirm_within: self.within }
    }

    #[track_caller]
    fn yes(&self, verb: &Verb) {
        assert_eq!(self.does(verb), Answer::Yes(()), "{}", self.shell);
    }

    /// Stages, swaps and confirms.
    #[track_caller]
    fn deploy(&self, order: &Order) {
        self.yes(&Verb::Stage(order.clone()));
        self.yes(&Verb::Swap(order.clone()));
        self.yes(&Verb::Confirm(order.clone()));
    }

    /// What `new` makes, on which `verbs` have been done, with a guard that is patient for `within` seconds: for
    /// longer where the machine has so much else to do that it goes back before they are.
    #[track_caller]
    fn guarded(within: u64, new: impl Fn() -> Self, verbs: &[fn(Order) -> Verb]) -> (Self, Order) {
        for within in [within, within * 5, within * 25] {
            let mut machine = new();
            machine.within = Duration::from_secs(within);
            let order = machine.order("1-a", "new\n");
            let done = verbs.iter().try_for_each(|verb| match machine.does(&verb(order.clone())) {
                Answer::Yes(()) => Ok(()),
                Answer::No(why) | Answer::Unknown(why) => Err(why),
            });
            match done {
                Ok(()) => return (machine, order),
                Err(why) => assert!(["it up", "goes back"].iter().any(|end| why.contains(end)), "{why}"),
            }
            machine.reboot();
        }
        panic!("the guard does not wait")
    }

    /// What is in the file; empty: there is none.
    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap_or_default()
    }

    fn mode(&self) -> u32 {
        fs::metadata(self.path()).unwrap().mode() & 0o7777
    }

    /// All names beside the file, and all in its folder of the store but locks and what is kept.
    #[track_caller]
    fn is_clean(&self) {
        let name = self.path().file_name().unwrap();
        let beside: Vec<_> = names(self.path().parent().unwrap());
        assert!(beside.iter().all(|one| Path::new(one) == name), "{}: {beside:?}", self.shell);
        let store = self.store();
        let left: Vec<_> = names(&store)
            .into_iter()
            .filter(|name| !["lock", "step", "kept"].contains(&name.as_str()))
            .collect();
        assert!(left.is_empty(), "{}: {left:?}", self.shell);
        // A guard that was killed may not be gone yet.
        self.wait_for_the_lock();
    }

    fn store(&self) -> PathBuf {
        let web = self.folder.path().join("store/web");
        names(&web).first().map_or(web.join("none"), |name| web.join(name))
    }

    /// The processes of guards.
    fn guards(&self) -> Vec<i32> {
        let open = names(&self.store().join("open"));
        open.iter().filter_map(|name| name.strip_prefix("guard.")?.parse().ok()).collect()
    }

    /// Kills the guard, if there is one, as a reboot does; also one that is just about to say who it is.
    fn reboot(&self) {
        self.wait_for_the_lock_and(|| {
            for guard in self.guards() {
                let pid = rustix::process::Pid::from_raw(guard).unwrap();
                let _may_be_gone = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        });
    }

    /// Waits until a process that is about to end has ended.
    fn wait_for_the_lock(&self) {
        self.wait_for_the_lock_and(|| ());
    }

    fn wait_for_the_lock_and(&self, act: impl Fn()) {
        let end = Instant::now() + PATIENCE;
        act();
        while self.is_locked() {
            assert!(Instant::now() < end, "{}: somebody keeps the lock", self.shell);
            std::thread::sleep(Duration::from_millis(5));
            act();
        }
    }

    fn is_locked(&self) -> bool {
        let lock = self.store().join("lock");
        lock.exists() && !Program::new("flock").arg("-n").arg(lock).arg("true").status().unwrap().success()
    }

    /// Waits until nothing is open any more.
    fn wait_until_over(&self) {
        let end = Instant::now() + PATIENCE;
        while self.look().open.is_some() {
            assert!(Instant::now() < end, "{}: it does not end", self.shell);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Gives a script what it reads.
fn feed(child: &mut Child, verb: &Verb) {
    let mut input = child.stdin.take().unwrap();
    if let Verb::Stage(Order { content: Content::Bytes(bytes), .. }) = verb {
        // One that ends early reads no more.
        let _is_read = input.write_all(bytes);
    }
}

fn said(child: Child) -> Said {
    let output = child.wait_with_output().unwrap();
    let complaint = conceal::quoted(&output.stderr);
    Said { status: output.status.code().unwrap_or(255), output: Zeroizing::new(output.stdout), complaint }
}

/// All names in a folder; none where there is no folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Where `name` is, whatever the path of the child will be.
fn program(name: &str) -> PathBuf {
    let places = ["/usr/bin", "/bin", "/usr/local/bin"].iter().map(|place| Path::new(place).join(name));
    places.into_iter().find(|path| path.exists()).unwrap_or_else(|| panic!("there is no {name}"))
}
