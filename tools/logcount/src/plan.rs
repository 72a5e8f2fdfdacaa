//! What a run is asked to do.

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{Result, output};
use logs::Level;
use logs::clock::Zone;
use logs::rules::Rules;

use crate::walk::Walk;

/// A run, checked.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Logs, directories, or `-`; never empty.
    pub(crate) files: Vec<PathBuf>,
    /// How directories are searched; `None` refuses them.
    pub(crate) walk: Option<Walk>,
    pub(crate) rules: Rules,
    pub(crate) zone: Zone,
    /// The year of the first record of each file.
    pub(crate) year: Option<i32>,
    pub(crate) by: By,
    /// Words instead of levels.
    pub(crate) raw: bool,
    pub(crate) lines: bool,
    pub(crate) form: Form,
    /// The file that is replaced; `None` is standard output.
    pub(crate) output: Option<PathBuf>,
    pub(crate) colour: Colour,
    pub(crate) fail_on: Option<Threshold>,
    /// Threads; `None` is as many as there are processors.
    pub(crate) jobs: Option<usize>,
    pub(crate) task: Task,
    pub(crate) state: Option<Remember>,
}

impl Plan {
    /// Refuses to write into a log, or twice into one file.
    ///
    /// # Errors
    /// When the output, the state and the logs are not files of their own.
    pub(crate) fn spare_inputs(&self) -> Result<()> {
        let state: Option<&Path> = self.state.as_ref().map(|remember| &*remember.file);
        output::refuse_twins(&[("--output", self.output.as_deref()), ("--state", state)])?;
        output::refuse_inputs(&self.files, self.output.as_deref())?;
        state.map_or(Ok(()), |state| output::refuse_inputs(&self.files, Some(state)))
    }
}

/// What is done with the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Count them once.
    Count,
    /// Count what is new each time so much has passed.
    Follow(Duration),
    /// Say how the levels of the first records are found.
    Explain(u64),
}

/// Where it is kept how far the logs were counted.
#[derive(Debug)]
pub(crate) struct Remember {
    pub(crate) file: PathBuf,
    /// How long to wait for the lock on it.
    pub(crate) patience: Duration,
}

/// What makes the run end with status 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Threshold {
    pub(crate) level: Level,
    /// So many records at or above the level; at least 1.
    pub(crate) count: u64,
}

/// The groups that are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Nothing,
    File,
    Minute,
    Hour,
    Day,
}

impl By {
    pub(crate) const NAMES: [&str; 4] = ["file", "minute", "hour", "day"];

    /// The group of one of [`By::NAMES`].
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "file" => Self::File,
            "minute" => Self::Minute,
            "hour" => Self::Hour,
            "day" => Self::Day,
            _ => Self::Nothing,
        }
    }

    /// The key of the groups in every output.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::File => "file",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    pub(crate) fn is_time(self) -> bool {
        matches!(self, Self::Minute | Self::Hour | Self::Day)
    }
}

/// How counts look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Json,
    Csv,
    Prometheus,
}

impl Form {
    pub(crate) const NAMES: [&str; 4] = ["text", "json", "csv", "prometheus"];

    /// The form of one of [`Form::NAMES`].
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "json" => Self::Json,
            "csv" => Self::Csv,
            "prometheus" => Self::Prometheus,
            _ => Self::Text,
        }
    }
}

/// When the table is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    Auto,
    Always,
    Never,
}

impl Colour {
    pub(crate) const NAMES: [&str; 3] = ["auto", "always", "never"];

    /// The one of [`Colour::NAMES`].
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "always" => Self::Always,
            "never" => Self::Never,
            _ => Self::Auto,
        }
    }

    /// Whether to colour an output; automatically as <https://no-color.org> and
    /// <https://bixense.com/clicolors> say.
    pub(crate) fn is_wanted(self, terminal: bool) -> bool {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is = |name, value: &str| std::env::var_os(name).is_some_and(|set| set == *value);
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if set("NO_COLOR") => false,
            Self::Auto if set("CLICOLOR_FORCE") && !is("CLICOLOR_FORCE", "0") => true,
            Self::Auto => terminal && !is("TERM", "dumb"),
        }
    }
}
