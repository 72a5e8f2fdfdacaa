//! Every flag of an edit, and what is refused.

use std::os::unix::fs::MetadataExt;

use testkit::Case;

fn case(args: &[&str]) -> Case {
    Case::new(env!("CARGO_BIN_EXE_jsonset")).args(args)
}

/// Runs `args` on a file with `before` in it, which must then hold `want`.
#[track_caller]
fn check(before: &str, args: &[&str], want: &str) {
    let run = case(&["a.json"]).file("a.json", before).args(args).run();
    assert_eq!(String::from_utf8_lossy(&run.read("a.json")), want, "{args:?}");
}

/// Runs `args` on a file with `before` in it, which must stay: with `status`, and `said` on stderr.
#[track_caller]
fn refused(before: &str, args: &[&str], status: i32, said: &str) {
    let case = case(&["a.json"]).file("a.json", before).args(args).status(status);
    let run = if said.is_empty() { case.run() } else { case.stderr_has(said).run() };
    assert_eq!(String::from_utf8_lossy(&run.read("a.json")), before, "{args:?}");
}

#[test]
fn values_are_json_or_else_strings() {
    check("{}", &[".=[]"], "[]");
    check("{\"a\":0}", &["a=true"], "{\"a\":true}");
    check("{\"a\":0}", &["a=1.50"], "{\"a\":1.50}");
    check("{\"a\":0}", &["a="], "{\"a\":\"\"}");
    check("{\"a\":0}", &["a=say \"hi\""], "{\"a\":\"say \\\"hi\\\"\"}");
    check("{\"a\":0}", &["a=\"1\""], "{\"a\":\"1\"}");
    check("{\"a\":0}", &["a=01"], "{\"a\":\"01\"}");
    check("{\"a\":0}", &["a:=[1, 2]"], "{\"a\":[1, 2]}");
    refused("{\"a\":0}", &["a:=01"], 2, "the value for `a`:1:2 is no JSON");
    refused("{\"a\":0}", &["a:="], 2, "the value for `a` is empty");
}

#[test]
fn values_are_read_from_files() {
    let run = |source: &str, content: &str| case(&["a.json", source]).file("a.json", "{}").file("v", content);
    let check = |source: &str, content: &str, want: &str| {
        let run = run(source, content).run();
        assert_eq!(String::from_utf8_lossy(&run.read("a.json")), format!("{{\n  \"a\": {want}\n}}"));
    };
    check("a=@v", "secret\n", "\"secret\"");
    check("a=@v", "two\nlines\n", "\"two\\nlines\"");
    check("a=@v", "{\"b\": 1}\n", "{\"b\": 1}");
    check("a:=@v", "{\n    \"b\": 1\n}\n", "{\n    \"b\": 1\n  }");
    let commented = case(&["a.json", "a=@v.jsonc"]).file("a.json", "{}").file("v.jsonc", "[1, /* one */ 2,]");
    assert_eq!(commented.run().read("a.json"), b"{\n  \"a\": [1,  2]\n}");
    run("a:=@v", "secret").status(2).stderr_has("v:1:1 is no JSON").run();
    run("a=@v", "").run();
    run("a=@none", "")
        .status(2)
        .stderr("jsonset: cannot read none: No such file or directory (os error 2)\n")
        .run();
    case(&["a.json", "a=@-"]).file("a.json", "{\"a\":0}").stdin("[7]").run();
}

#[test]
fn edits_are_made_in_their_order() {
    check(
        "{\"a\":1}",
        &["a=2", "--increment", "a", "--delete", "a", "a=7", "--increment", "a=0.5"],
        "{\n  \"a\": 7.5\n}",
    );
    check(
        "{\"a\":1}",
        &["--delete", "a", "--default", "a=5", "--default", "a=6"],
        "{\"a\":5}".replace("{\"a\":5}", "{\n  \"a\": 5\n}").as_str(),
    );
    check("{\"a\":1}", &["--delete", "b"], "{\"a\":1}");
    refused("{\"a\":1}", &["a=2", "a.b=3"], 2, "cannot set `a.b` in a.json: `a` is a number, not an object");
}

