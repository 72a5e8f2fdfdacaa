//! `validate`: every fault of a spec at once, and what is worth a thought.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use common::{Error, OrCannot, Out, Outcome, Result};
use secrets::Source;
use serde::Serialize;
use specs::Fault;

use crate::consumer;
use crate::folder;
use crate::machine::HUMAN;
use crate::provider;
use crate::report::Form;
use crate::spec::{Judged, Spec};

/// The rights of everybody else.
const OTHERS: u32 = 0o007;

/// That of them to write.
const OTHERS_WRITE: u32 = 0o002;

/// Prints the findings for all of `specs`. `state` is `--state`.
///
/// # Errors
/// When the findings cannot be printed. A spec that cannot be read is told, and the others are judged.
pub(crate) fn all(specs: &[PathBuf], state: Option<&Path>, form: Form, out: &mut Out) -> Result<Outcome> {
    let mut are_good = true;
    for path in specs {
        match fs::read_to_string(path).or_cannot("read", path) {
            Ok(text) => are_good &= one((path, &text), state, form, out)?,
            Err(error) => {
                log::error!("{error}");
                are_good = false;
            }
        }
    }
    Ok(if are_good { Outcome::Done } else { Outcome::Own(2) })
}

/// Prints the findings for a spec, its file and its text; says whether it has no fault.
fn one((path, text): (&Path, &str), state: Option<&Path>, form: Form, out: &mut Out) -> Result<bool> {
    let judged = Spec::judge(text);
    let (mut faults, mut warnings) = (judged.faults.clone(), judged.warnings.clone());
    look_around(&judged, state, &mut faults, &mut warnings);
    let mut all: Vec<(Fault, bool)> = faults.iter().map(|fault| (fault.clone(), true)).collect();
    all.extend(warnings.into_iter().map(|warning| (warning, false)));
    all.sort();
    all.dedup();
    for (finding, is_fault) in &all {
        print(path, finding, *is_fault, form, out)?;
    }
    Ok(faults.is_empty())
}

fn print(path: &Path, finding: &Fault, is_fault: bool, form: Form, out: &mut Out) -> Result<()> {
    #[derive(Serialize)]
    struct Object<'a> {
        file: String,
        line: usize,
        severity: &'static str,
        what: &'a str,
    }
    let Fault { line, what } = finding;
    if form == Form::Json {
        let severity = if is_fault { "fault" } else { "warning" };
        return out.write_json(&Object { file: path.display().to_string(), line: *line, severity, what });
    }
    let warning = if is_fault { "" } else { "warning: " };
    let path = common::log::escape(&path.display().to_string());
    writeln!(out, "{path}:{line}: {warning}{}", common::log::escape(what))
}

/// What only the file system knows: who else may read the secrets, and write the state.
fn look_around(judged: &Judged, state: Option<&Path>, faults: &mut Vec<Fault>, warnings: &mut Vec<Fault>) {
    for (line, source) in &judged.sources {
        let Source::File(path) = source else { continue };
        match mode_of(path) {
            Some(mode) if mode & OTHERS != 0 => {
                let path = path.display();
                let what = format!("everybody may read or write {path}; chmod o= {path}");
                faults.push(Fault { line: *line, what });
            }
            Some(_) => {}
            None => {
                let what = format!("there is no file {}", path.display());
                warnings.push(Fault { line: *line, what });
            }
        }
    }
    for (line, path) in judged.spec.iter().flat_map(local_files) {
        let shown = path.display();
        let what = match mode_of(path) {
            Some(mode) if mode & OTHERS != 0 => {
                format!("everybody may read or write {shown}, which is to hold a secret; chmod o= {shown}")
            }
            None if !path.exists() => format!("there is no file {shown} on this machine"),
            _ => continue,
        };
        warnings.push(Fault { line, what });
    }
    for (line, program) in judged.spec.iter().flat_map(programs).filter(|(_, program)| !is_there(program)) {
        warnings.push(Fault { line, what: format!("there is no program {program} on this machine") });
    }
    for (line, path) in judged.spec.iter().flat_map(public_halves) {
        faults.push(Fault { line, what: in_the_way(&path) });
    }
    let named = judged.spec.as_ref().and_then(|spec| spec.state.as_deref());
    if let Ok(root) = folder::root(state, named)
        && let Some(path) = open_folder(&root)
    {
        let what =
            format!("everybody may write in {0}, where the journal is kept; chmod o-w {0}", path.display());
        faults.push(Fault { line: judged.spec.as_ref().map_or(1, |spec| spec.lines.state), what });
    }
}

/// The public keys beside the private ones that are rotated here. ssh(1) offers what it finds there, and
/// the private key that has been replaced does not belong to it: it is refused.
fn public_halves(spec: &Spec) -> impl Iterator<Item = (usize, PathBuf)> {
    let is_ssh = matches!(spec.provider, provider::Config::Ssh(_));
    let all = local_files(spec).filter(move |_| is_ssh).map(|(line, path)| (line, public_half(path)));
    all.filter(|(_, path)| path.exists())
}

/// Where ssh(1) looks for the public key of the private one in `path`.
pub(crate) fn public_half(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    PathBuf::from(name)
}

/// Why the public key in `path` must go.
pub(crate) fn in_the_way(path: &Path) -> String {
    let path = path.display();
    format!(
        "ssh(1) offers what it finds in {path}, also when the private key beside it is another one, and is \
         refused; remove it: without it the private key tells its public one"
    )
}

/// That no program on this host would be cut off by a public key beside a private one that is to be replaced.
///
/// # Errors
/// Status 11, when there is one.
pub(crate) fn nothing_is_in_the_way(spec: &Spec) -> Result<()> {
    let found = public_halves(spec).next();
    found.map_or(Ok(()), |(_, path)| Err(Error::failed(in_the_way(&path)).with_status(HUMAN)))
}

/// The files of the consumers that are here, each with the line of its consumer.
fn local_files(spec: &Spec) -> impl Iterator<Item = (usize, &Path)> {
    let with_lines = spec.consumers.iter().zip(&spec.lines.consumers);
    with_lines.filter_map(|(one, line)| match &one.hold {
        consumer::Hold::File { path, hosts, .. } if hosts.is_empty() => Some((*line, path.as_path())),
        _ => None,
    })
}

/// The programs that are asked here which key is in use, each with the line of its consumer.
fn programs(spec: &Spec) -> impl Iterator<Item = (usize, &str)> {
    let with_lines = spec.consumers.iter().zip(&spec.lines.consumers);
    with_lines.filter_map(|(one, line)| match &one.hold {
        consumer::Hold::File { hosts, .. } if hosts.is_empty() => {
            Some((*line, one.attest.as_ref()?.first()?.as_str()))
        }
        _ => None,
    })
}

/// Whether `program` is found as exec(3) finds it.
fn is_there(program: &str) -> bool {
    if program.contains('/') {
        return Path::new(program).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).exists())
}

/// The mode of a regular file.
fn mode_of(path: &Path) -> Option<u32> {
    let found = fs::metadata(path).ok()?;
    found.is_file().then(|| found.mode())
}

/// `root`, or what it is to be made in, when everybody may write there and remove what is another's.
fn open_folder(root: &Path) -> Option<PathBuf> {
    let found = root.ancestors().find_map(|path| Some((path, fs::metadata(path).ok()?)))?;
    let (path, metadata) = found;
    let sticky = 0o1000;
    let is_open = metadata.mode() & OTHERS_WRITE != 0 && (path == root || metadata.mode() & sticky == 0);
    is_open.then(|| path.to_owned())
}

#[cfg(test)]
mod tests;
