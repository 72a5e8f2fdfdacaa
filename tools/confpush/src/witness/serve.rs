//! The witness itself.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, BufRead, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use common::{Error, Outcome, Result};
use remote::spec::Ssh;

use super::{Account, Brief, Word, YES};
use crate::audit::{Deed, Log};
use crate::deploy::{self, Left, Passage, Step, Verdict};
use crate::host::{Host, Settings};
use crate::report;
use crate::spec::read_text;
use crate::station::{Content, Order, Station};
use crate::tasks;

/// Hosts by their names; no session to any is open yet.
type Stations = BTreeMap<String, Box<dyn Station>>;

/// Runs it: standard input is the pipe from its deployer.
///
/// # Errors
/// When the deployer was killed and what it had decided could not be done on all hosts; they are named.
pub(crate) fn run() -> Result<Outcome> {
    // It fails only for one that leads a group already: whoever has started it by hand.
    let _its_own_session = rustix::process::setsid();
    let Some((account, passage)) = serve(&mut io::stdin().lock(), &mut io::stdout(), stations) else {
        return Ok(Outcome::Done);
    };
    let deed = ended(&account, &passage);
    tasks::announce(account.on_event.as_deref(), &deed);
    Log::new(Path::new(OsStr::from_bytes(&account.folder)).to_owned()).append(&deed)?;
    match passage.verdict {
        Verdict::Done => Ok(Outcome::Done),
        Verdict::NotRolledBack(why) => Err(Error::failed(why).with_status(11)),
        Verdict::RolledBack(why) => Err(Error::failed(why).with_status(10)),
        Verdict::Refused(why) | Verdict::Busy(why) => Err(Error::failed(why)),
    }
}

/// What the audit log is told.
fn ended(account: &Account, passage: &Passage) -> Deed {
    let mut deed = account.deed.clone();
    tasks::ended(&mut deed, &account.after, passage, account.is_down);
    for host in deed.hosts.iter_mut().filter(|host| host.outcome == report::Word::Begun) {
        // It had failed, and was to go back: its guard sees to that when nobody else has.
        host.why = Some("its deployer was killed before it told; it goes back by itself".into());
        if deed.outcome == report::Word::Done {
            deed.outcome = report::Word::Partial;
        }
    }
    deed.why = Some(match deed.why {
        Some(why) => format!("its deployer was killed, and its witness went on: {why}"),
        None => "its deployer was killed, and its witness confirmed it".into(),
    });
    deed
}

/// Listens until the pipe ends, and does then what was said last; none: nothing. Also nothing when it does
/// not understand: only a pipe that has ended says that the deployer is gone.
fn serve(
    input: &mut impl BufRead,
    output: &mut impl Write,
    stations: impl FnOnce(&Brief) -> std::result::Result<Stations, String>,
) -> Option<(Account, Passage)> {
    let brief: Brief = serde_json::from_slice(&line(input)?).ok()?;
    let mut stations = match stations(&brief) {
        Ok(stations) => stations,
        Err(why) => {
            let _nobody_may_listen = writeln!(output, "{}", why.replace('\n', " "));
            return None;
        }
    };
    let mut last = None;
    // Who does not hear the answer is gone, as one whose pipe has ended.
    while reply(output) {
        let Some(line) = line(input) else { break };
        last = Some(serde_json::from_slice(&line).ok()?);
    }
    let (left, hosts) = match last? {
        Word::Confirm { hosts, spare } => (Left::Confirm(spare), hosts),
        Word::Back { hosts } => (Left::Back, hosts),
    };
    log::warn!("the deployer is gone; what it had begun is brought to its end");
    let stations = hosts.iter().filter_map(|host| stations.remove(host)).collect();
    let passage = deploy::finish(stations, left, (brief.within, brief.jobs), &tell);
    Some((brief.account, passage))
}

/// The next line; none at the end. One that its writer did not get to the end of was never said.
fn line(input: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    input.read_until(b'\n', &mut line).ok()?;
    line.strip_suffix(b"\n").map(<[u8]>::to_vec)
}

fn reply(output: &mut impl Write) -> bool {
    writeln!(output, "{YES}").and_then(|()| output.flush()).is_ok()
}

