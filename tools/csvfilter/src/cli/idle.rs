//! Options that would do nothing beside the others: whoever gives one expects something of it.

use super::{Args, From, To, word};

/// Refuses options that nothing would come of.
///
/// # Errors
/// A sentence that names the first of them.
pub(super) fn check(args: &Args) -> Result<(), String> {
    let has_dialect = args.from == From::Csv;
    let has_lines = matches!(args.from, From::Csv | From::Tsv);
    let to = args.result();
    let is_json = matches!(to, To::Json | To::Jsonl);
    let from = format!("with --from {}", word(&args.from));
    let result = format!("where the result is {}", word(&to));
    let idle = [
        (args.delimiter.is_some() && !has_dialect, "--delimiter", &from),
        (args.quote.is_some() && !has_dialect, "--quote", &from),
        (args.comment.is_some() && !has_lines, "--comment", &from),
        (args.skip > 0 && !has_lines, "--skip", &from),
        (args.output_delimiter.is_some() && to != To::Csv, "--output-delimiter", &result),
        (args.infer.is_some() && !is_json, "--infer", &result),
    ];
    match idle.into_iter().find(|(is_idle, ..)| *is_idle) {
        Some((_, option, place)) => Err(format!("{option} means nothing {place}; leave it out")),
        None => Ok(()),
    }
}
