//! Files and what they include, as blocks in their order.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{Error, OrCannot, Result};

use crate::host::Place;
use crate::inventory::{Finding, short};

use super::condition::{self, Condition, Parsed};
use super::directive::{self, Directive, Said};
use super::expand::{Local, tilde, user_folder, variables};
use super::include;
use super::line;

/// As deep as ssh(1) follows an `Include`.
const DEEPEST: usize = 16;

/// As many files as one configuration may include: files that include each other twice are more than
/// can be read, sixteen deep.
const INCLUDED: usize = 10_000;

/// As many bytes as one file may have.
const MOST: u64 = 64 << 20;

/// Where the configuration of the machine lies.
const SYSTEM: &str = "/etc/ssh";

/// What is said for the hosts of one condition.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// The block that must apply too: the one with the `Include`.
    pub(super) parent: Option<usize>,
    pub(super) condition: Condition,
    pub(super) directives: Vec<Directive>,
}

/// All blocks, and which of them can mean which name.
#[derive(Debug, Clone, Default)]
pub(super) struct Blocks {
    pub(super) all: Vec<Block>,
    /// The blocks that mean some names one by one.
    by_name: BTreeMap<Box<str>, Vec<usize>>,
    /// All others.
    others: Vec<usize>,
    /// The concrete names of `Host` lines.
    pub(super) names: Vec<(String, Place)>,
    /// What is not done as ssh(1) does it.
    pub(super) findings: Vec<Finding>,
    /// Whether a second pass is asked for.
    pub(super) wants_final: bool,
}

impl Blocks {
    /// The blocks that can apply to `name`, in their order.
    pub(super) fn candidates(&self, name: &str) -> Vec<usize> {
        let mut all = self.by_name.get(name).cloned().unwrap_or_default();
        all.extend(&self.others);
        all.sort_unstable();
        all
    }

    fn push(&mut self, parent: Option<usize>, condition: Condition) -> usize {
        let index = self.all.len();
        self.all.push(Block { parent, condition, directives: Vec::new() });
        index
    }

    /// Files every block under the names that it, or the block that includes it, means.
    fn index(&mut self) {
        for index in 0..self.all.len() {
            let mut ancestors = std::iter::successors(Some(index), |index| self.all[*index].parent);
            match ancestors.find_map(|index| self.all[index].condition.names()) {
                Some(names) => {
                    for name in names {
                        let blocks = self.by_name.entry(name.into()).or_default();
                        if blocks.last() != Some(&index) {
                            blocks.push(index);
                        }
                    }
                }
                None => self.others.push(index),
            }
        }
    }
}

/// Reads the files in their order.
pub(super) fn read(files: &[&Path], local: &Local) -> Result<Blocks> {
    let mut reader = Reader { blocks: Blocks::default(), local, included: 0 };
    for path in files {
        let folder = if path.starts_with(SYSTEM) { SYSTEM.into() } else { user_folder(local) };
        let file = File { path, source: path.display().to_string().into(), folder: &folder, depth: 0 };
        reader.file(&file, None)?;
    }
    let mut blocks = reader.blocks;
    blocks.index();
    Ok(blocks)
}

struct Reader<'a> {
    blocks: Blocks,
    local: &'a Local,
    /// Files that were included.
    included: usize,
}

/// A file that is read.
struct File<'a> {
    path: &'a Path,
    source: Arc<str>,
    /// Where relative paths of an `Include` begin.
    folder: &'a Path,
    depth: usize,
}

impl Reader<'_> {
    fn file(&mut self, file: &File<'_>, parent: Option<usize>) -> Result<()> {
        let bytes = match opened(file.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            read => read.or_cannot("read", file.path)?,
        };
        if bytes.len() as u64 > MOST {
            let what = format!("{} has more than {MOST} bytes, which no ssh_config has", file.path.display());
            return Err(Error::failed(what));
        }
        let mut block = self.blocks.push(parent, Condition::Always);
        for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            let place = Place { source: Arc::clone(&file.source), line: number };
            let text = std::str::from_utf8(line).or_else(|_| comment(line).ok_or("bytes that are no UTF-8"));
            let text = text.map_err(|why| broken(&place, why))?;
            let Some((keyword, rest)) = line::keyword(text) else { continue };
            let begun = match keyword.as_str() {
                "include" => {
                    self.include(file, rest, &place, block)?;
                    // What stands behind it belongs to the same hosts, but comes later.
                    Some(self.blocks.push(Some(block), Condition::Always))
                }
                "host" => Some(self.begin(condition::host(rest), &place, parent)?),
                "match" => Some(self.begin(condition::criteria(rest, self.local), &place, parent)?),
                _ => {
                    self.directive(&keyword, rest, &place, block)?;
                    None
                }
            };
            block = begun.unwrap_or(block);
        }
        Ok(())
    }

    /// Begins the block of a `Host` or `Match` line.
    fn begin(
        &mut self,
        parsed: std::result::Result<Parsed, String>,
        place: &Place,
        parent: Option<usize>,
    ) -> Result<usize> {
        let parsed = parsed.map_err(|why| broken(place, &why))?;
        self.blocks.wants_final |= parsed.wants_final;
        if let Some(what) = parsed.not_here {
            self.blocks.findings.push(Finding { place: place.clone(), is_error: false, what });
        }
        self.blocks.names.extend(parsed.condition.concrete().map(|name| (name.to_owned(), place.clone())));
        Ok(self.blocks.push(parent, parsed.condition))
    }

    fn directive(&mut self, keyword: &str, rest: &str, place: &Place, block: usize) -> Result<()> {
        match directive::parse(keyword, rest, self.local).map_err(|why| broken(place, &why))? {
            Said::This(directive) => self.blocks.all[block].directives.push(directive),
            Said::Nothing => {}
            Said::NotHere(what) => {
                self.blocks.findings.push(Finding { place: place.clone(), is_error: false, what });
            }
        }
        Ok(())
    }

    fn include(&mut self, file: &File<'_>, rest: &str, place: &Place, block: usize) -> Result<()> {
        let patterns = line::arguments(rest).map_err(|why| broken(place, &why))?;
        if patterns.is_empty() || patterns.iter().any(String::is_empty) {
            return Err(broken(place, "include has no path"));
        }
        if self.included > INCLUDED {
            let what = format!("more than {INCLUDED} files are included; do files include each other?");
            return Err(broken(place, &what));
        }
        if file.depth == DEEPEST {
            return Err(broken(place, "an include more than 16 files deep; does a file include itself?"));
        }
        for pattern in patterns {
            let path = tilde(&pattern, self.local).and_then(|path| variables(&path));
            let path: PathBuf = file.folder.join(path.map_err(|why| broken(place, &why))?);
            for path in include::files(&path) {
                let source = path.display().to_string().into();
                self.included += 1;
                let included = File { path: &path, source, folder: file.folder, depth: file.depth + 1 };
                self.file(&included, Some(block))?;
            }
        }
        Ok(())
    }
}

fn opened(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MOST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A comment may be in any encoding: it says nothing.
fn comment(line: &[u8]) -> Option<&'static str> {
    line.trim_ascii_start().starts_with(b"#").then_some("")
}

fn broken(place: &Place, why: &str) -> Error {
    Error::failed(format!("{place}: {}", short(why.to_owned())))
}
