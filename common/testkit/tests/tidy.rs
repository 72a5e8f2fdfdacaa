//! The rules of the tree as a test: what a reviewer would otherwise have to remember.
//!
//! Each test tries its rule on a sample that breaks it, and then on the project.

#[path = "tidy/code.rs"]
mod code;
#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/tree.rs"]
mod tree;
#[path = "tidy/units.rs"]
mod units;

use tree::Tree;

/// The files that may contain unsafe code. Each says in its module documentation why it must.
const UNSAFE: &[&str] = &[
    "common/logs/src/simd.rs",
    "common/remote/src/auth/methods.rs",
    "common/remote/src/sign.rs",
    "tools/csvfilter/src/simd.rs",
    "tools/csvfilter/src/simd/x86.rs",
    "tools/dirwatch/src/lease.rs",
];

type Sample<'a> = &'a [(&'a str, &'a str)];

/// Asserts that `rule` finds as many offenders in `bad` as it has files, none in `good`, and none in
/// the project.
#[track_caller]
fn check(rule: impl Fn(&Tree) -> Vec<String>, bad: Sample, good: Sample) {
    for &file in bad {
        assert!(!rule(&Tree::of(&[file])).is_empty(), "the rule does not see {file:?}");
    }
    assert_eq!(rule(&Tree::of(good)), [""; 0], "the rule sees what is not there");
    let offenders = rule(&Tree::of_the_project());
    assert!(offenders.is_empty(), "\n{}\n", offenders.join("\n"));
}

#[test]
fn folder_package_binary_and_title_have_one_name() {
    let manifest = "[package]\nname = \"a\"\n";
    check(
        rules::names_that_differ,
        &[
            ("common/b/Cargo.toml", manifest),
            ("common/a/Cargo.toml", "[package]\nname = \"a\"\n[[bin]]\nname = \"b\"\n"),
            ("common/a/Cargo.toml", ""),
            ("tools/a/README.md", "# b\n"),
            ("tools/a/README.md", "a\n"),
        ],
        &[("tools/a/Cargo.toml", manifest), ("tools/a/README.md", "# a\n"), ("tools/README.md", "# x\n")],
    );
}

#[test]
fn every_tool_is_whole() {
    let whole = ["Cargo.toml", "README.md", "src/main.rs", "src/lib.rs", "src/cli.rs", "tests/tests.rs"];
    let whole = whole.map(|file| format!("tools/a/{file}"));
    let good: Vec<_> = whole.iter().map(|path| (path.as_str(), "")).collect();
    for missing in 0..good.len() {
        let mut some = good.clone();
        some.remove(missing);
        assert_eq!(rules::missing_files(&Tree::of(&some)), [good[missing].0]);
    }
    check(rules::missing_files, &[("tools/a/Cargo.toml", "")], &good);
}

#[test]
fn every_tool_executes_its_manual() {
    check(
        rules::unexecuted_manuals,
        &[("tools/a/tests/tests.rs", "// readme()\n"), ("tools/a/README.md", "")],
        &[("tools/a/tests/tests.rs", "testkit::readme(X, \"README.md\");\n")],
    );
}

#[test]
fn main_only_starts_the_tool() {
    let lines = |count: usize| "\n".repeat(count);
    check(
        rules::long_mains,
        &[("tools/a/src/main.rs", &lines(13))],
        &[("tools/a/src/main.rs", &lines(12)), ("tools/a/src/lib.rs", &lines(13))],
    );
}

#[test]
fn no_source_file_is_longer_than_400_lines() {
    let lines = |count: usize| "\n".repeat(count);
    check(
        rules::long_files,
        &[("common/src/x.rs", &lines(401)), ("tools/a/tests/tests.rs", &lines(401))],
        &[("common/src/x.rs", &lines(400)), ("README.md", &lines(401))],
    );
}

