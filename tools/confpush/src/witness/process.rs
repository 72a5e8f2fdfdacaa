//! The witness as its deployer sees it.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::{Account, Brief, Charge, Summon, Witness, Word, YES};
use crate::spec::{Spec, read_text};

/// It has to read the spec, inventories and the SSH configuration before it is ready; nothing waits for it
/// on the hosts then.
const START: Duration = Duration::from_secs(30);

/// It has to read one line; guards wait meanwhile.
const REPLY: Duration = Duration::from_secs(5);

/// A deployment that is to have a witness. The witness stays until this is dropped: how the deployment ended has
/// to be written down before.
pub(crate) struct Job {
    brief: Brief,
    /// The witness, when all is done on the hosts.
    idle: Arc<Mutex<Option<Process>>>,
}

impl Job {
    /// Of the deployment of `account`, by `who`, by `spec`, to `hosts`, `jobs` at a time; guards are patient for
    /// `within`, and a command may take as long as `patience`.
    ///
    /// # Errors
    /// When the file of the spec cannot be read any more, or is no longer what was read: the witness would
    /// do something else than its deployer.
    pub(crate) fn new(
        spec: &Spec,
        (account, who): (Account, &str),
        hosts: Vec<Charge>,
        (within, patience, jobs): (Duration, Duration, usize),
    ) -> Result<Self, String> {
        let file = spec.file.as_path();
        let text = std::fs::read_to_string(file)
            .map_err(|cause| format!("cannot read {} again: {cause}", file.display()))?;
        if read_text(file, &text).spec.as_ref() != Some(spec) {
            return Err(format!("{} was changed while it was deployed", file.display()));
        }
        let (file, who) = (file.as_os_str().as_bytes().to_vec(), who.to_owned());
        let brief = Brief { file, text, account, who, within, patience, jobs, hosts };
        Ok(Self { brief, idle: Arc::default() })
    }
}

impl Summon for Job {
    fn summon(&self) -> Result<Box<dyn Witness>, String> {
        // Also the one that runs when its file has been replaced meanwhile.
        let mut command = Command::new("/proc/self/exe");
        command.arg("witness");
        let process = Process::start(command, &self.brief)?;
        Ok(Box::new(Busy { process, idle: Arc::clone(&self.idle) }))
    }
}

/// A witness that has not been told that all is done.
struct Busy {
    process: Process,
    idle: Arc<Mutex<Option<Process>>>,
}

impl Witness for Busy {
    fn confirm(&mut self, hosts: &[String], spare: usize) -> Result<(), String> {
        self.process.confirm(hosts, spare)
    }

    fn back(&mut self, hosts: &[String]) {
        self.process.back(hosts);
    }

    fn done(self: Box<Self>) {
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.process);
    }
}

/// A witness that runs.
struct Process {
    child: Child,
    lines: Sender<Vec<u8>>,
    answers: Receiver<Result<(), String>>,
    reply: Duration,
}

