//! How the rows that are kept are written.
//!
//! An [`Emit`] is made once and shared by all workers. What it writes is [`Emit::header`], then
//! [`Emit::rows`] for block after block, then [`Emit::footer`].
//!
//! - As it came in: rows and header byte for byte. Where columns are chosen, their fields byte for
//!   byte, joined by the delimiter, with the line end of the row. A field is written anew only where
//!   it would mean something else in its new place: the only one of its row and empty (`""`), the
//!   first and beginning like a comment, the last and ending with CR, or with a quote that is open.
//! - CSV written anew: RFC 4180 with the quote `"`, quotes only where they are needed, LF.
//! - TSV: no quotes; tab, LF, CR and backslash as `\t`, `\n`, `\r`, `\\`; LF.
//! - JSON Lines and JSON: see its module, `json`.
//! - Markdown: `|` as `\|`, line ends as `<br>`, and a backslash that would hide what follows as `\\`.
//! - Table: see [`table`].
//!
//! A row that is let through with the wrong number of fields: as CSV and TSV it has the fields that
//! it has, in all other forms, and where columns are chosen, those that are missing are empty, and
//! what is too much has a place behind the others, unless columns are chosen.

mod cells;
mod delimited;
mod json;
mod markdown;
pub mod table;
#[cfg(test)]
mod tests;
mod tsv;
mod word;

use std::borrow::Cow;

use crate::block::Block;
use crate::dialect::Dialect;
use cells::Cells;
use delimited::{Picked, Quotes};
use json::Objects;
use table::Table;

/// What rows are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// With a delimiter and quotes.
    Csv,
    /// With tabs and escapes.
    Tsv,
    /// One JSON object in each line.
    Jsonl,
    /// An array of JSON objects.
    Json,
    /// A table of GitHub's Markdown.
    Markdown,
    /// Aligned columns, for people.
    Table,
}

/// What becomes of fields in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Infer {
    /// Strings, all of them.
    Strings,
    /// What is not in quotes and is a JSON number, `true` or `false` becomes that, and nothing
    /// becomes `null`.
    Types,
}

/// What an [`Emit`] is made from.
#[derive(Debug, Clone)]
pub struct Layout {
    /// `None`: that of the input.
    pub form: Option<Form>,
    /// How the input is written. Its delimiter is ASCII.
    pub input: Dialect,
    /// The names of all columns of the input, without quotes; `None`: it has no header.
    pub names: Option<Vec<Vec<u8>>>,
    /// The number of columns of the input.
    pub width: usize,
    /// The columns to write, in this order, counted from 0; `None`: all.
    pub chosen: Option<Vec<usize>>,
    /// Columns of the input, and what they are called from now on.
    pub renamed: Vec<(usize, Vec<u8>)>,
    /// Writes CSV and TSV anew, even where they could stay as they are.
    pub normalize: bool,
    /// The delimiter of CSV; `None`: that of the input, or a comma where the input has tabs.
    pub delimiter: Option<u8>,
    /// CSV that is written anew keeps quotes that it would not need: where the input was JSON, they
    /// tell strings from numbers.
    pub keep_quotes: bool,
    /// What fields become in JSON.
    pub infer: Infer,
}

/// Writes the rows that are kept.
#[derive(Debug)]
pub struct Emit {
    input: Dialect,
    /// Whether the input has names for its columns.
    has_names: bool,
    /// What the columns that are written are called, by their numbers where they have no names.
    names: Vec<Vec<u8>>,
    chosen: Option<Vec<usize>>,
    renamed: Vec<(usize, Vec<u8>)>,
    width: usize,
    writer: Writer,
}

/// The forms, with what each has prepared.
#[derive(Debug)]
enum Writer {
    AsItIs,
    Picked(Picked),
    Csv(Quotes),
    Tsv,
    Json(Objects),
    Markdown,
    Table,
}

impl Emit {
    /// Prepares what is needed for each row.
    #[must_use]
    pub fn new(layout: Layout) -> Self {
        let written: Vec<usize> = layout.chosen.clone().unwrap_or_else(|| (0..layout.width).collect());
        let name = |column: &usize| {
            let new = layout.renamed.iter().rev().find(|(renamed, _)| renamed == column);
            let old = layout.names.as_ref().and_then(|names| names.get(*column));
            new.map(|(_, name)| name).or(old).cloned().unwrap_or_else(|| nameless(*column))
        };
        let names: Vec<Vec<u8>> = written.iter().map(name).collect();
        let writer = layout.writer(&names);
        Self {
            input: layout.input,
            has_names: layout.names.is_some(),
            names,
            chosen: layout.chosen,
            renamed: layout.renamed,
            width: layout.width,
            writer,
        }
    }

    /// Whether rows come out byte for byte as [`Block::row`] has them.
    #[must_use]
    pub fn is_as_it_is(&self) -> bool {
        matches!(self.writer, Writer::AsItIs)
    }

    /// Whether fields are written anew, so that it is no matter how the input was delimited.
    #[must_use]
    pub fn is_anew(&self) -> bool {
        !matches!(self.writer, Writer::AsItIs | Writer::Picked(_))
    }

