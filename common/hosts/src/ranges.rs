//! `web[01-99].example.com`: many names in one.
//!
//! In brackets stand numbers `1-9`, letters `a-f`, single words `fra`, or several of these separated
//! by commas, `[1,3,5-7]`. A number with zeros before it keeps its width: `[08-10]` is 08, 09, 10.
//! A step follows a slash, `[1-9/2]`. The forms of Ansible mean the same: `[1:9]`, `[1:9:2]`. A name
//! may have several ranges; the last one runs fastest.

/// As many names as one text may stand for: more is a slip of the finger, not a fleet.
pub const MOST: usize = 1_000_000;

/// As many bytes as all names of one text may have: [`MOST`] names of 256, the longest that DNS knows.
const VOLUME: u64 = 256 * MOST as u64;

/// Digits of a number; all of them fit a `u64`.
const DIGITS: usize = 18;

/// Whether `text` is more than one plain name.
#[must_use]
pub fn is_range(text: &str) -> bool {
    text.contains(['[', ']'])
}

/// All names that `text` stands for, in their order; itself when it has no brackets. Names that
/// occur twice stay twice.
///
/// # Errors
/// When a range is broken, runs backwards, or stands for more than [`MOST`] names; the sentence says
/// where, in characters from 1.
pub fn expand(text: &str) -> Result<Vec<String>, String> {
    if !is_range(text) {
        return Ok(vec![text.to_owned()]);
    }
    let parts = parts(text)?;
    let count = parts.iter().map(Part::count).fold(1, u64::saturating_mul);
    if count > MOST as u64 {
        let count = if count == u64::MAX {
            "more hosts than can be counted".into()
        } else {
            format!("{count} hosts")
        };
        return Err(format!("`{text}` stands for {count}; {MOST} is the most"));
    }
    if count.saturating_mul(text.len() as u64) > VOLUME {
        return Err(format!("a range of {} bytes is too long for {count} hosts", text.len()));
    }
    let mut names = vec![String::new()];
    for part in &parts {
        names = part.appended_to(names);
    }
    Ok(names)
}

enum Part<'t> {
    Text(&'t str),
    Choice(Vec<Item<'t>>),
}

enum Item<'t> {
    Word(&'t str),
    Numbers { first: u64, last: u64, step: u64, width: usize },
    Letters { first: u8, last: u8, step: u64 },
}

impl Part<'_> {
    fn count(&self) -> u64 {
        match self {
            Self::Text(_) => 1,
            Self::Choice(items) => items.iter().map(Item::count).fold(0, u64::saturating_add),
        }
    }

    fn appended_to(&self, mut names: Vec<String>) -> Vec<String> {
        match self {
            Self::Text(text) => {
                for name in &mut names {
                    name.push_str(text);
                }
                names
            }
            Self::Choice(items) => {
                let endings: Vec<String> = items.iter().flat_map(Item::words).collect();
                let both = |name: &String| {
                    let name = name.clone();
                    endings.iter().map(move |ending| format!("{name}{ending}"))
                };
                names.iter().flat_map(both).collect()
            }
        }
    }
}

impl Item<'_> {
    fn count(&self) -> u64 {
        match *self {
            Self::Word(_) => 1,
            Self::Numbers { first, last, step, .. } => (last - first) / step + 1,
            Self::Letters { first, last, step } => u64::from(last - first) / step + 1,
        }
    }

    fn words(&self) -> Vec<String> {
        let steps = 0..self.count();
        match *self {
            Self::Word(word) => vec![word.to_owned()],
            Self::Numbers { first, step, width, .. } => {
                steps.map(|at| format!("{:0width$}", first + at * step)).collect()
            }
            Self::Letters { first, last, step } => (first..=last)
                .step_by(usize::try_from(step).unwrap_or(usize::MAX))
                .map(|letter| char::from(letter).to_string())
                .collect(),
        }
    }
}

