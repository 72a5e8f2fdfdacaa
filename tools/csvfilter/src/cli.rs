//! The command line.

mod idle;
mod operands;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser as _};
use clap::{ArgGroup, Parser, ValueEnum};
use common::cli::Common;
use common::{Result, tool};
use logs::clock::Zone;

use crate::bad::{Most, OnBad};
use crate::bind::{Pins, Question};
use crate::columns::{Item, Reference};
use crate::dialect::Dialect;
use crate::emit::{Form, Infer};
use crate::from::Shape;
use crate::open::Reading;
pub(crate) use values::List;
use values::{Quote, character, delimiter, file, jobs, limit, list, most, quote, renaming};

/// Keep the rows of a CSV file that match, choose columns, convert
#[derive(Parser, Debug)]
#[command(
    name = "csvfilter",
    version,
    override_usage = "csvfilter [OPTIONS] EXPR [FILE]...\n       csvfilter [OPTIONS] --all|--min ...|--where ... [FILE]..."
)]
#[command(group = ArgGroup::new("picks").args(["head", "tail", "sample"]))]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct Args {
    /// Rows to keep, as in 'age >= 30 and city =~ /^San/', unless an option tells; then tables to
    /// read, plain or packed; `-` or none is standard input
    #[arg(value_name = "EXPR|FILE", allow_hyphen_values = false)]
    operands: Vec<OsString>,

    /// Keep every row
    #[arg(short, long)]
    all: bool,

    /// Keep rows for which EXPR holds; of several conditions all must hold
    #[arg(short, long, value_name = "EXPR")]
    expr: Vec<String>,

    /// Keep rows whose column is exactly this text
    #[arg(short = 'w', long = "where", value_name = "COL=TEXT")]
    equals: Vec<String>,

    /// Keep rows whose column is at least this number or time
    #[arg(long, value_name = "COL=N")]
    min: Vec<String>,

    /// Keep rows whose column is at most this number or time
    #[arg(long, value_name = "COL=N")]
    max: Vec<String>,

    /// Keep rows whose column matches
    #[arg(short, long = "match", value_name = "COL=REGEX")]
    matches: Vec<String>,

    /// Keep what would be dropped, and drop the rest
    #[arg(long)]
    not: bool,

    /// Compare these columns as number, text or time, whatever stands on the other side
    #[arg(long, value_name = "COL=TYPE,...", value_parser = Pins::parse)]
    types: Vec<Pins>,

    /// The zone of times that tell none: UTC, local, +02:00, Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "local", hide_default_value = true, value_parser = Zone::parse, allow_hyphen_values = true)]
    pub(crate) tz: Zone,

    /// Write these columns, in this order: a,$3,`any name`,$5-$7
    #[arg(short, long, value_name = "COLS", help_heading = "Which rows and columns go out", value_parser = list)]
    select: Option<List>,

    /// Write all columns but these
    #[arg(long, value_name = "COLS", help_heading = "Which rows and columns go out", conflicts_with = "select", value_parser = list)]
    drop: Option<List>,

    /// Call a column something else
    #[arg(long, value_name = "OLD=NEW", help_heading = "Which rows and columns go out", value_parser = renaming)]
    rename: Vec<(Reference, Vec<u8>)>,

    /// Stop after N rows
    #[arg(long, value_name = "N", help_heading = "Which rows and columns go out")]
    pub(crate) head: Option<u64>,

    /// Keep the last N rows
    #[arg(long, value_name = "N", help_heading = "Which rows and columns go out")]
    pub(crate) tail: Option<usize>,

    /// Keep N rows by chance, in their order
    #[arg(long, value_name = "N", help_heading = "Which rows and columns go out")]
    pub(crate) sample: Option<usize>,

    /// The same SEED gives the same sample
    #[arg(long, value_name = "SEED", help_heading = "Which rows and columns go out", requires = "sample")]
    pub(crate) seed: Option<u64>,

    /// Keep the first of the rows that are alike in these columns
    #[arg(long, value_name = "COLS", help_heading = "Which rows and columns go out", value_parser = list)]
    distinct: Option<List>,

    /// Print the number of rows instead of the rows
    #[arg(short, long, help_heading = "Which rows and columns go out")]
    pub(crate) count: bool,

    /// What stands between fields: a character or `tab`; by default the first row tells
    #[arg(short, long, value_name = "CHAR", help_heading = "Reading", value_parser = delimiter)]
    delimiter: Option<u8>,

    /// What fields are quoted with: a character or `none`
    #[arg(long, value_name = "CHAR", help_heading = "Reading", value_parser = quote)]
    quote: Option<Quote>,

    /// Pass over lines that begin with this character
    #[arg(long, value_name = "CHAR", help_heading = "Reading", value_parser = character)]
    comment: Option<u8>,

    /// Pass over the first N lines of each input
    #[arg(long, value_name = "N", help_heading = "Reading", default_value_t = 0, hide_default_value = true)]
    skip: u64,

    /// The first row is no header; columns are $1, $2, ...
    #[arg(long, help_heading = "Reading")]
    pub(crate) no_header: bool,

    /// What the inputs are: CSV, TSV with escapes, JSON objects in lines, or in an array
    #[arg(
        long,
        value_name = "FORMAT",
        help_heading = "Reading",
        default_value = "csv",
        hide_default_value = true
    )]
    pub(crate) from: From,

    /// Longer rows are bad ones; 64MiB
    #[arg(long, value_name = "SIZE", help_heading = "Reading", default_value = "64MiB", hide_default_value = true, value_parser = limit)]
    max_record: usize,

    /// Read and filter with N threads; by default up to four for large inputs
    #[arg(short, long, value_name = "N", help_heading = "Reading", value_parser = jobs)]
    pub(crate) jobs: Option<usize>,

    /// What becomes of rows that are not as they should be; fail stops at the first
    #[arg(
        long,
        value_name = "WHAT",
        help_heading = "Bad rows",
        default_value = "skip",
        hide_default_value = true
    )]
    bad: Bad,

    /// Put bad rows into FILE, each under a line that says where it was and what is wrong
    #[arg(long, value_name = "FILE", help_heading = "Bad rows", value_parser = PathBufValueParser::new().try_map(file))]
    pub(crate) reject: Option<PathBuf>,

    /// Fail when there are more than so many bad rows, or more than so many in a hundred
    #[arg(long, value_name = "N|P%", help_heading = "Bad rows", value_parser = most)]
    pub(crate) max_bad: Option<Most>,

    /// Write rows as this; by default as they came in
    #[arg(long, value_name = "FORMAT", help_heading = "Writing")]
    to: Option<To>,

    /// Short for --to jsonl
    #[arg(long, help_heading = "Writing", conflicts_with = "to")]
    json: bool,

    /// What fields become in JSON: strings, or types where they look it; types for what came from JSON
    #[arg(long, value_name = "WHAT", help_heading = "Writing")]
    infer: Option<InferFlag>,

    /// Write CSV anew: quotes where they are needed, LF
    #[arg(long, help_heading = "Writing")]
    pub(crate) normalize: bool,

    /// Put this between the fields of CSV, which is then written anew
    #[arg(short = 'D', long, value_name = "CHAR", help_heading = "Writing", value_parser = delimiter)]
    pub(crate) output_delimiter: Option<u8>,

    /// Put the result into FILE, whole or not at all
    #[arg(short, long, value_name = "FILE", help_heading = "Writing", value_parser = PathBufValueParser::new().try_map(file))]
    pub(crate) output: Option<PathBuf>,

    /// What every tool takes.
    #[command(flatten)]
    pub common: Common,
}

