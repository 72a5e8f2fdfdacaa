//! Which known names a mistyped one is near to.

/// At most so many names are offered.
const OFFERED: usize = 3;

/// Longer names are not compared: the work grows with the square, and nobody types them.
const LONGEST: usize = 64;

/// The names that are a few slips of the finger from `wanted`, nearest first, at most three.
///
/// Upper and lower case count as one letter. What is no more alike than chance is left out.
pub(crate) fn nearest<'n>(wanted: &str, names: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let wanted = letters(wanted);
    let most = (wanted.len() / 3).max(1);
    let mut near: Vec<(usize, &str)> = Vec::new();
    for name in names {
        let too_long = name.len() > 4 * LONGEST || wanted.len() > LONGEST;
        // Nothing is near to everything that is short.
        if name.trim().is_empty() && !wanted.is_empty() {
            continue;
        }
        let slips = if too_long { usize::MAX } else { distance(&wanted, &letters(name)) };
        if slips <= most && !near.contains(&(slips, name)) {
            near.push((slips, name));
        }
    }
    near.sort_by_key(|(slips, _)| *slips);
    near.into_iter().take(OFFERED).map(|(_, name)| name).collect()
}

fn letters(name: &str) -> Vec<char> {
    name.trim().chars().flat_map(char::to_lowercase).collect()
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

/// The names in backticks, as one reads them out: `` `a`, `b` or `c` ``.
pub(crate) fn either(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wanted: &str, names: &[&str], want: &[&str]) {
        assert_eq!(nearest(wanted, names.iter().copied()), want, "{wanted}");
    }

    #[test]
    fn slips_of_the_finger_are_near() {
        check("amout", &["amount", "country", "about"], &["amount", "about"]);
        check("mount", &["amount"], &["amount"]);
        check("aomunt", &["amount"], &["amount"]);
        check("Amount", &["mount", "amount"], &["amount", "mount"]);
        check("x", &["y", "id", "ab"], &["y"]);
        check("thirty", &["age", "name"], &[]);
        check("größe", &["grösse", "große"], &["große"]);
        check("abcd", &["abce", "abcf", "abcg", "abch"], &["abce", "abcf", "abcg"]);
        check("ab", &["ab", "ab"], &["ab"]);
        check("a", &["", " ", "b"], &["b"]);
        check("", &["", "b"], &["", "b"]);
        check(&"x".repeat(100), &[&"x".repeat(100)], &[]);
    }
}
