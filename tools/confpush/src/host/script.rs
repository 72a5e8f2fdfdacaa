//! Scripts for sh(1), with their words.

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use remote::shell::quoted;
use remote::{Command, Coprocess};
use sha2::{Digest, Sha256};

use super::{BUSY, Settings};
use crate::spec::Remote;
use crate::station::{Content, FileState, Order, Piece};

/// All that is done on a host, and what its guard needs of it.
static LIBRARY: LazyLock<String> = LazyLock::new(|| {
    let shared = format!("{}{}", bare(include_str!("place.sh")), bare(include_str!("lib.sh")));
    let guard = format!("{shared}{}", bare(include_str!("guard.sh")));
    let verbs = VERBS.map(bare).concat();
    format!("nl='\n'\nL={}\neval \"$L\"\n{verbs}", quoted(&guard))
});

const VERBS: [&str; 8] = [
    include_str!("look.sh"),
    include_str!("fetch.sh"),
    include_str!("settle.sh"),
    include_str!("stage.sh"),
    include_str!("swap.sh"),
    include_str!("beat.sh"),
    include_str!("confirm.sh"),
    include_str!("restore.sh"),
];

/// What a command of another deployment, or of an earlier session, is waited for beyond its own time.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a script is for.
#[derive(Debug, Clone)]
pub(super) enum Verb {
    Look,
    Fetch(Piece),
    Settle,
    Stage(Order),
    Swap(Order),
    Beat(Order),
    Confirm(Order),
    Restore(Order),
}

impl Verb {
    /// The function of the library that does it.
    fn function(&self) -> &'static str {
        match self {
            Self::Look => "do_look",
            Self::Fetch(_) => "do_fetch",
            Self::Settle => "do_settle",
            Self::Stage(_) => "do_stage",
            Self::Swap(_) => "do_swap",
            Self::Beat(_) => "do_beat",
            Self::Confirm(_) => "do_confirm",
            Self::Restore(_) => "do_restore",
        }
    }

    /// The id of the deployment that it is about.
    fn id(&self) -> &str {
        match self {
            Self::Look | Self::Settle | Self::Fetch(Piece::Live) => "",
            Self::Fetch(Piece::Before(id) | Piece::After(id)) => id,
            Self::Stage(order)
            | Self::Swap(order)
            | Self::Beat(order)
            | Self::Confirm(order)
            | Self::Restore(order) => &order.id,
        }
    }

    /// How long the commands of the user in it may take, and its waits for others.
    pub(super) fn takes(&self, settings: &Settings) -> Duration {
        let [validate, reload] = [settings.validate.as_ref(), settings.reload.as_ref()].map(time);
        match self {
            Self::Look | Self::Fetch(_) | Self::Beat(_) => Duration::ZERO,
            Self::Stage(_) => validate + PATIENCE,
            Self::Swap(_) | Self::Confirm(_) | Self::Settle => wait(settings) + reload,
            // The guard may have begun, and have to end first.
            Self::Restore(_) => wait(settings) + reload * 2,
        }
    }
}

/// Where everything is on a host.
pub(super) struct Place {
    pub(super) settings: Settings,
    /// The name of the folder of this file in that of the spec: two files never meet, whether they are
    /// of two hosts on one machine or of two versions of a spec.
    key: String,
    shell: String,
}

impl Place {
    pub(super) fn new(settings: Settings) -> Self {
        let key = key(&settings.path);
        Self { settings, key, shell: "/bin/sh".into() }
    }

    /// The same for the folder of another file.
    pub(super) fn at(self, key: String) -> Self {
        Self { key, ..self }
    }

    /// The same with another shell.
    #[cfg(test)]
    pub(super) fn with_shell(self, shell: &str) -> Self {
        Self { shell: shell.to_owned(), ..self }
    }

    /// The shell on the host that is told the [`script`](Self::script)s.
    pub(super) fn coprocess(&self) -> Arc<Coprocess> {
        Coprocess::new(&LIBRARY, Command::mark(), |script| self.become_(script))
    }

    /// The script for `verb`: one line.
    ///
    /// # Errors
    /// When an id or a path could mean something else there.
    pub(super) fn script(&self, verb: &Verb) -> Result<String, String> {
        let id = verb.id();
        if !is_word(id) {
            return Err(format!("{id:?} is no id of a deployment"));
        }
        let settings = &self.settings;
        if settings.name.is_empty() || !is_word(&settings.name) {
            return Err(format!("{:?} is no name of a folder", settings.name));
        }
        if !settings.path.starts_with('/') || settings.path.contains(['\n', '\0']) {
            return Err(format!("{:?} is no absolute path of a file", settings.path));
        }
        let mut words = Words::default();
        words.set("P", &settings.path);
        words.set("S", settings.store.as_deref().unwrap_or_default());
        words.set("NAME", &settings.name);
        words.set("KEY", &self.key);
        words.set("KEEP", &settings.keep.max(1).to_string());
        words.set("SH", &self.shell);
        words.set("BUSY", BUSY);
        words.set("ID", id);
        words.set("id", id);
        words.set("B", &Command::mark());
        words.set("R", settings.reload.as_ref().map_or("", |reload| &reload.script));
        words.set("RT", &seconds(time(settings.reload.as_ref())));
        words.set("LONG", &(wait(settings).as_secs() * 10).to_string());
        words.set("TRUST", &settings.trust.iter().fold("\n".to_owned(), |all, one| format!("{all}{one}\n")));
        match verb {
            Verb::Restore(order) => words.set("SEEN", &seen(order.seen.as_ref())),
            Verb::Fetch(piece) => words.set("PIECE", half(piece)),
            Verb::Stage(order) => self.staging(order, &mut words),
            _ => {}
        }
        Ok(format!("{}{}", words.0, verb.function()))
    }

