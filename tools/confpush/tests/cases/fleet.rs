//! Three environments of twenty hosts, and at one host of one of them a step that fails: those before have the
//! new file, its own has the old one, and those behind have not been touched.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Stdio;

use super::mount::Mount;
use super::rig::{MODE, Rig, Spec, said, wait_for};

const ENVS: &[(&str, &[&str])] = &[
    (
        "dev",
        &[
            "dev01", "dev02", "dev03", "dev04", "dev05", "dev06", "dev07", "dev08", "dev09", "dev10",
            "dev11", "dev12", "dev13", "dev14", "dev15", "dev16", "dev17", "dev18", "dev19", "dev20",
        ],
    ),
    (
        "staging",
        &[
            "stag01", "stag02", "stag03", "stag04", "stag05", "stag06", "stag07", "stag08", "stag09",
            "stag10", "stag11", "stag12", "stag13", "stag14", "stag15", "stag16", "stag17", "stag18",
            "stag19", "stag20",
        ],
    ),
    (
        "prod",
        &[
            "prod01", "prod02", "prod03", "prod04", "prod05", "prod06", "prod07", "prod08", "prod09",
            "prod10", "prod11", "prod12", "prod13", "prod14", "prod15", "prod16", "prod17", "prod18",
            "prod19", "prod20",
        ],
    ),
];

/// Has every step ask whether it is to fail.
const STEPS: &str = "[validate]\nremote = \"FOLDER/step judge {}\"\ntimeout = \"10s\"\n\
                     [reload]\ncommand = \"FOLDER/step read\"\ntimeout = \"10s\"\n\
                     [[health]]\ncommand = \"FOLDER/step check {{ host }}\"\ntimeout = \"10s\"";

/// What it asks. `fault` says what fails, and on which host. A reload is not told where it is, so the judge
/// of that host arms one: the first that comes behind it. Of a host that was rebooted the check takes some time:
/// a guard that has just heard something is not asked for again.
const STEP: &str = r#"#!/bin/sh
cd "${0%/*}" && read -r kind host 2>/dev/null <fault || exit 0
case $1 in
judge) case $2 in */"$host"/*) ;; *) exit 0 ;; esac ;;
check) [ "$2" = "$host" ] || exit 0 ;;
esac
reboot() {
  for guard in $(grep -l "^file $PWD/$host/" store/web/*/open/head); do
    for guard in "${guard%/*}"/guard.*; do
      kill -9 "${guard##*.}"
    done
  done
}
end() {
  until [ -s deployer ]; do sleep 0.1; done
  kill -9 "$(cat deployer)"
}
cut() {
  p=$$
  while [ $p -gt 1 ]; do
    case $(cat /proc/$p/comm) in sshd*) kill -9 $p; exit ;; esac
    p=$(sed 's/.*) . //; s/ .*//' /proc/$p/stat)
  done
}
case $kind/$1 in
refused/judge) echo "no good" >&2; exit 1 ;;
unread/judge) mkdir armed ;;
unread/read) ! rmdir armed 2>/dev/null ;;
ill/check) echo "no answer" >&2; exit 1 ;;
lost/check) cut ;;
rebooted/check) reboot; sleep 8 ;;
killed/check) end ;;
gone/check) reboot; end ;;
esac
"#;

/// What fails, the status then, and how the audit log has it.
type Fault = (&'static str, Option<i32>, &'static str);

const FAULTS: [Fault; 7] = [
    ("refused", Some(2), "failed"),
    ("full", Some(2), "failed"),
    ("busy", Some(10), "rolled_back"),
    ("unread", Some(10), "rolled_back"),
    ("ill", Some(10), "rolled_back"),
    ("lost", Some(10), "rolled_back"),
    ("rebooted", Some(10), "rolled_back"),
];

/// With the deployer, once the guards have run out.
const KILLS: [Fault; 2] = [("killed", None, "begun"), ("gone", None, "begun")];

#[test]
fn an_environment_is_never_a_mix_and_those_behind_it_are_not_touched() {
    fail(&FAULTS);
}

#[test]
fn nor_is_it_when_the_deployer_is_killed() {
    fail(&KILLS);
}

/// One fault after the other, each in an environment of its own, then all again with the next file.
#[track_caller]
fn fail(faults: &[Fault]) {
    let Some(mut rig) = Rig::start(Spec::of(ENVS).with(STEPS)) else { return };
    testkit::write(rig.path("step"), STEP);
    fs::set_permissions(rig.path("step"), fs::Permissions::from_mode(0o755)).unwrap();
    for (round, faults) in (0..).zip(some(faults).chunks(ENVS.len())) {
        let [before, after] = [1 + round, 2 + round].map(|workers| format!("{{\"workers\": {workers}}}\n"));
        rig.edit(|spec| spec.workers = 2 + round);
        let first = fastrand::usize(..=ENVS.len() - faults.len());
        for (env, fault) in (first..).zip(faults) {
            Attempt { rig: &mut rig, env, fault, before: &before, after: &after }.fails();
        }
        rig.expect(0, &["apply", "web.toml"]);
        rig.all_have(&after);
        rig.is_clean();
    }
}

