//! The tools, and what makes each do some work.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use testkit::sshd::Sshd;
use testkit::{Case, tool};

/// A tool.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    /// The status of a failure.
    pub(crate) failed: i32,
    /// One of its own options with a slip, and what it says to it.
    pub(crate) slip: (&'static str, &'static str),
    /// What prints something; `None` where all output is that of a command.
    pub(crate) works: Option<&'static [&'static str]>,
    /// Whether that needs a host.
    pub(crate) is_remote: bool,
    /// What reads a file, `@`.
    reads: &'static [&'static str],
    /// Such a file, which is there.
    pub(crate) file: &'static str,
    /// The status where it is missing.
    pub(crate) missing: i32,
    /// How many lines a failure has at most.
    pub(crate) lines: usize,
}

const PLAIN: Tool = Tool {
    name: "",
    failed: 2,
    slip: ("", ""),
    works: None,
    is_remote: false,
    reads: &["@"],
    file: "",
    missing: 2,
    lines: 1,
};

/// All of them, by name.
pub(crate) const TOOLS: [Tool; 10] = [
    Tool {
        name: "confpush",
        slip: ("--josn", "`--json`?"),
        works: Some(&["plan", "web.toml"]),
        is_remote: true,
        reads: &["plan", "@"],
        file: "web.toml",
        ..PLAIN
    },
    Tool {
        name: "csvfilter",
        slip: ("--selct", "`--select`?"),
        works: Some(&["--all", "a.csv"]),
        reads: &["--all", "@"],
        file: "a.csv",
        ..PLAIN
    },
    // A directory that is missing may be there the next time; it is named, and then said what that means.
    Tool {
        name: "dirwatch",
        slip: ("--setle", "`--settle`?"),
        works: Some(&["--once", "--state", "s.db", "--events", "in"]),
        reads: &["--once", "--state", "s.db", "--events", "@"],
        file: "in",
        missing: 75,
        lines: 2,
        ..PLAIN
    },
    Tool {
        name: "hostlist",
        slip: ("--flod", "`--fold`?"),
        works: Some(&["-H", "hosts.txt"]),
        reads: &["-H", "@"],
        file: "hosts.txt",
        ..PLAIN
    },
    Tool {
        name: "hostpoll",
        slip: ("--comand", "`--command`?"),
        works: Some(&["-H", "hosts.txt", "--metrics", "load"]),
        is_remote: true,
        reads: &["--metrics", "load", "-H", "@"],
        file: "hosts.txt",
        ..PLAIN
    },
    Tool {
        name: "jsonset",
        slip: ("--dry-rum", "`--dry-run`?"),
        works: Some(&["a.json", "--get", "a"]),
        reads: &["@", "--get", "a"],
        file: "a.json",
        ..PLAIN
    },
    Tool {
        name: "keyrotate",
        slip: ("--staet", "`--state`?"),
        works: Some(&["run", "--dry-run", "key.toml"]),
        reads: &["run", "--dry-run", "@"],
        file: "key.toml",
        ..PLAIN
    },
    Tool {
        name: "logcount",
        slip: ("--fail-no", "`--fail-on`?"),
        works: Some(&["a.log"]),
        file: "a.log",
        ..PLAIN
    },
    Tool {
        name: "logfilter",
        slip: ("--levl", "`--level`?"),
        works: Some(&["a.log"]),
        file: "a.log",
        ..PLAIN
    },
    // What its command prints is the command's own matter.
    Tool {
        name: "runjob",
        failed: 125,
        slip: ("--timeuot", "`--timeout`?"),
        reads: &["--env-file", "@", "--", "printenv", "LEVEL"],
        file: "job.env",
        missing: 125,
        ..PLAIN
    },
];

/// What the tools find in their folder.
const FILES: &[(&str, &str)] = &[
    ("a.csv", "id,name\n1,Ada\n"),
    ("a.json", "{\"a\": 1}\n"),
    ("a.log", "2026-03-14 09:26:53 ERROR [main] disk - full\n"),
    ("hosts.txt", "127.0.0.1\n"),
    ("in/file", "new\n"),
    ("job.env", "LEVEL=3\n"),
    (
        "key.toml",
        "name = \"key\"\nstate = \"/nowhere/state\"\n[provider]\nkind = \"file\"\npath = \"/nowhere/keys\"\n\
         [[consumers]]\nname = \"app\"\nkind = \"file\"\npath = \"/nowhere/key\"\nattest = [\"/nowhere/ask\"]\n",
    ),
    (
        "web.toml",
        "name = \"web\"\nsource = \"a.json\"\npath = \"/nowhere/a.json\"\n\
         [[environments]]\nname = \"dev\"\nhosts = [\"127.0.0.1\"]\n",
    ),
];

impl Tool {
    /// Its binary in a folder with all of those files.
    pub(crate) fn case(&self) -> Case {
        self.case_at(None)
    }

    /// The same where 127.0.0.1 is `server`.
    pub(crate) fn case_at(&self, server: Option<&Sshd>) -> Case {
        desk(&tool(self.name), server)
    }

    /// The command line that reads `file`.
    pub(crate) fn of_file(&self, file: impl AsRef<OsStr>) -> Vec<OsString> {
        let word = |word: &&str| if *word == "@" { file.as_ref().to_owned() } else { OsString::from(word) };
        self.reads.iter().map(word).collect()
    }
}

/// A run of `program` where the files are, and the SSH configuration is that of `server`.
pub(crate) fn desk(program: &Path, server: Option<&Sshd>) -> Case {
    let case = FILES.iter().fold(Case::new(program), |case, (name, text)| case.file(name, text));
    match server.map(|server| std::fs::read(server.path("ssh_config"))) {
        Some(config) => case.file(".ssh/config", config.expect("the server has a configuration")),
        None => case,
    }
}
