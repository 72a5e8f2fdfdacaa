//! The rules, each a function from the tree to a list of offenders.

use std::collections::BTreeSet;

use crate::code::{has_word, names_crate};
use crate::tree::{Tree, dependencies, last, names};

/// Usually 60 to 250; beyond this a file has more than one reason to be opened.
const LONGEST_FILE: usize = 400;

/// Starting is all that `main` does.
const LONGEST_MAIN: usize = 12;

/// The files that every tool has.
const WHOLE: &[&str] =
    &["Cargo.toml", "README.md", "src/main.rs", "src/lib.rs", "src/cli.rs", "tests/tests.rs"];

/// What may stand at the top, besides hidden names.
const TOP: &[&str] =
    &["Cargo.lock", "Cargo.toml", "LICENSE", "README.md", "common", "scripts", "testdata", "tools"];

pub(crate) fn names_that_differ(tree: &Tree) -> Vec<String> {
    let mut offenders = Vec::new();
    for (folder, manifest) in tree.packages() {
        let name = last(folder);
        let names = names(manifest);
        let wrong = names.iter().filter(|&&found| found != name);
        offenders.extend(wrong.map(|found| format!("{folder}/Cargo.toml: `{found}` is not `{name}`")));
        if names.is_empty() {
            offenders.push(format!("{folder}/Cargo.toml: no name"));
        }
    }
    for tool in tree.tools() {
        let readme = format!("tools/{tool}/README.md");
        let title = tree.get(&readme).and_then(|text| text.lines().next());
        if title != Some(&format!("# {tool}")) {
            offenders.push(format!("{readme}: the first line is not `# {tool}`"));
        }
    }
    offenders
}

pub(crate) fn missing_files(tree: &Tree) -> Vec<String> {
    let all = tree
        .tools()
        .into_iter()
        .flat_map(|tool| WHOLE.iter().map(move |file| format!("tools/{tool}/{file}")));
    all.filter(|path| tree.get(path).is_none()).collect()
}

pub(crate) fn unexecuted_manuals(tree: &Tree) -> Vec<String> {
    let tests = tree.tools().into_iter().map(|tool| format!("tools/{tool}/tests/tests.rs"));
    let executes = |text: &str| ["readme", "readme_with"].iter().any(|word| has_word(text, word));
    tests.filter(|path| !executes(tree.get(path).unwrap_or(""))).collect()
}

pub(crate) fn long_mains(tree: &Tree) -> Vec<String> {
    too_long(tree, LONGEST_MAIN, |path| path.starts_with("tools/") && path.ends_with("/src/main.rs"))
}

pub(crate) fn long_files(tree: &Tree) -> Vec<String> {
    too_long(tree, LONGEST_FILE, |_| true)
}

fn too_long(tree: &Tree, most: usize, is_meant: fn(&str) -> bool) -> Vec<String> {
    let meant = tree.with_extension("rs").filter(|(path, _)| is_meant(path));
    let counted = meant.map(|(path, text)| (path, text.lines().count()));
    counted.filter(|&(_, count)| count > most).map(|(path, count)| format!("{path}: {count} lines")).collect()
}

pub(crate) fn wrong_layers(tree: &Tree) -> Vec<String> {
    let tools = tree.tools();
    let ours: BTreeSet<&str> = tree.packages().map(|(folder, _)| last(folder)).collect();
    let mut offenders = Vec::new();
    for (folder, manifest) in tree.packages() {
        let forbidden = if folder == "common" { &ours } else { &tools };
        let found = dependencies(manifest);
        let wrong = found.intersection(forbidden).filter(|&&name| name != last(folder));
        offenders.extend(wrong.map(|name| format!("{folder}/Cargo.toml: depends on `{name}`")));
    }
    offenders
}

/// Crates that are named in one place only, so that they can be replaced there.
const CONFINED: &[&str] = &["clap", "fs2", "notify", "ssh2", "ureq"];

fn may_name(path: &str, name: &str) -> bool {
    let is_tool = path.starts_with("tools/");
    match name {
        "clap" if path.ends_with("Cargo.toml") => {
            let has_flags = ["common/Cargo.toml", "common/hosts/Cargo.toml", "common/remote/Cargo.toml"];
            is_tool || has_flags.contains(&path)
        }
        "clap" if is_tool => {
            path.ends_with("/src/cli.rs") || path.ends_with("/src/main.rs") || path.contains("/tests/")
        }
        // The flags that several tools share stand beside what they set.
        "clap" => {
            path.starts_with("common/src/")
                || ["common/hosts/src/cli.rs", "common/remote/src/cli.rs"].contains(&path)
        }
        "fs2" => path == "common/files/src/lock.rs" || path == "common/files/Cargo.toml",
        "ssh2" => path.starts_with("common/remote/"),
        "ureq" => {
            path == "tools/hostpoll/src/push.rs"
                || path.starts_with("tools/hostpoll/src/push/")
                || path.starts_with("tools/keyrotate/src/provider/aws/")
                || path == "tools/confpush/src/health.rs"
                || path.starts_with("tools/confpush/src/health/")
                || path == "tools/runjob/src/reports/ping.rs"
                || ["confpush", "hostpoll", "keyrotate", "runjob"]
                    .iter()
                    .any(|tool| path == format!("tools/{tool}/Cargo.toml"))
        }
        "notify" => path.starts_with("tools/dirwatch/"),
        _ => false,
    }
}