    /// All of it, for a shell that knows nothing yet.
    #[cfg(test)]
    pub(super) fn whole(&self, verb: &Verb) -> Result<String, String> {
        Ok(self.become_(&format!("{}({})", *LIBRARY, self.script(verb)?)))
    }

    fn staging(&self, order: &Order, words: &mut Words) {
        let access = &self.settings.access;
        words.set("TRY", &Command::mark());
        words.set("VERSION", &one_line(&order.version));
        words.set("WHO", &one_line(&order.who));
        words.set("AT", &Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true));
        words.set("WITHIN", &seconds(order.confirm_within));
        words.set("SEEN", &seen(order.seen.as_ref()));
        words.set("AO", access.owner.as_deref().unwrap_or_default());
        words.set("AG", access.group.as_deref().unwrap_or_default());
        words.set("AM", &access.mode.map(|mode| format!("{mode:o}")).unwrap_or_default());
        let timeout = self.settings.validate.as_ref().map(|remote| seconds(remote.timeout));
        words.set("VT", &timeout.unwrap_or_default());
        self.validator(words);
        match &order.content {
            Content::Bytes(bytes) => {
                words.set("CONTENT", "bytes");
                words.set("SIZE", &bytes.len().to_string());
                words.set("SUM", &secrets::hex(&Sha256::digest(bytes.as_slice())));
            }
            Content::Kept(piece) => {
                words.set("CONTENT", "kept");
                words.set("PIECE", half(piece));
                let (Piece::Before(id) | Piece::After(id)) = piece else { return words.set("ID2", "") };
                words.set("ID2", if is_word(id) { id } else { "" });
            }
            Content::Nothing => words.set("CONTENT", "nothing"),
        }
    }

    /// Has the function `validator` make the command of it, with the name of the file in it.
    fn validator(&self, words: &mut Words) {
        let script = self.settings.validate.as_ref().map_or("", |validate| &validate.script);
        let pieces: Vec<String> = script.split("{}").map(in_one_line).collect();
        let _strings_never_refuse = write!(words.0, "validator() {{ v={}; }};", pieces.join("\"$q\""));
    }

    /// `script`, as root where that has to be.
    pub(super) fn become_(&self, script: &str) -> String {
        if !self.settings.becomes {
            return script.to_owned();
        }
        format!("sudo -n -- /bin/sh -c {}", quoted(script))
    }
}

/// The name of the folder of the file `path`.
pub(crate) fn key(path: &str) -> String {
    let sum = Sha256::digest(path.as_bytes());
    secrets::hex(sum.get(..8).unwrap_or_default())
}

/// Assignments, in one line.
#[derive(Default)]
struct Words(String);

impl Words {
    fn set(&mut self, name: &str, word: &str) {
        let _strings_never_refuse = write!(self.0, "{name}={};", in_one_line(word));
    }
}

/// `text`, quoted; the library knows what a line break is.
fn in_one_line(text: &str) -> String {
    text.split('\n').map(quoted).collect::<Vec<_>>().join("\"$nl\"")
}

/// A script without its comments and its indents.
fn bare(script: &str) -> String {
    let lines = script.lines().map(str::trim_start).filter(|line| !line.starts_with('#'));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// As `described` in `lib.sh`.
fn seen(file: Option<&FileState>) -> String {
    let Some(FileState { sha256, mode, owner, group, size }) = file else { return "none".into() };
    format!("{sha256} {mode:o} {size} {owner}/{group}")
}

fn half(piece: &Piece) -> &'static str {
    match piece {
        Piece::Live => "",
        Piece::Before(_) => "before",
        Piece::After(_) => "after",
    }
}

/// Whether it is one part of a path, and no option.
fn is_word(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    id.len() <= 64 && id.bytes().all(is_plain) && !id.starts_with(['-', '.'])
}

/// The notes on a host are lines.
fn one_line(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

fn time(remote: Option<&Remote>) -> Duration {
    remote.map(|remote| remote.timeout).unwrap_or_default()
}

/// How long one command of a deployment waits for another.
fn wait(settings: &Settings) -> Duration {
    time(settings.reload.as_ref()).max(time(settings.validate.as_ref())) + PATIENCE
}

/// Whole seconds, and no less: 0 would be for ever.
fn seconds(time: Duration) -> String {
    (time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1).to_string()
}
