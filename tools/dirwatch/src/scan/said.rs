//! What was said, so that it is said once and not with every pass.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What was said.
#[derive(Debug, Default)]
pub(super) struct Said {
    missing: BTreeSet<PathBuf>,
    /// With the verb.
    unreadable: BTreeSet<(PathBuf, &'static str)>,
    silent: BTreeSet<(usize, &'static str)>,
    limit: bool,
    unwatched: bool,
    too_long: BTreeSet<PathBuf>,
    ledger: bool,
}

impl Said {
    /// A watched folder cannot be found.
    pub(super) fn missing(&mut self, root: &Path, why: &io::Error) {
        if self.missing.insert(root.to_owned()) {
            log::warn!("{} is not there: {why}; it is waited for", root.display());
        }
    }

    /// A watched folder is there: whether it was missing.
    pub(super) fn there(&mut self, root: &Path) -> bool {
        let is_back = self.missing.remove(root);
        if is_back {
            log::info!("{} is there again", root.display());
        }
        is_back
    }

    /// A folder cannot be read or watched; the others can.
    pub(super) fn unreadable(&mut self, folder: &Path, verb: &'static str, why: &io::Error) {
        if self.unreadable.insert((folder.to_owned(), verb)) {
            log::warn!("cannot {verb} {}: {why}", folder.display());
        }
    }

    /// A folder could be read.
    pub(super) fn readable(&mut self, folder: &Path) {
        if !self.unreadable.is_empty() && self.unreadable.remove(&(folder.to_owned(), "read")) {
            log::info!("{} can be read again", folder.display());
        }
    }

    /// A folder is gone, and so is what was said of it and of what is below.
    pub(super) fn gone(&mut self, folder: &Path) {
        if !self.unreadable.is_empty() {
            self.unreadable.retain(|(said, _)| !said.starts_with(folder));
        }
    }

    /// Events on this file system do not tell everything.
    pub(super) fn silent(&mut self, root: (usize, &Path), name: &'static str, every: Duration) {
        if self.silent.insert((root.0, name)) {
            let root = root.1.display();
            log::warn!("{name} does not tell of everything below {root}; it is read every {every:?}");
        }
    }

    /// The kernel grants no more watches.
    pub(super) fn limit(&mut self, every: Duration) {
        if !std::mem::replace(&mut self.limit, true) {
            let limits = [INOTIFY, NAMESPACE].map(|limit| (limit_of(limit), limit.1));
            let [(all, _), (namespace, _)] = limits;
            let (most, name) = if namespace < all { limits[1] } else { limits[0] };
            log::warn!(
                "the limit of watches is reached ({name} = {most}); \
                 the other folders are read every {every:?}"
            );
        }
    }

    /// Nothing can be watched at all.
    pub(super) fn unwatched(&mut self, why: &io::Error, every: Duration) {
        if !std::mem::replace(&mut self.unwatched, true) {
            let most = limit_of(INSTANCES);
            log::warn!(
                "cannot watch: {why} (fs.inotify.max_user_instances = {most}); \
                 all folders are read every {every:?}"
            );
        }
    }

    /// A path is too long for any system call.
    pub(super) fn too_long(&mut self, root: &Path) {
        if self.too_long.insert(root.to_owned()) {
            let root = root.display();
            log::warn!(
                "below {root} are paths of more than 4095 bytes, which nothing can open; they are left"
            );
        }
    }

    /// The ledger cannot be asked. The keeper, who asks it again, fails on its own if this goes on.
    pub(super) fn ledger(&mut self, why: &common::Error) {
        if !std::mem::replace(&mut self.ledger, true) {
            log::warn!("{why}");
        }
    }
}

/// Where a limit is read, and its name.
type Limit = (&'static str, &'static str);

const INOTIFY: Limit = ("/proc/sys/fs/inotify/max_user_watches", "fs.inotify.max_user_watches");
/// A container may have one of its own.
const NAMESPACE: Limit = ("/proc/sys/user/max_inotify_watches", "user.max_inotify_watches");
const INSTANCES: Limit = ("/proc/sys/fs/inotify/max_user_instances", "fs.inotify.max_user_instances");

/// The number; the largest where there is none.
fn limit_of(limit: Limit) -> u64 {
    let told = std::fs::read_to_string(limit.0).unwrap_or_default();
    told.trim().parse().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_missing_until_it_is_there() {
        let (mut said, root) = (Said::default(), Path::new("/in"));
        assert!(!said.there(root));
        said.missing(root, &io::ErrorKind::NotFound.into());
        said.missing(root, &io::ErrorKind::NotFound.into());
        assert!(said.there(root) && !said.there(root));
    }

    #[test]
    fn what_is_gone_may_be_unreadable_again() {
        let mut said = Said::default();
        said.unreadable(Path::new("/in/a"), "read", &io::ErrorKind::PermissionDenied.into());
        said.gone(Path::new("/in/ab"));
        assert_eq!(said.unreadable.len(), 1);
        said.gone(Path::new("/in"));
        assert!(said.unreadable.is_empty());
    }

    #[test]
    fn limits_are_read_from_the_kernel() {
        assert!([INOTIFY, NAMESPACE, INSTANCES].iter().all(|limit| limit_of(*limit) < u64::MAX));
        assert_eq!(limit_of(("/proc/nowhere", "nowhere")), u64::MAX);
    }
}
