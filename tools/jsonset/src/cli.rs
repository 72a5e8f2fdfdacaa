//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{TypedValueParser, ValueParser};
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command, FromArgMatches, Parser};
use common::cli::Common;
use common::{Result, tool, units};
use files::Wait;
use json::{Assign, Path, Syntax};

use crate::edit::{Edit, Given, Source, syntax_of};
use crate::plan::{Care, Plan, Task, Trial};
use crate::store::{Links, Store};

/// Change a JSON config safely, under a lock
#[derive(Parser, Debug)]
#[command(name = "jsonset", version)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct Args {
    /// The JSON file; `-` reads standard input and writes standard output
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// What is changed, in the order of the command line.
    #[command(flatten)]
    edits: Edits,

    /// Print the value at PATH as it is written; may be given more than once
    #[arg(long, value_name = "PATH", help_heading = "Reading", value_parser = Path::parse, group = "reads")]
    get: Vec<Path>,

    /// Print strings without quotes and escapes
    #[arg(short, long, help_heading = "Reading", requires = "get")]
    raw: bool,

    /// Print what the value at PATH is: object, array, string, number, boolean or null
    #[arg(long = "type", value_name = "PATH", help_heading = "Reading", value_parser = Path::parse, group = "reads")]
    types: Vec<Path>,

    /// Print the SHA-256 of the file, for --if-hash
    #[arg(long, help_heading = "Reading", group = "reads")]
    hash: bool,

    /// List the backups, the newest first
    #[arg(long, help_heading = "Reading", group = "reads")]
    history: bool,

    /// Print --history as JSON Lines
    #[arg(long, help_heading = "Reading", requires = "history")]
    json: bool,

    /// Print what would change as a unified diff, and change nothing
    #[arg(short = 'n', long, help_heading = "Safety", conflicts_with_all = ["reads", "hold", "recover"])]
    dry_run: bool,

    /// As --dry-run, with status 1 when something would change
    #[arg(long, help_heading = "Safety", conflicts_with_all = ["reads", "hold", "recover"])]
    check: bool,

    /// Write the result to OUT (`-` is standard output) and leave FILE as it is
    #[arg(short, long, value_name = "OUT", help_heading = "Safety", conflicts_with_all = ["dry_run", "check", "hold", "rollback"])]
    output: Option<PathBuf>,

    /// Keep the content before the change as one of N backups beside the file (3 unless given)
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "3",
        help_heading = "Safety", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    backup: Option<u16>,

    /// Bring back the backup ID, or the last one that differs from the file
    #[arg(long, value_name = "ID", num_args = 0..=1, help_heading = "Safety", conflicts_with_all = ["reads", "edits", "hold"])]
    #[allow(clippy::option_option, reason = "the flag, and what may follow it")]
    rollback: Option<Option<String>>,

    /// Refuse a result that does not conform to the JSON Schema in SCHEMA
    #[arg(long, value_name = "SCHEMA", help_heading = "Safety")]
    schema: Option<PathBuf>,

    /// Refuse a result that CMD does not accept; `{}` in it is a file with the result
    #[arg(long, value_name = "CMD", help_heading = "Safety", value_parser = command)]
    validate: Option<String>,

    /// Run CMD after a change
    #[arg(long, value_name = "CMD", help_heading = "Safety", conflicts_with = "hold", value_parser = command)]
    on_change: Option<String>,

    /// How long each CMD may take
    #[arg(long, value_name = "TIME", default_value = "60s", help_heading = "Safety", value_parser = units::duration)]
    timeout: Duration,

    /// Undo the change when COMMAND ends, however it ends
    #[arg(long = "while", help_heading = "Safety", requires_all = ["edits", "command"])]
    hold: bool,

    /// The command of --while
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,

    /// Undo changes of --while whose holder was killed
    #[arg(long, help_heading = "Safety", conflicts_with_all = ["reads", "edits", "hold", "rollback"])]
    recover: bool,

    /// Make a missing FILE
    #[arg(long, help_heading = "The file")]
    create: bool,

    /// Keep a FILE that is no JSON as a backup and begin with {}
    #[arg(long, help_heading = "The file", conflicts_with = "hold")]
    reset_invalid: bool,

    /// Allow comments and trailing commas, as names like *.jsonc and tsconfig.json do by themselves
    #[arg(long, help_heading = "The file")]
    jsonc: bool,

    /// Change a file with several names (hard links) under this one only
    #[arg(long, help_heading = "The file", conflicts_with = "in_place")]
    break_links: bool,

    /// Write into the file itself, through a journal, so that all its names change
    #[arg(long, help_heading = "The file")]
    in_place: bool,

    /// Lift the immutable attribute (chattr +i) for the moment of the change
    #[arg(long, help_heading = "The file")]
    immutable: bool,

    /// How long to wait for the lock; then the status is 75
    #[arg(long, value_name = "TIME", default_value = "10s", help_heading = "The file", value_parser = units::duration)]
    lock_timeout: Duration,

    /// Lock LOCK instead of FILE, which is made where it is missing
    #[arg(long, value_name = "LOCK", help_heading = "The file")]
    lock_file: Option<PathBuf>,

    /// Restore when the holder dies: how the watcher of --while is started.
    #[arg(long, hide = true)]
    watch: bool,

    /// Become COMMAND when PID, the holder, has told the watcher of it: how COMMAND is started.
    #[arg(long, value_name = "PID", hide = true, requires = "command")]
    start: Option<i32>,

    /// What every tool takes.
    #[command(flatten)]
    common: Common,
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}

