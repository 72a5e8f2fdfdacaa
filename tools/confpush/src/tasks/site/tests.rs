use std::collections::BTreeSet;

use super::*;
use crate::spec::Check;
use crate::station::{FileState, Kept, Order, Settled};

/// A host that can be looked at, and may give its file.
struct Told {
    name: String,
    file: Answer<Zeroizing<Vec<u8>>>,
}

impl Station for Told {
    fn name(&self) -> &str {
        &self.name
    }

    fn look(&mut self) -> Answer<Seen> {
        Answer::No("not asked for".into())
    }

    fn fetch(&mut self, _piece: &Piece) -> Answer<Zeroizing<Vec<u8>>> {
        std::mem::replace(&mut self.file, Answer::No("asked twice".into()))
    }

    fn settle(&mut self) -> Answer<Settled> {
        Answer::No("not asked for".into())
    }

    fn stage(&mut self, _order: &Order) -> Answer {
        Answer::No("not asked for".into())
    }

    fn swap(&mut self) -> Answer {
        Answer::No("not asked for".into())
    }

    fn check(&mut self, _check: &Check) -> Answer {
        Answer::No("not asked for".into())
    }

    fn beat(&mut self) -> Answer {
        Answer::No("not asked for".into())
    }

    fn confirm(&mut self) -> Answer {
        Answer::No("not asked for".into())
    }

    fn restore(&mut self) -> Answer {
        Answer::No("not asked for".into())
    }
}

/// A host that is to have `new`, and where `seen` is; when it is asked for its file it says `file`.
fn site(name: &str, seen: Answer<Seen>, file: Answer<Zeroizing<Vec<u8>>>) -> Site {
    let bytes = Zeroizing::new(b"new".to_vec());
    let sha256 = sum(&bytes);
    let made = Made { bytes, secret_lines: BTreeSet::new(), path: "/a".into(), checks: Vec::new() };
    Site { station: Box::new(Told { name: name.into(), file }), made: Arc::new(made), sha256, seen }
}

/// A host where the file holds `text`, deployed as `id`; empty: nothing was deployed there.
pub(crate) fn having(name: &str, text: &str, id: &str) -> Site {
    let (owner, group) = ("root".to_owned(), "root".to_owned());
    let size = text.len() as u64;
    let live = Some(FileState { sha256: sum(text.as_bytes()), mode: 0o644, owner, group, size });
    let kept = (!id.is_empty()).then(|| Kept {
        id: id.into(),
        version: text.into(),
        who: "jan@box".into(),
        time: "T".into(),
        before: None,
        after: live.clone(),
    });
    let seen = Seen { live, kept: kept.into_iter().collect(), ..Seen::default() };
    site(name, Answer::Yes(seen), Answer::Yes(Zeroizing::new(text.as_bytes().to_vec())))
}

/// A host that is out of reach.
pub(crate) fn down(name: &str) -> Site {
    site(name, Answer::Unknown("no route".into()), Answer::Unknown("no route".into()))
}

#[test]
fn a_file_comes_from_the_first_host_that_gives_it() {
    let says = |mut site: Site, file| {
        let name = site.name().to_owned();
        site.station = Box::new(Told { name, file });
        site
    };
    let old = || having("", "old", "");
    let named = |name: &str| having(name, "old", "");
    let mut sites = vec![
        says(named("a"), Answer::No("permission denied".into())),
        says(named("b"), Answer::Unknown("lost".into())),
        named("c"),
        says(named("d"), Answer::No("asked though c gave it".into())),
        having("e", "new", ""),
        says(having("f", "other", ""), Answer::Unknown("lost".into())),
        down("g"),
    ];
    let files = Pool::new(4, 7).unwrap().fetch(&mut sites);
    let want = (sum(b"old"), Zeroizing::new(b"old".to_vec()));
    assert_eq!(files.into_iter().collect::<Vec<_>>(), [want]);
    // Each is what it has said itself, and those that were not asked are what was seen there.
    assert!(matches!(&sites[0].seen, Answer::No(why) if why == "permission denied"));
    assert!(matches!(&sites[1].seen, Answer::Unknown(why) if why == "lost"));
    for at in [2, 3] {
        assert_eq!(sites[at].seen(), old().seen());
    }
    assert!(sites[4].seen.is_yes() && sites[5].is_down() && sites[6].is_down());
}
