//! What the exit status says, and what is said of a command line that is wrong.

use testkit::Case;

const TOOL: &str = env!("CARGO_BIN_EXE_csvfilter");
const TEXT: &str = "id,age,name\n1,45,a\n2,17,b\n";

fn on(args: &[&str]) -> Case {
    Case::new(TOOL).file("x.csv", TEXT).args(args)
}

#[test]
fn what_is_empty_is_told_as_what_it_is() {
    for (args, what) in [
        (&["", "x.csv"][..], "the expression"),
        (&["-w", "", "x.csv"], "a condition"),
        (&["--all", ""], "the name of an input"),
        (&["--all", "-o", "", "x.csv"], "the value of `--output <FILE>`"),
        (&["--all", "--head", "", "x.csv"], "the value of `--head <N>`"),
    ] {
        let said = format!("csvfilter: {what} is empty; is a variable of the shell not set?\n");
        on(args).status(2).stderr(said).run();
    }
}

#[test]
fn the_status_tells_what_was_kept() {
    on(&["age > 18", "x.csv"]).stdout("id,age,name\n1,45,a\n").run();
    on(&["age > 99", "x.csv"]).stdout("id,age,name\n").status(1).run();
    on(&["age > 18", "x.csv", "--count"]).stdout("1\n").run();
    on(&["age > 99", "x.csv", "--count"]).stdout("0\n").status(1).run();
    for json in ["--json", "--to=jsonl", "--to=json"] {
        on(&["age > 18", "x.csv", "--count", json]).stdout("{\"count\":1}\n").run();
        on(&["age > 99", "x.csv", "--count", json]).stdout("{\"count\":0}\n").status(1).run();
    }
    on(&["age > 18", "x.csv", "--count", "--to=table"]).stdout("1\n").run();
    for text in ["", "\r\n\n", "# no row\n", "\n# \"no row"] {
        Case::new(TOOL).stdin(text).args(["--all", "--comment=#"]).status(1).run();
    }
    on(&["--all", "x.csv", "--head", "0"]).stdout("id,age,name\n").status(1).run();
    on(&["name > 0", "x.csv"]).stdout("id,age,name\n").stderr_has("skipped 2 bad rows of 2").status(23).run();
    on(&["name > 0", "x.csv", "no.csv"]).stdout("id,age,name\n").stderr_has("no.csv").status(23).run();
    on(&["name > 0", "x.csv", "--max-bad=0"]).stdout("id,age,name\n").stderr_has("bad row").status(2).run();
}

/// An expression that is wrong, and what is said of it.
#[track_caller]
fn wrong(expression: &str, said: &str, marks: &str) {
    let said = format!("csvfilter: {said}\n  {expression}\n  {marks}\n");
    on(&[expression, "x.csv"]).status(2).stderr(&said).run();
    on(&["-e", expression, "x.csv"]).status(2).stderr(&said).run();
}

#[test]
fn a_wrong_expression_is_shown_with_the_place() {
    wrong("age >= ", "a value is missing behind `>=`", "    ^^");
    wrong("aeg > 3", "no column `aeg` in x.csv; did you mean `age`?", "^^^");
    wrong("$4 == 1", "no column $4 in x.csv, which has $1 to $3", "^^");
    wrong(
        "age > 18 and zzzzzz == 'x'",
        "no column `zzzzzz` in x.csv; it has `id`, `age`, `name`",
        "             ^^^^^^",
    );
    on(&["x.csv"])
        .status(2)
        .stderr("csvfilter: `x.csv` is a file, where an expression belongs; --all keeps every row\n")
        .run();
    on(&[]).status(2).stderr("csvfilter: no expression; --all keeps every row\n").run();
    let said = "csvfilter: `\u{fffd}` is no expression: it is no UTF-8\n";
    let bytes = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff");
    Case::new(TOOL).args::<&std::ffi::OsStr>([bytes]).status(2).stderr(said).run();
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let refused = |args: &[&str], part: &str| {
        let run = on(&["--all", "x.csv"]).args(args).status(2).stderr_has(part).run();
        assert_eq!(run.stdout, b"", "{args:?}");
    };
    let with = "cannot be used with";
    refused(&["--head=1", "--tail=1"], with);
    refused(&["--head=1", "--sample=1"], with);
    refused(&["--select=id", "--drop=id"], with);
    refused(&["--json", "--to=csv"], with);
    refused(&["--verbose", "--quiet"], with);
    refused(&["--seed=1"], "--sample <N>");
    let twice = "cannot mean two things: delimiter, quote, comment";
    refused(&["-d", "\""], twice);
    refused(&["--comment=;", "-d;"], twice);
    refused(&["--comment=\""], twice);
    refused(&["--quote=,", "-d,"], twice);
    refused(&["-d", "ab"], "it must be one ASCII character");
    refused(&["-d", "\u{a7}"], "it must be one ASCII character");
    refused(&["--quote", "\n"], "a line end ends rows");
    refused(&["--jobs=0"], "--jobs <N>");
    refused(&["--select="], "--select <COLS>");
    refused(&["--select=zz"], "no column `zz` in x.csv");
    refused(&["--drop=zz"], "no column `zz` in x.csv");
    refused(&["--distinct=$9"], "no column $9 in x.csv, which has $1 to $3");
    refused(&["--rename=zz=b"], "no column `zz` in x.csv");
    refused(&["--types=age=colour"], "--types");
    refused(&["--tz=Mars"], "--tz <ZONE>");
    refused(&["--drop=id,age,name"], "no column is left; --drop fewer of them");
    refused(&["--no-such-option"], "--no-such-option");
}

