//! The systemd units of the tools, as systemd itself judges them.

use std::process::Command;

use crate::tree::{Tree, last};

/// What `systemd-analyze verify` says about the units in `tools/*/dist`; empty when they are well.
pub(crate) fn complaints(tree: &Tree) -> Vec<String> {
    let in_dist = |path: &str| path.starts_with("tools/") && path.contains("/dist/");
    let services = tree.with_extension("service").chain(tree.with_extension("timer"));
    let units: Vec<_> = services.filter(|(path, _)| in_dist(path)).collect();
    let Ok(folder) = tempfile::tempdir() else { return vec!["cannot make a temporary folder".into()] };
    let mut paths = Vec::new();
    for (path, text) in units {
        // verify does not miss the service of a timer.
        if let Some(stem) = path.strip_suffix(".timer")
            && tree.get(&format!("{stem}.service")).is_none()
        {
            return vec![format!("{path}: no {stem}.service")];
        }
        let copy = folder.path().join(last(path));
        testkit::write(&copy, with_a_binary(text));
        paths.push(copy);
    }
    if paths.is_empty() {
        return Vec::new();
    }
    // Without the second flag a warning, such as one about an unknown key, is no failure.
    let mut verify = Command::new("systemd-analyze");
    verify.args(["verify", "--man=no", "--recursive-errors=no"]).args(&paths);
    match verify.output() {
        Err(error) => vec![format!("cannot run systemd-analyze: {error}")],
        Ok(output) if output.status.success() => Vec::new(),
        Ok(output) => {
            let text = format!("{}{}", String::from_utf8_lossy(&output.stderr), output.status);
            text.lines().map(str::to_owned).collect()
        }
    }
}

/// The unit with `/bin/true` for every absolute path that it executes: the tool is not installed
/// where it is tested, and verify wants to see the file.
fn with_a_binary(unit: &str) -> String {
    let line = |line: &str| {
        let (key, value) = line.split_once('=').filter(|(key, _)| key.starts_with("Exec"))?;
        let path = value.find('/').filter(|&at| value[..at].chars().all(|c| "-@:+!".contains(c)))?;
        let end = value[path..].find(' ').map_or(value.len(), |length| path + length);
        Some(format!("{key}={}/bin/true{}", &value[..path], &value[end..]))
    };
    unit.lines().map(|text| line(text).unwrap_or_else(|| text.to_owned()) + "\n").collect()
}

#[test]
fn only_the_binary_is_replaced() {
    let check = |unit: &str, want: &str| assert_eq!(with_a_binary(unit), want);
    check("ExecStart=/usr/bin/a --b /c\n", "ExecStart=/bin/true --b /c\n");
    check("ExecStartPre=-/usr/bin/a\n", "ExecStartPre=-/bin/true\n");
    check("ExecStart=a /b\n", "ExecStart=a /b\n");
    check("ReadWritePaths=/var/lib/a\n", "ReadWritePaths=/var/lib/a\n");
}
