//! `group_vars` and `host_vars` beside an inventory.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::Finding;
use super::super::{found::Found, source, yaml};
use super::groups::{Groups, Vars};
use super::tree::vars_of;
use crate::host::Place;

/// Reads the variables of known groups and hosts; files for others are none of ours.
pub(super) fn read(groups: &mut Groups, found: &mut Found) {
    let Some(folder) = found.folder.clone() else { return };
    for (name, path) in named_in(&folder.join("group_vars")) {
        if let Some(group) = groups.known_group(&name) {
            let vars = vars(&path, found);
            groups.all[group].folder_vars.extend(vars);
        }
    }
    for (name, path) in named_in(&folder.join("host_vars")) {
        if let Some(host) = groups.known_host(&name) {
            let vars = vars(&path, found);
            groups.hosts[host].folder_vars.extend(vars);
        }
    }
}

/// The files in `folder` and the names they are for: `web`, `web.yml`, or all files in the folder
/// `web`, in the order in which Ansible reads them.
fn named_in(folder: &Path) -> Vec<(String, PathBuf)> {
    let mut named = Vec::new();
    for path in sorted(folder) {
        if path.is_dir() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            named.extend(
                sorted(&path).into_iter().filter(|file| file.is_file()).map(|file| (name.clone(), file)),
            );
        } else {
            let name = match path.extension().and_then(|ending| ending.to_str()) {
                Some("yml" | "yaml" | "json") => path.file_stem(),
                // `web01.example.com` is a name, and not one with an ending.
                _ => path.file_name(),
            };
            named.push((name.unwrap_or_default().to_string_lossy().into_owned(), path));
        }
    }
    named
}

/// What is in `folder`, sorted; nothing when it is not there, as Ansible has it. Hidden files and
/// copies that editors leave are passed over.
fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_meant = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !name.starts_with('.') && !name.ends_with('~')
    };
    let mut paths: Vec<PathBuf> = entries.filter(is_meant).collect();
    paths.sort();
    paths
}

fn vars(path: &Path, found: &mut Found) -> Vars {
    let mut file = Found::new(&path.display().to_string());
    let mut say = |line: u64, is_error: bool, what: String| {
        let place = Place { source: Arc::clone(&file.source), line };
        file.findings.push(Finding { place, is_error, what });
    };
    let mut vars = Vars::new();
    match source::read_file(path) {
        Err(error) => say(0, true, error.to_string()),
        Ok(text) if text.starts_with("$ANSIBLE_VAULT") => {
            say(1, false, "encrypted with ansible-vault; its variables are not known here".into());
        }
        Ok(text) => match yaml::read(&text).map(super::super::node::Node::into_entries) {
            Ok(Ok(entries)) => vars = vars_of(entries, &Found::new(&path.display().to_string())),
            Ok(Err(node)) => {
                say(node.line, true, format!("variables should stand here, not {}", node.kind()));
            }
            Err((line, what)) => say(line, true, format!("not YAML: {what}")),
        },
    }
    found.findings.append(&mut file.findings);
    vars
}