impl Process {
    /// Starts it, and returns when it is ready.
    fn start(mut command: Command, brief: &Brief) -> Result<Self, String> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|cause| format!("cannot start a witness: {cause}"))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("cannot speak to the witness".into());
        };
        let (lines, orders) = mpsc::channel();
        let (sender, answers) = mpsc::channel();
        let reply = REPLY.min(brief.within / 4);
        let mut process = Self { child, lines, answers, reply };
        // A witness that was stopped neither reads nor answers; whoever waits for it here does not.
        let thread = std::thread::Builder::new().name("witness".into());
        let started = thread.spawn(move || speak(stdin, stdout, &orders, &sender));
        if let Err(cause) = started {
            process.end();
            return Err(format!("cannot speak to the witness: {cause}"));
        }
        process.ask(brief, START)?;
        Ok(process)
    }

    /// Tells it something; returns when it has taken it. Else it is ended.
    fn ask(&mut self, word: &impl Serialize, limit: Duration) -> Result<(), String> {
        let mut line =
            serde_json::to_vec(word).map_err(|cause| format!("cannot tell the witness: {cause}"))?;
        line.push(b'\n');
        let is_sent = self.lines.send(line).is_ok();
        let answer = if is_sent { self.answers.recv_timeout(limit).ok() } else { None };
        let answer = answer.unwrap_or_else(|| Err("it does not answer".into()));
        answer.map_err(|why| {
            self.end();
            format!("the witness: {why}")
        })
    }

    /// It does nothing as long as its pipe is open, and the pipe is open until it is gone.
    fn end(&mut self) {
        let (_gone, _waited_for) = (self.child.kill(), self.child.wait());
    }

    fn confirm(&mut self, hosts: &[String], spare: usize) -> Result<(), String> {
        self.ask(&Word::Confirm { hosts: hosts.to_vec(), spare }, self.reply)
    }

    fn back(&mut self, hosts: &[String]) {
        if let Err(why) = self.ask(&Word::Back { hosts: hosts.to_vec() }, self.reply) {
            log::debug!("{why}");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Writes one line after the other, and passes on the answer to each. The pipe stays open until there is
/// nobody left who could say more.
fn speak(
    mut stdin: ChildStdin,
    stdout: ChildStdout,
    lines: &Receiver<Vec<u8>>,
    answers: &Sender<Result<(), String>>,
) {
    let mut stdout = BufReader::new(stdout);
    for line in lines {
        let answer = exchange(&mut stdin, &mut stdout, &line);
        if answers.send(answer).is_err() {
            return;
        }
    }
}

fn exchange(stdin: &mut ChildStdin, stdout: &mut impl BufRead, line: &[u8]) -> Result<(), String> {
    let mut answer = String::new();
    let wrote = stdin.write_all(line).and_then(|()| stdin.flush());
    let read = wrote.and_then(|()| stdout.read_line(&mut answer));
    match read.map_err(|cause| cause.to_string())? {
        0 => Err("it has ended".into()),
        _ if answer.trim_end() == YES => Ok(()),
        _ => Err(answer.trim_end().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(script: &str) -> Result<Process, String> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let brief = Brief {
            file: Vec::new(),
            text: String::new(),
            account: super::super::tests::account(),
            who: "jan@box".into(),
            within: Duration::from_secs(8),
            patience: Duration::from_secs(1),
            jobs: 1,
            hosts: Vec::new(),
        };
        Process::start(command, &brief)
    }

    /// Its pipe has not ended before it is gone, or it would have done something.
    fn is_gone_in_silence(process: &mut Process, trace: &std::path::Path) -> bool {
        process.child.try_wait().is_ok_and(|status| status.is_some()) && !trace.exists()
    }

    #[test]
    fn it_ends_without_a_deed_when_all_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("trace");
        let script = format!("while read -r line; do echo yes; done; : >{}", trace.display());
        let mut process = start(&script).unwrap();
        assert_eq!(process.confirm(&["a".into()], 0), Ok(()));
        process.back(&["a".into()]);
        process.end();
        assert!(is_gone_in_silence(&mut process, &trace));
    }

    #[test]
    fn one_that_does_not_answer_is_ended_before_anybody_relies_on_that() {
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("trace");
        let script = format!("read -r line; echo yes; read -r line; read -r line; : >{}", trace.display());
        let mut process = start(&script).unwrap();
        assert_eq!(process.confirm(&["a".into()], 0), Err("the witness: it does not answer".into()));
        assert!(is_gone_in_silence(&mut process, &trace));
    }

    #[test]
    fn why_there_is_none_is_told() {
        let check = |script: &str, want: &str| assert_eq!(start(script).err().unwrap(), want);
        check("read -r line; echo no host web03", "the witness: no host web03");
        check("read -r line", "the witness: it has ended");
    }
}
