//! What scripts ask of a document, without a lock.

use common::{Out, Outcome, Result};
use json::{Document, Fault, Kind, Path, Text, string};

use crate::backup;
use crate::plan::{Plan, Task};

/// Prints what is asked for.
///
/// # Errors
/// When the file cannot be read or is no JSON, or the output cannot be written.
pub(crate) fn run(plan: &Plan, out: &mut Out) -> Result<Outcome> {
    match &plan.task {
        Task::Get { paths, raw } => {
            print_each(plan, paths, out, |document, path| value(document, path, *raw))
        }
        Task::Type(paths) => print_each(plan, paths, out, |document, path| {
            Ok(document.kind(path)?.map(|kind| kind.name().into()))
        }),
        Task::History { json } => history(plan, *json, out),
        _ => {
            let peek = plan.store.peek()?;
            let hash = peek.text().sha256()?;
            peek.confirm()?;
            writeln!(out, "{hash}")?;
            Ok(Outcome::Done)
        }
    }
}

/// Prints a line for each path that leads somewhere; the answer is no when one does not.
fn print_each(
    plan: &Plan,
    paths: &[Path],
    out: &mut Out,
    show: impl Fn(&mut Document, &Path) -> Result<Option<Vec<u8>>>,
) -> Result<Outcome> {
    let peek = plan.store.peek()?;
    let mut document = plan.store.document(peek.text().clone());
    if let Some(Err(Fault::Empty)) = paths.first().map(|path| document.check(path)) {
        log::warn!("{} is empty; it counts as {{}}", plan.store.path.display());
        document = plan.store.document(Text::new(b"{}".to_vec()));
    }
    let (mut lines, mut outcome) = (Vec::new(), Outcome::Done);
    for path in paths {
        if let Some(line) = show(&mut document, path)? {
            lines.extend([line, b"\n".to_vec()].concat());
        } else {
            log::info!("there is no `{path}` in {}", plan.store.path.display());
            outcome = Outcome::No;
        }
    }
    peek.confirm()?;
    out.write_all(&lines)?;
    Ok(outcome)
}

fn value(document: &mut Document, path: &Path, raw: bool) -> Result<Option<Vec<u8>>> {
    let Some(value) = document.get(path)? else { return Ok(None) };
    if !raw || document.kind(path)? != Some(Kind::String) {
        return Ok(Some(value));
    }
    let quoted = value.get(1..value.len() - 1).unwrap_or_default();
    Ok(Some(string::decode(quoted).unwrap_or(value)))
}

fn history(plan: &Plan, json: bool, out: &mut Out) -> Result<Outcome> {
    let backups = backup::history(&plan.store.path)?;
    let outcome = if backups.is_empty() { Outcome::No } else { Outcome::Done };
    for row in if json { backup::json_lines(&backups) } else { backup::table(&backups) } {
        writeln!(out, "{row}")?;
    }
    Ok(outcome)
}
