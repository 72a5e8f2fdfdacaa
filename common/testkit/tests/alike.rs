//! Every tool through the same list: what they all do alike, whatever they do.
//!
//! | asked | answered |
//! |---|---|
//! | an option that does not exist | one line that names it, and the near one |
//! | a file that does not exist, also by bytes that are no UTF-8 | one line that names it |
//! | standard output that is closed, or on a full disk | silence and 0; the reason and 2 |
//! | no terminal, or `NO_COLOR` on one | no escape sequence, or no colour |
//! | `--log-format`, `RUST_LOG`, a closed standard error | another form, the same status |
//! | `--version`, `--help`, `--generate` | what it says, on standard output |
//! | SIGTERM while it waits or works | its status, and nothing half done (`alike/stops.rs`) |
#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by a panic, and says what it skips"
)]

#[path = "alike/stops.rs"]
mod stops;
#[path = "alike/table.rs"]
mod table;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use std::path::Path;

use table::{TOOLS, Tool, desk};
use testkit::sshd::Sshd;
use testkit::{has, tool};

const ESCAPE: u8 = 0x1b;

#[test]
fn every_tool_is_in_the_table() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools");
    let entries = std::fs::read_dir(folder).expect("there are tools").flatten();
    let tools = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<_> = tools.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    assert_eq!(names, TOOLS.map(|tool| tool.name));
}

/// Asserts that what was said is lines of this tool that a terminal and the journal can take, each of
/// them a sentence without an end, and that all of `parts` are in them.
#[track_caller]
fn is_said(of: &Tool, stderr: &[u8], parts: &[&str]) {
    let said = String::from_utf8(stderr.to_owned()).expect("messages are UTF-8");
    let prefix = format!("{}: ", of.name);
    assert!(said.ends_with('\n') && said.lines().count() <= of.lines, "{}: {said:?}", of.name);
    for line in said.lines() {
        assert!(line.starts_with(&prefix) && !line.ends_with('.'), "{}: {line:?}", of.name);
        assert!(!line.contains("error:") && !line.contains(char::is_control), "{}: {line:?}", of.name);
    }
    for part in parts {
        assert!(said.contains(part), "{}: no {part:?} in {said:?}", of.name);
    }
}

#[test]
fn an_unknown_option_is_named_and_the_near_one_offered() {
    for each in TOOLS {
        let offers = [
            ("--verbos", "there is no option `--verbos`; did you mean `--verbose`?"),
            (each.slip.0, each.slip.1),
        ];
        for (option, want) in offers {
            let ran = each.case().args([option]).status(each.failed).stderr_has(option).run();
            is_said(&each, &ran.stderr, &[want]);
        }
        let ran = each.case().args(["--qqqqqq"]).status(each.failed).stderr_has("--qqqqqq").run();
        is_said(&each, &ran.stderr, &[&format!("see `{} --help`", each.name)]);
    }
}

#[test]
fn a_missing_file_is_named() {
    for each in TOOLS {
        let ran = each.case().args(each.of_file("no-such.file")).status(each.missing).stderr_has("").run();
        is_said(&each, &ran.stderr, &["no-such.file", "No such file or directory (os error 2)"]);
        let odd = OsString::from_vec(b"no\xff\x1b[31m.file".to_vec());
        let ran = each.case().args(each.of_file(&odd)).status(each.missing).stderr_has("").run();
        is_said(&each, &ran.stderr, &["No such file or directory (os error 2)"]);
    }
}

#[test]
fn a_name_that_is_no_utf8_is_a_name_like_another() {
    let server = Sshd::new().start();
    for each in TOOLS.iter().filter(|each| server.is_some() || !each.is_remote) {
        let odd = OsString::from_vec([b"f\xff.", each.file.as_bytes()].concat());
        let case = each.case_at(server.as_ref());
        std::fs::rename(case.path(each.file), case.path(&odd)).expect("the file is there");
        let ran = case.args(each.of_file(&odd)).stdout_has("").run();
        assert!(!ran.stdout.is_empty(), "{}", each.name);
    }
}