fn tell(host: &str, step: Step) {
    match step {
        Step::Confirmed => log::info!("{host}: confirmed"),
        Step::RolledBack => log::warn!("{host}: rolled back"),
        Step::Failed(why) => log::warn!("{host}: {why}"),
        Step::Back(why) => log::warn!("everything goes back: {why}"),
        Step::NotRolledBack(why) => log::error!("{host}: not rolled back: {why}"),
        _ => {}
    }
}

/// The real hosts.
fn stations(brief: &Brief) -> std::result::Result<Stations, String> {
    let file = Path::new(OsStr::from_bytes(&brief.file));
    let spec = read_text(file, &brief.text).spec.ok_or("the spec has faults")?;
    let names: Vec<String> = brief.hosts.iter().map(|charge| charge.name.clone()).collect();
    let targets = spec.ssh.targets(&names).map_err(|error| error.to_string())?;
    let mut targets: BTreeMap<_, _> =
        targets.into_iter().map(|target| (target.name.clone(), target)).collect();
    let reach = Ssh::reach(brief.patience);
    let mut stations = Stations::new();
    for charge in &brief.hosts {
        let target =
            targets.remove(charge.name.as_str()).ok_or_else(|| format!("no host {}", charge.name))?;
        let settings = Settings::of(&spec, charge.path.clone());
        let order = Order {
            id: brief.account.deed.id.clone(),
            content: Content::Nothing,
            version: String::new(),
            who: brief.who.clone(),
            seen: charge.seen.clone(),
            confirm_within: brief.within,
        };
        let host = Host::new(settings, Arc::new(target), Arc::clone(&reach)).resumed(order);
        stations.insert(charge.name.clone(), Box::new(host));
    }
    Ok(stations)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use common::answer::Answer;
    use zeroize::Zeroizing;

    use super::super::tests::account;
    use super::*;
    use crate::deploy::Fate;
    use crate::spec::Check;
    use crate::station::{Piece, Seen, Settled};

    /// A host that says no to `refuses`, and takes note of what it is asked.
    struct Noted {
        name: String,
        refuses: &'static str,
        asked: Arc<Mutex<Vec<String>>>,
    }

    impl Noted {
        fn note(&self, what: &str) -> Answer {
            let asked = format!("{} {what}", self.name);
            self.asked.lock().unwrap().push(asked.clone());
            if asked == self.refuses { Answer::No("too late".into()) } else { Answer::Yes(()) }
        }
    }

    impl Station for Noted {
        fn name(&self) -> &str {
            &self.name
        }

        fn look(&mut self) -> Answer<Seen> {
            Answer::Unknown("not asked for".into())
        }

        fn fetch(&mut self, _piece: &Piece) -> Answer<Zeroizing<Vec<u8>>> {
            Answer::Unknown("not asked for".into())
        }

        fn settle(&mut self) -> Answer<Settled> {
            Answer::Unknown("not asked for".into())
        }

        fn stage(&mut self, _order: &Order) -> Answer {
            self.note("stage")
        }

        fn swap(&mut self) -> Answer {
            self.note("swap")
        }

        fn check(&mut self, _check: &Check) -> Answer {
            self.note("check")
        }

        fn beat(&mut self) -> Answer {
            self.note("beat")
        }

        fn confirm(&mut self) -> Answer {
            self.note("confirm")
        }

        fn restore(&mut self) -> Answer {
            self.note("restore")
        }
    }

    const CONFIRM: &str = r#"{"confirm":{"hosts":["a","b"],"spare":0}}"#;
    const BACK: &str = r#"{"back":{"hosts":["a","b"]}}"#;

    fn brief() -> Brief {
        Brief {
            file: b"web.toml".to_vec(),
            text: String::new(),
            account: account(),
            who: "jan@box".into(),
            within: Duration::from_secs(60),
            patience: Duration::from_secs(5),
            jobs: 1,
            hosts: Vec::new(),
        }
    }

    /// What is asked of hosts when the pipe brings `said` behind the brief, and how it is answered.
    fn check(said: &str, refuses: &'static str, want: &[&str]) -> (Option<Verdict>, String) {
        let input = format!("{}\n{said}", serde_json::to_string(&brief()).unwrap());
        let (asked, mut output) = (Arc::new(Mutex::new(Vec::new())), Vec::new());
        let stations = |_: &Brief| {
            let noted = |name: &str| Noted { name: name.into(), refuses, asked: Arc::clone(&asked) };
            let station = |name: &str| (name.to_owned(), Box::new(noted(name)) as Box<dyn Station>);
            Ok(["a", "b", "c"].into_iter().map(station).collect())
        };
        let passage = serve(&mut input.as_bytes(), &mut output, stations);
        let mut asked = asked.lock().unwrap().clone();
        asked.sort();
        assert_eq!(asked, want, "{said}");
        (passage.map(|(_, passage)| passage.verdict), String::from_utf8(output).unwrap())
    }

    #[test]
    fn it_does_what_was_said_last_and_only_when_the_pipe_ends() {
        let done = |said: &str, want: &[&str]| check(said, "", want);
        assert_eq!(done("", &[]), (None, "yes\n".into()));
        assert_eq!(
            done(&format!("{CONFIRM}\n"), &["a confirm", "b confirm"]),
            (Some(Verdict::Done), "yes\nyes\n".into())
        );
        let (verdict, _) = done(&format!("{CONFIRM}\n{BACK}\n"), &["a restore", "b restore"]);
        assert!(matches!(verdict, Some(Verdict::RolledBack(_))), "{verdict:?}");
    }

    #[test]
    fn what_was_not_said_to_the_end_was_not_said() {
        assert_eq!(check(CONFIRM, "", &[]).0, None);
        let (verdict, _) = check(&format!("{CONFIRM}\n{}", &BACK[..9]), "", &["a confirm", "b confirm"]);
        assert_eq!(verdict, Some(Verdict::Done));
    }

    #[test]
    fn what_it_does_not_understand_makes_it_do_nothing() {
        assert_eq!(check(&format!("{CONFIRM}\n\n"), "", &[]).0, None);
        assert_eq!(check(&format!("{CONFIRM}\nyes\n"), "", &[]).0, None);
    }

    #[test]
    fn one_that_is_too_late_takes_the_others_back_with_it() {
        let all = ["a confirm", "a restore", "b confirm", "b restore"];
        let (verdict, _) = check(&format!("{CONFIRM}\n"), "b confirm", &all);
        assert!(matches!(verdict, Some(Verdict::RolledBack(_))), "{verdict:?}");
    }

    #[test]
    fn who_cannot_be_a_witness_says_why() {
        let input = serde_json::to_string(&brief()).unwrap() + "\n";
        let mut output = Vec::new();
        let passage = serve(&mut input.as_bytes(), &mut output, |_| Err("no host\nweb03".into()));
        assert_eq!((passage, output.as_slice()), (None, b"no host web03\n".as_slice()));
    }

    #[test]
    fn the_log_hears_how_it_ended() {
        let check = |fates: &[(&str, Fate)], verdict: Verdict, want: &str| {
            let fates = fates.iter().map(|(host, fate)| ((*host).to_owned(), fate.clone())).collect();
            let deed = ended(&account(), &Passage { fates, verdict, is_partial: false });
            let hosts =
                deed.hosts.iter().map(|host| format!("{:?} {:?}", host.outcome, host.after.as_deref()));
            let hosts: Vec<String> = hosts.collect();
            let told = format!("{:?}: {}; {}", deed.outcome, hosts.join(", "), deed.why.unwrap());
            assert_eq!((told.as_str(), deed.id.as_str()), (want, "1"));
        };
        check(
            &[("a", Fate::Deployed), ("b", Fate::Deployed)],
            Verdict::Done,
            "Partial: Done Some(\"new\"), Done Some(\"new\"), Down Some(\"old\"); its deployer was killed, and \
             its witness confirmed it",
        );
        let why = || "b: too late".to_owned();
        check(
            &[("a", Fate::RolledBack(why())), ("b", Fate::NotRolledBack(why()))],
            Verdict::NotRolledBack(why()),
            "NotRolledBack: RolledBack Some(\"old\"), NotRolledBack None, Down Some(\"old\"); its deployer was \
             killed, and its witness went on: b: too late",
        );
        // One that the deployer had given up.
        check(
            &[("a", Fate::Deployed)],
            Verdict::Done,
            "Partial: Done Some(\"new\"), Begun Some(\"old\"), Down Some(\"old\"); its deployer was killed, and \
             its witness confirmed it",
        );
    }
}