impl Args {
    /// The run that is asked for.
    ///
    /// # Errors
    /// When there is nothing to do, or flags contradict each other.
    pub(crate) fn plan(&self) -> Result<Plan> {
        Ok(Plan {
            store: self.store(),
            task: self.task()?,
            trial: match (self.check, self.dry_run) {
                (true, _) => Some(Trial::Check),
                (false, true) => Some(Trial::DryRun),
                (false, false) => None,
            },
            edits: self.edits.0.clone(),
            care: Care {
                backups: self.backup.map(usize::from),
                schema: self.schema.clone(),
                validate: self.validate.clone(),
                on_change: self.on_change.clone(),
                timeout: self.timeout,
            },
            creates: self.create,
            resets_invalid: self.reset_invalid,
        })
    }

    fn store(&self) -> Store {
        let links = match (self.break_links, self.in_place) {
            (true, _) => Links::Break,
            (_, true) => Links::Keep,
            _ => Links::Refuse,
        };
        Store {
            path: self.file.clone(),
            syntax: if self.jsonc { Syntax::Comments } else { syntax_of(&self.file) },
            wait: if self.lock_timeout.is_zero() { Wait::Not } else { Wait::For(self.lock_timeout) },
            lock_file: self.lock_file.clone(),
            links,
            lifts_immutable: self.immutable,
        }
    }

    fn task(&self) -> Result<Task> {
        self.consistent()?;
        if let Some(holder) = self.start {
            return Ok(Task::Start { holder, command: self.command.clone() });
        }
        Ok(match (&self.output, &self.rollback) {
            _ if !self.get.is_empty() => Task::Get { paths: self.get.clone(), raw: self.raw },
            _ if !self.types.is_empty() => Task::Type(self.types.clone()),
            _ if self.hash => Task::Hash,
            _ if self.history => Task::History { json: self.json },
            _ if self.watch => Task::Watch,
            _ if self.recover => Task::Recover,
            (_, Some(id)) => Task::Rollback(id.clone()),
            _ if self.edits.0.is_empty() => {
                return Err(tool::usage("nothing to do; name a PATH=VALUE to set, or see --help"));
            }
            (Some(output), _) => Task::Output(output.clone()),
            _ if self.file.as_os_str() == "-" => Task::Output("-".into()),
            _ if self.hold => Task::Hold(self.command.clone()),
            _ => Task::Update,
        })
    }
}

