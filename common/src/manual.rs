//! The README of a tool is its manual: its examples stand below `--help`, and it is the man page.
//!
//! Only the Markdown that the READMEs use is understood: headings, paragraphs, fenced blocks,
//! tables, lists and `code`.

use std::fmt::Write as _;

use clap::{Command, ValueHint};
use clap_complete::aot::{Shell, generate as complete};

use crate::error::{Error, Outcome, Result};
use crate::out::Out;

/// The exit statuses of the suite, for every man page.
const STATUSES: &[(&str, &str)] = &[
    ("0", "done; or: something was found"),
    ("1", "it ran well and the answer is no: nothing matched, a threshold was reached"),
    ("2", "failed; a human must fix the command, the input or the permissions"),
    ("23", "partial: some inputs were done, the others are named on stderr"),
    ("75", "try again later: a lock is held, a host is out of reach"),
    ("128+n", "killed by signal n"),
];

/// Prints what `--generate WHAT` asks for.
///
/// # Errors
/// When `what` is not one of man, bash, zsh and fish, or the output cannot be written.
pub fn generate(what: &str, command: Command, manual: &str, out: &mut Out) -> Result<Outcome> {
    let name = command.get_name().to_owned();
    let mut text = Vec::new();
    let shell = match what {
        "man" => {
            out.write_all(man(command, manual).as_bytes())?;
            return Ok(Outcome::Done);
        }
        "bash" => Shell::Bash,
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        _ => return Err(Error::failed(format!("cannot generate `{what}`; say man, bash, zsh or fish"))),
    };
    let mut command = offered(command);
    complete(shell, &mut command, name, &mut text);
    if shell == Shell::Bash && takes_a_command(&command) {
        let script =
            String::from_utf8_lossy(&text).replacen(NOTHING_YET, &format!("{NOTHING_YET}{A_COMMAND}"), 1);
        text = script.into_bytes();
    }
    out.write_all(&text)?;
    Ok(Outcome::Done)
}

/// A line of the script for bash, before it looks at anything.
const NOTHING_YET: &str = "    COMPREPLY=()\n";

/// `clap_complete` knows no hints of operands for bash: behind `--` stand a command and what it is given.
const A_COMMAND: &str = r#"    local at
    for ((at = 1; at < COMP_CWORD; at++)); do
        if [[ ${COMP_WORDS[at]} == -- ]]; then
            if ((at + 1 == COMP_CWORD)); then
                COMPREPLY=($(compgen -c -- "${COMP_WORDS[COMP_CWORD]}"))
            fi
            return 0
        fi
    done
"#;

fn takes_a_command(command: &Command) -> bool {
    command.get_positionals().any(|arg| arg.get_value_hint() == ValueHint::CommandWithArguments)
}

/// The command without the subcommands that are hidden, which clap has completions offer all the same. They
/// cannot be taken out of it.
fn offered(command: Command) -> Command {
    if !command.get_subcommands().any(Command::is_hide_set) {
        return command;
    }
    // clap takes names that live for ever, and the process ends when this is printed.
    let name: &'static str = Box::leak(command.get_name().to_owned().into_boxed_str());
    let mut offered = Command::new(name)
        .disable_help_subcommand(command.is_disable_help_subcommand_set())
        .args(command.get_arguments().cloned())
        .groups(command.get_groups().cloned())
        .subcommands(command.get_subcommands().filter(|one| !one.is_hide_set()).cloned());
    if command.get_version().is_some() {
        offered = offered.version("");
    }
    offered
}

/// The `$` lines of the section "Examples", each with the sentence before it, for below the help.
#[must_use]
pub fn help_examples(manual: &str) -> String {
    let mut help = String::from("Examples:\n");
    let mut sentence = String::new();
    for line in section(manual, "Examples").lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            if !sentence.is_empty() {
                push_line(&mut help, &format!("  # {}", plain(sentence.trim_end_matches(':'))));
                sentence.clear();
            }
            push_line(&mut help, &format!("  {command}"));
        } else if line.ends_with(':') && !line.starts_with(' ') {
            line.clone_into(&mut sentence);
        }
    }
    help.push_str("\nThe whole manual: --generate man | man -l -    Completions: --generate bash|zsh|fish");
    help
}

/// The text below `## title`, up to the next heading of that rank.
fn section<'a>(manual: &'a str, title: &str) -> &'a str {
    let Some(start) = manual.find(&format!("\n## {title}\n")) else { return "" };
    let body = &manual[start + 1..];
    let body = body.split_once('\n').map_or("", |(_heading, body)| body);
    body.find("\n## ").map_or(body, |end| &body[..=end])
}

