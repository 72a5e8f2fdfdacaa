#![doc = include_str!("../README.md")]
#![allow(clippy::doc_markdown, reason = "the manual names products as their makers do")]

mod by;
pub mod cli;
mod csv;
mod effective;
mod fold;
mod json;
mod lint;
mod ssh;
mod text;

use common::{Error, Out, Outcome, Result};

pub use cli::Args;
use cli::Format;

/// The manual: the README, also behind `--help` and `--generate man`.
pub const MANUAL: &str = include_str!("../README.md");

/// Runs the tool.
///
/// # Errors
/// When the hosts are not told, none is selected, or the output cannot be written.
pub fn run(args: &Args, out: &mut Out) -> Result<Outcome> {
    if args.lint {
        return lint::run(args, out);
    }
    let mut selected = args.hosts.selected()?;
    if args.effective {
        effective::apply(&args.hosts.ssh_config()?, &mut selected.hosts);
    }
    let hosts = &selected.hosts;
    if args.count {
        writeln!(out, "{}", hosts.len())?;
    } else if args.fold {
        fold::folded(hosts.iter().map(|host| host.name.as_str()))
            .iter()
            .try_for_each(|name| line(out, name))?;
    } else if !args.by.is_empty() {
        by::write(hosts, &args.by, args.form(), out)?;
    } else {
        match args.form() {
            Format::Text => text::write(hosts, out)?,
            Format::Json => json::write(hosts, out)?,
            Format::Csv => csv::write(hosts, out)?,
            Format::SshConfig => ssh::write(&selected, out)?,
            Format::Names => hosts.iter().try_for_each(|host| line(out, &host.name))?,
        }
    }
    Ok(Outcome::Done)
}

/// A name in its line: as it is for programs, harmless for a terminal.
fn line(out: &mut Out, name: &str) -> Result<()> {
    if out.is_terminal() {
        return writeln!(out, "{}", common::log::escape(name));
    }
    if name.contains('\n') {
        let name = common::log::escape(name);
        return Err(Error::failed(format!("cannot write the name `{name}` in a line of its own")));
    }
    writeln!(out, "{name}")
}
