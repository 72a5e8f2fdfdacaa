//! What each subcommand does with its specs, prints, and ends with.

mod run;
mod show;

use std::path::{Path, PathBuf};

use common::error::worse;
use common::{Error, Out, Outcome, Result};

pub(crate) use run::{Advance, advance, roll_back};
pub(crate) use show::{log, plan, status, verify};

use crate::clock::Now;
use crate::report::Form;
use crate::report::status::{Subject, Terms, print};
use crate::spec::Spec;
use crate::{folder, rotate};

/// Exit statuses, those first that hide the others where specs end differently.
const RANKS: [u8; 9] = [2, 13, 11, 10, 75, 23, 12, 1, 0];

/// What all subcommands know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Desk<'a> {
    /// `--state`.
    pub(crate) state: Option<&'a Path>,
    /// How results look.
    pub(crate) form: Form,
}

/// A spec, and where its state is.
pub(crate) struct Case {
    pub(crate) spec: Spec,
    pub(crate) folder: PathBuf,
}

impl Desk<'_> {
    /// The spec in the file `path`.
    ///
    /// # Errors
    /// When it cannot be read or has faults.
    pub(crate) fn open(&self, path: &Path) -> Result<Case> {
        let spec = Spec::read(path)?;
        let folder = folder::root(self.state, spec.state.as_deref())?.join(&spec.name);
        Ok(Case { spec, folder })
    }
}

/// Does `act` for each of `specs`. Where one fails the others follow, and the status is that of the worst.
///
/// # Errors
/// Those of `act`, when there is one spec; else they are told here. When the output cannot be written.
pub(crate) fn each(
    specs: &[PathBuf],
    out: &mut Out,
    mut act: impl FnMut(&Path, &mut Out) -> Result<Outcome>,
) -> Result<Outcome> {
    let mut worst = 0;
    for path in specs {
        let status = match act(path, out) {
            Ok(Outcome::Interrupted) => return Ok(Outcome::Interrupted),
            Ok(outcome) => outcome.status(),
            Err(error) if specs.len() == 1 || error.is_silent() => return Err(error),
            Err(error) => {
                tell(&error);
                error.status()
            }
        };
        worst = worse(&RANKS, worst, status);
    }
    Ok(Outcome::of(worst))
}

/// An error that does not end the run.
fn tell(error: &Error) {
    log::error!("{error}");
    for line in error.excerpt() {
        log::error!("{line}");
    }
}

/// Does what a person has decided; with JSON, prints how the rotation is then.
///
/// # Errors
/// Those of `act`, and when the output cannot be written.
pub(crate) fn decide(
    desk: &Desk<'_>,
    path: &Path,
    out: &mut Out,
    act: impl FnOnce(&Case) -> Result<()>,
) -> Result<Outcome> {
    let case = desk.open(path)?;
    act(&case)?;
    if desk.form == Form::Json {
        let state = rotate::remembered(&case.folder)?;
        let Case { spec, .. } = &case;
        let terms = Some(Terms { every: spec.every, gates: &spec.gates });
        print(&[Subject { name: &spec.name, state: &state, terms }], &Now::read(), desk.form, out)?;
    }
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_status_counts() {
        let check = |statuses: &[u8], want: u8| {
            let worst = statuses.iter().fold(0, |one, other| worse(&RANKS, one, *other));
            assert_eq!(worst, want, "{statuses:?}");
        };
        check(&[], 0);
        check(&[0, 12, 0], 12);
        check(&[12, 23], 23);
        check(&[75, 23], 75);
        check(&[75, 10], 10);
        check(&[10, 11], 11);
        check(&[11, 13], 13);
        check(&[2, 13], 2);
    }
}