    /// Appends what comes before the rows. `raw` is the header as it came in, with its line end;
    /// `None` where the input has none, or none that was written as CSV.
    ///
    /// Like a row, a header that has no line end gets none where it is written as it came in.
    pub fn header(&self, raw: Option<&[u8]>, out: &mut Vec<u8>) {
        match &self.writer {
            Writer::AsItIs | Writer::Picked(_) => self.raw_header(raw, out),
            Writer::Csv(quotes) => self.named(out, |values, out| quotes.values(values, out)),
            Writer::Tsv => self.named(out, tsv::values),
            Writer::Json(objects) => objects.header(out),
            Writer::Markdown => markdown::header(&self.names, out),
            Writer::Table => self.named(out, |values, out| table::row(values.iter().map(Cow::from), out)),
        }
    }

    /// Appends rows of a block, given in ascending order.
    ///
    /// Rows that are written as they came in, whole or in part, keep their line ends: the last of an
    /// input may have none, and the caller adds one if anything follows. In all other forms every
    /// row is complete. The rows of [`Form::Table`] are for [`Table::add`].
    pub fn rows(&self, block: &Block, kept: &[u32], out: &mut Vec<u8>) {
        if let Writer::AsItIs = self.writer {
            for row in kept {
                out.extend_from_slice(block.row(*row as usize));
            }
            return;
        }
        let chosen = self.chosen.as_deref();
        let mut cells = Cells::new(block, chosen, self.width);
        match &self.writer {
            Writer::AsItIs => {}
            Writer::Picked(picked) => cells.each(kept, |cells| picked.row(cells, out)),
            Writer::Csv(quotes) => cells.each(kept, |cells| quotes.row(cells, out)),
            Writer::Tsv => cells.each(kept, |cells| tsv::row(cells, out)),
            Writer::Json(objects) => objects.rows(&mut cells, kept, out),
            Writer::Markdown => cells.each(kept, |cells| markdown::row(cells.values(), out)),
            Writer::Table => cells.each(kept, |cells| table::row(cells.values(), out)),
        }
    }

    /// Appends what comes behind the rows.
    pub fn footer(&self, out: &mut Vec<u8>) {
        if let Writer::Json(objects) = &self.writer {
            objects.footer(out);
        }
    }

    /// How many bytes the caller leaves out at the very beginning of the first row of all: they stand
    /// between it and the row before, which it does not have.
    #[must_use]
    pub fn separator_len(&self) -> usize {
        match &self.writer {
            Writer::Json(objects) => objects.separator_len(),
            _ => 0,
        }
    }

    /// Where the header and the rows of [`Form::Table`] are gathered, instead of being printed.
    #[must_use]
    pub fn table(&self) -> Option<Table> {
        matches!(self.writer, Writer::Table).then(|| Table::new(self.has_names))
    }

    /// The columns of the input that are written, in order.
    fn written(&self) -> impl Iterator<Item = usize> {
        let all = if self.chosen.is_none() { self.width } else { 0 };
        self.chosen.iter().flatten().copied().chain(0..all)
    }

    fn named(&self, out: &mut Vec<u8>, write: impl Fn(&[Vec<u8>], &mut Vec<u8>)) {
        if self.has_names && !self.names.is_empty() {
            write(&self.names, out);
        }
    }

    /// The header as it came in, as far as it stays that.
    fn raw_header(&self, raw: Option<&[u8]>, out: &mut Vec<u8>) {
        let Some(raw) = raw else {
            let picked = Picked::new(self.input);
            return self.named(out, |names, out| {
                let fields: Vec<_> = names.iter().map(|name| picked.quotable(name)).collect();
                picked.fields(&fields, b"\n", out);
            });
        };
        if self.chosen.is_none() && self.renamed.is_empty() {
            return out.extend_from_slice(raw);
        }
        let picked = Picked::new(self.input);
        let block = Block::of(raw, self.input);
        let fields: Vec<&[u8]> = block.fields(0).collect();
        let field = |column: usize| match self.renamed.iter().rev().find(|(renamed, _)| *renamed == column) {
            Some((_, name)) => picked.quotable(name),
            None => Cow::Borrowed(fields.get(column).copied().unwrap_or_default()),
        };
        let fields: Vec<_> = self.written().map(field).collect();
        picked.fields(&fields, block.line_end(0), out);
    }
}

impl Layout {
    fn writer(&self, names: &[Vec<u8>]) -> Writer {
        let own = if self.input.escapes { Form::Tsv } else { Form::Csv };
        let has_tabs = self.input.delimiter == b'\t';
        let stays = self.form.is_none() || self.form == Some(Form::Csv) && !has_tabs;
        let delimiter = self.delimiter.unwrap_or(if stays { self.input.delimiter } else { b',' });
        let is_same = match self.form.unwrap_or(own) {
            Form::Csv => own == Form::Csv && delimiter == self.input.delimiter,
            form => form == own,
        };
        if is_same && !self.normalize {
            return if self.chosen.is_some() {
                Writer::Picked(Picked::new(self.input))
            } else {
                Writer::AsItIs
            };
        }
        match self.form.unwrap_or(own) {
            Form::Csv => {
                Writer::Csv(Quotes { delimiter, comment: self.input.comment, keep: self.keep_quotes })
            }
            Form::Tsv => Writer::Tsv,
            Form::Jsonl => Writer::Json(Objects::lines(names, self.infer)),
            Form::Json => Writer::Json(Objects::array(names, self.infer)),
            Form::Markdown => Writer::Markdown,
            Form::Table => Writer::Table,
        }
    }
}

/// What a column without a name is called: `$` and its number, counted from 1.
fn nameless(column: usize) -> Vec<u8> {
    format!("${}", column.saturating_add(1)).into_bytes()
}
