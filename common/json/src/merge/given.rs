//! The text of a patch, taken apart by offsets: what is not looked into keeps its spelling.

use std::collections::HashSet;
use std::path::Path as FilePath;

use common::{Error, Result};

use crate::document::Document;
use crate::members::{Part, part, parts};
use crate::scan::{Kind, Next, Scanned, Scanner, Syntax};
use crate::text::Text;
use crate::{plain, string};

/// A patch.
#[derive(Debug)]
pub(crate) struct Given(Document);

impl Part {
    /// Its key.
    ///
    /// # Errors
    /// When it holds half a surrogate pair, which no path can name.
    fn name(&self) -> Result<String> {
        let name = string::decode(&self.key).and_then(|name| String::from_utf8(name).ok());
        name.ok_or_else(|| {
            let key = String::from_utf8_lossy(&self.key);
            Error::failed(format!(
                "cannot merge the key \"{key}\" of the patch: it holds half a surrogate pair, which no path can name"
            ))
        })
    }
}

impl Given {
    /// The patch that is written as `json`; errors call it `name`.
    pub(crate) fn new(json: &[u8], syntax: Syntax, name: &str) -> Self {
        Self(Document::new(Text::new(json.to_vec()), syntax, FilePath::new(name)))
    }

    /// All of it.
    ///
    /// # Errors
    /// When it is no JSON.
    pub(crate) fn whole(&self) -> Result<Part> {
        let mut scanner = self.scanner(0);
        let whole = scanner.begin().and_then(|()| part(&mut scanner, false));
        whole.map_err(|fault| self.0.complain(fault))
    }

    /// The members of an object or the elements of an array, in their order. Of members that spell
    /// one key in one way or another, all are there.
    ///
    /// # Errors
    /// When it is no JSON.
    pub(crate) fn parts(&self, container: &Part) -> Result<Vec<Part>> {
        parts(&mut self.scanner(container.span.start)).map_err(|fault| self.0.complain(fault))
    }

    /// The members of an object with the keys decoded, of each key the last one.
    ///
    /// # Errors
    /// When a key holds half a surrogate pair, or it is no JSON.
    pub(crate) fn members(&self, object: &Part) -> Result<Vec<(String, Part)>> {
        let mut members = Vec::new();
        for part in self.parts(object)? {
            members.push((part.name()?, part));
        }
        let mut seen = HashSet::new();
        let is_last: Vec<bool> = members.iter().rev().map(|(name, _)| seen.insert(name.clone())).collect();
        let mut is_last = is_last.into_iter().rev();
        members.retain(|_| is_last.next().unwrap_or(true));
        Ok(members)
    }

    /// How many objects are nested in each other, with no array between them.
    ///
    /// # Errors
    /// When it is no JSON.
    pub(crate) fn depth_of_objects(&self) -> Result<usize> {
        let mut scanner = self.scanner(0);
        let depth = scanner.begin().and_then(|()| depth_of_objects(&mut scanner));
        depth.map_err(|fault| self.0.complain(fault))
    }

    /// A value as it is written, without comments and trailing commas where `syntax` has none.
    ///
    /// # Errors
    /// When the text cannot be read.
    pub(crate) fn spelled(&self, part: &Part, syntax: Syntax) -> Result<Vec<u8>> {
        let value = self.0.text().read(part.span.clone())?;
        Ok(if syntax == Syntax::Strict && self.0.syntax() == Syntax::Comments {
            plain::strict(&value)
        } else {
            value
        })
    }

    fn scanner(&self, at: u64) -> Scanner<'_> {
        Scanner::new(self.0.text(), self.0.syntax(), at)
    }
}

fn depth_of_objects(scanner: &mut Scanner<'_>) -> Scanned<usize> {
    let (mut depth, mut deepest) = (0, 0);
    loop {
        if scanner.kind()? == Kind::Object {
            scanner.open()?;
            deepest = deepest.max(depth + 1);
            if scanner.first(true)?.is_none() {
                depth += 1;
                scanner.key(None)?;
                continue;
            }
        } else {
            scanner.value()?;
        }
        while depth > 0 {
            if let Next::Item { .. } = scanner.next(true)? {
                scanner.key(None)?;
                break;
            }
            depth -= 1;
        }
        if depth == 0 {
            return Ok(deepest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_key_the_last_member_is_there() {
        let given = Given::new(br#"{"a":1, "b":2, "\u0061" : [3], "":4}"#, Syntax::Strict, "the patch");
        let members = given.members(&given.whole().unwrap()).unwrap();
        let shown =
            members.iter().map(|(name, part)| (name.as_str(), given.spelled(part, Syntax::Strict).unwrap()));
        let want = [("b", b"2".to_vec()), ("a", b"[3]".to_vec()), ("", b"4".to_vec())];
        assert!(shown.eq(want));
        let given = Given::new(br#"{"\ud800":1}"#, Syntax::Strict, "the patch");
        let error = given.members(&given.whole().unwrap()).unwrap_err();
        let half = "it holds half a surrogate pair, which no path can name";
        assert_eq!(error.to_string(), format!("cannot merge the key \"\\ud800\" of the patch: {half}"));
        let broken = Given::new(b"{\"a\" 1}", Syntax::Strict, "the patch").whole().unwrap_err();
        assert_eq!(broken.to_string(), "the patch:1:6 is no JSON: `:` is expected, found `1`");
    }

    #[test]
    fn objects_count_until_an_array_comes() {
        let check = |text: &str, want: usize| {
            assert_eq!(
                Given::new(text.as_bytes(), Syntax::Strict, "x").depth_of_objects().unwrap(),
                want,
                "{text}"
            );
        };
        check("1", 0);
        check("[{}]", 0);
        check("{}", 1);
        check(r#"{"a":{},"b":{"c":1,"d":[{"e":{}}]},"f":2}"#, 2);
        check(r#"{"a":{"b":{"c":{}}},"d":{"e":1}}"#, 4);
    }
}
