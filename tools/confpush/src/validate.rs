//! `validate`: every fault of the specs, and of the files that they make, without asking a host.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::log::escape;
use common::{Out, Outcome, Result};
use remote::Target;
use secrets::conceal;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::content;
use crate::render::{Made, Problem, Renderer};
use crate::report::Form;
use crate::spec::{self, Spec};

/// So many hosts are named for people; of the others the number.
const MOST_NAMED: usize = 3;

/// All that is found: the hosts that it concerns are gathered, each once and in their order.
#[derive(Default)]
struct Findings(BTreeMap<Finding, Vec<String>>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    file: PathBuf,
    line: usize,
    is_warning: bool,
    what: String,
}

/// Prints what is wrong with `paths`; status 2 when something is, beside warnings.
///
/// # Errors
/// When it cannot be printed, or a spec cannot be read; the others are judged all the same.
pub(crate) fn all(paths: &[PathBuf], form: Form, out: &mut Out) -> Result<Outcome> {
    let mut findings = Findings::default();
    let mut specs = Vec::new();
    let mut unread = None;
    for path in paths {
        match spec::read(path) {
            Err(error) => {
                if let Some(error) = unread.replace(error) {
                    log::error!("{error}");
                }
            }
            Ok(judged) => {
                judged.faults.into_iter().for_each(|fault| findings.add(path, fault.line, fault.what));
                judged.warnings.into_iter().for_each(|fault| findings.warn(path, fault.line, fault.what));
                specs.extend(judged.spec);
            }
        }
    }
    for (spec, other) in spec::same_names(&specs) {
        let what = format!("`{}` is the name of {}, too", spec.name, other.file.display());
        findings.add(&spec.file, spec.lines.name, what);
    }
    let mut claims = Claims::default();
    for spec in &specs {
        findings.judge(spec, &mut claims);
    }
    let is_good = findings.print(form, out)?;
    // What the run fails by is told whatever is filtered.
    unread.map_or(Ok(if is_good { Outcome::Done } else { Outcome::Own(2) }), Err)
}

impl Findings {
    fn add(&mut self, file: &Path, line: usize, what: String) {
        self.0.entry(Finding { file: file.to_owned(), line, is_warning: false, what }).or_default();
    }

    fn warn(&mut self, file: &Path, line: usize, what: String) {
        self.0.entry(Finding { file: file.to_owned(), line, is_warning: true, what }).or_default();
    }

    fn of_host(&mut self, problem: Problem, host: &str) {
        let Problem { file, line, what } = problem;
        let finding = Finding { file, line, is_warning: false, what };
        self.0.entry(finding).or_default().push(host.to_owned());
    }

    /// Judges what `spec` makes, of which the text is without a fault.
    fn judge(&mut self, spec: &Spec, claims: &mut Claims) {
        let hosts = self.hosts(spec);
        let renderer = match Renderer::of(spec) {
            Ok(renderer) => renderer,
            Err(problems) => {
                for one in problems {
                    self.add(&one.file, one.line, one.what);
                }
                return;
            }
        };
        let mut judge = Judge::of(spec);
        for (environment, hosts) in spec.environments.iter().zip(&hosts) {
            for host in hosts {
                let made = renderer.made_for(environment, &host.name);
                if let Some(problem) =
                    made.as_ref().ok().and_then(|made| claims.claim(spec, host, &made.path))
                {
                    self.of_host(problem, &host.name);
                }
                if let Err(problem) = made.and_then(|made| judge.judge(&made, &host.name)) {
                    self.of_host(problem, &host.name);
                }
            }
        }
    }

    /// The hosts of each environment; none where a finding says why they are not known.
    fn hosts(&mut self, spec: &Spec) -> Vec<Vec<Target>> {
        let mut all = Vec::new();
        let mut are_known = true;
        for (environment, line) in spec.environments.iter().zip(&spec.lines.environments) {
            let targets = spec.ssh.targets(&environment.hosts).unwrap_or_else(|error| {
                are_known = false;
                self.add(&spec.file, *line, format!("`hosts` of `{}`: {error}", environment.name));
                Vec::new()
            });
            all.push(targets);
        }
        if are_known {
            let names = all.iter().map(|those| those.iter().map(|target| target.name.to_string()).collect());
            for (line, what) in spec::strangers(spec, &names.collect::<Vec<_>>()) {
                self.add(&spec.file, line, what);
            }
        }
        all
    }