#[test]
fn no_tool_depends_on_a_tool_and_common_on_nothing_of_ours() {
    let on = |name: &str| format!("[dependencies]\n{name}.workspace = true\n");
    let bad: [&[(&str, &str)]; 3] = [
        &[("tools/a/Cargo.toml", &on("b")), ("tools/b/Cargo.toml", "")],
        &[("common/logs/Cargo.toml", &on("b")), ("tools/b/Cargo.toml", "")],
        &[("common/Cargo.toml", "[dev-dependencies.logs]\n"), ("common/logs/Cargo.toml", "")],
    ];
    for tree in bad {
        assert_eq!(rules::wrong_layers(&Tree::of(tree)).len(), 1, "{tree:?}");
    }
    let good = [
        ("tools/a/Cargo.toml", &*on("common")),
        ("tools/a/fuzz/Cargo.toml", &*on("a")),
        ("common/Cargo.toml", &*on("log")),
    ];
    check(rules::wrong_layers, &[], &good);
}

#[test]
fn a_confined_crate_is_named_in_its_place_only() {
    let of = |name: &str| format!("[dependencies]\n{name} = \"1\"\n");
    check(
        rules::strayed_crates,
        &[
            ("tools/a/src/lib.rs", "use clap::Parser;"),
            ("common/logs/src/lib.rs", "fn f(x: clap::Arg) {}"),
            ("common/logs/Cargo.toml", &of("clap")),
            ("common/files/src/replace.rs", "fs2::FileExt::unlock(&file)"),
            ("tools/a/Cargo.toml", &of("fs2")),
            ("tools/a/src/lib.rs", "use ssh2::Session;"),
            ("tools/a/Cargo.toml", &of("ssh2")),
            ("tools/a/src/watch.rs", "let event: notify::Event;"),
            ("tools/keyrotate/src/provider.rs", "use ureq::Agent;"),
            ("common/files/Cargo.toml", &of("notify")),
        ],
        &[
            ("tools/a/src/cli.rs", "use clap::Parser;"),
            ("tools/a/tests/tests.rs", "use clap::Parser;"),
            ("tools/a/Cargo.toml", &of("clap")),
            ("tools/a/src/lib.rs", "// clap::Parser, \"use clap\"\nx.notify();"),
            ("common/src/cli.rs", "use clap::Args;"),
            ("common/files/src/lock.rs", "fs2::FileExt::unlock(&file)"),
            ("common/files/Cargo.toml", &of("fs2")),
            ("common/remote/src/session.rs", "use ssh2::Session;"),
            ("tools/dirwatch/src/event.rs", "use notify::Event;"),
            ("tools/keyrotate/src/provider/aws/api.rs", "use ureq::Agent;"),
            ("Cargo.toml", "[workspace.dependencies]\nfs2 = \"1\"\n"),
        ],
    );
}

#[test]
fn unsafe_code_is_in_the_table_and_says_why() {
    let why = "//! One line of unsafe, because the system call has no wrapper.\n";
    let good = format!("{why}fn f() {{ unsafe {{ g() }} }}");
    let listed = |tree: &Tree| rules::unlisted_unsafe(tree, &["a.rs"]);
    for bad in [why, "//! Why.\nunsafe fn f() {}", "fn f() {}"] {
        assert_eq!(listed(&Tree::of(&[("a.rs", bad)])).len(), 1, "{bad}");
    }
    assert_eq!(listed(&Tree::of(&[])).len(), 1, "a row without its file");
    assert_eq!(listed(&Tree::of(&[("a.rs", &good)])), [""; 0]);
    check(
        |tree| rules::unlisted_unsafe(tree, if tree.get("sample.rs").is_some() { &[] } else { UNSAFE }),
        &[("sample.rs", &good), ("sample.rs", "#![allow(unsafe_code)]")],
        &[("sample.rs", why)],
    );
}

#[test]
fn the_readme_has_a_row_for_every_tool() {
    let tool = ("tools/a/README.md", "");
    for bad in ["", "`a` counts.\n", "| b | what a does |\n", "| ab |\n"] {
        assert_eq!(rules::tools_without_a_row(&Tree::of(&[tool, ("README.md", bad)])).len(), 1, "{bad}");
    }
    let good = [tool, ("README.md", "| tool | does |\n|---|---|\n| [`a`](tools/a/README.md) | counts |\n")];
    check(rules::tools_without_a_row, &[tool], &good);
}

