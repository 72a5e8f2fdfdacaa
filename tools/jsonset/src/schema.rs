//! JSON Schema, before the new content replaces the old.
//!
//! Limits: the document becomes a tree in memory, some ten times its size. Of duplicate keys the
//! last one is judged. Integers of more than 64 bits and all fractions are judged as 64-bit floating
//! point numbers. A number beyond 1.8e308, a lone surrogate and more than 127 levels cannot be
//! judged, which is an error. (Exact numbers of any size are a feature of `serde_json` that all
//! tools of a build share, and an untagged enum that reads numbers fails with it.)

use std::fs;
use std::path::{Path, PathBuf};

use common::{Error, OrCannot, Result};
use json::{Syntax, plain};
use serde_json::Value;

use crate::edit::syntax_of;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// A schema that was read and understood.
#[derive(Debug)]
pub(crate) struct Schema {
    path: PathBuf,
    schema: ::schema::Schema,
}

impl Schema {
    /// Reads the schema at `path` and what it refers to.
    ///
    /// # Errors
    /// When it or a file that it refers to cannot be read, is no JSON, or is no schema; when it
    /// refers to the network.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).or_cannot("read", path)?;
        let no_schema = |why: String| Error::failed(format!("{} is no JSON Schema: {why}", path.display()));
        let bytes = if syntax_of(path) == Syntax::Comments { plain(&bytes).into_owned() } else { bytes };
        let schema = parse(&bytes).and_then(|schema| ::schema::Schema::new(path, &schema, parse));
        Ok(Self { path: path.into(), schema: schema.map_err(no_schema)? })
    }

    /// Judges `json`, strict JSON without a BOM; `name` is what it is called in the sentence.
    ///
    /// # Errors
    /// Status 2 with the first five violations and their places as JSON Pointers when it breaks the
    /// schema, and when it cannot be judged (see above).
    pub(crate) fn check(&self, name: &Path, json: &[u8]) -> Result<()> {
        let (name, path) = (name.display(), self.path.display());
        let document =
            parse(json).map_err(|why| Error::failed(format!("cannot judge {name} by {path}: {why}")))?;
        match self.schema.violations(&document) {
            None => Ok(()),
            Some(broken) => Err(Error::failed(format!("{name} would break {path}: {broken}"))),
        }
    }
}

fn parse(json: &[u8]) -> std::result::Result<Value, String> {
    serde_json::from_slice(json.strip_prefix(BOM).unwrap_or(json)).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        let said = error.to_string();
        match said.split(" at line ").next().unwrap_or_default() {
            "recursion limit exceeded" => format!("it is more than 127 levels deep at {place}"),
            "number out of range" => format!("the number at {place} is beyond 1.8e308"),
            why => format!("{why} at {place}"),
        }
    })
}

#[cfg(test)]
mod tests {
    use testkit::write;

    use super::*;

