//! What a spec makes for a host: the bytes of its file, where it goes to, and what is asked afterwards.

mod jinja;
mod mask;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};

use common::{Error, OrCannot, Result};
use secrecy::{ExposeSecret, SecretString};
use secrets::conceal;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

pub(crate) use jinja::names_of;

use crate::spec::{Check, Environment, Spec, Values, wrong_path};
use crate::values;

/// No message can hide a secret of less bytes.
const SHORTEST: usize = 4;

/// Makes the files of a spec.
pub(crate) struct Renderer {
    spec: Spec,
    source: Source,
    texts: jinja::Engine,
    secrets: BTreeMap<String, SecretString>,
    /// What is put in their places to find where they show.
    disguises: Values,
    version: String,
}

enum Source {
    Plain(Zeroizing<Vec<u8>>),
    Template(jinja::Engine),
}

/// What is made for a host. It may hold secrets, and so is never printed whole.
#[derive(Clone)]
pub(crate) struct Made {
    /// The file.
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    /// Its lines, from 0, that hold a secret, a part of one, or what was made of one.
    pub(crate) secret_lines: BTreeSet<usize>,
    /// Where it goes to; absolute.
    pub(crate) path: String,
    /// What is asked afterwards, with its texts filled in.
    pub(crate) checks: Vec<Check>,
}

/// What is wrong, and in which line of which file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// The spec, or its template.
    pub(crate) file: PathBuf,
    /// From 1.
    pub(crate) line: usize,
    /// What is wrong, without secrets.
    pub(crate) what: String,
}

impl Display for Problem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.what)
    }
}

impl Renderer {
    /// Reads the source and the secrets of `spec`; from then on no message shows these.
    ///
    /// # Errors
    /// When one cannot be read, or the source is no template: all that is wrong, each with its line.
    pub(crate) fn new(spec: &Spec) -> Result<Self> {
        Self::of(spec).map_err(|problems| match problems.as_slice() {
            [one] => Error::failed(one.to_string()),
            all => Error::failed(format!("{} has {} faults", spec.file.display(), all.len()))
                .showing(all.iter().map(ToString::to_string)),
        })
    }

    /// The same, with what is wrong in parts.
    pub(crate) fn of(spec: &Spec) -> std::result::Result<Self, Vec<Problem>> {
        let problem = |line: usize, what: String| Problem { file: spec.file.clone(), line, what };
        let mut problems = Vec::new();
        let mut secrets = BTreeMap::new();
        for (name, place) in &spec.secrets {
            let line = spec.lines.secrets.get(name).copied().unwrap_or(1);
            match place.read() {
                Ok(secret) if secret.expose_secret().len() < SHORTEST => {
                    let what = format!("{place} has less than {SHORTEST} bytes, which no message could hide");
                    problems.push(problem(line, format!("`secrets.{name}`: {what}")));
                }
                Ok(secret) => {
                    conceal::secret(&secret);
                    secrets.insert(name.clone(), secret);
                }
                Err(error) => problems.push(problem(line, format!("`secrets.{name}`: {error}"))),
            }
        }
        let source = read(spec).map_err(|found| problems.push(found));
        let (Ok((source, digest)), true) = (source, problems.is_empty()) else { return Err(problems) };
        let disguise = |secret: &SecretString| mask::disguised(secret.expose_secret()).into();
        let disguises = secrets.iter().map(|(name, secret)| (name.clone(), disguise(secret))).collect();
        let version = version(spec, &digest, &secrets);
        Ok(Self { spec: spec.clone(), source, texts: jinja::Engine::new(), secrets, disguises, version })
    }

    /// The SHA-256, in hexadecimal digits, of all that the files of the spec are made of: the same on all
    /// hosts and in all environments, until the source, a value or a secret changes.
    pub(crate) fn version(&self) -> String {
        self.version.clone()
    }

    /// What `host` of `environment` is to have.
    ///
    /// # Errors
    /// When a value is missing or cannot be used so, with the line of the template; no secret is shown.
    pub(crate) fn made(&self, environment: &Environment, host: &str) -> Result<Made> {
        self.made_for(environment, host).map_err(|problem| {
            Error::failed(format!("{problem}, for {} of {}", common::log::escape(host), environment.name))
        })
    }

