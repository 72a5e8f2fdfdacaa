//! Reading a spec.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{Error, OrCannot, Result};
use remote::spec::Ssh;
use secrets::Source;
use specs::{Fault, Faults, Table};

use super::{
    Access, Check, Checks, Environment, Kind, Lines, Remote, Spec, Strategy, Validate, cross, texts,
};
use crate::values;

/// A spec and what is wrong with it.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    /// The spec; none when it has faults.
    pub(crate) spec: Option<Spec>,
    /// What has to be mended, in the order of its lines.
    pub(crate) faults: Vec<Fault>,
    /// What is worth a thought.
    pub(crate) warnings: Vec<Fault>,
}

/// Reads the spec `path` and judges it whole.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn read(path: &Path) -> Result<Judged> {
    let text = fs::read_to_string(path).or_cannot("read", path)?;
    Ok(read_text(path, &text))
}

/// Judges `text`, that of the spec `file`, which is not read.
pub(crate) fn read_text(file: &Path, text: &str) -> Judged {
    let faults = Faults::of(text);
    let table = specs::parse(text, &faults);
    // Of a text that is no TOML nothing else is known.
    let spec = if faults.is_empty() { Some(spec(file, table)) } else { None };
    let spec = spec.filter(|_| faults.is_empty());
    let warnings = faults.warnings();
    Judged { spec, faults: faults.into_sorted(), warnings }
}

/// Reads all of `paths`.
///
/// # Errors
/// When one cannot be read, has a fault (all are told, each with its line), or two have one name.
pub(crate) fn all(paths: &[PathBuf]) -> Result<Vec<Spec>> {
    let mut specs: Vec<Spec> = Vec::new();
    let mut told = Vec::new();
    for path in paths {
        let judged = read(path)?;
        told.extend(
            judged.faults.iter().map(|fault| format!("{}:{}: {}", path.display(), fault.line, fault.what)),
        );
        specs.extend(judged.spec);
    }
    for (spec, other) in same_names(&specs) {
        let (file, line, other) = (spec.file.display(), spec.lines.name, other.file.display());
        told.push(format!("{file}:{line}: `{}` is the name of {other}, too", spec.name));
    }
    if told.is_empty() {
        return Ok(specs);
    }
    let whose = match paths {
        [one] => one.display().to_string(),
        _ => "the specs".to_owned(),
    };
    let has = if paths.len() == 1 { "has" } else { "have" };
    let count = if told.len() == 1 { "a fault".into() } else { format!("{} faults", told.len()) };
    Err(Error::failed(format!("{whose} {has} {count}")).showing(told))
}

/// Each spec that has the name of one before it, with that one.
pub(crate) fn same_names(specs: &[Spec]) -> Vec<(&Spec, &Spec)> {
    let mut known: BTreeMap<&str, &Spec> = BTreeMap::new();
    let mut same = Vec::new();
    for spec in specs {
        match known.get(spec.name.as_str()) {
            Some(first) => same.push((spec, *first)),
            None => _ = known.insert(&spec.name, spec),
        }
    }
    same
}

impl Lines {
    /// Of what is in `table` and has not been asked for.
    fn of(table: &Table<'_>) -> Self {
        Self {
            name: table.line_of("name"),
            source: table.line_of("source"),
            path: table.line_of("path"),
            schema: table.line_of("schema"),
            after: table.line_of("after"),
            validate: table.line_of("validate"),
            reload: table.line_of("reload"),
            ..Self::default()
        }
    }
}

/// What `table` says, as far as it can be understood; faults say where it cannot.
fn spec(file: &Path, mut table: Table<'_>) -> Spec {
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut lines = Lines::of(&table);
    let secrets = secrets(&mut table, folder, &mut lines);
    let hidden: Vec<String> = secrets.keys().cloned().collect();
    table.must("source");
    let source = table.path_from("source", folder).unwrap_or_default();
    let is_j2 = source.extension().is_some_and(|ending| ending == "j2");
    table.must("path");
    let path = texts::template(&mut table, "path", &hidden, texts::wrong_path).unwrap_or_default();
    let keep = table.number("keep", 1..=1000).and_then(|number| usize::try_from(number).ok());
    let own = table.table("strategy");
    let strategy = own.map_or_else(Strategy::default, |own| Strategy::read(own, Strategy::default()));
    let ssh = table.table("ssh");
    let has_inventory = ssh.as_ref().is_some_and(|ssh| ssh.has("inventory"));
    let (health, environments);
    (lines.health, health) = checks_of(&mut table, &hidden);
    (lines.environments, environments) = environments_of(&mut table, strategy);
    let spec = Spec {
        file: file.to_owned(),
        name: texts::name(&mut table, "name"),
        is_template: table.flag("template").unwrap_or(is_j2),
        access: access(&mut table),
        kind: kind(&mut table, &path),
        schema: table.path_from("schema", folder),
        becomes: table.flag("become").unwrap_or_default(),
        store: table.path("store").map(|path| path.to_string_lossy().into_owned()),
        trust: trust(&mut table),
        keep: keep.unwrap_or(5),
        after: table.texts("after").unwrap_or_default(),
        values: table.table("values").map(values::read).unwrap_or_default(),
        validate: validate(&mut table, &mut lines),
        reload: table.table("reload").map(reload),
        checks: table.table("checks").map(Checks::read).unwrap_or_default(),
        ssh: ssh.map(Ssh::read).unwrap_or_default(),
        source,
        path,
        secrets,
        health,
        strategy,
        environments,
        lines,
    };
    cross::check(&spec, &table, has_inventory);
    table.finish();
    spec
}

