//! Which known name a mistyped one is near to.

/// Longer names are not compared: the work grows with the square, and nobody types them.
const LONGEST: usize = 64;

/// The name that is the fewest slips of the finger from `wanted`, the first of several. `most` slips are
/// allowed; upper and lower case count as one letter, and `wanted` itself is not near to itself.
pub(crate) fn nearest<'n>(
    wanted: &str,
    most: usize,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    let wanted = letters(wanted);
    let mut best: Option<(usize, &str)> = None;
    for name in names {
        // Each slip changes the length by one at most, and a letter has four bytes at most.
        if name.len() > 4 * (wanted.len() + most) || wanted.len() > LONGEST {
            continue;
        }
        let name_letters = letters(name);
        if name_letters.len().abs_diff(wanted.len()) > most {
            continue;
        }
        let slips = distance(&wanted, &name_letters);
        if slips <= most && best.is_none_or(|(least, _)| slips < least) {
            best = Some((slips, name));
        }
    }
    best.filter(|(slips, _)| *slips > 0).map(|(_, name)| name)
}

/// Slips that are likely in a text of this length: what differs more is another name.
pub(crate) fn likely(text: &str) -> usize {
    (text.chars().count() / 3).clamp(1, 3)
}

fn letters(name: &str) -> Vec<char> {
    name.chars().flat_map(char::to_lowercase).collect()
}

/// How many letters must be put in, taken out, replaced or swapped with the next one.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, letter) in left.iter().enumerate() {
        let mut this = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let replaced = last[column] + usize::from(letter != other);
            let mut best = replaced.min(last[column + 1] + 1).min(this[column] + 1);
            let is_swap = row > 0 && column > 0 && left[row - 1] == *other && right[column - 1] == *letter;
            if is_swap {
                best = best.min(before_last[column - 1] + 1);
            }
            this.push(best);
        }
        before_last = std::mem::replace(&mut last, this);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_near() {
        let check = |wanted: &str, names: &[&str], want: Option<&str>| {
            assert_eq!(nearest(wanted, likely(wanted), names.iter().copied()), want, "{wanted}");
        };
        check("prdo", &["test", "prod"], Some("prod"));
        check("wbe01", &["web01", "web02"], Some("web01"));
        check("PROD", &["prod"], None);
        check("web01", &["db", "mail"], None);
        check("web03", &["web01", "web02"], Some("web01"));
        check(&"x".repeat(100), &["x"], None);
        check("x", &[], None);
        assert_eq!(nearest("web001", 1, ["web01"]), Some("web01"));
        assert_eq!(nearest("web001", 1, ["web1"]), None);
    }
}
