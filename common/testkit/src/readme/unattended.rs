//! The lines of crontabs and units that a manual shows, as steps: what nobody watches is run like the rest.

use std::ops::Range;

use super::ANY_LINES;
use super::blocks::Step;

/// The commands of a `cron` or an `ini` block. They may print anything, and have to end with status 0.
///
/// # Errors
/// A sentence that names the line: a block without any command, or a line that is no line of a crontab.
pub(super) fn steps(kind: &str, lines: &[&str], body: Range<usize>) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    for at in body.clone() {
        let command = if kind == "cron" { of_crontab(lines[at]) } else { of_unit(lines[at]) };
        let command = command.map_err(|what| format!("line {}: {what}", at + 1))?;
        let output = vec![ANY_LINES.to_owned()];
        steps.extend(command.map(|command| Step { line: at + 1, command, output, status: 0, place: None }));
    }
    if steps.is_empty() {
        return Err(format!("line {}: there is no command in this `{kind}` block", body.start));
    }
    Ok(steps)
}

/// crontab(5): five words or one with `@`, and the rest for /bin/sh, a `%` behind a backslash.
fn of_crontab(line: &str) -> Result<Option<String>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let mut rest = line;
    for _ in 0..if line.starts_with('@') { 1 } else { 5 } {
        rest = rest.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim_start());
    }
    let plain = rest.replace("\\%", "");
    if rest.is_empty() || plain.contains('%') {
        return Err("this is no line of a crontab, or has a `%` that stands for a line end".into());
    }
    Ok(Some(by_sh(&rest.replace("\\%", "%"))))
}

/// systemd.service(5): words without a shell, in which `%` and `$` are doubled.
fn of_unit(line: &str) -> Result<Option<String>, String> {
    let Some(("ExecStart" | "ExecStartPre" | "ExecStartPost", command)) = line.split_once('=') else {
        return Ok(None);
    };
    if !command.starts_with('/') {
        return Err("the command of a unit begins with an absolute path".into());
    }
    // The package is not installed where it is tested; its tools are on the PATH.
    let command = command.strip_prefix("/usr/bin/").unwrap_or(command);
    Ok(Some(format!("set -f; {}", command.replace("%%", "%").replace("$$", "$"))))
}

fn by_sh(command: &str) -> String {
    format!("sh -c '{}'", command.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_of_a_crontab_stands_behind_its_times() {
        let check = |line: &str, want: Option<&str>| {
            assert_eq!(of_crontab(line), Ok(want.map(str::to_owned)), "{line}");
        };
        check("*/5 * * * *  true", Some("sh -c 'true'"));
        check("@daily echo 'a  b' 5\\%", Some("sh -c 'echo '\\''a  b'\\'' 5%'"));
        check("# nothing", None);
        assert!(of_crontab("* * * * true").is_err());
        assert!(of_crontab("* * * * * date +%F").is_err());
    }

    #[test]
    fn the_command_of_a_unit_has_no_shell() {
        let check = |line: &str, want: Option<&str>| {
            assert_eq!(of_unit(line), Ok(want.map(str::to_owned)), "{line}");
        };
        check("ExecStart=/usr/bin/logcount --max-bad 1%% *", Some("set -f; logcount --max-bad 1% *"));
        check("ExecStart=/bin/sh -c 'echo $$1'", Some("set -f; /bin/sh -c 'echo $1'"));
        check("User=nobody", None);
        assert!(of_unit("ExecStart=logcount").is_err());
    }

    #[test]
    fn a_block_without_a_command_is_refused() {
        assert!(steps("cron", &["```cron", "# x", "```"], 1..2).is_err());
        assert_eq!(steps("ini", &["```ini", "[Service]", "ExecStart=/bin/true"], 1..3).unwrap()[0].line, 3);
    }
}
