//! What a host says of itself: the lines of `look.sh` and `settle.sh`.

use crate::spec::Access;
use crate::station::{Elsewhere, FileState, Kept, Open, Seen, Settled};

/// What a host has, from its lines, of which none may be missing.
///
/// # Errors
/// The line that is none of these.
pub(crate) fn read(output: &[u8], access: &Access) -> Result<Seen, String> {
    let mut lines = Lines(output);
    let live = file(&lines.next("live")?)?;
    let wants = live.as_ref().and_then(|file| wanted(file, access));
    let live = live.map(|file| file.state);
    let mut seen = Seen { live, wants, ..Seen::default() };
    while lines.has("id") {
        seen.kept.push(lines.kept()?);
    }
    // Ids sort by time, whatever order the locale of the host gives its folders.
    seen.kept.sort_by(|one, other| one.id.cmp(&other.id));
    if lines.has("open") {
        seen.open = lines.open()?;
    }
    while lines.has("rival") || lines.has("left") {
        lines.elsewhere(&mut seen)?;
    }
    lines.next("end")?;
    if lines.0.is_empty() { Ok(seen) } else { Err(unclear(lines.0)) }
}

/// How a deployment was settled.
pub(crate) fn settled(output: &[u8]) -> Option<Settled> {
    let line = std::str::from_utf8(output).ok()?.strip_suffix('\n')?;
    match line.split_once(' ') {
        None if line == "nothing" => Some(Settled::Nothing),
        Some(("undone", id)) => Some(Settled::Undone(id.to_owned())),
        Some(("kept", id)) => Some(Settled::Kept(id.to_owned())),
        _ => None,
    }
}

/// The lines that are not read yet.
struct Lines<'a>(&'a [u8]);

impl Lines<'_> {
    /// Whether the next line begins with `word`.
    fn has(&self, word: &str) -> bool {
        self.0.strip_prefix(word.as_bytes()).is_some_and(|rest| rest.starts_with(b" "))
    }

    /// What stands behind `word` in the next line.
    fn next(&mut self, word: &str) -> Result<String, String> {
        let end = self.0.iter().position(|&byte| byte == b'\n').ok_or_else(|| unclear(self.0))?;
        let (line, rest) = self.0.split_at(end);
        let text = line.strip_prefix(word.as_bytes()).ok_or_else(|| unclear(line))?;
        let text = match text {
            [] => text,
            [b' ', text @ ..] => text,
            _ => return Err(unclear(line)),
        };
        self.0 = &rest[1..];
        // Only the name of a file may be anything else, and nobody asks for it.
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    fn kept(&mut self) -> Result<Kept, String> {
        let (id, version) = (self.next("id")?, self.next("version")?);
        let (who, time) = (self.next("who")?, self.next("time")?);
        self.next("file")?;
        let before = file(&self.next("before")?)?.map(|file| file.state);
        let after = file(&self.next("after")?)?.map(|file| file.state);
        Ok(Kept { id, version, who, time, before, after })
    }

    /// None when it ended while it was looked at.
    fn open(&mut self) -> Result<Option<Open>, String> {
        let is_guarded = is_guarded(&self.next("open")?)?;
        if !self.has("id") {
            // Without a word of its own it is somebody's to look at, unless it is just beginning to be one.
            return Ok(None);
        }
        self.head(is_guarded).map(|(open, _)| Some(open))
    }

    /// What is open, and its file.
    fn head(&mut self, is_guarded: bool) -> Result<(Open, String), String> {
        let id = self.next("id")?;
        self.next("version")?;
        let (who, time) = (self.next("who")?, self.next("time")?);
        let file = self.next("file")?;
        Ok((Open { id, who, time, is_guarded }, file))
    }

    /// What is open by another spec, or of another file.
    fn elsewhere(&mut self, seen: &mut Seen) -> Result<(), String> {
        if self.has("left") {
            let place = self.next("left")?;
            let (open, file) = self.head(false)?;
            seen.left.push(Elsewhere { place, file, open });
            return Ok(());
        }
        let line = self.next("rival")?;
        let (word, place) = line.split_once(' ').ok_or_else(|| unclear(line.as_bytes()))?;
        let (open, file) = self.head(is_guarded(word)?)?;
        // One that somebody is at counts before one that was left.
        if !seen.rival.as_ref().is_some_and(|known| known.open.is_guarded) {
            seen.rival = Some(Elsewhere { place: place.to_owned(), file, open });
        }
        Ok(())
    }
}

