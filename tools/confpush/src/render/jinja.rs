//! Templates, by minijinja: a value that is missing is a fault, and nothing is escaped or left out.

use std::collections::BTreeSet;

use minijinja::value::{Value, ValueKind};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, Template, UndefinedBehavior, escape_formatter,
};
use remote::shell;

use crate::spec::Values;

/// The name of the source.
const SOURCE: &str = "source";

/// What fills templates in.
pub(super) struct Engine(Environment<'static>);

/// Why a template is none, or cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Why {
    /// Its line, from 1.
    pub(crate) line: usize,
    /// What is wrong.
    pub(crate) what: String,
}

/// The values that `text` asks for, which is a template.
///
/// # Errors
/// Why it is none.
pub(crate) fn names_of(text: &str) -> Result<BTreeSet<String>, String> {
    let engine = Engine::new();
    let template = engine.0.template_from_str(text).map_err(|error| why(&error).what)?;
    Ok(template.undeclared_variables(false).into_iter().collect())
}

impl Engine {
    /// For short texts.
    pub(super) fn new() -> Self {
        let mut engine = Environment::new();
        engine.set_undefined_behavior(UndefinedBehavior::Strict);
        engine.set_keep_trailing_newline(true);
        engine.set_auto_escape_callback(|_| AutoEscape::None);
        // With it an error knows what of the template it is about.
        engine.set_debug(true);
        engine.add_filter("quote", |text: String| shell::quoted(&text));
        engine.set_formatter(write);
        Self(engine)
    }

    /// For the template `source`, which is read once.
    pub(super) fn of(source: &str) -> Result<Self, Why> {
        let mut engine = Self::new();
        engine.0.add_template_owned(SOURCE, source.to_owned()).map_err(|error| why(&error))?;
        Ok(engine)
    }

    /// The template of [`Engine::of`] with `values`.
    pub(super) fn source(&self, values: &Values) -> Result<String, Why> {
        let template = self.0.get_template(SOURCE).map_err(|error| why(&error))?;
        template.render(values).map_err(|error| why_of(&error, &template, values))
    }

    /// `text` with `values`.
    pub(super) fn filled(&self, text: &str, values: &Values) -> Result<String, Why> {
        let template = self.0.template_from_str(text).map_err(|error| why(&error))?;
        template.render(values).map_err(|error| why_of(&error, &template, values))
    }
}

/// Fills a value in: `true` as TOML, JSON and YAML write it, not as Python does; and a list or a table not
/// at all, since each of them writes these otherwise.
fn write(out: &mut Output, state: &State, value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::Bool => Ok(out.write_str(if value.is_true() { "true" } else { "false" })?),
        kind @ (ValueKind::Seq | ValueKind::Map | ValueKind::Iterable | ValueKind::None) => {
            let what = format!("a {kind} is no text; use `| tojson`, `| join(\", \")` or a loop");
            Err(Error::new(ErrorKind::InvalidOperation, what))
        }
        _ => escape_formatter(out, state, value),
    }
}

/// Why `template` cannot be filled in with `values`. The engine often knows only the operation that met a
/// missing value; its name is then the one on this line that has no value.
fn why_of(error: &Error, template: &Template<'_, '_>, values: &Values) -> Why {
    let mut why = why(error);
    if error.kind() != ErrorKind::UndefinedError {
        return why;
    }
    let line = template.source().lines().nth(why.line - 1).unwrap_or_default();
    let mut missing: Vec<_> = template.undeclared_variables(true).into_iter().collect();
    missing.retain(|name| line.contains(name.as_str()) && !has(values, name));
    missing.sort();
    if let Some(name) =
        missing.first().filter(|_| !missing.iter().any(|name| why.what.contains(&format!("`{name}`"))))
    {
        why.what = format!("`{name}` has no value");
    }
    why
}

/// Whether `name`, as `db.port`, is among `values`.
fn has(values: &Values, name: &str) -> bool {
    let mut parts = name.split('.');
    let first = parts.next().and_then(|first| values.get(first));
    parts.try_fold(first, |value, part| Some(value?.get(part))).flatten().is_some()
}

