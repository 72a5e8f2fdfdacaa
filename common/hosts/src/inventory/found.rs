//! What one source held.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Finding, short};
use crate::host::{Host, Place, Tags};
use crate::ranges;

/// As many findings as one source may have: what has more is another thing than it was taken for.
const MOST: usize = 100_000;

/// The hosts and findings of one source.
pub(super) struct Found {
    pub(super) hosts: Vec<Host>,
    pub(super) findings: Vec<Finding>,
    pub(super) source: Arc<str>,
    /// The folder of the source, when it is a file.
    pub(super) folder: Option<PathBuf>,
    home: Option<PathBuf>,
    tags: BTreeSet<Tags>,
    /// Findings that are not kept.
    more: usize,
}

impl Found {
    pub(super) fn new(source: &str) -> Self {
        Self {
            hosts: Vec::new(),
            findings: Vec::new(),
            source: Arc::from(source),
            folder: None,
            home: env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from),
            tags: BTreeSet::new(),
            more: 0,
        }
    }

    pub(super) fn place(&self, line: u64) -> Place {
        Place { source: Arc::clone(&self.source), line }
    }

    /// A host is lost or wrong by it.
    pub(super) fn error(&mut self, line: u64, what: impl Into<String>) {
        self.tell(Finding { place: self.place(line), is_error: true, what: what.into() });
    }

    /// It is only suspicious.
    pub(super) fn warn(&mut self, line: u64, what: impl Into<String>) {
        self.tell(Finding { place: self.place(line), is_error: false, what: what.into() });
    }

    /// Keeps `finding`, unless there are too many.
    pub(super) fn tell(&mut self, finding: Finding) {
        if self.findings.len() >= MOST {
            self.more += 1;
            return;
        }
        self.findings.push(Finding { what: short(finding.what), ..finding });
    }

    /// Says how many findings were not kept.
    pub(super) fn finish(&mut self) {
        if self.more > 0 {
            let what = format!("{} more faults are not listed; is this another format?", self.more);
            let last = self.findings.iter().map(|finding| finding.place.line).max();
            let place = self.place(last.unwrap_or_default());
            self.findings.push(Finding { place, is_error: true, what });
        }
    }

    /// Whether one source may have `count` hosts.
    pub(super) fn room(&self, count: usize) -> Result<(), String> {
        if self.hosts.len() + count <= ranges::MOST {
            return Ok(());
        }
        Err(format!("these would be more than {} hosts of one source", ranges::MOST))
    }

    /// The one copy of `tags`.
    pub(super) fn shared(&mut self, tags: Tags) -> Tags {
        if let Some(known) = self.tags.get(&tags) {
            return known.clone();
        }
        self.tags.insert(tags.clone());
        tags
    }

    /// The path of a key file: `~` is the home folder, and what is relative stands beside the source.
    pub(super) fn key(&self, text: &str) -> PathBuf {
        let path = self.key_of_ssh(text);
        match &self.folder {
            Some(folder) => folder.join(path),
            None => path,
        }
    }

    /// The path of a key file as ssh(1) takes it: what is relative is so to the current folder.
    pub(super) fn key_of_ssh(&self, text: &str) -> PathBuf {
        match (text.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => Path::new(text).to_path_buf(),
        }
    }
}