/// `[secrets]`.
fn secrets(table: &mut Table<'_>, folder: &Path, lines: &mut Lines) -> BTreeMap<String, Source> {
    let mut all = BTreeMap::new();
    for (name, one) in table.table("secrets").map(Table::into_named).unwrap_or_default() {
        let line = one.line();
        if let Some(why) = values::wrong_name(&name) {
            one.fault(line, format!("`secrets.{name}`: {why}"));
        }
        lines.secrets.insert(name.clone(), line);
        if let Some(source) = one.into_source(folder) {
            all.insert(name, source);
        }
    }
    all
}

/// `trust`.
fn trust(table: &mut Table<'_>) -> Vec<String> {
    let line = table.line_of("trust");
    let names = table.texts("trust").unwrap_or_default();
    for name in names.iter().filter(|name| !is_account(name)) {
        table.fault(line, format!("`trust` has `{name}`; it is to be names or numbers of users and groups"));
    }
    names
}

/// Whether `text` can be the name or the number of a user or a group.
fn is_account(text: &str) -> bool {
    let is_bad = |letter: char| letter.is_whitespace() || letter.is_control() || matches!(letter, ':' | '/');
    !text.is_empty() && !text.contains(is_bad) && !text.starts_with('-')
}

/// `owner`, `group` and `mode`.
fn access(table: &mut Table<'_>) -> Access {
    let mut name = |key: &'static str| {
        let line = table.line_of(key);
        let text = table.text(key)?;
        if !is_account(&text) {
            table.fault(line, format!("`{key}` is `{text}`; it is to be a name or a number"));
        }
        Some(text)
    };
    let (owner, group) = (name("owner"), name("group"));
    let line = table.line_of("mode");
    let mode = table.text("mode").and_then(|text| {
        let is_octal = matches!(text.len(), 3 | 4) && text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        if !is_octal {
            table.fault(line, format!("`mode` is `{text}`; write it as \"0644\""));
        }
        u32::from_str_radix(&text, 8).ok().filter(|_| is_octal)
    });
    Access { owner, group, mode }
}

/// `type`, or what the ending of `path` says.
fn kind(table: &mut Table<'_>, path: &str) -> Kind {
    const KINDS: [Kind; 5] = [Kind::Text, Kind::Json, Kind::Yaml, Kind::Toml, Kind::Ini];
    let line = table.line_of("type");
    let named = table.choice("type", &["text", "json", "yaml", "toml", "ini"]).and_then(|at| KINDS.get(at));
    let kind = named.copied().unwrap_or_else(|| match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("json") => Kind::Json,
        Some("yaml" | "yml") => Kind::Yaml,
        Some("toml") => Kind::Toml,
        Some("ini") => Kind::Ini,
        _ => Kind::Text,
    });
    if table.has("schema") && matches!(kind, Kind::Text | Kind::Ini) {
        let line = if named.is_some() { line } else { table.line_of("schema") };
        table.fault(line, "`schema` is for `type` json, yaml and toml");
    }
    kind
}

/// `[validate]`.
fn validate(table: &mut Table<'_>, lines: &mut Lines) -> Validate {
    const LIMIT: Duration = Duration::from_secs(30);
    let Some(mut own) = table.table("validate") else {
        return Validate { timeout: LIMIT, ..Validate::default() };
    };
    let (local_at, remote_at) = (own.line_of("local"), own.line_of("remote"));
    lines.local = local_at;
    let local = own.command("local");
    let script = own.text("remote");
    let timeout = own.duration("timeout").unwrap_or(LIMIT);
    let has_place = |words: &[String]| words.iter().any(|word| word.contains("{}"));
    if local.as_deref().is_some_and(|words| !has_place(words)) {
        own.fault(local_at, "`validate.local` has no `{}`, where the name of the file goes");
    }
    if script.as_ref().is_some_and(|script| !script.contains("{}")) {
        let why = "the file is not in its place yet";
        own.fault(
            remote_at,
            format!("`validate.remote` has no `{{}}`, where the name of the staged file goes: {why}"),
        );
    }
    own.finish();
    Validate { local, remote: script.map(|script| Remote { script, timeout }), timeout }
}

/// `[reload]`.
fn reload(mut table: Table<'_>) -> Remote {
    let script = table.needed("command");
    let timeout = table.duration("timeout").unwrap_or(Duration::from_secs(30));
    table.finish();
    Remote { script, timeout }
}

/// `[[health]]`, each with its line.
fn checks_of(table: &mut Table<'_>, secrets: &[String]) -> (Vec<usize>, Vec<Check>) {
    let tables = table.tables("health").into_iter();
    tables.filter_map(|one| Some((one.line(), Check::read(one, secrets)?))).unzip()
}

/// `[[environments]]`, each with its line.
fn environments_of(table: &mut Table<'_>, strategy: Strategy) -> (Vec<usize>, Vec<Environment>) {
    let line = table.line_of("environments");
    let tables = table.tables("environments");
    if tables.is_empty() {
        table.fault(line, "the spec has no [[environments]]: where it goes to");
    }
    tables.into_iter().map(|one| (one.line(), Environment::read(one, strategy))).unzip()
}

#[cfg(test)]
mod tests;
