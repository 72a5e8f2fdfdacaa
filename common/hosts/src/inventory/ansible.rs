//! Inventories of Ansible: INI, YAML, and the JSON of dynamic ones.
//!
//! Groups, and all groups they are in, become values of the tag `group`, except `all` and
//! `ungrouped`. Variables that hold one plain value become tags, except those of Ansible itself and
//! those whose name sounds like a secret. The variables that say how to connect become fields; of
//! the arguments for ssh only the jump host is taken. `group_vars` and `host_vars` beside the file
//! are read. Variables count as in Ansible: a child before its parent, a host before its groups.
//! Templates are not expanded, except for `{{ inventory_hostname }}`, and nothing is decrypted.

mod connection;
mod folders;
mod groups;
mod ini;
mod resolve;
mod tree;
mod words;

use super::found::Found;
use super::node::Node;
use groups::Groups;

/// Reads an INI inventory.
pub(super) fn read_ini(text: &str, found: &mut Found) {
    let mut groups = Groups::default();
    ini::read(text, &mut groups, found);
    finish(groups, found);
}

/// Reads a YAML inventory, whose names may be ranges, or the JSON of a dynamic one, where they may
/// not; the line and the sentence when it is neither.
pub(super) fn read_tree(tree: Node, has_ranges: bool, found: &mut Found) -> Result<(), (u64, String)> {
    let mut groups = Groups::default();
    tree::Reader { groups: &mut groups, found, has_ranges }.read(tree)?;
    finish(groups, found);
    Ok(())
}

fn finish(mut groups: Groups, found: &mut Found) {
    folders::read(&mut groups, found);
    resolve::resolve(groups, found);
}