    /// The sentence about `json`, empty when the schema allows it; `S` stands for the schema's path.
    fn judge(schema: &str, json: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("schema v1.json");
        write(&path, schema);
        write(folder.path().join("port.json"), r#"{"type": "integer", "minimum": 1}"#);
        write(folder.path().join("bad.json"), "{");
        let judged =
            Schema::read(&path).and_then(|schema| schema.check(Path::new("app.json"), json.as_bytes()));
        let said = judged.map_or_else(|error| error.to_string(), |()| String::new());
        said.replace(path.to_str().unwrap(), "S").replace(folder.path().to_str().unwrap(), "F")
    }

    #[track_caller]
    fn check(schema: &str, json: &str, want: &str) {
        assert_eq!(judge(schema, json), want, "{schema} {json}");
    }

    #[test]
    fn a_violation_is_named_with_its_place() {
        let port = r#"{"properties": {"server": {"properties": {"port": {"type": "integer"}}}}}"#;
        check(port, r#"{"server": {"port": 1}}"#, "");
        let want = r#"app.json would break S: /server/port: "x" is not of type "integer""#;
        check(port, r#"{"server": {"port": "x"}}"#, want);
        check(r#"{"required": ["a"]}"#, "{}", r#"app.json would break S: "a" is a required property"#);
        check(
            r#"{"properties": {"a/b~": false}}"#,
            r#"{"a/b~": 1}"#,
            "app.json would break S: /a~1b~0: False schema does not allow 1",
        );
        let many = judge(r#"{"items": {"type": "null"}}"#, "[1,2,3,4,5,6,7]");
        assert!(
            many.contains("/4: 5 is") && many.ends_with("; and 2 more") && !many.contains("/5"),
            "{many}"
        );
    }

    #[test]
    fn a_long_value_is_not_quoted() {
        let long = format!("[{}1]", "1,".repeat(1000));
        check(
            r#"{"type": "object"}"#,
            &long,
            r#"app.json would break S: this value is not of type "object""#,
        );
        let said = judge(&format!(r#"{{"enum": ["{}"]}}"#, "é".repeat(1000)), "1");
        assert!(said.ends_with("...") && said.len() < 300, "{said}");
    }

    #[test]
    fn the_draft_is_that_of_the_schema() {
        let tuple = |draft: &str| format!(r#"{{"$schema": "{draft}", "items": [{{"type": "null"}}]}}"#);
        let want = "app.json would break S: /0: 1 is not of type \"null\"";
        check(&tuple("http://json-schema.org/draft-07/schema#"), "[1]", want);
        let said = judge(&tuple("https://json-schema.org/draft/2020-12/schema"), "[1]");
        assert!(said.starts_with("S is no JSON Schema: /items: "), "{said}");
        check(r#"{"prefixItems": [{"type": "null"}]}"#, "[1]", want);
        let unknown = judge(r#"{"$schema": "https://example.com/mine"}"#, "1");
        assert!(
            unknown.starts_with("S is no JSON Schema: ") && unknown.contains("example.com/mine"),
            "{unknown}"
        );
    }

    #[test]
    fn a_format_is_asserted() {
        let want = "app.json would break S: \"1.2.3.256\" is not a \"ipv4\"";
        check(r#"{"format": "ipv4"}"#, "\"1.2.3.256\"", want);
        check(r#"{"format": "unheard-of"}"#, "\"x\"", "");
    }

    #[test]
    fn a_reference_leads_to_a_file_beside_the_schema() {
        let want = "app.json would break S: 0 is less than the minimum of 1";
        check(r#"{"$ref": "port.json"}"#, "0", want);
        check(r#"{"$id": "https://example.com/s/app.json", "$ref": "port.json"}"#, "0", want);
        let check = |schema: &str, want: &str| {
            let said = judge(schema, "1");
            assert!(said.starts_with("S is no JSON Schema: ") && said.contains(want), "{said}");
        };
        check(r#"{"$ref": "none.json"}"#, "cannot read F/none.json: No such file");
        check(
            r#"{"$ref": "bad.json"}"#,
            "cannot read F/bad.json: EOF while parsing an object at line 1 column 1",
        );
        check(r#"{"$ref": "https://example.com/a.json"}"#, "nothing is fetched; put it beside the schema");
        check(r##"{"$ref": "#/$defs/none"}"##, "none");
    }

    #[test]
    fn what_cannot_be_judged_is_an_error() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        let tree = r##"{"type": "array", "items": {"$ref": "#"}}"##;
        check(tree, &deep(127), "");
        check(
            tree,
            &deep(128),
            "cannot judge app.json by S: it is more than 127 levels deep at line 1 column 128",
        );
        check("{}", "1e400", "cannot judge app.json by S: the number at line 1 column 5 is beyond 1.8e308");
        let said = judge("{}", "\"\\ud800\"");
        assert!(
            said.starts_with("cannot judge app.json by S: ") && said.contains(" at line 1 column "),
            "{said}"
        );
        let said = judge("{", "1");
        assert_eq!(said, "S is no JSON Schema: EOF while parsing an object at line 1 column 1");
    }

    #[test]
    fn whole_numbers_of_64_bits_are_exact() {
        let most = r#"{"maximum": 9007199254740992}"#;
        check(most, "9007199254740992", "");
        let want = "app.json would break S: 9007199254740993 is greater than the maximum of 9007199254740992";
        check(most, "9007199254740993", want);
        check(r#"{"type": "integer"}"#, "1.0", "");
        check(r#"{"multipleOf": 0.1}"#, "0.3", "");
    }
}
