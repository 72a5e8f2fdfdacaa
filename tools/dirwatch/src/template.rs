//! The command with its placeholders.
//!
//! | placeholder | stands for |
//! |---|---|
//! | `{}` | the path, from the root of the file system |
//! | `{name}` | the name of the file, without its folder |
//! | `{dir}` | its folder |
//! | `{stem}` | the name without its last extension |
//! | `{ext}` | the last extension without the dot; empty when there is none, as in `.bashrc` |
//! | `{hash}` | the BLAKE3 hash of the content in hexadecimal digits |
//!
//! `{{}}` and `{{name}}` are the text `{}` and `{name}`; all other braces mean nothing, so JSON, awk
//! and `{a,b}` pass through as they are. A word of letters in braces that is no placeholder is
//! refused: it is a typing error more often than text.
//!
//! A path begins with `/` and is never taken for an option. `{name}` and `{stem}` may begin with a
//! dash, as the file does: give the command its `--` before them, or use `{}`.

mod room;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use crate::commands::JobFile;

pub(crate) use room::room;

/// What is put in for a placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Path,
    Name,
    Dir,
    Stem,
    Ext,
    Hash,
}

impl Field {
    const ALL: [(&'static str, Self); 6] = [
        ("", Self::Path),
        ("name", Self::Name),
        ("dir", Self::Dir),
        ("stem", Self::Stem),
        ("ext", Self::Ext),
        ("hash", Self::Hash),
    ];

    fn of(self, file: &JobFile) -> &OsStr {
        let path: &Path = &file.path;
        match self {
            Self::Path => path.as_os_str(),
            Self::Name => path.file_name().unwrap_or_default(),
            Self::Dir => path.parent().unwrap_or(path).as_os_str(),
            Self::Stem => path.file_stem().unwrap_or_default(),
            Self::Ext => path.extension().unwrap_or_default(),
            Self::Hash => OsStr::new(file.hash.as_deref().unwrap_or_default()),
        }
    }
}

/// A part of an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    Field(Field),
}

/// The command with its placeholders.
#[derive(Debug, Clone)]
pub struct Template {
    program: OsString,
    arguments: Vec<Vec<Piece>>,
}

impl Template {
    /// Parses the words of a command, of which the first is the program. With `batch` it is for
    /// several files at once: a placeholder is then an argument of its own, which becomes one for
    /// each file.
    ///
    /// # Errors
    /// A sentence for the operator: no command, a placeholder in the program, an unknown one, or one
    /// inside a longer argument of a batch.
    pub fn parse(command: &[OsString], batch: bool) -> Result<Self, String> {
        let (program, arguments) = command.split_first().ok_or("no command is given; it follows `--`")?;
        if program.is_empty() {
            return Err("the name of the command is empty".into());
        }
        let has_field = |pieces: &[Piece]| pieces.iter().any(|piece| matches!(piece, Piece::Field(_)));
        let first = pieces(program)?;
        if has_field(&first) {
            let program = program.display();
            return Err(format!(
                "`{program}` names the command and can hold no placeholder; \
                 write `sh -c '...' sh {{}}`, or call it through another program"
            ));
        }
        let arguments = arguments.iter().map(|word| pieces(word)).collect::<Result<Vec<_>, _>>()?;
        if let Some(place) = arguments.iter().position(|arg| batch && arg.len() > 1 && has_field(arg)) {
            let word = command[place + 1].display();
            return Err(format!(
                "in `{word}` a placeholder is inside a longer argument, which cannot become one for each \
                 file of a batch; make it an argument of its own"
            ));
        }
        let program = OsString::from_vec(first.iter().flat_map(|piece| piece.of(None)).copied().collect());
        Ok(Self { program, arguments })
    }

    /// The program, as it was given.
    #[must_use]
    pub fn program(&self) -> &OsStr {
        &self.program
    }

    /// The arguments after the program for these files. `{hash}` is what [`JobFile::hash`] says, which
    /// must be there when [`Template::wants_hash`].
    #[must_use]
    pub fn arguments(&self, files: &[JobFile]) -> Vec<OsString> {
        let mut done = Vec::with_capacity(self.arguments.len() + files.len());
        for pieces in &self.arguments {
            match pieces.as_slice() {
                [Piece::Field(field)] => done.extend(files.iter().map(|file| field.of(file).to_owned())),
                pieces => {
                    let bytes = pieces.iter().flat_map(|piece| piece.of(files.first())).copied();
                    done.push(OsString::from_vec(bytes.collect()));
                }
            }
        }
        done
    }

