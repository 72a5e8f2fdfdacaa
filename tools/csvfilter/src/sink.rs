//! Where blocks arrive in their order: what is told of bad rows, which rows go out, and the output.

use std::io::Write as _;
use std::path::Path;

use common::{Error, OrCannot, Out, Result};
use files::Replacement;

use crate::bad::{Bads, OnBad, keep_what_is_lost};
use crate::block::{Broken, without_line_end};
use crate::emit::Emit;
use crate::emit::table::Table;
use crate::feed::miss;
use crate::judge::{Fault, Judge};
use crate::pick::{Distinct, Head, Sample, Tail};
use crate::progress::Progress;
use crate::simd::Cpu;
use crate::total::Total;
use crate::work::Task;

/// Whether more rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    On,
    Full,
}

/// What is done with a block as soon as it is judged, whatever its turn: by every thread.
#[derive(Clone, Copy)]
pub(crate) struct Format<'p> {
    emit: &'p Emit,
    cpu: Cpu,
    on_bad: OnBad,
    /// Bad rows that come in parts can be kept.
    keeps_parts: bool,
    /// Which rows go out is told by the sink, so that it formats them.
    is_late: bool,
}

impl Format<'_> {
    /// Judges the rows of a task, and writes those that are kept into its text.
    pub(crate) fn apply(&self, judge: &mut Judge<'_>, task: &mut Task) {
        let Task { block, verdict, notes, .. } = task;
        judge.judge(block, verdict);
        match self.on_bad {
            OnBad::Skip => {}
            OnBad::Keep => {
                let is_part = |fault| matches!(fault, Fault::TooLong { .. });
                let kept = verdict.bad.iter().filter(|bad| self.keeps_parts || !is_part(bad.fault));
                verdict.kept.extend(kept.map(|bad| bad.row));
                verdict.kept.sort_unstable();
            }
            OnBad::Fail => {
                let record = notes.as_ref().and_then(|notes| notes.bad.first()).map(|record| record.before);
                let row = verdict.bad.first().map(|bad| u64::from(bad.row));
                if let Some(first) = row.into_iter().chain(record).min() {
                    let before = verdict.kept.partition_point(|row| u64::from(*row) < first);
                    verdict.kept.truncate(before);
                }
            }
        }
        task.length = 0;
        if !self.is_late {
            self.write(task);
        }
    }

    fn write(&self, task: &mut Task) {
        let Task { block, verdict, text, .. } = task;
        if self.emit.is_as_it_is() {
            task.length = self.cpu.copy(&block.bytes, &block.index, &verdict.kept, text);
        } else {
            text.clear();
            self.emit.rows(block, &verdict.kept, text);
            task.length = text.len();
        }
    }
}

/// Which of the rows that are kept go out.
pub(crate) enum Pick {
    All,
    Head(Head),
    Tail(Tail),
    Sample(Sample),
}

/// What the sink is to do.
pub(crate) struct Plan<'p> {
    pub(crate) emit: &'p Emit,
    pub(crate) cpu: Cpu,
    pub(crate) on_bad: OnBad,
    /// A limit of bad rows ends the run at a certain row.
    pub(crate) has_limit: bool,
    pub(crate) distinct: Option<Distinct>,
    pub(crate) pick: Pick,
    /// Only the number of rows is wanted.
    pub(crate) count: Option<Total>,
    /// Rows are passed on as they come.
    pub(crate) is_live: bool,
    /// The output takes the place of an input.
    pub(crate) is_in_place: bool,
    /// How many inputs there are.
    pub(crate) inputs: usize,
    /// How many of them are known to be missing.
    pub(crate) missing: usize,
}

impl Plan<'_> {
    /// Whether a row that is longer than a row may be, and so comes in parts, can go out: only when
    /// all rows do, as they came in. How many parts there are is told by nothing but the blocks.
    fn keeps_parts(&self) -> bool {
        self.on_bad == OnBad::Keep
            && self.emit.is_as_it_is()
            && self.distinct.is_none()
            && matches!(self.pick, Pick::All)
    }
}

/// Where rows go.
enum Target<'o> {
    Stream(&'o mut Out),
    File(Box<Replacement>, &'o Path),
}

impl Target<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Stream(out) => out.write_all(bytes),
            Self::File(file, path) => file.write_all(bytes).or_cannot("write", path),
        }
    }
}

