//! Where results go: standard output, a file that is replaced whole, a server.

use std::path::PathBuf;

use common::out::Held;
use common::{Out, Result};

use crate::cli::Args;
use crate::outcome::Polled;
use crate::push::Push;
use crate::report::{self, Format, Options, Report, Summary};

/// Home, and everything from there on gone (ECMA-48, CUP and ED).
const REDRAW: &[u8] = b"\x1b[H\x1b[J";

/// Where results go.
pub(crate) struct Sink {
    report: Box<dyn Report>,
    /// Whether each host is told as it ends, to somebody who may wait for it.
    is_live: bool,
    file: Option<(PathBuf, Held)>,
    push: Option<Pushed>,
    is_quiet: bool,
    redraws: bool,
}

/// A report that is sent to a server at the end of each round.
struct Pushed {
    push: Push,
    report: Box<dyn Report>,
    held: Held,
}

impl Sink {
    /// For what the command line says.
    ///
    /// # Errors
    /// When the address to push to is none.
    pub(crate) fn new(args: &Args, options: Options) -> Result<Self> {
        let push = args.push()?.map(|push| Pushed {
            report: report::new(push.taker().format(), options.clone()),
            push,
            held: Held::new("what is pushed"),
        });
        let format = args.format();
        Ok(Self {
            is_live: args.output().is_none() && !matches!(format, Format::Table | Format::Prometheus),
            report: report::new(format, options),
            file: args.output().map(|path| (path.to_owned(), Held::new(path.display().to_string()))),
            push,
            is_quiet: args.common.quiet,
            redraws: args.rounds().redraws,
        })
    }

    /// Whether nobody wants to see progress.
    pub(crate) fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    pub(crate) fn host(&mut self, polled: &Polled, out: &mut Out) -> Result<()> {
        if let Some(pushed) = &mut self.push {
            pushed.report.host(polled, pushed.held.out())?;
        }
        if let Some((_, held)) = &mut self.file {
            return self.report.host(polled, held.out());
        }
        self.report.host(polled, out)?;
        if self.is_live { out.flush() } else { Ok(()) }
    }

    /// Ends a round. A file is replaced, and what is to be pushed is sent; that it cannot be sent is
    /// told, and nothing else suffers from it. Of a round that was stopped (not `is_whole`) only a
    /// reader of standard output is told: whoever takes a file or what is pushed for the fleet would
    /// miss the other hosts.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(crate) fn end(&mut self, summary: &Summary, is_whole: bool, out: &mut Out) -> Result<bool> {
        if let Some((path, held)) = &mut self.file {
            if is_whole {
                self.report.round(summary, held.out())?;
                files::replace(path, &held.take()?)?;
            } else {
                log::warn!("{} is left as it was", path.display());
            }
        } else {
            if self.redraws {
                out.write_all(REDRAW)?;
            }
            self.report.round(summary, out)?;
            out.flush()?;
        }
        let Some(pushed) = self.push.as_mut().filter(|_| is_whole) else { return Ok(true) };
        pushed.report.round(summary, pushed.held.out())?;
        let sent = pushed.push.send(&pushed.held.take()?);
        if let Err(error) = &sent {
            log::error!("{error}");
        }
        Ok(sent.is_ok())
    }
}