#[test]
fn numbers_are_added_exactly() {
    check("{\"n\":9007199254740993}", &["--increment", "n"], "{\"n\":9007199254740994}");
    check("{\"n\":0.1}", &["--increment", "n=0.2"], "{\"n\":0.3}");
    check("{\"n\":5}", &["--increment", "n=-7"], "{\"n\":-2}");
    check("{\"n\":5}", &["--increment", "m=3", "--increment", "m"], "{\"n\":5,\"m\":4}");
    refused("{\"n\":\"5\"}", &["--increment", "n"], 2, "cannot increment `n` in a.json");
    refused("{\"n\":5}", &["--increment", "n=x"], 2, "the value for `n`:1:1 is no JSON");
}

#[test]
fn conditions_are_about_the_file_before_the_edits() {
    check("{\"a\":1}", &["a=2", "--if", "a=1.0"], "{\"a\":2}");
    refused("{\"a\":1}", &["a=2", "--if", "a=2"], 1, "");
    refused("{\"a\":1}", &["a=2", "--if", "b=2"], 1, "");
    refused("{\"a\":1}", &["a=2", "--if", "a=1", "--if", "a:=\"1\""], 1, "");
    check("{\"a\":{\"x\":1,\"y\":2}}", &["a=2", "--if", "a={\"y\":2, \"x\":1}"], "{\"a\":2}");
    let hash = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
    check("{\"a\":1}", &["a=2", "--if-hash", hash], "{\"a\":2}");
    check("{\"a\":1}", &["a=2", "--if-hash", &format!("sha256:{}", hash.to_uppercase())], "{\"a\":2}");
    refused("{\"a\": 1}", &["a=2", "--if-hash", hash], 1, "");
    refused("{\"a\":1}", &["a=2", "--if-hash", "abc"], 2, "a hash is 64 hexadecimal digits");
    refused(
        "{\"a\":1}",
        &["a=2", "--if", "a=2", "-v"],
        1,
        "jsonset: `a` is something else; nothing is changed",
    );
}

#[test]
fn a_missing_file_is_made_when_asked_for() {
    case(&["a.json", "a=1"]).status(2).stderr("jsonset: there is no a.json; --create makes it\n").run();
    let run = case(&["a.json", "a=1", "--create"]).run();
    assert_eq!(run.read("a.json"), b"{\n  \"a\": 1\n}\n");
    case(&["no/a.json", "a=1", "--create"])
        .status(2)
        .stderr_has("cannot open the folder of no/a.json: No such file")
        .run();
    case(&["a.json", "a=1", "--create", "--if", "a=1"]).status(1).run();
}

#[test]
fn an_empty_file_is_an_empty_object() {
    for before in ["", "\n", " \r\n"] {
        let warning = "jsonset: a.json is empty; it counts as {}\n";
        let run = case(&["a.json", "a=1"]).file("a.json", before).stderr(warning).run();
        assert_eq!(run.read("a.json"), b"{\n  \"a\": 1\n}\n");
        let read = |args: &[&str]| case(args).file("a.json", before).stderr(warning);
        read(&["a.json", "--type", "."]).stdout("object\n").run();
        read(&["a.json", "--get", "a"]).status(1).run();
    }
}

#[test]
fn a_schema_may_have_comments_where_its_name_allows_them() {
    let schema = "{\"properties\": {\"a\": {\"type\": \"string\"}}, /* why */}";
    let judged = |value: &str| {
        let args = ["a.json", "--schema", "s.jsonc", value];
        case(&args).file("a.json", "{}").file("s.jsonc", schema)
    };
    judged("a=x").run();
    judged("a=1").status(2).stderr_has("/a: 1 is not of type \"string\"").run();
}