    /// Whether the command is told the hash of the content.
    #[must_use]
    pub fn wants_hash(&self) -> bool {
        self.arguments.iter().flatten().any(|piece| *piece == Piece::Field(Field::Hash))
    }

    /// How many of `files`, from the first, one command can be given when the system has `room` for
    /// its arguments (see [`room()`]): at least one, when there is one.
    #[must_use]
    pub fn fits(&self, files: &[JobFile], room: usize) -> usize {
        let fixed: usize = self.arguments.iter().flatten().map(|piece| piece.of(None).len() + 1).sum();
        let fixed = fixed + self.arguments.len() * room::POINTER + 2 * self.program.len();
        let mut left = room.saturating_sub(fixed);
        let mut names = room::LONGEST_WORD;
        let size_of = |file: &JobFile| -> usize {
            let fields = self.arguments.iter().flatten().filter_map(|piece| match piece {
                Piece::Field(field) => Some(field.of(file).len() + 1 + room::POINTER),
                Piece::Text(_) => None,
            });
            fields.sum::<usize>() + room::ID
        };
        let fitting = files.iter().take_while(|file| {
            let (Some(rest), Some(rest_of_names)) =
                (left.checked_sub(size_of(file)), names.checked_sub(room::ID))
            else {
                return false;
            };
            (left, names) = (rest, rest_of_names);
            true
        });
        fitting.count().max(files.len().min(1))
    }
}

impl Piece {
    fn of<'a>(&'a self, file: Option<&'a JobFile>) -> &'a [u8] {
        match (self, file) {
            (Self::Text(text), _) => text,
            (Self::Field(field), Some(file)) => field.of(file).as_bytes(),
            (Self::Field(_), None) => b"",
        }
    }
}

/// The variables of [`environment`].
pub(crate) const VARIABLES: [&str; 3] = ["DIRWATCH_ID", "DIRWATCH_ATTEMPT", "DIRWATCH_PATH"];

/// What the environment of a command says of its files: their identity, which attempt it is (the
/// highest in a batch), and of a single one its path.
#[must_use]
pub(crate) fn environment(files: &[JobFile]) -> Vec<(&'static str, OsString)> {
    let ids: Vec<String> = files.iter().map(|file| file.key.to_string()).collect();
    let attempt = files.iter().map(|file| file.attempt).max().unwrap_or(1);
    let mut all =
        vec![("DIRWATCH_ID", ids.join(" ").into()), ("DIRWATCH_ATTEMPT", attempt.to_string().into())];
    if let [file] = files {
        all.push(("DIRWATCH_PATH", file.path.clone().into()));
    }
    all
}

/// Takes an argument apart; an empty one has no pieces.
fn pieces(word: &OsStr) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut text = Vec::new();
    let mut rest = word.as_bytes();
    while let Some(&byte) = rest.first() {
        if let Some((name, tail)) = braced(rest, b"{{", b"}}") {
            text.extend([b"{", name, b"}"].concat());
            rest = tail;
        } else if let Some((name, tail)) = braced(rest, b"{", b"}") {
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
            }
            pieces.push(Piece::Field(field(name, word)?));
            rest = tail;
        } else {
            text.push(byte);
            rest = &rest[1..];
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

/// The letters between the braces with which `text` begins, and what follows.
fn braced<'a>(text: &'a [u8], open: &[u8], close: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let inner = text.strip_prefix(open)?;
    let length = inner.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (name, rest) = inner.split_at(length);
    Some((name, rest.strip_prefix(close)?))
}

fn field(name: &[u8], word: &OsStr) -> Result<Field, String> {
    let known = Field::ALL.iter().find(|(known, _)| known.as_bytes() == name);
    known.map(|(_, field)| *field).ok_or_else(|| {
        let (name, word) = (String::from_utf8_lossy(name), word.display());
        let known: Vec<String> = Field::ALL.iter().map(|(known, _)| format!("{{{known}}}")).collect();
        format!(
            "no placeholder `{{{name}}}` in `{word}`: there are {}; for the text itself write `{{{{{name}}}}}`",
            known.join(" ")
        )
    })
}

#[cfg(test)]
mod tests;