#[test]
fn an_option_that_would_do_nothing_is_refused() {
    let refused = |args: &[&str], said: &str| {
        let said = format!("csvfilter: {said}; leave it out\n");
        let run = on(&["--all", "x.csv"]).args(args).status(2).stderr(said).run();
        assert_eq!(run.stdout, b"", "{args:?}");
    };
    for option in ["--delimiter=;", "--quote=\""] {
        let name = option.split('=').next().unwrap();
        for from in ["tsv", "jsonl", "json"] {
            refused(&["--from", from, option], &format!("{name} means nothing with --from {from}"));
        }
    }
    refused(&["--from=jsonl", "--comment=#"], "--comment means nothing with --from jsonl");
    refused(&["--from=json", "--skip=1"], "--skip means nothing with --from json");
    for (args, form) in [
        (&["--to=tsv"][..], "tsv"),
        (&["--json"], "jsonl"),
        (&["--to=json"], "json"),
        (&["--to=markdown"], "markdown"),
        (&["--to=table"], "table"),
        (&["--from=tsv"], "tsv"),
        (&["--from=jsonl"], "jsonl"),
    ] {
        let said = format!("--output-delimiter means nothing where the result is {form}");
        refused(&[args, &["--output-delimiter=;"]].concat(), &said);
    }
    refused(&["--infer=types"], "--infer means nothing where the result is csv");
    refused(&["--infer=strings", "--to=table"], "--infer means nothing where the result is table");
    refused(&["--from=jsonl", "--to=csv", "--infer=types"], "--infer means nothing where the result is csv");
    on(&["--all", "x.csv", "--json", "--skip=1"]).stdout("{\"1\":\"2\",\"45\":\"17\",\"a\":\"b\"}\n").run();
}

#[test]
fn every_word_that_an_option_takes_is_taken() {
    let all = |args: &[&str]| on(&["--all"]).args(args);
    all(&["x.csv", "--from=csv"]).stdout(TEXT).run();
    let tsv = TEXT.replace(',', "\t");
    all(&["--from=tsv"]).stdin(&tsv).stdout(&tsv).run();
    let lines =
        "{\"id\":\"1\",\"age\":\"45\",\"name\":\"a\"}\n{\"id\":\"2\",\"age\":\"17\",\"name\":\"b\"}\n";
    all(&["--from=jsonl"]).stdin(lines).stdout(lines).run();
    all(&["--from=json"])
        .stdin(lines)
        .stdout(format!("[\n{}\n]\n", lines.trim_end().replace('\n', ",\n")))
        .run();
    all(&["x.csv", "--to=csv"]).stdout(TEXT).run();
    all(&["x.csv", "--to=tsv"]).stdout(&tsv).run();
    all(&["x.csv", "--to=jsonl"]).stdout(lines).run();
    all(&["x.csv", "--json"]).stdout(lines).run();
    all(&["x.csv", "--json", "--infer=strings"]).stdout(lines).run();
    let typed =
        lines.replace("\"1\"", "1").replace("\"2\"", "2").replace("\"45\"", "45").replace("\"17\"", "17");
    all(&["x.csv", "--json", "--infer=types"]).stdout(typed).run();
    all(&["x.csv", "--to=json"]).stdout(format!("[\n{}\n]\n", lines.trim_end().replace('\n', ",\n"))).run();
    all(&["x.csv", "--to=table"]).stdout("id  age  name\n 1   45  a\n 2   17  b\n").run();
    let markdown = "| id | age | name |\n| --- | --- | --- |\n| 1 | 45 | a |\n| 2 | 17 | b |\n";
    all(&["x.csv", "--to=markdown"]).stdout(markdown).run();
    for what in ["skip", "keep", "fail"] {
        all(&["x.csv", "--bad", what]).stdout(TEXT).run();
    }
    for (option, word) in [("from", "xml"), ("to", "xml"), ("infer", "no"), ("bad", "no"), ("bad", "SKIP")] {
        let option = format!("--{option}={word}");
        all(&["x.csv", &option]).status(2).stderr_has(": it is none of ").run();
    }
}

#[test]
fn the_processor_can_be_told_to_be_less() {
    on(&["--all", "x.csv"]).env("CSVFILTER_CPU", "portable").stdout(TEXT).run();
    let run = on(&["--all", "x.csv"]).env("CSVFILTER_CPU", "quantum").status(2);
    run.stderr_has("csvfilter: CSVFILTER_CPU is `quantum`; this processor has portable").run();
}

#[test]
fn help_and_version_are_answers() {
    for flag in ["--help", "-h"] {
        on(&[flag]).stdout_has("Usage: csvfilter [OPTIONS] EXPR [FILE]...").stdout_has("--max-bad").run();
    }
    for flag in ["--version", "-V"] {
        on(&[flag]).stdout(format!("csvfilter {}\n", env!("CARGO_PKG_VERSION"))).run();
    }
    on(&["--generate", "man"]).stdout_has(".TH").run();
}