/// Takes blocks in the order of the input.
pub(crate) struct Sink<'o> {
    plan: Plan<'o>,
    target: Target<'o>,
    bads: Bads,
    table: Option<Table>,
    progress: Progress,
    /// How many rows there were, blank lines not counted.
    rows: u64,
    /// How many went out.
    kept: u64,
    /// How many inputs could not be read to their end.
    missing: usize,
    /// What a row that has no line end gets when another one follows.
    line_end: Vec<u8>,
    /// Whether what was written last has no line end.
    is_open: bool,
    /// Bytes to leave out before the first row.
    separator: usize,
}

impl<'o> Sink<'o> {
    /// Writes to `output`, whole or not at all, or else to `out`.
    ///
    /// # Errors
    /// When no file can be created there.
    pub(crate) fn new(
        plan: Plan<'o>,
        mut bads: Bads,
        progress: Progress,
        (out, output): (&'o mut Out, Option<&'o Path>),
    ) -> Result<Self> {
        let target = match output {
            Some(path) => Target::File(Box::new(Replacement::begin(path)?), path),
            None => Target::Stream(out),
        };
        bads.loses_long = !plan.keeps_parts();
        let table = plan.emit.table().filter(|_| plan.count.is_none());
        let (rows, kept, is_open, separator) = (0, 0, false, plan.emit.separator_len());
        let missing = plan.missing;
        Ok(Self {
            plan,
            target,
            bads,
            table,
            progress,
            rows,
            kept,
            missing,
            line_end: b"\n".to_vec(),
            is_open,
            separator,
        })
    }