/// What flags rule out, in ways that clap does not see: a flag that does nothing misleads.
impl Args {
    fn consistent(&self) -> Result<()> {
        let reads = !self.get.is_empty() || !self.types.is_empty() || self.hash || self.history;
        if reads && !self.edits.0.is_empty() {
            return Err(tool::usage("either read or change the file, not both in one call"));
        }
        if let Some(flag) = self.changing().filter(|_| reads || self.recover) {
            return Err(tool::usage(format!("{flag} is about changes, and this call edits nothing")));
        }
        if !self.command.is_empty() && !self.hold && self.start.is_none() {
            return Err(tool::usage(
                "what follows `--` is a COMMAND, which needs --while; write a PATH that begins with `-` as /-...",
            ));
        }
        // clap lets what a flag requires be missing where it contradicts another one.
        if self.raw && self.get.is_empty() {
            return Err(tool::usage("--raw is about --get"));
        }
        if self.json && !self.history {
            return Err(tool::usage("--json is about --history"));
        }
        let is_stream = self.file.as_os_str() == "-";
        let elsewhere = self.in_the_file().filter(|_| is_stream || self.output.is_some());
        if let Some(flag) = elsewhere {
            return Err(tool::usage(format!("{flag} needs a file that changes, and this call changes none")));
        }
        let from_stdin = self.edits.0.iter().filter(|edit| edit.reads_stdin()).count();
        if from_stdin + usize::from(is_stream) > 1 {
            return Err(tool::usage("standard input can be read only once"));
        }
        Ok(())
    }

    /// The first flag here that only a change can follow.
    fn changing(&self) -> Option<&'static str> {
        let given = [
            (self.schema.is_some(), "--schema"),
            (self.validate.is_some(), "--validate"),
            (self.create, "--create"),
            (self.reset_invalid, "--reset-invalid"),
            (self.output.is_some(), "--output"),
        ];
        first(&given).or_else(|| self.in_the_file())
    }

    /// The first flag here that only a change of FILE itself can follow.
    fn in_the_file(&self) -> Option<&'static str> {
        let given = [
            (self.backup.is_some(), "--backup"),
            (self.on_change.is_some(), "--on-change"),
            (self.rollback.is_some(), "--rollback"),
            (self.hold, "--while"),
            (self.break_links, "--break-links"),
            (self.in_place && !self.recover, "--in-place"),
            (self.immutable && !self.recover, "--immutable"),
            (self.lock_file.is_some() && !self.recover, "--lock-file"),
        ];
        first(&given)
    }
}