fn man(command: Command, manual: &str) -> String {
    let mut page = Vec::new();
    // What clap knows: name, synopsis, options. The rest is the manual's own.
    let command = command.after_help("").after_long_help("");
    let commands = commands(&command);
    let roff = clap_mangen::Man::new(command);
    let rendered = [
        roff.render_title(&mut page),
        roff.render_name_section(&mut page),
        roff.render_synopsis_section(&mut page),
        roff.render_description_section(&mut page),
        roff.render_options_section(&mut page),
    ];
    debug_assert!(rendered.iter().all(std::result::Result::is_ok), "a Vec takes every write");
    let mut page = String::from_utf8_lossy(&page).into_owned() + &commands;
    let body = manual.find("\n## ").map_or("", |start| &manual[start + 1..]);
    page.push_str(&roff_of(body));
    page.push_str(".SH EXIT STATUS\n");
    for (status, meaning) in STATUSES {
        let _strings_never_refuse = writeln!(page, ".TP\n{status}\n{meaning}");
    }
    page
}

/// What each subcommand takes, beside the options that all have; nothing where there is none.
fn commands(command: &Command) -> String {
    let mut roff = String::new();
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        let name = format!("{} {}", command.get_name(), sub.get_name());
        let sub = sub.clone().disable_help_flag(true).bin_name(&name).display_name(&name);
        let sub = clap_mangen::Man::new(sub);
        let (mut synopsis, mut options) = (Vec::new(), Vec::new());
        let rendered =
            [sub.render_description_section(&mut synopsis), sub.render_options_section(&mut options)];
        debug_assert!(rendered.iter().all(std::result::Result::is_ok), "a Vec takes every write");
        push_line(&mut roff, &format!(".SS {}", roff_text(&name)));
        for section in [synopsis, options] {
            let section = String::from_utf8_lossy(&section).into_owned();
            // Each section has a head, and what clap_mangen puts before every one.
            let is_own = |line: &&str| ![".SH ", ".ie ", ".el "].iter().any(|head| line.starts_with(head));
            section.lines().filter(is_own).for_each(|line| push_line(&mut roff, line));
        }
    }
    if roff.is_empty() { roff } else { format!(".SH OPTIONS OF THE COMMANDS\n{roff}") }
}

/// Markdown as man(7) macros.
fn roff_of(markdown: &str) -> String {
    let mut roff = String::new();
    let mut fenced = false;
    let mut lines = markdown.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            fenced = !fenced;
            push_line(&mut roff, if fenced { ".PP\n.RS 4\n.nf" } else { ".fi\n.RE" });
        } else if fenced {
            push_line(&mut roff, &roff_text(line));
        } else if line.starts_with('|') {
            // The line of dashes follows the head of a table, which a list needs not.
            let is_head = lines.peek().is_some_and(|next| next.starts_with("|-"));
            if !is_head && !line.starts_with("|-") {
                push_line(&mut roff, &row(line));
            }
        } else if let Some(title) = line.strip_prefix("## ") {
            push_line(&mut roff, &format!(".SH {}", inline(title).to_uppercase()));
        } else if let Some(title) = line.strip_prefix("### ") {
            push_line(&mut roff, &format!(".SS {}", inline(title)));
        } else if let Some(item) = line.strip_prefix("- ") {
            push_line(&mut roff, &format!(".IP \\(bu 2\n{}", inline(item)));
        } else if line.trim().is_empty() {
            push_line(&mut roff, ".PP");
        } else {
            push_line(&mut roff, &inline(line.trim_start()));
        }
    }
    roff
}

/// A row of a table: what its first cell says is told by the others.
fn row(line: &str) -> String {
    let line = line.trim_matches('|').replace("\\|", "\u{1}");
    let mut cells = line.split('|').map(|cell| inline(cell.trim()).replace('\u{1}', "|"));
    let first = cells.next().unwrap_or_default();
    format!(".TP\n{first}\n{}", cells.collect::<Vec<_>>().join("; "))
}

/// One line of text with `code` and **strong** in bold; links keep their text.
fn inline(line: &str) -> String {
    let mut roff = String::new();
    let mut bold = false;
    for (index, part) in roff_text(&unlinked(line)).replace("**", "`").split('`').enumerate() {
        if index > 0 {
            bold = !bold;
            roff.push_str(if bold { "\\fB" } else { "\\fR" });
        }
        roff.push_str(part);
    }
    roff
}

/// `[text](target)` as `text`.
fn unlinked(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, label, after)) = link(rest) {
        text.push_str(before);
        text.push_str(label);
        rest = after;
    }
    text + rest
}

fn link(text: &str) -> Option<(&str, &str, &str)> {
    let middle = text.find("](")?;
    let open = text[..middle].rfind('[')?;
    let close = middle + text[middle..].find(')')?;
    Some((&text[..open], &text[open + 1..middle], &text[close + 1..]))
}

