//! The systemd units of the tools, as systemd itself judges them, and as their manuals do.

use std::collections::BTreeSet;
use std::process::Command;

use crate::tree::{Tree, last};

/// The most that `systemd-analyze security` may find, in tenths. Of the units that can only be as closed as the
/// commands that they run, the one of dirwatch has 27 and the one of keyrotate 26; the others have 17.
const EXPOSURE: u32 = 30;

/// Where units say what an exit status means to them.
const STATUS_KEYS: &[&str] = &["SuccessExitStatus", "RestartForceExitStatus", "RestartPreventExitStatus"];

/// The statuses that are told to systemd and not to the reader of the manual; and 2, of which a human must know,
/// where a unit takes it for a success or for a reason to try again.
pub(crate) fn undocumented_statuses(tree: &Tree) -> Vec<String> {
    let mut offenders = Vec::new();
    for (path, unit) in tree.with_extension("service") {
        let Some((tool, _)) = path.strip_prefix("tools/").and_then(|rest| rest.split_once("/dist/")) else {
            continue;
        };
        let manual = tree.get(&format!("tools/{tool}/README.md")).unwrap_or_default();
        let documented = documented_statuses(manual);
        let entries = unit.lines().filter_map(|line| line.split_once('='));
        let told = entries
            .filter(|(key, _)| STATUS_KEYS.contains(key))
            .flat_map(|(key, value)| value.split_whitespace().map(move |status| (key, status)));
        let wrong = told.filter(|(_, status)| *status == "2" || !documented.contains(status));
        offenders
            .extend(wrong.map(|(key, status)| format!("{path}: {key}={status}: not in the manual, or 2")));
    }
    offenders
}

/// The numbers that the section "Exit status" explains, in the rows of a table or as items of a list.
fn documented_statuses(manual: &str) -> BTreeSet<&str> {
    let section = manual.split("\n## Exit status\n").nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let named = section.lines().filter_map(|line| {
        let row = line.strip_prefix("| ").and_then(|row| row.split_once(" |"));
        row.or_else(|| line.strip_prefix("- ").and_then(|item| item.split_once(':'))).map(|(name, _)| name)
    });
    named.flat_map(|name| name.split(", ")).filter(|name| name.parse::<u8>().is_ok()).collect()
}

/// The services that are open to more than they need.
pub(crate) fn exposed(tree: &Tree) -> Vec<String> {
    let Ok(folder) = tempfile::tempdir() else { return vec!["cannot make a temporary folder".into()] };
    let mut offenders = Vec::new();
    for (path, text) in tree.with_extension("service") {
        // A template has no exposure before it has a name.
        let copy = folder.path().join(last(path).replace("@.", "@name."));
        testkit::write(&copy, text);
        let mut security = Command::new("systemd-analyze");
        security
            .args(["security", "--no-pager", "--offline=true", &format!("--threshold={EXPOSURE}")])
            .arg(&copy);
        match security.output() {
            Err(error) => return vec![format!("cannot run systemd-analyze: {error}")],
            Ok(output) if output.status.success() => {}
            Ok(output) => {
                let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), output.status);
                offenders.push(format!("{path}:\n{text}"));
            }
        }
    }
    offenders
}

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

#[test]
fn the_statuses_of_a_manual_stand_in_a_table_or_a_list() {
    let check = |manual: &str, want: &[&str]| {
        assert_eq!(documented_statuses(manual), want.iter().copied().collect(), "{manual}");
    };
    check(
        "# a\n\n## Exit status\n\n| status | means |\n|---|---|\n| 0 | x |\n| 126, 127 | y |\n",
        &["0", "126", "127"],
    );
    check(
        "\n## Exit status\n\n- 0: done.\n- 75: later.\n- With `-x`: 3.\n\n## Files\n\n- 9: no.\n",
        &["0", "75"],
    );
    check("# a\n", &[]);
}