fn first(given: &[(bool, &'static str)]) -> Option<&'static str> {
    given.iter().find(|(is_given, _)| *is_given).map(|(_, flag)| *flag)
}

/// The edits in the order of the command line, whatever flags they come from.
#[derive(Debug, Clone)]
struct Edits(Vec<Edit<Source>>);

const EDITS: [&str; 8] = ["set", "default", "delete", "increment", "merge", "patch", "if", "if-hash"];

impl FromArgMatches for Edits {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let mut edits = Vec::new();
        for id in EDITS {
            let indices = matches.indices_of(id).into_iter().flatten();
            let values = matches.get_many::<Edit<Source>>(id).into_iter().flatten().cloned();
            edits.extend(indices.zip(values));
        }
        edits.sort_by_key(|(index, _)| *index);
        Ok(Self(edits.into_iter().map(|(_, edit)| edit).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for Edits {
    fn augment_args(command: Command) -> Command {
        let flag = |name: &'static str, value: &'static str, parser: ValueParser, help: &'static str| {
            let arg = Arg::new(name).long(name).value_name(value).help(help);
            arg.action(ArgAction::Append).value_parser(parser).help_heading("Edits")
        };
        let set = Arg::new("set").value_name("EDIT").num_args(0..).value_parser(parser(set));
        command
            .arg(set.help("PATH=VALUE sets a field: VALUE is JSON or else a string, PATH:=JSON insists, PATH=@FILE reads it"))
            .arg(flag("default", "PATH=VALUE", parser(default), "Set a field only when it is absent"))
            .arg(flag("delete", "PATH", parser(delete), "Delete a field; nothing happens when it is absent").short('d'))
            .arg(flag("increment", "PATH[=N]", parser(increment), "Add N (1 unless given) to a number, exactly"))
            .arg(flag("merge", "PATCH", parser(|file| Ok(Edit::Merge(from_file(file)))), "Merge a JSON Merge Patch (RFC 7396) from a file or `-`"))
            .arg(flag("patch", "PATCH", parser(|file| Ok(Edit::Patch(from_file(file)))), "Apply a JSON Patch (RFC 6902) from a file or `-`"))
            .arg(flag("if", "PATH=VALUE", parser(condition), "Change nothing, with status 1, unless the field has this value"))
            .arg(flag("if-hash", "HASH", parser(hash), "Change nothing, with status 1, unless --hash of the file is this"))
            .group(ArgGroup::new("edits").args(EDITS).multiple(true))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

type Parsed = std::result::Result<Edit<Source>, String>;

fn parser(parse: fn(&str) -> Parsed) -> ValueParser {
    ValueParser::from(clap::builder::StringValueParser::new().try_map(move |text| parse(&text)))
}

fn assignment(text: &str) -> std::result::Result<(Path, Source), String> {
    let (path, assign) = Path::split_assignment(text)?;
    let source = match assign {
        Assign::Value(text) => Source::Loose(Given::Text(text.into())),
        Assign::Json(text) => Source::Strict(Given::Text(text.into())),
        Assign::File(path) => Source::Loose(Given::File(path.into())),
        Assign::JsonFile(path) => Source::Strict(Given::File(path.into())),
    };
    Ok((path, source))
}

fn set(text: &str) -> Parsed {
    let is_given = |word: &str| std::env::args_os().any(|arg| arg == word);
    // The words of a COMMAND that does not stand where it should arrive here.
    let is_command = is_given("--while") && !is_given("--");
    let hint = if is_command { "; the COMMAND of --while stands behind `--`" } else { "" };
    assignment(text).map(|(path, source)| Edit::Set(path, source)).map_err(|why| why + hint)
}

fn default(text: &str) -> Parsed {
    assignment(text).map(|(path, source)| Edit::Default(path, source))
}

fn condition(text: &str) -> Parsed {
    assignment(text).map(|(path, source)| Edit::If(path, source))
}

/// A variable that is not set must not pass for a command that says yes.
fn command(text: &str) -> std::result::Result<String, String> {
    if text.trim().is_empty() { Err("there is no command in it".into()) } else { Ok(text.into()) }
}

fn delete(text: &str) -> Parsed {
    Path::parse(text).map(Edit::Delete)
}

fn from_file(file: &str) -> Source {
    Source::Strict(Given::File(file.into()))
}

/// `PATH` alone adds 1; a `=` in it that belongs to a key stands in quotes.
fn increment(text: &str) -> Parsed {
    if let Ok((path, Source::Loose(Given::Text(by)) | Source::Strict(Given::Text(by)))) = assignment(text) {
        return Ok(Edit::Increment(path, Source::Strict(Given::Text(by))));
    }
    Ok(Edit::Increment(Path::parse(text)?, Source::Strict(Given::Text("1".into()))))
}

fn hash(text: &str) -> Parsed {
    let hash = text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase();
    if hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(Edit::IfHash(hash));
    }
    Err("a hash is 64 hexadecimal digits, as --hash prints them".into())
}