fn why(error: &Error) -> Why {
    let place = error.range().and_then(|range| error.template_source()?.get(range));
    let place = place.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    let place = place.filter(|text| !text.is_empty() && text.len() <= 200);
    let detail = error.detail().unwrap_or_default();
    let what = match (error.kind(), place) {
        (ErrorKind::UndefinedError, Some(place)) => format!("`{place}` has no value"),
        (ErrorKind::SyntaxError, _) => format!("it is no template: {}", syntax(detail)),
        (kind, Some(place)) => format!("`{place}`: {}", said(kind, detail)),
        (kind, None) => said(kind, detail),
    };
    Why { line: error.line().unwrap_or(1), what }
}

/// What the engine says; that an operation is invalid goes without saying where it tells why.
fn said(kind: ErrorKind, detail: &str) -> String {
    if detail.is_empty() { kind.to_string() } else { detail.to_owned() }
}

/// What is wrong with the syntax; a statement that leads to another file is known, and refused.
fn syntax(detail: &str) -> String {
    let others = ["include", "import", "from", "extends", "block"];
    let statement = detail.strip_prefix("unknown statement ");
    statement.filter(|name| others.contains(name)).map_or_else(
        || detail.to_owned(),
        |name| format!("`{name}` leads to another file; a template is one file, with macros of its own"),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(text: &str) -> Result<String, Why> {
        let values = r#"{"a":1,"db":{"port":5432},"list":["x","y"],"text":"it's","no":false,"html":"<&>"}"#;
        Engine::of(text)?.source(&serde_json::from_str(values).unwrap())
    }

    #[test]
    fn values_are_filled_in_as_they_are() {
        let check = |text: &str, want: &str| assert_eq!(filled(text).as_deref(), Ok(want));
        check("a={{ a }}\n", "a=1\n");
        check("{{ html }} {{ db.port }}\r\n\r\n", "<&> 5432\r\n\r\n");
        check("{% for x in list %}{{ loop.index }}{{ x }}{% endfor %}", "1x2y");
        check("{{ list | tojson }} {{ db | tojson }}", r#"["x","y"] {"port":5432}"#);
        check("{{ text | quote }}", r"'it'\''s'");
        check("{{ not no }} {{ 1.5 }} {{ list | join(', ') }}", "true 1.5 x, y");
        check("{{ missing | default('x') }}{% if missing is defined %}y{% endif %}", "x");
        check("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(1) }}{{ no }}", "<1>false");
        check("# {\n{ % # }\n", "# {\n{ % # }\n");
    }

    #[test]
    fn what_is_wrong_has_its_line_and_its_name() {
        let check = |text: &str, line: usize, what: &str| {
            assert_eq!(filled(text), Err(Why { line, what: what.into() }), "{text}");
        };
        check("\n{{ missing }}", 2, "`missing` has no value");
        check("{{ db.prt }}", 1, "`db.prt` has no value");
        check("{{ missing.port }}", 1, "`missing.port` has no value");
        check("\n\n{% if missing %}x{% endif %}", 3, "`missing` has no value");
        check("{% for x in missing %}{% endfor %}", 1, "`missing` has no value");
        check("{{ missing | upper }}", 1, "`missing` has no value");
        check("{{ missing | upper ~ db.prt }}", 1, "`db.prt` has no value");
        check("{{ list }}", 1, "`list`: a sequence is no text; use `| tojson`, `| join(\", \")` or a loop");
        check("{{ a | uper }}", 1, "`uper`: filter uper is unknown");
        check("\n{{ a", 2, "it is no template: unexpected end of input, expected end of variable block");
        let another = "leads to another file; a template is one file, with macros of its own";
        check("{% include 'x' %}", 1, &format!("it is no template: `include` {another}"));
    }

    #[test]
    fn the_names_of_a_text_are_known() {
        let check = |text: &str, want: &[&str]| {
            assert!(names_of(text).unwrap().iter().eq(want), "{text}");
        };
        check("/etc/{{ name }}/{{ db.port }}", &["db", "name"]);
        check("plain", &[]);
    }

    proptest! {
        #[test]
        fn a_text_without_templates_is_itself(text: String) {
            let text = text.replace('{', "(");
            prop_assert_eq!(filled(&text), Ok(text));
        }

        #[test]
        fn no_text_makes_it_panic(text in r"(\{\{|\{%|%\}|\}\}| |a|db|\.|\||if|for|in|endfor|'|\(|\)|\n|-|\*|1){0,12}") {
            let _filled_or_not = filled(&text);
            let _names_or_none = names_of(&text);
        }
    }
}
