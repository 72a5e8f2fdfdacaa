//! What is odd about an inventory, as a result.

use common::log::escape;
use common::{Out, Outcome, Result, tool};
use hosts::Finding;

use crate::cli::{Args, Format};
use crate::json;

/// Writes one line for each finding; the answer is no when there is one.
pub(crate) fn run(args: &Args, out: &mut Out) -> Result<Outcome> {
    let form = args.form();
    if !matches!(form, Format::Text | Format::Json) {
        return Err(tool::usage("cannot show findings in this format; say text or json"));
    }
    let findings = args.hosts.lint()?;
    for finding in &findings {
        if form == Format::Json {
            writeln!(out, "{}", object(finding))?;
        } else {
            writeln!(out, "{}: {}", escape(&finding.place.to_string()), escape(&finding.what))?;
        }
    }
    Ok(if findings.is_empty() { Outcome::Done } else { Outcome::No })
}

fn object(finding: &Finding) -> String {
    let line = (finding.place.line > 0).then_some(finding.place.line);
    json::object(&[
        ("file", (*finding.place.source).into()),
        ("line", line.into()),
        ("level", if finding.is_error { "error" } else { "warning" }.into()),
        ("message", finding.what.as_str().into()),
    ])
}