#[test]
fn the_reason_is_said_in_the_form_that_is_asked_for_and_past_every_filter() {
    for each in TOOLS {
        let missing = || each.case().args(each.of_file("no-such.file")).status(each.missing);
        let form = |name: &str| missing().env("SRE_LOG_FORMAT", name).stderr_has("no-such.file").run().stderr;
        let journal = form("journal");
        let text = String::from_utf8_lossy(&journal);
        assert!(text.lines().all(|line| line.starts_with('<')), "{}: {text}", each.name);
        assert!(
            text.lines().next_back().is_some_and(|line| line.starts_with("<3>")),
            "{}: {text}",
            each.name
        );
        let long = format!(" {}[", each.name);
        assert!(String::from_utf8_lossy(&form("long")).contains(&long), "{}", each.name);
        let json = form("json");
        assert!(
            json.starts_with(b"{\"") && json.ends_with(b"\"}\n"),
            "{}: {}",
            each.name,
            json.escape_ascii()
        );
        let usage = each.case().env("SRE_LOG_FORMAT", "journal").args(["--qqqqqq"]).status(each.failed);
        assert!(usage.stderr_has("--qqqqqq").run().stderr.starts_with(b"<3>"), "{}", each.name);
        assert!(!missing().env("RUST_LOG", "off").stderr_has("").run().stderr.is_empty(), "{}", each.name);
        missing().stderr_closed().run();
    }
}

#[test]
fn what_a_tool_tells_of_itself_is_on_standard_output() {
    for each in TOOLS {
        let version = format!("{} {}\n", each.name, env!("CARGO_PKG_VERSION"));
        for flag in ["--version", "-V"] {
            each.case().args([flag]).stdout(&version).run();
        }
        for flag in ["--help", "-h"] {
            let ran = each
                .case()
                .args([flag])
                .stdout_has(format!("Usage: {} ", each.name))
                .stdout_has("Examples:")
                .run();
            assert!(!ran.stdout.contains(&ESCAPE), "{}", each.name);
        }
        let title = format!(".TH {} 1", each.name);
        for (what, part) in [("man", &*title), ("bash", each.name), ("zsh", each.name), ("fish", each.name)] {
            let apart = each.case().args(["--generate", what]).stdout_has(part).run();
            let joined = each.case().args([format!("--generate={what}")]).stdout_has(part).run();
            assert_eq!(apart.stdout, joined.stdout, "{} {what}", each.name);
        }
        let ran = each.case().args(["--generate", "pdf"]).status(each.failed).stderr_has("pdf").run();
        is_said(&each, &ran.stderr, &["cannot generate `pdf`; say man, bash, zsh or fish"]);
    }
}

#[test]
fn a_closed_pipe_is_silent_and_a_full_disk_is_not() {
    let server = Sshd::new().start();
    for each in TOOLS {
        let told = [vec!["--help"], vec!["--version"], vec!["--generate", "man"]];
        let works = each.works.filter(|_| server.is_some() || !each.is_remote);
        for args in told.into_iter().chain(works.map(<[&str]>::to_vec)) {
            let case = || each.case_at(server.as_ref()).args(&args);
            case().stdout_closed_after(0).run();
            let ran = case().stdout_to_full_disk().status(each.failed).stderr_has("").run();
            is_said(
                &each,
                &ran.stderr,
                &["cannot write standard output: No space left on device (os error 28)"],
            );
        }
    }
}

/// Whether a colour is set; how far a slow run is also moves the cursor of a terminal.
fn has_colour(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let ends = text
        .split("\x1b[")
        .skip(1)
        .map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';'));
    ends.into_iter().any(|rest| rest.starts_with('m'))
}

#[test]
fn there_is_no_colour_but_on_a_terminal_that_wants_it() {
    let server = Sshd::new().start();
    if !has("script") {
        return;
    }
    for each in TOOLS {
        let Some(works) = each.works.filter(|_| server.is_some() || !each.is_remote) else { continue };
        let piped = each.case_at(server.as_ref()).args(works).env("TERM", "xterm").stdout_has("").run();
        assert!(!piped.stdout.contains(&ESCAPE) && !piped.stdout.is_empty(), "{}", each.name);
        for (args, want) in [(works, None), (&["--help"][..], Some(true))] {
            let line = [&[each.name], args].concat().join(" ");
            let line = format!("{}/{line}", tool(each.name).parent().expect("it lies in a folder").display());
            let on_terminal = |colour: (&str, &str)| {
                let case =
                    desk(Path::new("script"), server.as_ref()).env("TERM", "xterm").env(colour.0, colour.1);
                let ran = case.args(["-qec", &line, "/dev/null"]).stdout_has("").run();
                assert!(!ran.stdout.is_empty(), "{line}");
                has_colour(&ran.stdout)
            };
            assert!(!on_terminal(("NO_COLOR", "1")), "{line}");
            assert!(want.is_none_or(|want| on_terminal(("X", "")) == want), "{line}: it was no terminal");
        }
    }
}
