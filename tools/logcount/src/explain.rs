//! Which rule found which level where, for the first records of each file.

use std::cell::Cell;
use std::fmt::Write as _;
use std::path::PathBuf;

use common::{Error, OrCannot, Out, Result};
use logs::line::Line;
use logs::records::{After, Scanner, Sink};
use logs::stream::Blocks;

use crate::count::open;
use crate::plan::{Form, Plan};
use crate::print::{escaped, quoted};

/// A record and how its level was found.
struct Found {
    line: u64,
    /// Byte of the line, from 1; `None` without a word.
    column: Option<usize>,
    word: String,
    level: &'static str,
    rule: &'static str,
}

/// Counts lines, and writes down the first records.
struct Notes<'a> {
    line: u64,
    left: &'a Cell<u64>,
    found: Vec<Found>,
}

impl Sink for Notes<'_> {
    fn record(&mut self, line: &Line<'_>, bytes: &[u8], lines: u64) {
        if self.left.get() > 0 {
            self.left.set(self.left.get() - 1);
            let spelled = !line.word.is_empty();
            self.found.push(Found {
                line: self.line,
                column: if spelled { column(line.word, bytes) } else { None },
                word: if spelled { String::from_utf8_lossy(line.word).into_owned() } else { "(none)".into() },
                level: line.level.map_or("UNKNOWN", logs::Level::name),
                rule: line.rule,
            });
        }
        self.line += lines;
    }

    fn more(&mut self, _: &[u8], lines: u64) {
        self.line += lines;
    }
}

/// Where a word stands in its line. One that was unwrapped or freed of its colours is a copy, and
/// looked for.
fn column(word: &[u8], bytes: &[u8]) -> Option<usize> {
    let at = (word.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
    let place = if at < bytes.len() { Some(at) } else { memchr::memmem::find(bytes, word) };
    place.map(|place| {
        place + 1 - bytes[..place].iter().rposition(|byte| *byte == b'\n').map_or(0, |nl| nl + 1)
    })
}

/// Prints how the levels of the first `count` records of each file are found, and returns what could
/// not be read.
///
/// # Errors
/// When the output cannot be written.
pub(crate) fn explain(paths: &[PathBuf], count: u64, plan: &Plan, out: &mut Out) -> Result<Vec<Error>> {
    let mut failures = Vec::new();
    let mut text = String::new();
    if plan.form == Form::Csv {
        text.push_str("file,line,column,word,level,rule\n");
    }
    for path in paths {
        let (found, failure) = first_records(path, count, plan);
        failures.extend(failure);
        let name = path.display().to_string();
        match plan.form {
            Form::Json => text.extend(found.iter().map(|found| json(&name, found))),
            Form::Csv => text.extend(found.iter().map(|found| csv(&name, found))),
            Form::Text | Form::Prometheus => table(&name, &found, &mut text),
        }
        if plan.output.is_none() {
            out.write_all(text.as_bytes())?;
            text.clear();
        }
    }
    match &plan.output {
        Some(path) => files::replace(path, text.as_bytes())?,
        None => out.flush()?,
    }
    Ok(failures)
}

fn first_records(path: &std::path::Path, count: u64, plan: &Plan) -> (Vec<Found>, Option<Error>) {
    let text = match open(path, plan).and_then(logs::source::Source::text) {
        Ok(text) => text,
        Err(failure) => return (Vec::new(), Some(failure)),
    };
    let mut reader = text.reader;
    let left = Cell::new(count);
    let mut notes = Notes { line: 1, left: &left, found: Vec::new() };
    let read = |buffer: &mut [u8]| if left.get() == 0 { Ok(0) } else { reader.read(buffer) };
    let scanned = Blocks::default().scan(read, &mut Scanner::new(&plan.rules), After::End, &mut notes);
    (notes.found, scanned.or_cannot("read", path).err())
}

fn json(file: &str, found: &Found) -> String {
    let column = found.column.map_or_else(|| "null".into(), |column| column.to_string());
    format!(
        "{{\"file\":{},\"line\":{},\"column\":{column},\"word\":{},\"level\":\"{}\",\"rule\":{}}}\n",
        quoted(file),
        found.line,
        quoted(&found.word),
        found.level,
        quoted(found.rule)
    )
}

fn csv(file: &str, found: &Found) -> String {
    let column = found.column.map(|column| column.to_string()).unwrap_or_default();
    let word = escaped(&found.word);
    format!("{},{},{column},{word},{},{}\n", escaped(file), found.line, found.level, escaped(found.rule))
}

/// `FILE:LINE:COLUMN  WORD  LEVEL  RULE`, aligned.
fn table(file: &str, found: &[Found], text: &mut String) {
    let cells = |found: &Found| {
        let column = found.column.map(|column| format!(":{column}")).unwrap_or_default();
        let place = format!("{}:{}{column}", file.escape_debug(), found.line);
        [place, found.word.escape_debug().to_string(), found.level.to_owned()]
    };
    let rows: Vec<[String; 3]> = found.iter().map(cells).collect();
    let widths = [0, 1, 2].map(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0));
    for (row, found) in rows.iter().zip(found) {
        for (cell, width) in row.iter().zip(widths) {
            let _strings_never_refuse = write!(text, "{cell:<width$}  ");
        }
        text.push_str(found.rule);
        text.push('\n');
    }
}