fn is_guarded(word: &str) -> Result<bool, String> {
    match word {
        "guarded" => Ok(true),
        "alone" => Ok(false),
        other => Err(unclear(other.as_bytes())),
    }
}

/// A file, with the numbers of its owner and group.
struct Owned {
    state: FileState,
    uid: String,
    gid: String,
}

/// `none`, or `SHA256 MODE SIZE UID GID/OWNER/GROUP`.
fn file(text: &str) -> Result<Option<Owned>, String> {
    if text == "none" {
        return Ok(None);
    }
    parsed(text).map(Some).ok_or_else(|| unclear(text.as_bytes()))
}

fn parsed(text: &str) -> Option<Owned> {
    let (numbers, names) = text.split_once('/')?;
    let (owner, group) = names.split_once('/')?;
    let mut words = numbers.split(' ');
    let sha256 =
        words.next().filter(|sum| sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    let mode = u32::from_str_radix(words.next()?, 8).ok().filter(|mode| *mode <= 0o7777)?;
    let size = words.next()?.parse().ok()?;
    let [uid, gid] = [words.next()?, words.next()?];
    let is_number = |id: &str| id.parse::<u32>().is_ok();
    if words.next().is_some() || !is_number(uid) || !is_number(gid) || owner.is_empty() || group.is_empty() {
        return None;
    }
    // What stat(1) says where there is no name.
    let told = |name: &str, id: &str| if name == "UNKNOWN" { id.to_owned() } else { name.to_owned() };
    let (owner, group) = (told(owner, uid), told(group, gid));
    let state = FileState { sha256: sha256.to_owned(), mode, owner, group, size };
    Some(Owned { state, uid: uid.to_owned(), gid: gid.to_owned() })
}

/// What the file would be when it is not what the spec wants: `root:www-data 0640`.
fn wanted(file: &Owned, access: &Access) -> Option<String> {
    let state = &file.state;
    let is = |wanted: &Option<String>, name: &str, id: &str| {
        wanted.as_deref().is_none_or(|wanted| wanted == name || wanted == id)
    };
    let is_so = is(&access.owner, &state.owner, &file.uid)
        && is(&access.group, &state.group, &file.gid)
        && access.mode.is_none_or(|mode| mode == state.mode);
    let owner = access.owner.as_ref().unwrap_or(&state.owner);
    let group = access.group.as_ref().unwrap_or(&state.group);
    let mode = access.mode.unwrap_or(state.mode);
    (!is_so).then(|| format!("{owner}:{group} {mode:04o}"))
}

fn unclear(bytes: &[u8]) -> String {
    format!("the host says something unexpected: {:?}", secrets::conceal::quoted(bytes))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    const SUM: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn state() -> impl Strategy<Value = Option<FileState>> {
        let names = ("[a-z][a-z \\\\-]{0,8}", "[a-z0-9]{1,8}");
        let file = ("[0-9a-f]{64}", 0..=0o7777u32, names, any::<u64>());
        proptest::option::of(file.prop_map(|(sha256, mode, (owner, group), size)| FileState {
            sha256,
            mode,
            owner,
            group,
            size,
        }))
    }

    fn kept() -> impl Strategy<Value = Kept> {
        let words = ("[0-9A-Za-z-]{1,20}", "[0-9a-f]{64}", "[a-z]{1,8}@[a-z ]{1,8}", "[0-9TZ:-]{1,20}");
        (words, state(), state()).prop_map(|((id, version, who, time), before, after)| Kept {
            id,
            version,
            who,
            time,
            before,
            after,
        })
    }

    fn told(state: Option<&FileState>) -> String {
        let Some(file) = state else { return "none".into() };
        let FileState { sha256, mode, owner, group, size } = file;
        format!("{sha256} {mode:o} {size} 0 7/{owner}/{group}")
    }

    fn head(id: &str, version: &str, who: &str, time: &str) -> String {
        format!("id {id}\nversion {version}\nwho {who}\ntime {time}\nfile /etc/a b\n")
    }

    proptest! {
        #[test]
        fn what_a_host_says_is_read(
            live in state(), mut kept in proptest::collection::vec(kept(), 0..4),
            is_guarded: bool, is_open: bool,
            others in proptest::collection::vec(("left|rival (alone|guarded)", "[a-z0-9]{1,8}"), 0..3), cut: proptest::sample::Index,
        ) {
            let mut text = format!("live {}\n", told(live.as_ref()));
            for one in &kept {
                text += &head(&one.id, &one.version, &one.who, &one.time);
                let _strings_never_refuse = write!(text, "before {}\nafter {}\n", told(one.before.as_ref()), told(one.after.as_ref()));
            }
            let open = is_open.then(|| Open { id: "i".into(), who: "w".into(), time: "t".into(), is_guarded });
            if is_open {
                let _strings_never_refuse = writeln!(text, "open {}", if is_guarded { "guarded" } else { "alone" });
                text += &head("i", "v", "w", "t");
            }
            let mut elsewhere = Vec::new();
            for (word, place) in others {
                let _strings_never_refuse = writeln!(text, "{word} {place}");
                text += &head("o", "v", "w", "t");
                let (is_guarded, is_left) = (word == "rival guarded", word == "left");
                let open = Open { id: "o".into(), who: "w".into(), time: "t".into(), is_guarded };
                elsewhere.push((is_left, Elsewhere { place, file: "/etc/a b".into(), open }));
            }
            let (left, rivals): (Vec<_>, Vec<_>) = elsewhere.into_iter().partition(|(is_left, _)| *is_left);
            let left: Vec<_> = left.into_iter().map(|(_, one)| one).collect();
            let rivals: Vec<_> = rivals.into_iter().map(|(_, one)| one).collect();
            let rival = rivals.iter().find(|one| one.open.is_guarded).or(rivals.last()).cloned();
            text += "end\n";
            kept.sort_by(|one, other| one.id.cmp(&other.id));
            let want = Seen { live, kept, open, rival, left, wants: None };
            prop_assert_eq!(read(text.as_bytes(), &Access::default()), Ok(want));
            let cut = &text.as_bytes()[..cut.index(text.len())];
            prop_assert!(read(cut, &Access::default()).is_err());
        }

        #[test]
        fn whatever_a_host_says_is_an_answer(text in "(live|id|open|end|before|left|rival| |/|[0-9a-f]|\n){0,40}") {
            let _any = read(text.as_bytes(), &Access::default());
            let _any = settled(text.as_bytes());
        }
    }

    #[test]
    fn who_has_no_name_has_a_number() {
        let seen =
            read(format!("live {SUM} 4755 0 12 7/UNKNOWN/UNKNOWN\nend\n").as_bytes(), &Access::default());
        let live = seen.unwrap().live.unwrap();
        assert_eq!((live.owner.as_str(), live.group.as_str(), live.mode), ("12", "7", 0o4755));
    }

    #[test]
    fn what_the_spec_wants_is_told_when_it_is_not_so() {
        let check = |owner: &str, group: &str, mode, want: Option<&str>| {
            let name = |name: &str| (!name.is_empty()).then(|| name.to_owned());
            let access = Access { owner: name(owner), group: name(group), mode };
            let seen = read(format!("live {SUM} 644 0 0 7/root/adm\nend\n").as_bytes(), &access).unwrap();
            assert_eq!(seen.wants.as_deref(), want, "{access:?}");
        };
        check("", "", None, None);
        check("root", "adm", Some(0o644), None);
        check("0", "7", None, None);
        check("jan", "", None, Some("jan:adm 0644"));
        check("", "7", Some(0o640), Some("root:7 0640"));
    }

    #[test]
    fn settling_has_three_ends() {
        let check = |text: &str, want| assert_eq!(settled(text.as_bytes()), want, "{text}");
        check("nothing\n", Some(Settled::Nothing));
        check("undone a-1\n", Some(Settled::Undone("a-1".into())));
        check("kept a-1\n", Some(Settled::Kept("a-1".into())));
        check("kept a-1", None);
        check("", None);
        check("gone\n", None);
    }
}
