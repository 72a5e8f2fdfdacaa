//! What is wrong in a spec, and where.

use std::cell::RefCell;

use secrets::Source;

/// Something that is wrong in a spec.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Its line, from 1.
    pub line: usize,
    /// What is wrong, and the way out.
    pub what: String,
}

/// The faults found so far, and where lines begin.
#[derive(Debug, Default)]
pub struct Faults {
    starts: Vec<usize>,
    found: RefCell<Vec<Fault>>,
    pub(crate) warnings: RefCell<Vec<Fault>>,
    pub(crate) sources: RefCell<Vec<(usize, Source)>>,
    pub(crate) hosts: RefCell<Vec<(usize, Vec<String>)>>,
}

impl Faults {
    /// For the faults of `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        Self { starts: ends.map(|(at, _)| at + 1).collect(), ..Self::default() }
    }

    pub(crate) fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset) + 1
    }

    pub(crate) fn add(&self, line: usize, what: String) {
        self.found.borrow_mut().push(Fault { line, what });
    }

    /// Whether there is none so far.
    pub fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// What is no fault, and yet worth a thought, in the order of its lines.
    pub fn warnings(&self) -> Vec<Fault> {
        let mut warnings = self.warnings.take();
        warnings.sort();
        warnings
    }

    /// Where secrets are to be read from, each with its line.
    pub fn sources(&self) -> Vec<(usize, Source)> {
        self.sources.take()
    }

    /// All of them, in the order of their lines.
    pub fn into_sorted(self) -> Vec<Fault> {
        let mut found = self.found.into_inner();
        found.sort();
        found.dedup();
        found
    }
}
