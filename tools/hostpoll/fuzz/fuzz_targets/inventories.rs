//! An inventory of each kind, and a selection: every host that is read can be reached by its name.

#![no_main]

use hosts::inventory::{Format, Source};
use hosts::select::Selection;
use hosts::{Inventory, ranges};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(folder) = tempfile::tempdir() else { return };
    let path = folder.path().join("hosts");
    if std::fs::write(&path, data).is_err() {
        return;
    }
    for format in Format::ALL {
        let Ok(inventory) = Inventory::read(&[Source::File(path.clone())], Some(format)) else { continue };
        for host in &inventory.hosts {
            assert!(!host.name.is_empty() && !host.name.starts_with('-'), "{:?}", host.name);
            assert!(!host.name.contains(|c: char| c.is_control() || c == ' '), "{:?}", host.name);
        }
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _names = ranges::expand(&text[..text.len().min(64)]);
    let _selection = Selection::parse(text);
});
