//! What is refused: in one sentence that names the thing, the place and the way out.

use super::desk::Desk;

/// Refuses with status 2 and, of all that is said, this.
fn refuses(words: &[&str], want: &str) {
    let desk = Desk::with(&["in/a", "in/b/c", "file", "no.db"]);
    let ran = desk.dirwatch(words).status(2).stderr_has(want).run();
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(said.starts_with("dirwatch: ") && said.lines().count() == 1, "{said}");
    assert!(!desk.has("in.db") && desk.names("in").len() == 2);
}

#[test]
fn a_newcomer_is_told_what_is_missing() {
    refuses(&[], "no directory is given; see `dirwatch --help`\n");
    refuses(&["--", "echo"], "no directory is given");
    for words in [&["in"][..], &["in", "echo", "{}"], &["in", "--"]] {
        refuses(
            words,
            "no command is given; write it behind `--`, as in `dirwatch in -- process {}`, or use --events\n",
        );
    }
    refuses(&["in", "--", ""], "the name of the command is empty");
    refuses(&["", "--", "echo"], "the value of `[DIR]...` is empty; is a variable of the shell not set?");
}

#[test]
fn a_folder_must_be_one_and_watched_once() {
    refuses(
        &["file", "--", "echo"],
        "file is no directory; give the one that it is in, and --include for its name alone\n",
    );
    refuses(&["file/x", "--", "echo"], "file/x: Not a directory");
    refuses(&["-r", "in/b", "in", "--", "echo"], "/in/b is inside ");
    refuses(&["-r", "in/b", "in", "--", "echo"], "; with --recursive give ");
    refuses(&["in", "--done-dir=in", "--", "echo"], "choose a directory of its own");
}

#[test]
fn a_command_must_be_one() {
    refuses(
        &["in", "--", "echo", "{nmae}"],
        "no placeholder `{nmae}` in `{nmae}`: there are {} {name} {dir} {stem} {ext} {hash}; for the text itself write `{{nmae}}`\n",
    );
    refuses(&["in", "--", "{}"], "`{}` names the command and can hold no placeholder; write `sh -c");
    refuses(&["in", "--batch=2", "--", "echo", "x{}"], "make it an argument of its own");
    refuses(&["in", "--events", "--", "echo"], "`--events` cannot be used with");
    refuses(&["in", "--stdin", "--batch=2", "--", "cat"], "cannot be used with");
    refuses(&["in", "--done-dir=d", "--delete", "--", "true"], "cannot be used with");
    refuses(&["in", "--list", "--", "true"], "cannot be used with");
    refuses(&["--once", "in", "--", "nosuch"], "cannot run nosuch: no such command in PATH (");
}

#[test]
fn a_value_must_have_its_unit() {
    let bad = |flag: &str, want: &str| refuses(&["in", flag, "--", "true"], want);
    bad("--settle=5", "`5` is no duration; write it as 500ms, 30s");
    bad("--timeout=abc", "`abc` is no duration");
    bad("--rescan=-1s", "is no duration");
    bad("--grace=", "--grace");
    bad("--min-size=5", "`5` is no size; write it as 512B");
    bad("--backoff=5m..1s", "`5m..1s` ends before it begins");
    bad("--batch=0", "a batch has 1 to 1000 files");
    bad("--batch=x", "`x` is neither a number of files nor a duration such as 5s");
    bad("--jobs=0", "it is from 1 to 1024");
    bad("--order=size", "it is none of `arrival`, `name` or `time`");
    bad("--identity=inode", "it is none of `version`, `content` or `path`");
    bad("--on-interrupted=x", "it is none of `retry` or `quarantine`");
    bad("--durability=x", "it is none of `normal` or `strict`");
    bad("--include=[", "`[` is no glob: unclosed character class; missing ']'\n");
    refuses(&["--list=lost", "in"], "it is none of `started`, `retry`,");
    refuses(&["--prune=1", "in"], "`1` is no duration");
}

#[test]
fn a_record_must_be_one_and_be_there() {
    let on = |state: &str, words: &[&str], want: &str| {
        let desk = Desk::with(&["in/a", "no.db"]);
        desk.dirwatch_on(state, words).status(2).stderr_has(want).run();
        assert_eq!(desk.read("no.db"), "no.db");
    };
    let once = ["--once", "in", "--", "true"];
    on("no.db", &once, "/no.db is no record of dirwatch; name another file with --state\n");
    on("no.db", &["--list"], "/no.db is no record of dirwatch; name another file with --state\n");
    on("in", &once, "/in is a folder; name a file with --state\n");
    on("/proc/x/y.db", &once, "/proc/x; make it, or mend --state\n");
    on("nowhere/x", &once, "/nowhere; make it, or mend --state\n");
    on("no.db/x", &once, "no.db/x: Not a directory");
    on("new", &["--status"], "there is no record ");
    on("new", &["--retry", "in/*.csv"], "begin with `/` or `**/`");
    on("new", &["--forget", "x["], "`x[` is no pattern: unclosed character class; missing ']'\n");
    let desk = Desk::new();
    let bare = |words: &[&str]| {
        let case = testkit::Case::new(env!("CARGO_BIN_EXE_dirwatch")).current_dir(desk.path("")).args(words);
        case.status(2)
    };
    bare(&["--status"])
        .stderr("dirwatch: neither a directory nor --state FILE says which record is meant\n")
        .run();
    bare(&["--list", "in"]).stderr_has("there is no record ").run();
    bare(&["--once", "in", "--", "true"])
        .env("HOME", "")
        .stderr("dirwatch: neither XDG_STATE_HOME nor HOME is set; say with --state FILE where to record what was processed\n")
        .run();
}
