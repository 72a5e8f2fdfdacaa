//! The operations of a patch.

use common::{Error, Result};

use crate::members::Part;
use crate::merge::given::Given;
use crate::path::Path;
use crate::scan::{Kind, Syntax};
use crate::string;

/// What is to be done, with values as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operation {
    Add(Path, Vec<u8>),
    Remove(Path),
    Replace(Path, Vec<u8>),
    Move { from: Path, path: Path },
    Copy { from: Path, path: Path },
    Test(Path, Vec<u8>),
}

/// Reads the operations of `patch` for a document that allows what `target` says.
///
/// # Errors
/// When it is no array of operations.
pub(super) fn read(patch: &[u8], syntax: Syntax, target: Syntax) -> Result<Vec<Operation>> {
    let given = Given::new(patch, syntax, "the patch");
    let whole = given.whole()?;
    if whole.kind != Kind::Array {
        return Err(Error::failed("cannot apply the patch: it is no array of operations"));
    }
    let parts = given.parts(&whole)?;
    let read = |(place, part)| one(&given, part, target).map_err(|error| super::in_operation(place, error));
    parts.iter().enumerate().map(read).collect()
}

fn one(given: &Given, operation: &Part, target: Syntax) -> Result<Operation> {
    if operation.kind != Kind::Object {
        return Err(Error::failed("it is no object"));
    }
    let members = given.parts(operation)?;
    let fields = Fields { given, members, target };
    let op = fields.string("op")?;
    let path = |name| Path::parse_pointer(&fields.string(name)?).map_err(Error::failed);
    Ok(match op.as_str() {
        "add" => Operation::Add(path("path")?, fields.value()?),
        "remove" => Operation::Remove(path("path")?),
        "replace" => Operation::Replace(path("path")?, fields.value()?),
        "move" => Operation::Move { from: path("from")?, path: path("path")? },
        "copy" => Operation::Copy { from: path("from")?, path: path("path")? },
        "test" => Operation::Test(path("path")?, fields.value()?),
        _ => {
            let known = "add, remove, replace, move, copy and test";
            return Err(Error::failed(format!("there is no operation `{op}`, only {known}")));
        }
    })
}

/// The members of an operation; those that it does not need are nobody's business (RFC 6902,
/// section 4).
struct Fields<'a> {
    given: &'a Given,
    members: Vec<Part>,
    target: Syntax,
}

impl Fields<'_> {
    /// The one member of this name: which of two was meant nobody knows.
    fn only(&self, name: &str) -> Result<&Part> {
        let mut found = self.members.iter().filter(|member| string::eq(&member.key, name));
        match (found.next(), found.next()) {
            (Some(member), None) => Ok(member),
            (None, _) => Err(Error::failed(format!("it has no `{name}`"))),
            _ => Err(Error::failed(format!("it has `{name}` more than once"))),
        }
    }

    fn string(&self, name: &str) -> Result<String> {
        let part = self.only(name)?;
        if part.kind != Kind::String {
            return Err(Error::failed(format!("its `{name}` is no string")));
        }
        let quoted = self.given.spelled(part, self.target)?;
        let text = quoted.get(1..quoted.len() - 1).and_then(string::decode);
        text.and_then(|text| String::from_utf8(text).ok())
            .ok_or_else(|| Error::failed(format!("its `{name}` holds half a surrogate pair")))
    }

    fn value(&self) -> Result<Vec<u8>> {
        self.given.spelled(self.only("value")?, self.target)
    }
}
