//! The files of the project, as the rules see them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// Paths from the root, each with its text.
pub(crate) struct Tree(BTreeMap<String, String>);

impl Tree {
    /// What git tracks, or would after `git add`: a rule is to fail before the commit.
    pub(crate) fn of_the_project() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let output = Command::new("git").args(list).current_dir(&root).output();
        let output = output.unwrap_or_else(|error| panic!("cannot run git: {error}"));
        assert!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
        let names = String::from_utf8_lossy(&output.stdout);
        // A file that was deleted and not yet committed is listed and cannot be read.
        let read = |name: &str| std::fs::read(root.join(name)).ok();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let files =
            names.split_terminator('\0').filter_map(|name| Some((name.to_owned(), text(read(name)?))));
        let tree = Self(files.collect());
        assert!(tree.get("Cargo.toml").is_some(), "the list of files has no Cargo.toml");
        tree
    }

    /// A tree of samples.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned())).collect())
    }

    pub(crate) fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The files whose names end in `.extension`.
    pub(crate) fn with_extension(&self, extension: &str) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(move |(path, _)| Path::new(path).extension().is_some_and(|e| e == extension))
    }

    /// The folders in `tools/`.
    pub(crate) fn tools(&self) -> BTreeSet<&str> {
        let below = self.files().filter_map(|(path, _)| path.strip_prefix("tools/")?.split_once('/'));
        below.map(|(tool, _)| tool).collect()
    }

    /// The manifests of the packages: folder and text. The root has none, and what fuzzes a tool is a
    /// workspace of its own.
    pub(crate) fn packages(&self) -> impl Iterator<Item = (&str, &str)> {
        let packages =
            self.files().filter_map(|(path, text)| Some((path.strip_suffix("/Cargo.toml")?, text)));
        packages.filter(|(folder, _)| last(folder) != "fuzz")
    }
}

/// The last part of a path.
pub(crate) fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The lines of a manifest, each with the table it stands in, as key and value.
fn entries(manifest: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let mut table = "";
    manifest.lines().filter_map(move |line| {
        if let Some(header) = line.trim().strip_prefix('[') {
            table = header.trim_start_matches('[').split(']').next().unwrap_or("");
            return Some((table, "", ""));
        }
        let (key, value) = line.split_once('=')?;
        Some((table, key.trim(), value.trim()))
    })
}

/// The names that a manifest gives to its package, library and binaries.
pub(crate) fn names(manifest: &str) -> Vec<&str> {
    let named = entries(manifest)
        .filter(|(table, key, _)| ["package", "lib", "bin"].contains(table) && *key == "name");
    named.map(|(_, _, value)| value.trim_matches('"')).collect()
}

/// The crates that a manifest depends on, for tests and builds too, under their real names.
pub(crate) fn dependencies(manifest: &str) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    for (table, key, value) in entries(manifest).filter(|(table, _, _)| !table.starts_with("workspace")) {
        let Some((_, below)) = table.split_once("dependencies") else { continue };
        let name = below.strip_prefix('.').unwrap_or_else(|| key.split('.').next().unwrap_or(key));
        let renamed = if below.is_empty() { value.split_once("package").map(|(_, rest)| rest) } else { None };
        let renamed = renamed.or((key == "package").then_some(value));
        found.extend(renamed.map(|value| value.split('"').nth(1).unwrap_or(name)));
        found.insert(name);
    }
    found.remove("");
    found
}

#[test]
fn dependencies_are_found_in_every_notation() {
    let check = |manifest: &str, want: &[&str]| {
        assert_eq!(dependencies(manifest), want.iter().copied().collect(), "{manifest}");
    };
    check("[package]\nname = \"x\"\n[dependencies]\nclap.workspace = true\nlog = \"1\"\n", &["clap", "log"]);
    check("[dev-dependencies]\na = { workspace = true }\n[lints]\nworkspace = true\n", &["a"]);
    check("[dependencies.fs2]\nversion = \"1\"\n", &["fs2"]);
    check("[target.'cfg(unix)'.build-dependencies]\nfs2 = \"1\"\n", &["fs2"]);
    check("[dependencies]\nlock = { version = \"1\", package = \"fs2\" }\n", &["fs2", "lock"]);
    check("[dependencies.lock]\npackage = \"fs2\"\n", &["fs2", "lock"]);
    check("[workspace.dependencies]\nfs2 = \"1\"\n", &[]);
}