/// The sentence about `part` of `text`, with its place.
fn wrong(text: &str, part: &str, what: &str) -> String {
    let before = part.as_ptr().addr().saturating_sub(text.as_ptr().addr());
    let character = text.get(..before).map_or(0, |before| before.chars().count()) + 1;
    format!("`{part}` at character {character} of `{text}` {what}")
}

fn parts(text: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['[', ']']) {
        let (before, from) = rest.split_at(at);
        if from.starts_with(']') {
            return Err(wrong(text, &from[..1], "closes no range"));
        }
        let Some(end) = from.find(']') else {
            return Err(wrong(text, &from[..1], "opens a range that is not closed"));
        };
        let inner = &from[1..end];
        if let Some(nested) = inner.find('[') {
            return Err(wrong(text, &inner[nested..=nested], "opens a range within a range"));
        }
        let items: Result<_, String> = inner.split(',').map(|item| read_item(text, item)).collect();
        parts.extend([Part::Text(before), Part::Choice(items?)]);
        rest = &from[end + 1..];
    }
    parts.push(Part::Text(rest));
    Ok(parts)
}

fn read_item<'t>(text: &'t str, item: &'t str) -> Result<Item<'t>, String> {
    let says = |what: &str| Err(wrong(text, item, what));
    let (range, slash_step) = item.split_once('/').map_or((item, None), |(range, step)| (range, Some(step)));
    let separator = if range.contains(':') { ':' } else { '-' };
    let pieces: Vec<&str> = range.split(separator).collect();
    let (first, last, step) = match (pieces.as_slice(), slash_step) {
        (["" | "-"], None) => return says("is an empty range; write [1-9] or [a,b]"),
        ([word], None) if word.chars().all(|one| one.is_alphanumeric() || "_.".contains(one)) => {
            return Ok(Item::Word(word));
        }
        ([first, last], step) => (*first, *last, step),
        ([first, last, step], None) if separator == ':' => (*first, *last, Some(*step)),
        _ => return says("is no range; write [1-9], [a-f] or [1-9/2]"),
    };
    let step = match step.map(str::parse::<u64>) {
        None => 1,
        Some(Ok(step)) if step > 0 => step,
        Some(_) => return says("has a step that is no number from 1"),
    };
    match between(first, last, step) {
        Ok(item) => Ok(item),
        Err(what) => says(&what),
    }
}