    /// The same, with what is wrong in parts.
    pub(crate) fn made_for(
        &self,
        environment: &Environment,
        host: &str,
    ) -> std::result::Result<Made, Problem> {
        let values = values::of(&self.spec, environment, host);
        let (bytes, secret_lines) = self.content(&values)?;
        let lines = &self.spec.lines;
        let wrong = |line: usize, what: String| Problem { file: self.spec.file.clone(), line, what };
        let path = self.texts.filled(&self.spec.path, &values);
        let path = path.map_err(|why| wrong(lines.path, format!("`path`: {}", why.what)))?;
        if let Some(why) = wrong_path(&path) {
            return Err(wrong(lines.path, format!("`path` {why}")));
        }
        let check = |(at, check): (usize, &Check)| {
            let fill = |key: &str, text: &str| {
                let filled = self.texts.filled(text, &values);
                filled.map_err(|why| format!("`health.{key}`: {}", why.what))
            };
            let line = lines.health.get(at).copied().unwrap_or(1);
            check.filled(fill).map_err(|what| wrong(line, what))
        };
        let checks = self.spec.health.iter().enumerate().map(check).collect::<std::result::Result<_, _>>()?;
        Ok(Made { bytes, secret_lines, path, checks })
    }

    /// The file, and its lines that hold a secret.
    fn content(
        &self,
        values: &Values,
    ) -> std::result::Result<(Zeroizing<Vec<u8>>, BTreeSet<usize>), Problem> {
        let bytes = match &self.source {
            Source::Plain(bytes) => bytes.clone(),
            Source::Template(engine) => {
                let secrets = self.secrets.iter();
                let secrets = secrets.map(|(name, secret)| (name.clone(), secret.expose_secret().into()));
                self.fill(engine, values, secrets.collect())?
            }
        };
        let mut lines = BTreeSet::new();
        for secret in self.secrets.values() {
            lines.extend(mask::holding(&bytes, secret.expose_secret()));
        }
        if let (Source::Template(engine), false) = (&self.source, self.secrets.is_empty()) {
            // What depends on a secret differs when the secret does, whatever filter it went through.
            match self.fill(engine, values, self.disguises.clone()) {
                Ok(other) => lines.extend(mask::differing(&bytes, &other)),
                Err(_) => lines.extend(0..bytes.split(|byte| *byte == b'\n').count()),
            }
        }
        Ok((bytes, lines))
    }

    fn fill(
        &self,
        engine: &jinja::Engine,
        values: &Values,
        secrets: Values,
    ) -> std::result::Result<Zeroizing<Vec<u8>>, Problem> {
        let mut all = values.clone();
        all.extend(secrets);
        let filled = engine.source(&all);
        let text = filled.map_err(|why| Problem {
            file: self.spec.source.clone(),
            line: why.line,
            what: conceal::hide(&why.what),
        })?;
        Ok(Zeroizing::new(text.into_bytes()))
    }
}

/// The source of `spec`, and its SHA-256.
fn read(spec: &Spec) -> std::result::Result<(Source, String), Problem> {
    let here = |what: String| Problem { file: spec.file.clone(), line: spec.lines.source, what };
    let bytes = bytes_of(&spec.source).map_err(|error| here(format!("`source`: {error}")))?;
    let digest = secrets::hex(&Sha256::digest(&bytes));
    if !spec.is_template {
        return Ok((Source::Plain(bytes), digest));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        here(format!("`source`: {} is a template, and no text in UTF-8", spec.source.display()))
    })?;
    let engine = jinja::Engine::of(text);
    let there = |why: jinja::Why| Problem { file: spec.source.clone(), line: why.line, what: why.what };
    engine.map(|engine| (Source::Template(engine), digest)).map_err(there)
}

fn bytes_of(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    // A pipe would never end, and a device never be read twice.
    if !fs::metadata(path).or_cannot("read", path)?.is_file() {
        return Err(Error::failed(format!("cannot read {}: it is not a regular file", path.display())));
    }
    fs::read(path).map(Zeroizing::new).or_cannot("read", path)
}

/// See [`Renderer::version`]. Of a secret only its digest counts, like that of the source.
fn version(spec: &Spec, source: &str, secrets: &BTreeMap<String, SecretString>) -> String {
    let digest = |text: &str| secrets::hex(&Sha256::digest(text.as_bytes()));
    let secrets: BTreeMap<_, _> =
        secrets.iter().map(|(name, secret)| (name, digest(secret.expose_secret()))).collect();
    let environments = spec.environments.iter();
    let environments: Vec<_> = environments.map(|one| (&one.name, &one.values, &one.host_values)).collect();
    let access = (&spec.access.owner, &spec.access.group, spec.access.mode);
    let all = (source, spec.is_template, &spec.name, &spec.path, access, &spec.values, environments, secrets);
    // Lists and maps in their order, of texts and numbers: always JSON.
    digest(&serde_json::json!(all).to_string())
}

#[cfg(test)]
mod tests;
