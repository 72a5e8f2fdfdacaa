#![doc = include_str!("../README.md")]

mod bad;
pub mod bind;
pub mod block;
pub mod cli;
pub mod columns;
mod cut;
pub mod detect;
pub mod dialect;
pub mod emit;
mod eval;
pub mod expr;
mod feed;
pub mod filter;
pub mod from;
mod gate;
mod judge;
mod kernel;
pub mod number;
mod open;
pub mod pattern;
pub mod pick;
mod progress;
mod read;
mod scan;
pub mod simd;
mod sink;
pub mod time;
mod total;
mod work;

use std::path::PathBuf;
use std::thread;

use common::{Out, Outcome, Result, output, tool};
use logs::clock::Time;

pub use cli::Args;

use bad::Bads;
use bind::{Pins, Question};
use cli::{Chosen, From};
use columns::Columns;
use dialect::Dialect;
use emit::{Emit, Form, Layout};
use feed::Feed;
use filter::Condition;
use judge::Law;
use open::Table;
use pick::{Distinct, Head, Sample, Tail};
use progress::Progress;
use sink::{Pick, Plan, Sink};
use total::Total;

/// The manual: the README, also behind `--help` and `--generate man`.
pub const MANUAL: &str = include_str!("../README.md");

/// Runs the tool.
///
/// # Errors
/// When the command line is wrong, no input can be read, or the output cannot be written.
pub fn run(args: &Args, out: &mut Out) -> Result<Outcome> {
    let questions = args.questions()?;
    let inputs = args.inputs();
    output::refuse_inputs(&inputs, None)?;
    refuse_reject(&inputs, args)?;
    let reading = args.reading()?;
    let cpu = reading.cpu;
    let output = args.output.as_deref();
    let is_in_place = output.is_some_and(|output| output::input_at(&inputs, Some(output)).is_some());
    let mut feed = Feed::open(inputs, reading)?;
    if let Some(odd) = feed.table().and_then(Table::odd_names) {
        log::warn!("{odd}");
    }
    let columns = columns(&feed, args);
    let law = Law {
        condition: condition(&questions, &columns, args)?,
        columns: columns.count(),
        times: time::Times::new(args.tz),
        cpu,
    };
    let emit = Emit::new(layout(&feed, &columns, args)?);
    if emit.is_anew() {
        feed.allow_any_dialect();
    }
    feed.look_ahead()?;
    let plan = Plan { is_in_place, ..plan(&emit, &feed, &columns, args)? };
    let mut bads = Bads::new(args.on_bad(), args.max_bad, feed.names(), &columns);
    let header = feed.table().and_then(|table| table.header.clone());
    if let Some(path) = &args.reject {
        bads.reject_to(path, header.as_deref().unwrap_or_default())?;
    }
    let progress = Progress::new(feed.size(), args.common.quiet);
    let mut sink = Sink::new(plan, bads, progress, (out, output))?;
    sink.begin(header.as_deref())?;
    let threads = threads(&feed, args);
    let worked = work::run(&mut feed, &law, &mut sink, threads);
    let (kept, missing) = sink.finish(worked.err())?;
    Ok(match (missing > 0, kept) {
        (true, _) => Outcome::Partial,
        (false, 0) => Outcome::No,
        _ => Outcome::Done,
    })
}

/// Refuses to put bad rows where something else is lost by that.
fn refuse_reject(inputs: &[PathBuf], args: &Args) -> Result<()> {
    let Some(reject) = args.reject.as_deref() else { return Ok(()) };
    output::refuse_inputs(inputs, Some(reject))?;
    output::refuse_twins(&[("--output", args.output.as_deref()), ("--reject", Some(reject))])
}

/// Threads for an input smaller than this are started for nothing.
const LARGE: u64 = 16 << 20;

/// A filter is no reason to take a whole server; `--jobs` takes more.
const MOST_THREADS: usize = 4;

fn threads(feed: &Feed, args: &Args) -> usize {
    match args.jobs {
        Some(jobs) => jobs,
        None if feed.size().is_some_and(|size| size < LARGE) => 1,
        None => thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_THREADS)),
    }
}

/// The columns that names on the command line are looked for in.
fn columns(feed: &Feed, args: &Args) -> Columns {
    let Some(table) = feed.table() else { return Columns::counted(0, "the input") };
    if args.no_header {
        Columns::counted(table.names.len(), &table.name)
    } else {
        Columns::named(table.names.clone(), &table.name)
    }
}

/// What is asked of a row. Of an input without even a header nothing can be asked.
fn condition(questions: &[Question], columns: &Columns, args: &Args) -> Result<Condition> {
    if columns.count() == 0 {
        return Ok(Condition::Always(false));
    }
    let kinds = Pins::find(args.types(), columns).map_err(tool::usage)?;
    let table = bind::Table { columns, kinds: &kinds, now: Time::now(), zone: args.tz };
    let condition = Question::bind_all(questions, &table)?;
    Ok(if args.is_inverted() { Condition::Not(Box::new(condition)) } else { condition })
}

/// How rows are written.
fn layout(feed: &Feed, columns: &Columns, args: &Args) -> Result<Layout> {
    let is_empty = columns.count() == 0;
    let chosen = match args.chosen() {
        _ if is_empty => None,
        Chosen::All => None,
        Chosen::These(list) => Some(columns.find_all(&list).map_err(tool::usage)?),
        Chosen::AllBut(list) => Some(columns.find_others(&list).map_err(tool::usage)?),
    };
    if chosen.as_ref().is_some_and(Vec::is_empty) {
        return Err(tool::usage("no column is left; --drop fewer of them"));
    }
    let renamed = args.renamed().iter().filter(|_| !is_empty);
    let renamed = renamed.map(|(old, new)| Ok((columns.find(old).map_err(tool::usage)?, new.clone())));
    let is_json = matches!(args.from, From::Json | From::Jsonl);
    let json_default = match args.from {
        From::Json => Some(Form::Json),
        From::Jsonl => Some(Form::Jsonl),
        From::Csv | From::Tsv => None,
    };
    let named = !args.no_header;
    Ok(Layout {
        form: args.form().or(json_default),
        input: feed.table().map_or(Dialect::delimited(b','), |table| table.dialect),
        names: named.then(|| feed.table().map(|table| table.names.clone()).unwrap_or_default()),
        width: columns.count(),
        chosen,
        renamed: renamed.collect::<Result<_>>()?,
        normalize: args.normalize,
        delimiter: args.output_delimiter,
        keep_quotes: is_json,
        infer: args.infer(),
    })
}

fn plan<'e>(emit: &'e Emit, feed: &Feed, columns: &Columns, args: &Args) -> Result<Plan<'e>> {
    let distinct = match args.distinct() {
        Some(list) if columns.count() > 0 => Some(columns.find_all(list).map_err(tool::usage)?),
        _ => None,
    };
    let pick = match (args.head, args.tail, args.sample) {
        (Some(count), ..) => Pick::Head(Head::new(count)),
        (_, Some(count), _) => Pick::Tail(Tail::new(count)),
        (.., Some(size)) => Pick::Sample(Sample::new(size, args.seed)),
        _ => Pick::All,
    };
    let (inputs, missing) = feed.inputs();
    Ok(Plan {
        emit,
        cpu: feed.cpu(),
        on_bad: args.on_bad(),
        has_limit: args.max_bad.is_some(),
        distinct: distinct.map(|columns| Distinct::new(&columns)),
        pick,
        count: args.count.then(|| Total::of(args.form())),
        is_live: feed.is_live(),
        is_in_place: false,
        inputs,
        missing,
    })
}