#[test]
fn comments_and_mark_of_a_file_without_a_value_stay() {
    let check = |before: &str, want: &str| {
        let run = case(&["a.jsonc", "a=1"]).file("a.jsonc", before).stderr_has("counts as {}").run();
        assert_eq!(String::from_utf8_lossy(&run.read("a.jsonc")), want);
    };
    check("// mine", "// mine\n{\n  \"a\": 1\n}\n");
    check("/* one */\r\n// two\r\n", "/* one */\r\n// two\r\n{\r\n  \"a\": 1\r\n}\r\n");
    check("\u{FEFF}", "\u{FEFF}{\n  \"a\": 1\n}\n");
}

#[test]
fn a_file_that_is_no_json_is_refused_or_kept_beside() {
    refused(
        "{\"a\": 1,}",
        &["a=2"],
        2,
        "jsonset: a.json:1:8 is no JSON: nothing follows this comma; --jsonc allows that\n  {\"a\": 1,}\n         ^\n",
    );
    let run = case(&["a.json", "a=2", "--reset-invalid"])
        .file("a.json", "{\"a\": ")
        .stderr_has("; the edits begin with {}")
        .stderr_has("the old content of a.json is backup 20")
        .run();
    assert_eq!(run.read("a.json"), b"{\n  \"a\": 2\n}\n");
    let backups = case(&["a.json", "--history", "--json"])
        .current_dir(run.dir.path())
        .stdout_has("\"size_bytes\":6")
        .run();
    assert_eq!(String::from_utf8(backups.stdout).unwrap().lines().count(), 1);
}

#[test]
fn comments_are_allowed_by_name_or_flag() {
    let text = "{\n  // why\n  \"a\": 1, // one\n}\n";
    let want = "{\n  // why\n  \"a\": 2, // one\n}\n";
    for name in
        ["a.jsonc", "tsconfig.json", "tsconfig.base.json", ".vscode/settings.json", "x.code-workspace"]
    {
        let run = case(&[name, "a=2"]).file(name, text).run();
        assert_eq!(String::from_utf8_lossy(&run.read(name)), want, "{name}");
    }
    check(text, &["a=2", "--jsonc"], want);
    refused(
        text,
        &["a=2"],
        2,
        "a.json:2:3 is no JSON: a key in double quotes is expected, found `/`; --jsonc allows comments",
    );
    // The flag is for the file alone.
    refused(
        "{}",
        &["a:=[1,]"],
        2,
        "jsonset: the value for `a`:1:3 is no JSON: nothing follows this comma\n  [1,]\n    ^\n",
    );
}

#[test]
fn what_changes_nothing_writes_nothing() {
    let case =
        case(&["a.json", "a=1", "--delete", "b", "--default", "a=2", "--on-change", "touch changed", "-v"]);
    let path = case.path("a.json");
    let case = case.file("a.json", "{\"a\": 1}").stderr("jsonset: a.json is as it should be\n");
    let before = std::fs::metadata(&path).unwrap();
    let run = case.run();
    let after = std::fs::metadata(run.path("a.json")).unwrap();
    assert_eq!((before.ino(), before.mtime_nsec()), (after.ino(), after.mtime_nsec()));
    assert!(!run.path("changed").exists());
}

#[test]
fn the_result_can_go_elsewhere() {
    let run = case(&["a.json", "a=2", "-o", "b.json"]).file("a.json", "{\"a\": 1}").run();
    assert_eq!((run.read("a.json"), run.read("b.json")), (b"{\"a\": 1}".to_vec(), b"{\"a\": 2}".to_vec()));
    case(&["a.json", "a=1", "-o", "-"]).file("a.json", "{\"a\": 1}").stdout("{\"a\": 1}").run();
    case(&["-", "a=2"]).stdin("{\"a\": 1}\n").stdout("{\"a\": 2}\n").run();
    case(&["-", "a=2", "--if", "a=2"]).stdin("{\"a\": 1}\n").status(1).run();
}

#[test]
fn a_check_tells_by_its_status() {
    let text = "{\"a\": 1}\n";
    case(&["a.json", "a=1", "--check"]).file("a.json", text).run();
    let diff = "--- a.json\n+++ a.json\n@@ -1 +1 @@\n-{\"a\": 1}\n+{\"a\": 2}\n";
    refused(text, &["a=1", "--dry-run"], 0, "");
    case(&["a.json", "a=2", "--check"]).file("a.json", text).status(1).stdout(diff).run();
    case(&["a.json", "a=2", "-n"]).file("a.json", text).stdout(diff).run();
}