/// The range from `first` to `last`, both included.
fn between<'t>(first: &str, last: &str, step: u64) -> Result<Item<'t>, String> {
    if let (&[one], &[other]) = (first.as_bytes(), last.as_bytes())
        && one.is_ascii_alphabetic()
        && other.is_ascii_alphabetic()
    {
        if one.is_ascii_lowercase() != other.is_ascii_lowercase() {
            return Err("mixes upper and lower case".into());
        }
        if one > other {
            return Err("runs backwards".into());
        }
        return Ok(Item::Letters { first: one, last: other, step });
    }
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(first) || !is_number(last) {
        return Err("is no range; write [1-9], [a-f] or [1-9/2]".into());
    }
    let is_padded = |text: &str| text.len() > 1 && text.starts_with('0');
    if (is_padded(first) || is_padded(last)) && first.len() != last.len() {
        return Err("mixes widths; give both ends the same number of digits".into());
    }
    let (Ok(from), Ok(to)) = (first.parse(), last.parse()) else {
        return Err(format!("has a number of more than {DIGITS} digits"));
    };
    if first.len().max(last.len()) > DIGITS {
        return Err(format!("has a number of more than {DIGITS} digits"));
    }
    if from > to {
        return Err("runs backwards".into());
    }
    Ok(Item::Numbers { first: from, last: to, step, width: if is_padded(first) { first.len() } else { 1 } })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, want: &[&str]) {
        assert_eq!(expand(text).unwrap(), want, "{text}");
    }

    fn check_wrong(text: &str, want: &str) {
        assert_eq!(expand(text).unwrap_err(), want, "{text}");
    }

    #[test]
    fn numbers_letters_lists_and_steps() {
        check("web01", &["web01"]);
        check("web[08-10].example.com", &["web08.example.com", "web09.example.com", "web10.example.com"]);
        check("web[9-11]", &["web9", "web10", "web11"]);
        check("[a-c]", &["a", "b", "c"]);
        check("db-[A:C:2]", &["db-A", "db-C"]);
        check("n[1,3,5-7]x", &["n1x", "n3x", "n5x", "n6x", "n7x"]);
        check("[1-9/4]", &["1", "5", "9"]);
        check("[1:9:3]", &["1", "4", "7"]);
        check("[fra,ams][1-2]", &["fra1", "fra2", "ams1", "ams2"]);
        check("[007]", &["007"]);
        check("[1-3/999999999999]", &["1"]);
        check("[00-01]", &["00", "01"]);
        check("[a-b/18446744073709551615]", &["a"]);
    }

    #[test]
    fn what_is_wrong_is_shown_with_its_place() {
        check_wrong("web[9-1]", "`9-1` at character 5 of `web[9-1]` runs backwards");
        check_wrong("é[f-a]", "`f-a` at character 3 of `é[f-a]` runs backwards");
        check_wrong("a[1-2]b[a-C]", "`a-C` at character 9 of `a[1-2]b[a-C]` mixes upper and lower case");
        check_wrong("a[1", "`[` at character 2 of `a[1` opens a range that is not closed");
        check_wrong("a]1", "`]` at character 2 of `a]1` closes no range");
        check_wrong("[[1]]", "`[` at character 2 of `[[1]]` opens a range within a range");
        check_wrong("[1,]", "`` at character 4 of `[1,]` is an empty range; write [1-9] or [a,b]");
        check_wrong("[1-]", "`1-` at character 2 of `[1-]` is no range; write [1-9], [a-f] or [1-9/2]");
        check_wrong("[1/2]", "`1/2` at character 2 of `[1/2]` is no range; write [1-9], [a-f] or [1-9/2]");
        check_wrong("[1-9/0]", "`1-9/0` at character 2 of `[1-9/0]` has a step that is no number from 1");
        let widths = "mixes widths; give both ends the same number of digits";
        check_wrong("[01-100]", &format!("`01-100` at character 2 of `[01-100]` {widths}"));
    }

    #[test]
    fn a_slip_of_the_finger_is_no_fleet() {
        check_wrong("[1-999999999]", "`[1-999999999]` stands for 999999999 hosts; 1000000 is the most");
        let all = "[0-999999999999999999][0-999999999999999999]";
        check_wrong(all, &format!("`{all}` stands for more hosts than can be counted; 1000000 is the most"));
        let long = "[1-9999999999999999999]";
        let says = "has a number of more than 18 digits";
        check_wrong(long, &format!("`1-9999999999999999999` at character 2 of `{long}` {says}"));
        assert_eq!(expand("[1-1000000]").unwrap().len(), MOST);
        let long = format!("[1-1000000]{}", "x".repeat(300));
        check_wrong(&long, "a range of 311 bytes is too long for 1000000 hosts");
    }

    proptest! {
        #[test]
        fn every_number_is_there_once_and_in_order(first in 0..2_000_u64, more in 0..300_u64, step in 1..9_u64) {
            let last = first + more;
            let width = last.to_string().len();
            let want: Vec<String> =
                (first..=last).step_by(usize::try_from(step).unwrap()).map(|at| format!("n{at:0width$}.x")).collect();
            prop_assert_eq!(&expand(&format!("n[{first:0width$}-{last}/{step}].x")).unwrap(), &want);
            prop_assert_eq!(&expand(&format!("n[{first:0width$}:{last}:{step}].x")).unwrap(), &want);
        }

        #[test]
        fn no_text_is_a_panic(text in "[\\[\\]0-9a-c,:/é -]{0,20}") {
            if let Ok(names) = expand(&text) {
                prop_assert!(!names.is_empty());
                prop_assert!(!is_range(&text) || names.iter().all(|name| !is_range(name)));
            }
        }

        #[test]
        fn no_unicode_is_a_panic(text in any::<String>()) {
            let _ = expand(&text);
        }
    }
}
