//! The `console` blocks of a README as steps.

use std::ops::Range;

use super::unattended;

/// One command with what it is to print.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The line of the `$`, from 1.
    pub(super) line: usize,
    /// What bash runs, several lines after a `> `.
    pub(super) command: String,
    /// The wanted output, without the line of the status.
    pub(super) output: Vec<String>,
    /// The wanted exit status.
    pub(super) status: i32,
    /// Where output and status stand in the text, as line numbers from 0; nowhere for a line of a crontab
    /// or a unit.
    pub(super) place: Option<Range<usize>>,
}

/// Takes the blocks of `text` apart.
///
/// # Errors
/// A sentence that names the line: a block that would not be executed, or output of no command.
pub(super) fn parse(text: &str) -> Result<Vec<Step>, String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut steps = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let Some((fence, info)) = opening(lines[at]) else {
            at += 1;
            continue;
        };
        let body = at + 1..lines.len();
        let Some(end) = body.clone().find(|&line| closes(lines[line], fence)) else {
            return Err(format!("line {}: this block is never closed", at + 1));
        };
        if info == "console" && !lines[at].starts_with(' ') {
            steps.extend(block(&lines, body.start..end)?);
        } else if info == "cron" || info == "ini" {
            steps.extend(unattended::steps(info, &lines, body.start..end)?);
        } else if info.starts_with("console") {
            return Err(format!(
                "line {}: write ```console at the start of a line, with nothing behind",
                at + 1
            ));
        }
        at = end + 1;
    }
    if steps.is_empty() {
        return Err("no `$ ` line in a ```console block: there is nothing to execute".into());
    }
    Ok(steps)
}

/// The fence and the information string of a line that opens a block.
fn opening(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let length = line.len() - line.trim_start_matches('`').len();
    (length >= 3).then(|| line.split_at(length))
}

fn closes(line: &str, fence: &str) -> bool {
    let line = line.trim();
    line.len() >= fence.len() && line.bytes().all(|byte| byte == b'`')
}

fn block(lines: &[&str], body: Range<usize>) -> Result<Vec<Step>, String> {
    let mut steps: Vec<Step> = Vec::new();
    for at in body {
        let line = lines[at];
        if let Some(command) = line.strip_prefix("$ ") {
            let (command, place) = (command.to_owned(), Some(at + 1..at + 1));
            steps.push(Step { line: at + 1, command, output: Vec::new(), status: 0, place });
            continue;
        }
        let Some(step) = steps.last_mut() else {
            return Err(format!("line {}: output before the first `$ ` line", at + 1));
        };
        let started = step.place.as_ref().is_some_and(|place| !place.is_empty());
        if !started
            && let Some(more) = line.strip_prefix('>').filter(|more| more.is_empty() || more.starts_with(' '))
        {
            step.command.push('\n');
            step.command.push_str(more.strip_prefix(' ').unwrap_or(more));
            step.place = Some(at + 1..at + 1);
            continue;
        }
        step.place = step.place.take().map(|place| place.start..at + 1);
        step.output.push(line.to_owned());
    }
    for step in &mut steps {
        let last = step.output.last().and_then(|line| line.strip_prefix("? "));
        if let Some(status) = last.and_then(|status| status.parse().ok()) {
            step.status = status;
            step.output.pop();
        }
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: &[(usize, &str, &str, i32, Range<usize>)]) {
        let steps = parse(text).unwrap();
        let seen: Vec<_> = steps
            .iter()
            .map(|step| {
                (
                    step.line,
                    step.command.clone(),
                    step.output.join("|"),
                    step.status,
                    step.place.clone().unwrap(),
                )
            })
            .collect();
        let want: Vec<_> = want
            .iter()
            .map(|(line, command, output, status, place)| {
                (*line, (*command).to_owned(), (*output).to_owned(), *status, place.clone())
            })
            .collect();
        assert_eq!(seen, want, "{text}");
    }

    #[test]
    fn a_block_is_commands_outputs_and_statuses() {
        check(
            "# t\n```console\n$ a\n1\n2\n$ b\n? 2\n```\n",
            &[(3, "a", "1|2", 0, 3..5), (6, "b", "", 2, 6..7)],
        );
        check("```console\n$ a\n\n? 75\n```", &[(2, "a", "", 75, 2..4)]);
        check(
            "```console\n$ a\n```\n```\n$ no\n```\n```console\n$ b\n```",
            &[(2, "a", "", 0, 2..2), (8, "b", "", 0, 8..8)],
        );
    }

    #[test]
    fn a_command_goes_on_in_the_next_line() {
        check("```console\n$ cat <<E\n> x\n>\n> E\nx\n```", &[(2, "cat <<E\nx\n\nE", "x", 0, 5..6)]);
        check("```console\n$ a\nx\n> out\n```", &[(2, "a", "x|> out", 0, 2..4)]);
        check("```console\n$ a\n>>> out\n```", &[(2, "a", ">>> out", 0, 2..3)]);
    }

    #[test]
    fn a_block_inside_a_longer_fence_is_text() {
        let text = "````text\n```console\n$ no\n```\n````\n```console\n$ yes\n```";
        check(text, &[(7, "yes", "", 0, 7..7)]);
    }

    #[test]
    fn what_would_not_be_executed_is_refused() {
        let check = |text: &str, part: &str| {
            let refusal = parse(text).unwrap_err();
            assert!(refusal.contains(part), "{refusal}");
        };
        check("# t\n", "nothing to execute");
        check("```console\n```\n", "nothing to execute");
        check("```text\n$ a\n```\n", "nothing to execute");
        check("  ```console\n  $ a\n  ```\n", "line 1: write ```console");
        check("```console ignore\n$ a\n```\n", "line 1: write ```console");
        check("x\n```console\n$ a\n", "line 2: this block is never closed");
        check("```console\nout\n$ a\n```\n", "line 2: output before");
    }
}