/// Characters that roff would take for its own, lines it would take for requests, and letters that
/// are not ASCII, which it takes by their code only.
fn roff_text(line: &str) -> String {
    let mut roff = String::new();
    if line.starts_with(['.', '\'']) {
        roff.push_str("\\&");
    }
    for letter in line.chars() {
        match letter {
            '\\' => roff.push_str("\\e"),
            '-' => roff.push_str("\\-"),
            ' '..='~' | '\t' | '\u{1}' => roff.push(letter),
            _ => {
                let _strings_never_refuse = write!(roff, "\\[u{:04X}]", u32::from(letter));
            }
        }
    }
    roff
}

fn plain(sentence: &str) -> String {
    unlinked(sentence).replace(['`', '*'], "")
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANUAL: &str = "# tool\n\nDoes it.\n\n## Examples\n\nCount `app.log` by [level](#l):\n\n```console\n$ tool app.log\nINFO 3\n```\n\n## Limits\n\n- .hidden - not\n";

    #[test]
    fn the_examples_of_the_manual_stand_below_the_help() {
        let help = help_examples(MANUAL);
        assert!(help.starts_with("Examples:\n  # Count app.log by level\n  tool app.log\n"), "{help}");
        assert!(!help.contains("INFO 3"), "{help}");
    }

    #[test]
    fn bash_completes_a_command_behind_two_dashes() {
        let command = clap::Arg::new("command").num_args(1..).last(true);
        let command = command.value_hint(ValueHint::CommandWithArguments);
        let script = tempfile::NamedTempFile::new().unwrap();
        let mut out = Out::to(script.reopen().unwrap(), "a file");
        generate("bash", Command::new("tool").arg(command), "", &mut out).unwrap();
        out.flush().unwrap();
        let check = |words: &str, want: &str| {
            let look = format!(
                "source {}; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
                 _tool tool \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; echo \"${{COMPREPLY[@]}}\"",
                script.path().display()
            );
            let ran = std::process::Command::new("bash").args(["-c", &look]).output().unwrap();
            let mut offered: Vec<String> =
                String::from_utf8_lossy(&ran.stdout).split_whitespace().map(str::to_owned).collect();
            // A folder may be in PATH under two names.
            offered.dedup();
            assert_eq!(offered.join(" "), want, "{words}: {ran:?}");
        };
        check("tool -- basenam", "basename");
        check("tool --hel", "--help");
        check("tool -- basename --hel", "");
    }

    #[test]
    fn markdown_becomes_roff() {
        let check = |markdown: &str, want: &str| assert_eq!(roff_of(markdown), want);
        check("## Exit status", ".SH EXIT STATUS\n");
        check("a `--flag` here", "a \\fB\\-\\-flag\\fR here\n");
        check("```console\n.x \\ y\n```", ".PP\n.RS 4\n.nf\n\\&.x \\e y\n.fi\n.RE\n");
        check("| a | b |\n|---|---|\n| `c` | d |", ".TP\n\\fBc\\fR\nd\n");
        check("| a \\| b | c |", ".TP\na | b\nc\n");
        check("… é", "\\[u2026] \\[u00E9]\n");
        check("see [the `x`](y.md).", "see the \\fBx\\fR.\n");
    }

    #[test]
    fn the_page_has_the_options_of_each_command() {
        let flag = clap::Arg::new("dry-run").long("dry-run").num_args(0).help("Change nothing");
        let hidden = Command::new("witness").hide(true);
        let tool = Command::new("tool").subcommand(Command::new("apply").about("Does it").arg(flag));
        let page = man(tool.subcommand(hidden), MANUAL);
        assert!(page.contains(".SH OPTIONS OF THE COMMANDS\n.SS tool apply\nDoes it\n"), "{page}");
        assert!(page.contains("\\-\\-dry\\-run") && page.contains("Change nothing"), "{page}");
        assert!(!page.contains("witness"), "{page}");
        assert!(!man(Command::new("tool"), MANUAL).contains("COMMANDS"));
    }

    #[test]
    fn what_is_hidden_is_not_offered() {
        let hidden = || Command::new("inner").hide(true);
        let command = || Command::new("tool").version("1").subcommand(Command::new("outer").about("Do it"));
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let text = |command: Command| {
                let mut text = Vec::new();
                complete(shell, &mut offered(command), "tool", &mut text);
                String::from_utf8(text).unwrap()
            };
            let told = text(command().subcommand(hidden()));
            assert_eq!(told, text(command()), "{shell}");
            assert!(told.contains("outer") && told.contains("version"), "{shell}: {told}");
        }
    }

    #[test]
    fn a_section_ends_where_the_next_begins() {
        assert_eq!(section(MANUAL, "Limits"), "\n- .hidden - not\n");
        assert_eq!(section(MANUAL, "Nothing"), "");
    }
}