#[test]
fn nothing_is_marked_as_unfinished() {
    check(
        rules::marks_of_unfinished_work,
        &[
            ("common/src/lib.rs", concat!("// TO", "DO: more\n")),
            ("scripts/test", concat!("# (FIX", "ME)\n")),
            ("README.md", concat!("X", "XX\n")),
            ("common/src/lib.rs", concat!("db", "g!(x);\n")),
        ],
        &[("scripts/test", "mktemp /tmp/XXXXXX\n"), ("testdata/a.log", concat!("TO", "DO\n"))],
    );
}

#[test]
fn the_top_level_is_short() {
    check(
        rules::strays_at_the_top,
        &[("notes.md", ""), ("src/lib.rs", ""), ("xtask/Cargo.toml", "")],
        &[("README.md", ""), (".ci/run", ""), ("tools/a/notes.md", ""), ("Cargo.lock", "")],
    );
}

#[test]
fn no_file_names_the_place_where_it_was_written() {
    let (root, neighbour) = (concat!("cd /wo", "rk/main"), concat!("ls ../sha", "red/truth"));
    check(
        rules::places_outside,
        &[
            ("scripts/test", root),
            (".ci/run", root),
            ("README.md", neighbour),
            ("common/src/lib.rs", neighbour),
        ],
        &[(".ci/run", neighbour), ("README.md", "/usr/share/doc, /home/me/work/x, unshared/x")],
    );
}

#[test]
fn the_pipelines_are_yaml_and_call_what_is_there() {
    let good =
        [(".github/workflows/a.yml", "jobs:\n  a:\n    - run: scripts/test x\n"), ("scripts/test", "")];
    check(
        rules::faulty_pipelines,
        &[
            (".github/workflows/a.yml", "jobs: [a\n"),
            (".github/workflows/a.yml", "a: b\n\tc: d\n"),
            (".github/workflows/a.yml", "run: scripts/gone\n"),
            (".github/workflows/a.yml", "    - uses: actions/checkout@v4\n"),
            (".github/workflows/a.yml", "    - name: a\n      uses: actions/checkout@v4\n"),
        ],
        &good,
    );
}

#[test]
fn every_unit_verifies() {
    if !testkit::has("systemd-analyze") {
        return;
    }
    let good = "[Service]\nType=oneshot\nExecStart=/usr/bin/nowhere --x\n";
    let timer = "[Timer]\nOnCalendar=hourly\n";
    assert_eq!(
        units::complaints(&Tree::of(&[("tools/a/dist/a.service", good), ("tools/a/dist/a.timer", timer)])),
        [""; 0]
    );
    for (name, bad) in [
        ("a.service", "[Service]\nType=oneshot\n"),
        ("a.service", "[Service]\nExecStart=/usr/bin/a\nNoSuchKey=1\n"),
        ("a.service", "[Service]\nExecStart=a relative path\n"),
        ("a.timer", "[Timer]\nOnCalendar=sometimes\n"),
        ("a.timer", timer),
    ] {
        let tree = Tree::of(&[(&format!("tools/a/dist/{name}"), bad)]);
        assert!(!units::complaints(&tree).is_empty(), "{name}: {bad}");
    }
    let offenders = units::complaints(&Tree::of_the_project());
    assert!(offenders.is_empty(), "\n{}\n", offenders.join("\n"));
}

#[test]
fn what_a_unit_makes_of_a_status_stands_in_the_manual() {
    let manual = ("tools/a/README.md", "# a\n\n## Exit status\n\n- 2: broken.\n- 75: later.\n");
    let unit = |line: &'static str| [manual, ("tools/a/dist/a.service", line)];
    for bad in ["SuccessExitStatus=75 23\n", "RestartForceExitStatus=11\n", "SuccessExitStatus=2\n"] {
        assert_eq!(units::undocumented_statuses(&Tree::of(&unit(bad))).len(), 1, "{bad}");
    }
    check(units::undocumented_statuses, &[], &unit("# SuccessExitStatus=9\nSuccessExitStatus=75\n"));
}

#[test]
fn no_unit_is_more_open_than_it_must_be() {
    if !testkit::has("systemd-analyze") {
        return;
    }
    let open = ("tools/a/dist/a.service", "[Service]\nExecStart=/usr/bin/true\n");
    assert!(!units::exposed(&Tree::of(&[open])).is_empty());
    let offenders = units::exposed(&Tree::of_the_project());
    assert!(offenders.is_empty(), "\n{}\n", offenders.join("\n"));
}
