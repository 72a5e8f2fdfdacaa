//! What every tool does alike, shown by this one: messages on stderr, and `--generate`.

use testkit::Case;

use super::{case, json};

const REASON: &str = "cannot open gone.log: No such file or directory (os error 2)";

#[test]
fn the_reason_for_a_failure_is_said_in_four_formats() {
    let gone = |flags: &str| case(flags).args(["gone.log"]).status(2);
    let short = format!("logcount: {REASON}\n");
    gone("--json").stderr(&short).run();
    gone("--log-format short").stderr(&short).run();
    gone("--log-format long").stderr_has(format!("] error: {REASON}")).run();
    gone("--log-format journal").stderr(format!("<3>{REASON}\n")).run();
    gone("--log-format json").stderr_has(format!("\"level\":\"error\",\"message\":\"{REASON}\"")).run();
    gone("--json").env("SRE_LOG_FORMAT", "journal").stderr(format!("<3>{REASON}\n")).run();
    gone("--log-format short").env("SRE_LOG_FORMAT", "journal").stderr(&short).run();
}

#[test]
fn nothing_is_written_into_a_log_or_twice_into_a_file() {
    let log = "2026-03-14 09:26:50 INFO one\n";
    let check = |line: &str, want: &str| {
        let run = case(line).file("app.log", log).status(2).stderr(format!("logcount: {want}\n")).run();
        assert_eq!(run.read("app.log"), log.as_bytes(), "{line}");
    };
    check("app.log -o ./app.log", "./app.log is the same file as the input app.log; name another");
    check("app.log --state ./app.log", "./app.log is the same file as the input app.log; name another");
    check("app.log --state s -o ./s", "--output and --state name the same file");
    let script = "ln app.log b; \"$0\" b >> app.log";
    let bash = |script| Case::new("bash").args(["-c", script, env!("CARGO_BIN_EXE_logcount")]);
    let said = "logcount: standard output is the same file as the input b; name another\n";
    bash(script).file("app.log", log).status(2).stderr(said).run();
    // What is found in a folder is passed over, whatever leads to it.
    let script = "ln -s . here; \"$0\" -r --glob own --json here -o own; cat own";
    bash(script).file("own", log).stdout(json(&[])).run();
}

#[test]
fn no_filter_hides_why_the_run_failed() {
    let short = format!("logcount: {REASON}\n");
    case("-q gone.log").status(2).stderr(&short).run();
    case("gone.log").env("RUST_LOG", "off").status(2).stderr(&short).run();
}

#[test]
fn the_journal_is_told_by_its_stream_and_not_by_an_inherited_variable() {
    case("gone.log").env("JOURNAL_STREAM", "1:2").status(2).stderr(format!("logcount: {REASON}\n")).run();
    let script = "exec 2>err; JOURNAL_STREAM=$(stat -Lc %d:%i err) \"$0\" gone.log";
    let ran = Case::new("bash").args(["-c", script, env!("CARGO_BIN_EXE_logcount")]).status(2).run();
    assert_eq!(ran.read("err"), format!("<3>{REASON}\n").into_bytes());
}

#[test]
fn quiet_says_nothing_of_what_was_done_all_the_same() {
    let log = "2026-03-14 09:26:50 INFO one\n2026-03-14 09:26:51 INFO two\n";
    for (flags, said) in [("-q", false), ("", true), ("-v", true), ("--verbose", true), ("--quiet", false)] {
        let first = case("--json --state s app.log").file("app.log", log).stdout_has("\"INFO\":2").run();
        testkit::write(first.path("app.log"), "2026-03-14 09:26:52 INFO other\n");
        let again = case(&format!("--json --state s app.log {flags}")).current_dir(first.dir.path());
        let again = again.stdout_has("\"INFO\":1");
        if said { again.stderr_has("app.log") } else { again }.run();
    }
}

#[test]
fn the_binary_holds_its_manual_and_its_completions() {
    case("--generate man").stdout_has(".SH EXAMPLES").run();
    for shell in ["bash", "zsh", "fish"] {
        case(&format!("--generate={shell}")).stdout_has("fail-on").run();
    }
    case("--generate tcsh").status(2).stderr_has("cannot generate `tcsh`; say man, bash, zsh or fish").run();
    case("--version").stdout(format!("logcount {}\n", env!("CARGO_PKG_VERSION"))).run();
    case("--help").stdout_has("Examples:\n").run();
}