#[test]
fn a_flag_that_would_do_nothing_is_refused() {
    let refused = |args: &[&str], said: &str| {
        case(args).file("a.json", "{}").stdin("{}").status(2).stderr_has(said).run();
    };
    refused(&["a.json", "--get", "a", "--backup"], "--backup is about changes");
    refused(&["a.json", "--hash", "--schema", "s"], "--schema is about changes");
    refused(&["a.json", "--hash", "--json"], "--json is about --history");
    refused(&["a.json", "--type", "a", "--raw"], "--raw is about --get");
    refused(&["a.json", "--recover", "--create"], "--create is about changes");
    refused(&["-", "a=1", "--in-place"], "--in-place needs a file that changes");
    refused(&["-", "a=1", "--while", "--", "true"], "--while needs a file that changes");
    refused(&["a.json", "a=1", "--validate", ""], "the value of `--validate <CMD>` is empty");
    refused(&["a.json", "a=1", "--on-change", " "], "there is no command in it");
    refused(&["a.json", "--", "-a=1"], "what follows `--` is a COMMAND, which needs --while");
    refused(&["a.json", "a=1", "-o", "b", "--on-change", "true"], "--on-change needs a file that changes");
    refused(&["a.json", "a=1", "--reset-invalid", "--while", "--", "true"], "cannot be used with");
    refused(&["-", "a=@-"], "standard input can be read only once");
    refused(&["a.json", "a=@-", "--merge", "-"], "standard input can be read only once");
    refused(&["a.json", "--rollback", "--while", "--", "true"], "cannot be used with");
    refused(&["a.json", "a=1", "--while"], "<COMMAND>");
    refused(&["a.json", "a=1", "--", "true"], "--while");
}

#[test]
fn a_rollback_is_there_and_back() {
    let made = case(&["a.json", "a=2", "--backup"]).file("a.json", "{\"a\": 1}\n").run();
    let here = |args: &[&str]| case(args).current_dir(made.dir.path());
    let diff = "--- a.json\n+++ a.json\n@@ -1 +1 @@\n-{\"a\": 2}\n+{\"a\": 1}\n";
    here(&["a.json", "--rollback", "--dry-run"]).stdout(diff).run();
    here(&["a.json", "--rollback", "--check"]).stdout(diff).status(1).run();
    for want in ["1\n", "2\n", "1\n"] {
        here(&["a.json", "--rollback"]).run();
        here(&["a.json", "--get", "a"]).stdout(want).run();
    }
    here(&["a.json", "--rollback", "1999"]).status(2).stderr_has("1999").run();
}

#[test]
fn reading_tells_what_is_there() {
    let read = |args: &[&str]| {
        case(&["a.json"]).args(args).file("a.json", "{\"s\": \"a\\u0062\\n\", \"n\": 1.50, \"l\": [ ]}")
    };
    read(&["--get", "s", "--get", "n"]).stdout("\"a\\u0062\\n\"\n1.50\n").run();
    read(&["--get", "s", "-r"]).stdout("ab\n\n").run();
    read(&["--get", "l", "--raw"]).stdout("[ ]\n").run();
    read(&["--get", "x", "--get", "n"]).status(1).stdout("1.50\n").run();
    read(&["--get", "."]).stdout("{\"s\": \"a\\u0062\\n\", \"n\": 1.50, \"l\": [ ]}\n").run();
    read(&["--type", "s", "--type", "n", "--type", "l", "--type", "."])
        .stdout("string\nnumber\narray\nobject\n")
        .run();
    read(&["--type", "x"]).status(1).run();
    read(&["--history"]).status(1).run();
    read(&["--get", "n", "n=1"]).status(2).stderr_has("either read or change").run();
    read(&[]).status(2).stderr_has("nothing to do").run();
    case(&["none.json", "--get", "a"]).status(2).stderr_has("none.json").run();
}