/// What inputs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum From {
    Csv,
    Tsv,
    Jsonl,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum To {
    Csv,
    Tsv,
    Jsonl,
    Json,
    Markdown,
    Table,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum InferFlag {
    Strings,
    Types,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Bad {
    Skip,
    Keep,
    Fail,
}

/// The word of a value on the command line.
fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}

/// Which columns go out.
#[derive(Debug, Clone)]
pub(crate) enum Chosen {
    All,
    These(List),
    AllBut(List),
}

impl Args {
    /// Parses a command line, which begins with the name of the tool: for a run without a process.
    ///
    /// # Errors
    /// What is wrong with it, in several lines.
    pub fn of(line: &[String]) -> std::result::Result<Self, String> {
        Self::try_parse_from(line).map_err(|usage| usage.to_string())
    }

    /// Whether the first operand is an expression.
    fn has_expression(&self) -> bool {
        let told = [&self.expr, &self.equals, &self.min, &self.max, &self.matches];
        !self.all && told.iter().all(|told| told.is_empty())
    }

    /// The inputs in their order.
    pub(crate) fn inputs(&self) -> Vec<PathBuf> {
        let files = self.operands.iter().skip(usize::from(self.has_expression()));
        let files: Vec<PathBuf> = files.map(PathBuf::from).collect();
        if files.is_empty() { vec![PathBuf::from("-")] } else { files }
    }

    /// What is asked of a row, all together.
    pub(crate) fn questions(&self) -> Result<Vec<Question>> {
        let mut questions = Vec::new();
        operands::check(&self.operands, self.has_expression()).map_err(tool::usage)?;
        if self.has_expression() {
            let Some(first) = self.operands.first() else {
                return Err(tool::usage("no expression; --all keeps every row"));
            };
            let parsed = first.to_str().map_or_else(
                || Err(tool::usage(format!("`{}` is no expression: it is no UTF-8", first.display()))),
                Question::parse,
            );
            let parsed =
                parsed.map_err(|problem| operands::no_expression(first).map_or(problem, tool::usage));
            questions.push(parsed?);
        }
        let mut ask = |texts: &[String], parse: fn(&str) -> Result<Question>| {
            operands::say_something(texts).map_err(tool::usage)?;
            texts.iter().try_for_each(|text| parse(text).map(|question| questions.push(question)))
        };
        ask(&self.expr, Question::parse)?;
        ask(&self.equals, Question::equals)?;
        ask(&self.min, Question::at_least)?;
        ask(&self.max, Question::at_most)?;
        ask(&self.matches, Question::matches)?;
        Ok(questions)
    }

    /// Whether the answer is turned around.
    pub(crate) fn is_inverted(&self) -> bool {
        self.not
    }

    pub(crate) fn types(&self) -> &[Pins] {
        &self.types
    }

    pub(crate) fn chosen(&self) -> Chosen {
        match (&self.select, &self.drop) {
            (Some(list), _) => Chosen::These(list.clone()),
            (None, Some(list)) => Chosen::AllBut(list.clone()),
            (None, None) => Chosen::All,
        }
    }

    pub(crate) fn renamed(&self) -> &[(Reference, Vec<u8>)] {
        &self.rename
    }

    pub(crate) fn distinct(&self) -> Option<&[Item]> {
        self.distinct.as_deref()
    }

    /// How the inputs are read.
    pub(crate) fn reading(&self) -> Result<Reading> {
        idle::check(self).map_err(tool::usage)?;
        let tsv = Dialect::tsv();
        let is_tsv = self.from == From::Tsv;
        let quote = if is_tsv { None } else { self.quote.map_or(Some(b'"'), |quote| quote.0) };
        let delimiter = if is_tsv { Some(tsv.delimiter) } else { self.delimiter };
        let special = [delimiter, quote, self.comment];
        for (at, one) in special.iter().enumerate() {
            if let Some(byte) = one.filter(|_| special[..at].contains(one)) {
                let byte = char::from(byte);
                return Err(tool::usage(format!(
                    "{byte:?} cannot mean two things: delimiter, quote, comment"
                )));
            }
        }
        Ok(Reading {
            delimiter,
            quote,
            comment: self.comment,
            escapes: is_tsv,
            skip: self.skip,
            no_header: self.no_header,
            limit: self.max_record,
            cpu: values::cpu()?,
            json: match self.from {
                From::Csv | From::Tsv => None,
                From::Jsonl => Some(Shape::Lines),
                From::Json => Some(Shape::Json),
            },
        })
    }

    /// What is asked for; `None`: what it came in.
    fn asked(&self) -> Option<To> {
        if self.json { Some(To::Jsonl) } else { self.to }
    }

    /// What the result will be.
    fn result(&self) -> To {
        self.asked().unwrap_or(match self.from {
            From::Csv => To::Csv,
            From::Tsv => To::Tsv,
            From::Jsonl => To::Jsonl,
            From::Json => To::Json,
        })
    }

    pub(crate) fn form(&self) -> Option<Form> {
        self.asked().map(|to| match to {
            To::Csv => Form::Csv,
            To::Tsv => Form::Tsv,
            To::Jsonl => Form::Jsonl,
            To::Json => Form::Json,
            To::Markdown => Form::Markdown,
            To::Table => Form::Table,
        })
    }

    pub(crate) fn infer(&self) -> Infer {
        let is_json = matches!(self.from, From::Json | From::Jsonl);
        match self.infer {
            Some(InferFlag::Types) => Infer::Types,
            None if is_json => Infer::Types,
            _ => Infer::Strings,
        }
    }

    pub(crate) fn on_bad(&self) -> OnBad {
        match self.bad {
            Bad::Skip => OnBad::Skip,
            Bad::Keep => OnBad::Keep,
            Bad::Fail => OnBad::Fail,
        }
    }
}
