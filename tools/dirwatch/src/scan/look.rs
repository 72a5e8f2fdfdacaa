//! What is in a folder, and telling of it.

use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::requests::Requests;
use super::run::{Scan, is_gone, is_loop};
use super::visit::{Open, Task, Walk, Why};
use crate::identity::{Identity, Key, Kind, Stamp, path_key, version_key};
use crate::ledger::View;
use crate::message::{Candidate, Message};
use crate::plan::Where;
use crate::post::Post;
use crate::walk::Seems;

/// How many candidates are told at once.
const CHUNK: usize = 512;

/// A path of this many bytes with its end is the longest that a system call takes.
const PATH_MAX: usize = 4096;

/// What is told to the keeper.
pub(super) struct Teller {
    view: Box<dyn View>,
    messages: Post,
    requests: Arc<Requests>,
    chunk: Vec<Candidate>,
}

impl Teller {
    pub(super) fn new(view: Box<dyn View>, messages: Post, requests: Arc<Requests>) -> Self {
        Self { view, messages, requests, chunk: Vec::new() }
    }

    /// Tells a candidate, with others. Waits when the keeper has enough before it.
    fn tell(&mut self, candidate: Candidate) {
        self.chunk.push(candidate);
        if self.chunk.len() >= CHUNK {
            self.flush();
        }
    }

    /// Tells what was kept back.
    pub(super) fn flush(&mut self) {
        if self.chunk.is_empty() {
            return;
        }
        let chunk = std::mem::take(&mut self.chunk);
        if self.requests.wait_for_room() {
            self.say(Message::Found(chunk));
        }
    }

    /// Without a keeper the scanner ends.
    pub(super) fn say(&mut self, message: Message) {
        if !self.messages.send(message) {
            self.requests.stop(std::time::Duration::ZERO);
        }
    }
}

/// A name in an open folder.
struct Entry<'a> {
    open: &'a Open,
    name: &'a OsStr,
    path: &'a Path,
    /// The same below the watched folder.
    relative: &'a Path,
    root: &'a Path,
}

impl Scan {
    /// Deals with a part of the names of an open folder: tells of files, and adds folders to `walk`.
    pub(super) fn look(&mut self, open: &Open, part: Range<usize>, walk: &mut Walk) {
        let place = Arc::clone(&self.place);
        let root = place.roots[open.task.root].as_path();
        let mut bytes = open.task.path.as_os_str().as_bytes().to_vec();
        if bytes.last() != Some(&b'/') {
            bytes.push(b'/');
        }
        let folder_length = bytes.len();
        let root_length = root.as_os_str().len() + usize::from(root.as_os_str() != "/");
        for (seems, name) in open.names.part(part) {
            bytes.truncate(folder_length);
            bytes.extend_from_slice(name.as_bytes());
            if bytes.len() >= PATH_MAX {
                self.said.too_long(root);
                continue;
            }
            let path = Path::new(OsStr::from_bytes(&bytes));
            let relative = Path::new(OsStr::from_bytes(&bytes[root_length..]));
            let entry = Entry { open, name, path, relative, root };
            self.consider(&place, &entry, seems, walk);
        }
    }

    fn consider(&mut self, place: &Where, entry: &Entry<'_>, seems: Seems, walk: &mut Walk) {
        match seems {
            Seems::File => self.file(place, entry, None),
            Seems::Folder(inode) => self.folder(entry, Some(inode), walk),
            Seems::Other => {}
            Seems::Link if !place.follow => {}
            Seems::Link | Seems::Unknown => {
                let Some(stamp) = self.stamp(entry) else { return };
                match stamp.kind {
                    Kind::File => self.file(place, entry, Some(stamp)),
                    Kind::Folder => self.folder(entry, Some(stamp.inode), walk),
                    Kind::Link | Kind::Other => {}
                }
            }
        }
    }

    /// The stamp of a name, unless it is gone or may not be looked at.
    fn stamp(&mut self, entry: &Entry<'_>) -> Option<Stamp> {
        match entry.open.folder.stamp(entry.name, self.place.follow) {
            Ok(stamp) => Some(stamp),
            // A link to itself or to nowhere is nothing to take.
            Err(why) if is_gone(&why) || is_loop(&why) => None,
            Err(why) => {
                self.cannot_read(&entry.open.task.path, "look at the files in", &why);
                None
            }
        }
    }

    fn folder(&mut self, entry: &Entry<'_>, inode: Option<u64>, walk: &mut Walk) {
        let (task, path) = (&entry.open.task, entry.path);
        if !self.enters(path, entry.root) {
            return;
        }
        let why = if task.why == Why::Pass { Why::Pass } else { Why::Below };
        // Another inode is another folder, or the one on which something is mounted.
        let is_known = self.folders.get(path).is_some_and(|known| Some(known.id.inode) == inode);
        if why == Why::Pass || !is_known {
            walk.push(Task { path: path.to_owned(), root: task.root, why });
        }
    }

    fn file(&mut self, place: &Where, entry: &Entry<'_>, stamp: Option<Stamp>) {
        let path = entry.path.as_os_str();
        if !place.which.takes_name(entry.relative)
            || place.own_files.iter().any(|own| own.as_os_str() == path)
        {
            return;
        }
        if place.identity == Identity::Path && self.is_known(&path_key(entry.path)) {
            return;
        }
        let Some(stamp) = stamp.or_else(|| self.stamp(entry)).filter(|stamp| stamp.kind == Kind::File) else {
            return;
        };
        if place.identity != Identity::Path && self.is_known(&version_key(entry.root, &stamp)) {
            return;
        }
        let marker = place.which.marker_of(Path::new(entry.name));
        if marker.is_some_and(|marker| entry.open.folder.stamp(marker.as_os_str(), true).is_err()) {
            return;
        }
        let path = PathBuf::from(entry.path);
        self.teller.tell(Candidate { root: entry.open.task.root, path, stamp });
    }

    /// Whether the ledger knows it. When it cannot be asked, the keeper is to find out.
    fn is_known(&mut self, key: &Key) -> bool {
        self.teller.view.is_known(key).unwrap_or_else(|why| {
            self.said.ledger(&why);
            false
        })
    }
}
