//! Which known name a mistyped one is near to: `did you mean ...?`
//!
//! A slip of the finger is a letter too many or too few, another letter, or two that are swapped.
//! Upper and lower case count as one letter, and white space around a name counts for nothing.

/// At most so many names are offered.
const OFFERED: usize = 3;

/// Longer names are not compared: the work grows with the square, and nobody types them.
const LONGEST: usize = 64;

/// The names that are a few slips from `wanted`, nearest first and each once, at most three; of
/// equally near ones the first come first. What is no more alike than chance is left out.
pub fn nearest<'n>(wanted: &str, names: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let mut near = within(wanted, slips(wanted), names);
    near.truncate(OFFERED);
    near
}

/// The name that is the fewest slips from `wanted`, the first of several, when it is `most` at most.
pub fn best<'n>(wanted: &str, most: usize, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    within(wanted, most, names).first().copied()
}

/// Slips that are likely in a text of this length, at least 1: what differs more is another name.
#[must_use]
pub fn slips(text: &str) -> usize {
    (letters(text).len() / 3).max(1)
}

/// `` ; did you mean `a`, `b` or `c`? ``, or nothing when no name is near to `wanted`.
pub fn did_you_mean<'n>(wanted: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    let near: Vec<String> = nearest(wanted, names).into_iter().map(|name| format!("`{name}`")).collect();
    if near.is_empty() { String::new() } else { format!("; did you mean {}?", either(&near)) }
}

/// The names as one reads them out: `a, b or c`.
#[must_use]
pub fn either(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// The names that are at most `most` slips from `wanted`, nearest first and each once.
fn within<'n>(wanted: &str, most: usize, names: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let wanted = letters(wanted);
    let mut near: Vec<(usize, &str)> = Vec::new();
    if wanted.len() > LONGEST {
        return Vec::new();
    }
    for name in names {
        let trimmed = name.trim();
        // Nothing is near to everything that is short; and each slip changes the length by one at most,
        // where a letter has four bytes at most.
        let is_empty = trimmed.is_empty() && !wanted.is_empty();
        if is_empty || trimmed.len() > 4 * (wanted.len() + most) {
            continue;
        }
        let letters = letters(trimmed);
        if letters.len().abs_diff(wanted.len()) > most {
            continue;
        }
        let slips = distance(&wanted, &letters);
        if slips <= most && !near.contains(&(slips, name)) {
            near.push((slips, name));
            near.sort_by_key(|(slips, _)| *slips);
            near.truncate(OFFERED);
        }
    }
    near.into_iter().map(|(_, name)| name).collect()
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
        check("abcd", &["abxx", "abcx", "abcy", "abcz", "abcd"], &["abcd", "abcx", "abcy"]);
        check("ab", &["ab", "ab"], &["ab"]);
        check("a", &["", " ", "b"], &["b"]);
        check("", &["", "b"], &["", "b"]);
        check(&"x".repeat(100), &[&"x".repeat(100)], &[]);
        check("x", &[&"x".repeat(100)], &[]);
    }

    #[test]
    fn the_best_has_the_fewest_slips() {
        let check = |wanted: &str, most: usize, names: &[&str], want: Option<&str>| {
            assert_eq!(best(wanted, most, names.iter().copied()), want, "{wanted}");
        };
        check("prdo", 1, &["test", "prod"], Some("prod"));
        check("web03", 1, &["web01", "web02"], Some("web01"));
        check("web001", 1, &["web01"], Some("web01"));
        check("web001", 1, &["web1"], None);
        check("PROD", 1, &["prod"], Some("prod"));
        check("x", 1, &[], None);
    }

    #[test]
    fn a_sentence_reads_them_out() {
        let check = |wanted: &str, names: &[&str], want: &str| {
            assert_eq!(did_you_mean(wanted, names.iter().copied()), want, "{wanted}");
        };
        check("cpu_precent", &["cpu_percent", "mem_percent"], "; did you mean `cpu_percent`?");
        check("load2", &["load1", "load5", "cores"], "; did you mean `load1` or `load5`?");
        check("load2", &["load1", "load3", "load5"], "; did you mean `load1`, `load3` or `load5`?");
        check("elephants", &["load1"], "");
    }
}