    /// What threads do with blocks before they come here.
    pub(crate) fn format(&self) -> Format<'o> {
        let Plan { emit, cpu, on_bad, .. } = self.plan;
        let keeps_parts = self.plan.keeps_parts();
        Format { emit, cpu, on_bad, keeps_parts, is_late: self.is_late() || self.plan.count.is_some() }
    }

    fn is_late(&self) -> bool {
        self.plan.has_limit || self.plan.distinct.is_some() || !matches!(self.plan.pick, Pick::All)
    }

    /// Writes what comes before the rows; `raw` is the header as it came in.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(crate) fn begin(&mut self, raw: Option<&[u8]>) -> Result<()> {
        if let Some(raw) = raw {
            let end = &raw[without_line_end(raw).len()..];
            if end.ends_with(b"\n") {
                self.line_end = end.to_vec();
            }
        }
        if self.plan.count.is_some() {
            return Ok(());
        }
        let mut text = Vec::new();
        self.plan.emit.header(raw, &mut text);
        self.put(&text)?;
        self.flush_if_live()
    }

    /// Takes the next block.
    ///
    /// # Errors
    /// When the output cannot be written, or a bad row ends the run; rows before it were written.
    pub(crate) fn take(&mut self, task: &mut Task) -> Result<Flow> {
        self.narrow(task);
        let records = task.notes.as_ref().map_or(0, |notes| notes.bad.len());
        let told = if task.verdict.bad.is_empty() && records == 0 { Ok(()) } else { self.tell(task) };
        let flow = self.pass(task)?;
        self.rows += task.verdict.rows() + records as u64;
        told?;
        self.progress.step(task.block.text().len() as u64, self.rows);
        self.flush_if_live()?;
        if flow == Flow::On { self.meet(task) } else { Ok(flow) }
    }

    /// Tells what went wrong behind the rows.
    fn meet(&mut self, task: &mut Task) -> Result<Flow> {
        let troubles = std::mem::take(&mut task.troubles);
        for error in task.fault.take().into_iter().chain(troubles.missing) {
            self.progress.clear();
            self.missing += 1;
            miss(error, self.missing, self.plan.inputs)?;
        }
        troubles.failure.map_or(Ok(Flow::On), Err)
    }

    /// Leaves out rows that were seen before, and what stands behind the last row that is wanted: what
    /// is told of it would depend on how much of it happens to be in the block.
    fn narrow(&mut self, task: &mut Task) {
        let Task { block, verdict, notes, .. } = task;
        if let Some(distinct) = &mut self.plan.distinct {
            distinct.narrow(block, &mut verdict.kept);
        }
        let Pick::Head(head) = &mut self.plan.pick else { return };
        head.narrow(&mut verdict.kept);
        if head.is_full() {
            let end = verdict.kept.last().map_or(0, |last| last + 1);
            verdict.end_at(end);
            if let Some(notes) = notes {
                notes.bad.retain(|record| record.before < u64::from(end));
            }
        }
    }

    fn tell(&mut self, task: &mut Task) -> Result<()> {
        self.progress.clear();
        self.bads.take(task, self.rows).map_err(|(row, error)| {
            let before = task.verdict.kept.partition_point(|kept| *kept < row);
            task.verdict.kept.truncate(before);
            error
        })
    }

    /// Writes those of the rows that go out.
    fn pass(&mut self, task: &mut Task) -> Result<Flow> {
        let is_part = task.block.broken == Some(Broken::Long { is_first: false });
        self.is_open &= !is_part;
        let kept = &mut task.verdict.kept;
        match &mut self.plan.pick {
            Pick::All | Pick::Head(_) => {}
            Pick::Tail(tail) => {
                tail.narrow(kept);
                self.hold(task);
                return Ok(Flow::On);
            }
            Pick::Sample(sample) => {
                sample.narrow(kept);
                self.hold(task);
                return Ok(Flow::On);
            }
        }
        self.kept += if is_part { 0 } else { kept.len() as u64 };
        if self.is_late() && self.plan.count.is_none() {
            self.format().write(task);
        }
        self.put_rows(task.text.get(..task.length).unwrap_or_default())?;
        Ok(if matches!(&self.plan.pick, Pick::Head(head) if head.is_full()) { Flow::Full } else { Flow::On })
    }

    /// Keeps rows that may go out at the end.
    fn hold(&mut self, task: &Task) {
        let mut row = Vec::new();
        for kept in &task.verdict.kept {
            row.clear();
            self.plan.emit.rows(&task.block, std::slice::from_ref(kept), &mut row);
            match &mut self.plan.pick {
                Pick::Tail(tail) => tail.push(&row),
                Pick::Sample(sample) => sample.push(&row),
                Pick::All | Pick::Head(_) => {}
            }
        }
    }

    fn put_rows(&mut self, text: &[u8]) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let separator = std::mem::take(&mut self.separator);
        self.put(text.get(separator..).unwrap_or_default())
    }

    fn put(&mut self, text: &[u8]) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        if let Some(table) = &mut self.table {
            table.add(text);
            return Ok(());
        }
        if self.is_open {
            self.target.write(&self.line_end)?;
        }
        self.is_open = self.plan.emit.separator_len() == 0 && !text.ends_with(b"\n");
        self.target.write(text)
    }

    fn flush_if_live(&mut self) -> Result<()> {
        match &mut self.target {
            Target::Stream(out) if self.plan.is_live => out.flush(),
            _ => Ok(()),
        }
    }

    /// Writes what comes behind the rows, tells how many bad ones there were, and puts the output
    /// file in its place unless there is a `failure`. Returns the number of rows that went out, and of
    /// rows and inputs that are missing.
    ///
    /// # Errors
    /// The failure, or when something cannot be written: the output file is then as it was.
    pub(crate) fn finish(mut self, failure: Option<Error>) -> Result<(u64, u64)> {
        self.progress.clear();
        let lost = if self.bads.collects() { 0 } else { self.bads.skipped() };
        let finished = self.bads.finish(self.rows, failure.as_ref());
        if let Some(error) = failure {
            return Err(error);
        }
        finished?;
        match std::mem::replace(&mut self.plan.pick, Pick::All) {
            Pick::Tail(tail) => self.release(tail.into_rows())?,
            Pick::Sample(sample) => self.release(sample.into_rows())?,
            Pick::All | Pick::Head(_) => {}
        }
        self.close()?;
        if let Target::File(file, path) = self.target {
            if self.plan.is_in_place {
                keep_what_is_lost(path, lost, self.missing)?;
            }
            file.commit()?;
        }
        Ok((self.kept, self.bads.skipped() + self.missing as u64))
    }

    fn release(&mut self, rows: impl Iterator<Item = Vec<u8>>) -> Result<()> {
        for row in rows {
            self.kept += 1;
            if self.plan.count.is_none() {
                self.put_rows(&row)?;
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        if let Some(total) = self.plan.count {
            return self.target.write(total.text(self.kept).as_bytes());
        }
        if let Some(table) = self.table.take() {
            return table.print(|text| self.target.write(text));
        }
        let mut text = Vec::new();
        self.plan.emit.footer(&mut text);
        self.target.write(&text)
    }
}