pub(crate) fn strayed_crates(tree: &Tree) -> Vec<String> {
    let mut offenders = Vec::new();
    for &name in CONFINED {
        let code = tree
            .with_extension("rs")
            .filter(|(_, text)| names_crate(text, name))
            .map(|(path, _)| path.into());
        let manifests = tree.packages().filter(|(_, text)| dependencies(text).contains(name));
        let found = code.chain(manifests.map(|(folder, _)| format!("{folder}/Cargo.toml")));
        let wrong = found.filter(|path: &String| !may_name(path, name));
        offenders.extend(wrong.map(|path| format!("{path}: names {name}")));
    }
    offenders
}

pub(crate) fn unlisted_unsafe(tree: &Tree, listed: &[&str]) -> Vec<String> {
    let mut offenders = Vec::new();
    for (path, text) in tree.with_extension("rs").filter(|(path, _)| !listed.contains(path)) {
        if has_word(text, "unsafe") || has_word(text, "unsafe_code") {
            offenders.push(format!("{path}: is not in the table of files with unsafe code"));
        }
    }
    for path in listed {
        let text = tree.get(path).unwrap_or("");
        let says_why = text.lines().any(|line| line.starts_with("//!") && line.contains("unsafe"));
        if !says_why || !has_word(text, "unsafe") {
            offenders
                .push(format!("{path}: is in the table and has no unsafe code, or no `//!` that says why"));
        }
    }
    offenders
}

pub(crate) fn tools_without_a_row(tree: &Tree) -> Vec<String> {
    let readme = tree.get("README.md").unwrap_or("");
    let rows = readme.lines().filter_map(|line| line.strip_prefix('|')?.split('|').next());
    let in_rows: BTreeSet<&str> =
        rows.flat_map(|cell| cell.split(|c: char| !c.is_ascii_alphanumeric())).collect();
    let missing = tree.tools().into_iter().filter(|tool| !in_rows.contains(tool));
    missing.map(|tool| format!("README.md: no row of a table begins with `{tool}`")).collect()
}

pub(crate) fn marks_of_unfinished_work(tree: &Tree) -> Vec<String> {
    // Taken apart, or this line would be its own first offender.
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX"), concat!("db", "g!")];
    // Data may say anything, and so may the licence.
    let meant = tree.files().filter(|(path, _)| !path.starts_with("testdata/") && *path != "LICENSE");
    lines_with(meant, &marks)
}

pub(crate) fn strays_at_the_top(tree: &Tree) -> Vec<String> {
    let top: BTreeSet<&str> = tree.files().filter_map(|(path, _)| path.split('/').next()).collect();
    top.into_iter().filter(|name| !name.starts_with('.') && !TOP.contains(name)).map(str::to_owned).collect()
}

pub(crate) fn places_outside(tree: &Tree) -> Vec<String> {
    let (root, neighbour) = (concat!("/wo", "rk/"), concat!("sha", "red/"));
    let meant = tree.files().filter(|(path, _)| *path != ".ci/run");
    let mut offenders = lines_with(meant, &[root, neighbour]);
    offenders.extend(lines_with(tree.files().filter(|(path, _)| *path == ".ci/run"), &[root]));
    offenders
}

/// The pipelines that are no YAML, call a script that is not there, or an action by a name that may mean
/// another one tomorrow.
pub(crate) fn faulty_pipelines(tree: &Tree) -> Vec<String> {
    let mut offenders = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| path.starts_with(".github/workflows/")) {
        let fault = saphyr_parser::Parser::new_from_str(text).find_map(Result::err);
        offenders.extend(fault.map(|fault| format!("{path}: {fault}")));
        let words = text.split(|c: char| c.is_whitespace() || "\"'`();".contains(c));
        let called = words.filter(|word| word.starts_with("scripts/") || word.starts_with(".ci/"));
        let missing = called.filter(|word| tree.get(word).is_none());
        offenders.extend(missing.map(|word| format!("{path}: there is no {word}")));
        let steps = text.lines().map(|line| line.trim_start().trim_start_matches("- "));
        let actions = steps.filter_map(|line| line.strip_prefix("uses: "));
        let is_hash = |name: &str| name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        let movable = actions.filter(|action| {
            !action.split_once('@').is_some_and(|(_, rest)| rest.split(' ').next().is_some_and(is_hash))
        });
        offenders.extend(movable.map(|action| format!("{path}: {action} is not named by its hash")));
    }
    offenders
}

/// The lines that hold one of `marks` as a word of its own.
fn lines_with<'a>(files: impl Iterator<Item = (&'a str, &'a str)>, marks: &[&str]) -> Vec<String> {
    let lines = files
        .flat_map(|(path, text)| (1..).zip(text.lines()).map(move |(number, line)| (path, number, line)));
    let mut offenders = Vec::new();
    for (path, number, line) in lines {
        let found = marks.iter().filter(|mark| has_mark(line, mark));
        offenders.extend(found.map(|mark| format!("{path}:{number}: {mark}")));
    }
    offenders
}

fn has_mark(line: &str, mark: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(mark).any(|(at, _)| {
        let goes_on = mark.ends_with(is_word) && line[at + mark.len()..].starts_with(is_word);
        !line[..at].ends_with(is_word) && !goes_on
    })
}