/// A third of them, beginning anywhere, and all where `SRE_SWEEP` asks for much: each takes seconds.
fn some(faults: &[Fault]) -> Vec<&Fault> {
    let wanted = std::env::var("SRE_SWEEP").ok().and_then(|text| text.parse().ok()).unwrap_or(15_usize);
    let count = (wanted.min(45) * faults.len()).div_ceil(45).max(1);
    let first = fastrand::usize(..faults.len());
    faults.iter().cycle().skip(first).take(count).collect()
}

/// A deployment that fails in one environment; those before it succeed.
struct Attempt<'a> {
    rig: &'a mut Rig,
    env: usize,
    fault: &'a Fault,
    before: &'a str,
    after: &'a str,
}

impl Attempt<'_> {
    #[track_caller]
    fn fails(self) {
        let (fault, status, outcome) = *self.fault;
        let host = ENVS[self.env].1[fastrand::usize(..20)];
        let Some(mounts) = self.inject(host) else { return };
        let later = ENVS[self.env + 1..].iter().flat_map(|(_, hosts)| *hosts);
        let later: Vec<_> = later.map(|host| (*host, self.stamp(host))).collect();
        let within = if status.is_none() { "strategy = { confirm_within = \"12s\" }\n" } else { "" };
        self.rig.edit(|spec| drop(spec.env_lines.insert(ENVS[self.env].0, within.into())));
        let run = self.run();
        let told = format!("{fault} on {host}: {}", said(&run));
        let left = wait_for(|| self.rig.processes().is_empty());
        assert!(left, "still runs: {:?} {told}", self.rig.processes());
        // Guards that soon run out may do so on a machine that has other things to do, before it is killed.
        let is_late = status.is_none() && matches!(run.status.code(), Some(2 | 10));
        assert!(run.status.code() == status || is_late, "{told}");
        for (_, hosts) in &ENVS[..self.env] {
            assert_eq!(self.rig.wrong(hosts, self.after), [""; 0], "{told}");
        }
        let open: &[&str] = if fault == "gone" && !is_late { &[host] } else { &[] };
        assert_eq!(self.open(), open, "{told}");
        let hosts: Vec<&str> = ENVS[self.env].1.iter().copied().filter(|host| !open.contains(host)).collect();
        assert_eq!(self.rig.wrong(&hosts, self.before), [""; 0], "{told}");
        for (host, stamp) in later {
            assert_eq!(self.stamp(host), stamp, "{host} {told}");
        }
        let last = self.rig.history().pop().unwrap();
        let is_so = last["outcome"] == outcome || is_late;
        assert!(last["env"] == ENVS[self.env].0 && is_so, "{last} {told}");
        fs::remove_file(self.rig.path("fault")).unwrap();
        let _is_over = fs::remove_file(self.rig.path("deployer"));
        self.rig.edit(|spec| spec.env_lines.clear());
        drop(mounts);
    }

    /// What is needed for the fault; none where that cannot be had.
    fn inject(&self, host: &str) -> Option<Vec<Mount>> {
        testkit::write(self.rig.path("fault"), format!("{} {host}\n", self.fault.0));
        let live = self.rig.live(host);
        match self.fault.0 {
            "full" => {
                let folder = live.parent().unwrap();
                let mount = Mount::small(folder)?;
                testkit::write(&live, self.before);
                fs::set_permissions(&live, fs::Permissions::from_mode(MODE)).unwrap();
                assert!(fs::write(folder.join("filler"), vec![0; 1 << 20]).is_err());
                Some(vec![mount])
            }
            "busy" => Mount::over_itself(&live).map(|mount| vec![mount]),
            _ => Some(Vec::new()),
        }
    }

    fn run(&self) -> std::process::Output {
        let mut command = self.rig.command(&["apply", "web.toml"]);
        let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        testkit::write(self.rig.path("deployer"), format!("{}\n", run.id()));
        run.wait_with_output().unwrap()
    }

    /// What changes whenever the file is replaced or written.
    fn stamp(&self, host: &str) -> (u64, i64, i64) {
        let of = fs::metadata(self.rig.live(host)).unwrap();
        (of.ino(), of.ctime(), of.ctime_nsec())
    }

    /// The hosts on which a deployment is neither confirmed nor undone.
    fn open(&self) -> Vec<String> {
        let folders = fs::read_dir(self.rig.path("store/web")).into_iter().flatten().flatten();
        let heads = folders.filter_map(|folder| fs::read_to_string(folder.path().join("open/head")).ok());
        let hosts = self.rig.hosts();
        let host = |head: String| {
            let is_it = |host: &&&str| head.contains(&format!("file {}\n", self.rig.live(host).display()));
            hosts.iter().find(is_it).map(|host| (*host).to_owned())
        };
        heads.filter_map(host).collect()
    }
}
