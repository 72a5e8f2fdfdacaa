//! Which known names a mistyped one is near to.

/// At most so many names are offered.
const OFFERED: usize = 3;

/// Longer names are not compared: the work grows with the square, and nobody types them.
const LONGEST: usize = 64;

/// The names that are a few slips of the finger from `wanted`, nearest first, or else those that
/// begin so (`cpu` for `cpu_percent`); at most three.
pub(crate) fn nearest<'n>(wanted: &str, names: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let most = (wanted.len() / 3).max(1);
    if wanted.len() > LONGEST {
        return Vec::new();
    }
    let names: Vec<&str> = names.into_iter().collect();
    let mut near: Vec<(usize, &str)> = names
        .iter()
        .copied()
        .filter(|name| name.len() <= LONGEST)
        .map(|name| (distance(wanted.as_bytes(), name.as_bytes()), name))
        .filter(|(slips, _)| *slips <= most)
        .collect();
    near.sort_unstable();
    near.dedup();
    if near.is_empty() && !wanted.is_empty() {
        let is_longer = |name: &&str| name.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('_'));
        return names.into_iter().filter(is_longer).take(OFFERED).collect();
    }
    near.into_iter().take(OFFERED).map(|(_, name)| name).collect()
}

/// `; did you mean X, Y or Z?`, or nothing if no name is near.
pub(crate) fn did_you_mean<'n>(wanted: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    let near: Vec<String> = nearest(wanted, names).into_iter().map(|name| format!("`{name}`")).collect();
    match near.as_slice() {
        [] => String::new(),
        [one] => format!("; did you mean {one}?"),
        [first @ .., last] => format!("; did you mean {} or {last}?", first.join(", ")),
    }
}

/// How many letters must be put in, taken out or replaced.
fn distance(left: &[u8], right: &[u8]) -> usize {
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, letter) in left.iter().enumerate() {
        let mut corner = std::mem::replace(&mut last[0], row + 1);
        for (column, other) in right.iter().enumerate() {
            let replaced = corner + usize::from(!letter.eq_ignore_ascii_case(other));
            corner = last[column + 1];
            last[column + 1] = replaced.min(corner + 1).min(last[column] + 1);
        }
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_near() {
        let check = |wanted: &str, names: &[&str], want: &str| {
            assert_eq!(did_you_mean(wanted, names.iter().copied()), want);
        };
        check("cpu_precent", &["cpu_percent", "mem_percent"], "; did you mean `cpu_percent`?");
        check("load2", &["load1", "load5", "cores"], "; did you mean `load1` or `load5`?");
        check("elephants", &["load1"], "");
        check("cpu", &["load1", "cpu_percent", "cpus_percent"], "; did you mean `cpu_percent`?");
        check("", &["_"], "; did you mean `_`?");
        check(&"x".repeat(100), &["x"], "");
    }
}
