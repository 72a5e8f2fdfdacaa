//! `ulimit -f`: a file that would grow beyond is an error instead of the death of the process.
//!
//! Writing beyond the limit raises SIGXFSZ, which kills by default, between two steps that leave
//! something to tidy up. With a handler the write fails with EFBIG. A handler, and not `SIG_IGN`:
//! that would be inherited by the commands that we start.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use signal_hook::consts::SIGXFSZ;
use signal_hook::flag;

static HANDLED: OnceLock<bool> = OnceLock::new();

/// From here on writes beyond the limit fail. Costs two system calls the first time.
pub(crate) fn survive() {
    // Where it cannot be handled the process dies, and the next one tidies up.
    HANDLED.get_or_init(|| flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false))).is_ok());
}
