//! `status`, `history` and `validate`: what is there, what was done, what is wrong.

use std::path::PathBuf;

use common::{Out, Outcome, Result};

use super::Desk;
use super::route::Route;
use super::site::{Cargo, Pool, Site};
use crate::cli::Which;
use crate::report::{self, HostStatus};
use crate::{audit, spec, validate as faults};

/// `status`.
///
/// # Errors
/// When a spec has faults; when a host refuses to be looked at, or all are down.
pub(crate) fn status(desk: &Desk, which: &Which, out: &mut Out) -> Result<Outcome> {
    let route = Route::of(which, None)?;
    let mut sites: Vec<Site> = Vec::new();
    for leg in &route.legs {
        let cargo = Cargo::make(&route, leg)?;
        sites.extend(cargo.sites(&route, leg));
    }
    let pool = Pool::new(desk.jobs, sites.len())?;
    pool.look(&mut sites);
    let mut hosts = Vec::new();
    let mut sites = sites.into_iter();
    for leg in &route.legs {
        let mut here: Vec<Site> = sites.by_ref().take(leg.targets.len()).collect();
        route.sift(leg, &mut here)?;
        hosts.extend(here.into_iter().map(|site| HostStatus {
            spec: route.spec(leg).name.clone(),
            env: route.env(leg).name.clone(),
            host: site.name().to_owned(),
            path: site.made.path.clone(),
            seen: site.seen,
        }));
    }
    report::status(out, desk.form, &hosts)
}

/// `history`, of `specs`, or of all when there are none.
///
/// # Errors
/// When a spec has faults, or the log cannot be read.
pub(crate) fn history(desk: &Desk, specs: &[PathBuf], out: &mut Out) -> Result<Outcome> {
    let specs = spec::all(specs)?;
    let mut records = audit::read(&desk.folder()?)?;
    records.retain(|record| specs.is_empty() || specs.iter().any(|spec| spec.name == record.deed.spec));
    report::history(out, desk.form, &records)
}

/// `validate`.
///
/// # Errors
/// When a spec cannot be read, or the output cannot be written.
pub(crate) fn validate(specs: &[PathBuf], desk: &Desk, out: &mut Out) -> Result<Outcome> {
    faults::all(specs, desk.form, out)
}
