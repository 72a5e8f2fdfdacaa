#![doc = include_str!("../README.md")]

pub mod cli;
pub mod families;
mod judge;
pub mod outcome;
pub mod parse;
mod poll;
pub mod probe;
pub mod push;
pub mod report;
mod rounds;
pub mod rule;
pub mod sample;
mod sink;
pub mod values;

use std::collections::BTreeSet;
use std::sync::Arc;

use common::{Out, Outcome, Result};
use hosts::Host;
use hosts::cli::Selected;
use remote::Reach;
use remote::keys::Keyring;
use remote::settings::{Myself, Settler};

pub use cli::Args;
use judge::Judge;
use poll::{Asked, Poller};
use rounds::{End, Fleet, Told};
use sink::Sink;

/// The manual: the README, also behind `--help` and `--generate man`.
pub const MANUAL: &str = include_str!("../README.md");

/// Runs the tool.
///
/// # Errors
/// When the command line contradicts itself, an inventory cannot be read, no host is selected, or the
/// output cannot be written.
pub fn run(args: &Args, out: &mut Out) -> Result<Outcome> {
    args.check()?;
    common::output::refuse_inputs(&args.hosts.inputs(), args.output())?;
    let options = args.options(out.is_terminal())?;
    let rules = args.rules()?;
    let selected = args.hosts.selected()?;
    let sink = Sink::new(args, options)?;

    let rounds = args.rounds();
    let keeps = rounds.interval.is_some();
    let wanted = args.wanted();
    let mut bounds = args.ssh.bounds();
    bounds.command += wanted.window;
    bounds.total += wanted.window;
    let ring = Keyring::new(args.ssh.passphrase()?);
    let poller = Arc::new(Poller::new(Reach::new(bounds, ring), wanted, args.wanted_next()));

    common::stop::install()?;
    let sessions = if keeps { selected.hosts.len() } else { args.ssh.jobs().min(selected.hosts.len()) };
    remote::limits::make_room(sessions);
    let fleet = Fleet::new(asked(args, &selected)?, poller, args.ssh.jobs(), args.ssh.deadline());
    let mut told = Told { sink, judge: Judge::new(rules, args.tells_failures()), out };
    match fleet.rounds(rounds, &mut told)? {
        End::Stopped if !keeps => Ok(Outcome::Interrupted),
        _ => Ok(told.judge.outcome()),
    }
}

/// The hosts as they are asked, each with how to reach it.
fn asked(args: &Args, selected: &Selected) -> Result<Vec<Asked>> {
    let ssh_config = args.hosts.ssh_config()?;
    let (flags, myself) = (args.ssh.flags()?, Myself::now());
    let mut settler = Settler::new(&ssh_config, &flags, &myself, &selected.known);
    let one = |host: &Host| {
        let target = settler.target(host).map(Arc::new);
        let values = |(key, values): (&String, &BTreeSet<String>)| {
            values.iter().map(|value| (key.clone(), value.clone())).collect::<Vec<_>>()
        };
        let tags = host.tags.iter().flat_map(values).collect();
        Asked::new(Arc::from(host.name.as_str()), target, Arc::new(tags))
    };
    Ok(selected.hosts.iter().map(one).collect())
}
