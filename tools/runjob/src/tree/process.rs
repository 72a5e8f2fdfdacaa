//! What /proc tells about processes.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use ::process::stat::Stat;

/// The children of each thread of a process, as the kernel lists them. One may be missing when another
/// ends at that moment (proc(5)): who must have them all asks until there is none.
pub(super) fn listed_children(parent: u32) -> io::Result<Vec<u32>> {
    let mut children = Vec::new();
    for thread in fs::read_dir(format!("/proc/{parent}/task"))? {
        let list = fs::read_to_string(thread?.path().join("children"))?;
        children.extend(list.split_ascii_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    }
    Ok(children)
}

/// The number that /proc knows this process by.
pub(super) fn own_number() -> io::Result<u32> {
    let link = fs::read_link("/proc/self")?;
    link.to_str().and_then(|number| number.parse().ok()).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// The children of every process that we may see, by asking each for its parent.
pub(super) fn by_parent() -> io::Result<BTreeMap<u32, Vec<u32>>> {
    let mut all: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some(process) = Stat::of(pid) {
            all.entry(process.parent).or_default().push(pid);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_find_the_same_children() {
        let mut children = [(); 3].map(|()| std::process::Command::new("sleep").arg("1000").spawn().unwrap());
        let own = std::process::id();
        let (listed, found) = (listed_children(own), by_parent().unwrap().remove(&own).unwrap());
        for child in &mut children {
            assert!(found.contains(&child.id()));
            // A kernel without CONFIG_PROC_CHILDREN lists none.
            assert!(listed.as_ref().map_or(true, |listed| listed.contains(&child.id())));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert!(listed_children(0).is_err());
        assert_eq!(own_number().unwrap(), own);
    }
}
