//! What each subcommand does.

mod apply;
mod campaign;
mod course;
mod gates;
mod id;
mod intent;
mod plan;
mod route;
mod settle;
mod show;
mod site;
mod told;

use std::path::PathBuf;

use common::Result;

use crate::Args;
use crate::audit::Log;
use crate::report::Form;

pub(crate) use apply::{apply, rollback};
pub(crate) use plan::plan;
pub(crate) use show::{history, status, validate};
pub(crate) use told::{announce, ended};

/// Exit statuses, those first that hide the others where environments end differently.
const RANKS: [u8; 7] = [11, 10, 2, 75, 1, 23, 0];

/// What all subcommands share.
pub(crate) struct Desk {
    /// The folder of the audit log, where a flag names one.
    pub(crate) state: Option<PathBuf>,
    /// How many hosts at a time.
    pub(crate) jobs: usize,
    /// How results look.
    pub(crate) form: Form,
    /// Whether nobody wants to see how far it is.
    pub(crate) is_quiet: bool,
}

impl Desk {
    /// By the command line.
    pub(crate) fn of(args: &Args) -> Self {
        Self {
            state: args.state().map(Into::into),
            jobs: args.jobs(),
            form: args.form(),
            is_quiet: args.common.quiet,
        }
    }

    /// The folder of the audit log.
    ///
    /// # Errors
    /// When nothing says where it is.
    pub(crate) fn folder(&self) -> Result<PathBuf> {
        process::folder::of_state("confpush", self.state.as_deref())
    }

    /// The audit log.
    ///
    /// # Errors
    /// As [`Desk::folder`].
    pub(crate) fn log(&self) -> Result<Log> {
        self.folder().map(Log::new)
    }
}

#[cfg(test)]
mod tests {
    use common::error::worse;

    use super::*;

    #[test]
    fn the_worst_status_counts() {
        let check = |statuses: &[u8], want: u8| {
            let worst = statuses.iter().fold(0, |one, other| worse(&RANKS, one, *other));
            assert_eq!(worst, want, "{statuses:?}");
        };
        check(&[], 0);
        check(&[0, 23, 0], 23);
        check(&[23, 1], 1);
        check(&[1, 75], 75);
        check(&[75, 2], 2);
        check(&[2, 10, 23], 10);
        check(&[10, 11, 2], 11);
    }
}