    /// Says whether there are but warnings.
    fn print(self, form: Form, out: &mut Out) -> Result<bool> {
        let is_good = self.0.keys().all(|finding| finding.is_warning);
        for (finding, hosts) in self.0 {
            match form {
                Form::Json => finding.print_json(&hosts, out)?,
                Form::Text => finding.print_text(&hosts, out)?,
            }
        }
        Ok(is_good)
    }
}

/// Who deploys which file of which host: two specs with one file would undo each other.
#[derive(Default)]
pub(crate) struct Claims(BTreeMap<(String, String, u16, String), Claim>);

struct Claim {
    spec: String,
    file: PathBuf,
}

impl Claims {
    /// That `spec` deploys the file `path` of `target`; what is wrong when another one does.
    pub(crate) fn claim(&mut self, spec: &Spec, target: &Target, path: &str) -> Option<Problem> {
        let key = (target.name.to_string(), target.address.clone(), target.port, path.to_owned());
        let new = || Claim { spec: spec.name.clone(), file: spec.file.clone() };
        let Claim { spec: name, file } = self.0.entry(key).or_insert_with(new);
        let what = || {
            format!(
                "`path`: {} deploys {} of the same host, too; one file has one spec",
                file.display(),
                escape(path)
            )
        };
        (*name != spec.name).then(|| Problem { file: spec.file.clone(), line: spec.lines.path, what: what() })
    }
}

/// Judges the files of a spec. Hosts with the same file have the same faults, and a command may take long.
pub(crate) struct Judge<'s> {
    spec: &'s Spec,
    known: BTreeMap<String, std::result::Result<(), Problem>>,
}

impl<'s> Judge<'s> {
    /// For the files of `spec`.
    pub(crate) fn of(spec: &'s Spec) -> Self {
        Self { spec, known: BTreeMap::new() }
    }

    /// Judges what is made for `host`.
    ///
    /// # Errors
    /// What is wrong with it, without secrets.
    pub(crate) fn judge(&mut self, made: &Made, host: &str) -> std::result::Result<(), Problem> {
        let digest = secrets::hex(&Sha256::digest(&made.bytes));
        if let Some(known) = self.known.get(&digest) {
            return known.clone();
        }
        let judged = self.judge_new(made, host);
        self.known.insert(digest, judged.clone());
        judged
    }

    fn judge_new(&self, made: &Made, host: &str) -> std::result::Result<(), Problem> {
        let Spec { file, lines, .. } = self.spec;
        let problem = |line: usize, what: String| Problem { file: file.clone(), line, what };
        content::judge(self.spec, &made.bytes)
            .map_err(|why| problem(lines.source, format!("`source`: {why}")))?;
        content::judge_locally(self.spec, &made.bytes, host).map_err(|why| problem(lines.local, why))
    }
}

impl Finding {
    /// For people.
    fn print_text(&self, hosts: &[String], out: &mut Out) -> Result<()> {
        let warning = if self.is_warning { "warning: " } else { "" };
        let what = escape(&conceal::hide(&self.what));
        let named = hosts.iter().take(MOST_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = match hosts.len().saturating_sub(MOST_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let concerned = if named.is_empty() { named } else { escape(&format!(" ({named}{more})")) };
        let file = self.file.display().to_string();
        writeln!(out, "{}:{}: {warning}{what}{concerned}", escape(&file), self.line)
    }

    /// For programs.
    fn print_json(&self, hosts: &[String], out: &mut Out) -> Result<()> {
        #[derive(Serialize)]
        struct Object<'a> {
            file: String,
            line: usize,
            severity: &'static str,
            what: String,
            hosts: &'a [String],
        }
        let severity = if self.is_warning { "warning" } else { "fault" };
        let file = self.file.display().to_string();
        out.write_json(&Object { file, line: self.line, severity, what: conceal::hide(&self.what), hosts })
    }
}

#[cfg(test)]
mod tests;
