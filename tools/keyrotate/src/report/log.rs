//! The audit log for people, or as it is.

use common::{Out, Result, table};
use serde::Serialize;

use super::{Form, short};
use crate::audit::{Checked, Line, Outcome};

/// Prints the lines of the log: with [`Form::Json`] their very bytes.
///
/// # Errors
/// When it cannot be printed.
pub(crate) fn print(lines: &[Line], form: Form, out: &mut Out) -> Result<()> {
    if form == Form::Json {
        return lines.iter().try_for_each(|line| {
            out.write_all(&line.bytes)?;
            out.write_all(b"\n")
        });
    }
    let rows: Vec<Vec<String>> = lines.iter().zip(1..).map(|(line, number)| row(line, number)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    table::texts(&["LINE", "TIME", "WHO", "STEP", "KEY", "CONSUMER", "OUTCOME", "WHY"], &rows, out)
}

/// Prints what a look at the log came to.
///
/// # Errors
/// When it cannot be printed.
pub(crate) fn print_checked(checked: &Checked, form: Form, out: &mut Out) -> Result<()> {
    #[derive(Serialize)]
    struct Object<'a> {
        lines: u64,
        is_whole: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        bad_line: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        why: Option<&'a str>,
    }
    let Checked { lines, fault } = checked;
    if form == Form::Json {
        let (bad_line, why) =
            (fault.as_ref().map(|fault| fault.line), fault.as_ref().map(|fault| fault.what.as_str()));
        return out.write_json(&Object { lines: *lines, is_whole: fault.is_none(), bad_line, why });
    }
    match fault {
        Some(fault) => writeln!(out, "line {} {}", fault.line, fault.what),
        None if *lines == 1 => writeln!(out, "1 line, as it was written"),
        None => writeln!(out, "{lines} lines, each as it was written"),
    }
}

fn row(line: &Line, number: u64) -> Vec<String> {
    let Some(record) = &line.record else {
        let mut row = vec![String::new(); 8];
        row[0] = number.to_string();
        row[7] = "this is no line of an audit log".into();
        return row;
    };
    let some = |text: &Option<String>| text.clone().unwrap_or_default();
    let outcome = match record.outcome {
        Outcome::Done => "done",
        Outcome::Waiting => "waiting",
        Outcome::Refused => "refused",
        Outcome::Unknown => "unknown",
    };
    vec![
        number.to_string(),
        record.time.clone(),
        record.who.clone(),
        record.step.clone(),
        record.key.as_deref().map(short).unwrap_or_default().to_owned(),
        some(&record.consumer),
        outcome.into(),
        some(&record.why),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::tests::printed;
    use super::*;
    use crate::audit::Fault;

    fn line(text: &str) -> Line {
        Line { bytes: text.as_bytes().to_vec(), record: serde_json::from_str(text).ok() }
    }

    #[test]
    fn a_line_that_is_none_is_shown_too() {
        let good = concat!(
            r#"{"n":1,"time":"2026-03-14T09:26:53.123Z","who":"jan","host":"h","pid":7,"#,
            r#""step":"hold","outcome":"done","why":"new year","previous":""}"#
        );
        let lines = [line(good), line("{\u{1b}")];
        let want = "\
LINE  TIME                      WHO  STEP  OUTCOME  WHY
1     2026-03-14T09:26:53.123Z  jan  hold  done     new year
2                                                   this is no line of an audit log
";
        assert_eq!(printed(|out| print(&lines, Form::Text, out)), want);
        assert_eq!(printed(|out| print(&lines, Form::Json, out)), format!("{good}\n{{\u{1b}\n"));
    }

    #[test]
    fn a_fault_is_told_with_its_line() {
        let check = |fault: Option<Fault>, form, want: &str| {
            let checked = Checked { lines: 7, fault };
            assert_eq!(printed(|out| print_checked(&checked, form, out)), format!("{want}\n"));
        };
        let fault = Fault { line: 3, what: "was changed".into() };
        check(None, Form::Text, "7 lines, each as it was written");
        check(Some(fault.clone()), Form::Text, "line 3 was changed");
        check(None, Form::Json, r#"{"lines":7,"is_whole":true}"#);
        check(Some(fault), Form::Json, r#"{"lines":7,"is_whole":false,"bad_line":3,"why":"was changed"}"#);
    }
}
