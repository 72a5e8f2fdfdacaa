//! How a credential stands in a file: alone, in fields of JSON, or in variables of an env file. Bytes in,
//! bytes out: where the file is does not matter here.
//!
//! What is written is read back before it is handed out: a file from which nobody could tell what it
//! holds is not made.

mod env;
mod json;

use std::collections::BTreeSet;

use secrecy::ExposeSecret;
use secrets::conceal;
use specs::Table;
use zeroize::Zeroizing;

use crate::credential::{Credential, Fields};
use crate::template::{SECRET, Template, join};
use env::Variables;
use json::Members;

/// How a credential stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    /// The whole file is this text.
    Whole {
        /// Without the newline at its end.
        template: Template,
        /// Whether it ends with a newline. A file from which that is missing is read all the same, and
        /// stays without, unless there are several lines in it.
        has_newline: bool,
    },
    /// These strings of a JSON document.
    Json(Vec<(::json::Path, Template)>),
    /// These variables of an env file, in the order of their names.
    Env(Vec<(String, Template)>),
}

impl Format {
    /// Reads the keys of a consumer of the kind `file`: `template`, without which the secret stands there
    /// with a newline behind it.
    pub(crate) fn read_whole(table: &mut Table<'_>) -> Option<Self> {
        let line = table.line_of("template");
        let text = if table.has("template") { table.text("template")? } else { "{secret}\n".into() };
        let has_newline = text.ends_with('\n');
        let template = template(table, line, text.strip_suffix('\n').unwrap_or(&text))?;
        Self::Whole { template, has_newline }.with_secret(table, line, "`template`")
    }

    /// Reads the keys of a consumer of the kind `json`: `set = { PATH = TEMPLATE }`.
    pub(crate) fn read_json(table: &mut Table<'_>) -> Option<Self> {
        let at = table.line_of("set");
        let mut all = Vec::new();
        for (name, text, line) in set(table)? {
            let path = json::path(&name).map_err(|why| table.fault(line, why));
            let template = template(table, line, &text);
            all.push(path.ok().zip(template));
        }
        Self::Json(all.into_iter().collect::<Option<_>>()?).with_secret(table, at, "`set`")
    }

    /// Reads the keys of a consumer of the kind `env`: `set = { NAME = TEMPLATE }`.
    pub(crate) fn read_env(table: &mut Table<'_>) -> Option<Self> {
        let at = table.line_of("set");
        let mut all = Vec::new();
        for (name, text, line) in set(table)? {
            if !env::is_name(&name) {
                let only = "letters, digits and `_`, and begins with no digit";
                table.fault(line, format!("`{name}`: the name of a variable has {only}"));
            }
            if text.contains(char::is_control) {
                table.fault(line, format!("`{name}`: a variable has no line breaks and the like"));
            }
            all.push(template(table, line, &text).map(|template| (name, template)));
        }
        Self::Env(all.into_iter().collect::<Option<_>>()?).with_secret(table, at, "`set`")
    }

    /// The names of the placeholders that it has.
    pub(crate) fn placeholders(&self) -> BTreeSet<String> {
        match self {
            Self::Whole { template, .. } => template.placeholders(),
            Self::Json(set) => set.iter().flat_map(|(_, template)| template.placeholders()).collect(),
            Self::Env(set) => set.iter().flat_map(|(_, template)| template.placeholders()).collect(),
        }
    }

    /// The whole new content of a file that was `old`, or was not there. All that is not the credential's
    /// keeps its bytes, except in a [`Format::Whole`]. Written again it is the same.
    ///
    /// # Errors
    /// When the credential lacks a part, or the file cannot take it: why, without any value.
    pub(crate) fn written(
        &self,
        old: Option<&[u8]>,
        credential: &Credential,
    ) -> Result<Zeroizing<Vec<u8>>, String> {
        let new = match self {
            Self::Whole { template, has_newline } => {
                whole(old.filter(|_| *has_newline), &template.filled(credential)?, *has_newline)
            }
            Self::Json(set) => {
                let mut file = Members::of(old.ok_or("it is not there; a file with {} is needed at least")?);
                for (path, template) in set {
                    file.set(path, &template.filled(credential)?)?;
                }
                file.into_bytes()?
            }
            Self::Env(set) => {
                let mut file = Variables::of(old.unwrap_or_default());
                for (name, template) in set {
                    file.set(name, &template.filled(credential)?)?;
                }
                file.into_bytes()
            }
        };
        let found = self.read(&new)?.unwrap_or_default();
        let is_same = |name: &String| {
            let (found, wanted) = (found.get(name), credential.part(name));
            found.zip(wanted).is_some_and(|(found, wanted)| found.expose_secret() == wanted.expose_secret())
        };
        if self.placeholders().iter().all(is_same) {
            return Ok(new);
        }
        Err("a value contains what is to separate it from the next one, or is empty".into())
    }

    /// What a file of these bytes holds; `None` when it holds no secret yet. Where there is a secret and
    /// no other part, the other one is not among them.
    ///
    /// # Errors
    /// When the bytes are no such file, or one name has two values: where, without any value.
    pub(crate) fn read(&self, bytes: &[u8]) -> Result<Option<Fields>, String> {
        let mut fields = Fields::new();
        match self {
            Self::Whole { .. } if bytes.trim_ascii().is_empty() => {}
            Self::Whole { template, has_newline } => {
                let text = std::str::from_utf8(bytes).map_err(|_| "it is no text in UTF-8")?;
                let text = if *has_newline { text.strip_suffix('\n').unwrap_or(text) } else { text };
                fields = template.read(text).ok_or_else(|| format!("it does not look like `{template}`"))?;
            }
            Self::Json(set) => {
                let mut file = Members::of(bytes);
                for (path, template) in set {
                    let Some(value) = file.get(path)? else { continue };
                    take(&mut fields, &path.to_string(), template, &value)?;
                }
            }
            Self::Env(set) => {
                let file = Variables::of(bytes);
                for (name, template) in set {
                    let Some(value) = file.get(name)? else { continue };
                    take(&mut fields, name, template, &value)?;
                }
            }
        }
        let secret = fields.get(SECRET).filter(|secret| !secret.expose_secret().is_empty());
        secret.into_iter().for_each(conceal::secret);
        Ok(secret.is_some().then_some(fields))
    }

    fn with_secret(self, table: &Table<'_>, line: usize, place: &str) -> Option<Self> {
        if self.placeholders().contains(SECRET) {
            return Some(self);
        }
        table.fault(line, format!("{place} has no {{secret}}"));
        None
    }
}

/// `filled` as a whole file, with a newline unless `old` has none.
fn whole(old: Option<&[u8]>, filled: &str, has_newline: bool) -> Zeroizing<Vec<u8>> {
    let is_without = old.is_some_and(|old| !old.is_empty() && !old.ends_with(b"\n"));
    let mut bytes = Zeroizing::new(Vec::with_capacity(filled.len() + 1));
    bytes.extend_from_slice(filled.as_bytes());
    // Several lines always end with one: OpenSSH refuses a key without it.
    if has_newline && (!is_without || filled.contains('\n')) {
        bytes.push(b'\n');
    }
    bytes
}

/// Adds what `value`, which stands at `place`, holds.
fn take(fields: &mut Fields, place: &str, template: &Template, value: &str) -> Result<(), String> {
    // As it is delivered, before the first credential.
    if value.is_empty() {
        return Ok(());
    }
    let found = template.read(value).ok_or_else(|| format!("`{place}` does not look like `{template}`"))?;
    join(fields, &found).ok_or_else(|| format!("`{place}` has another value than it has elsewhere"))
}

/// `set`, which has at least one entry.
fn set(table: &mut Table<'_>) -> Option<Vec<(String, String, usize)>> {
    let line = table.line_of("set");
    table.must("set");
    let all = table.map("set")?;
    if all.is_empty() {
        table.fault(line, "`set` is empty");
    }
    (!all.is_empty()).then_some(all)
}

fn template(table: &Table<'_>, line: usize, text: &str) -> Option<Template> {
    Template::parse(text).map_err(|why| table.fault(line, why)).ok()
}

#[cfg(test)]
mod tests;
