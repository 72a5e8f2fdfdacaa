//! Names as ranges: `web01`, `web02` and `web03` are `web[01-03]`.

use std::collections::{BTreeMap, BTreeSet};

/// Numbers with more digits are text: nobody counts hosts so.
const DIGITS: usize = 18;

/// Numbers of a name that may become ranges, the last ones; those before them are text.
const MOST: usize = 4;

/// A number and its width; without zeros before it the width is 0.
type Number = (usize, u64);

/// Names that differ in their numbers: the texts around the numbers, one more than those.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Folded {
    texts: Vec<String>,
    numbers: Vec<BTreeSet<Number>>,
}

/// The ranges that stand for `names`, each name once, in the order of their first names.
pub(crate) fn folded<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let split: Vec<(Vec<&str>, Vec<&str>)> = names.filter(|name| seen.insert(*name)).map(split).collect();
    let widths = widths(&split);
    let mut all: Vec<Folded> = split
        .into_iter()
        .map(|(texts, digits)| {
            let numbers = digits.iter().enumerate().map(|(at, digits)| {
                let is_padded =
                    widths.get(&(texts.clone(), at)).is_some_and(|all| all.contains(&digits.len()));
                BTreeSet::from([(
                    if is_padded { digits.len() } else { 0 },
                    digits.parse().unwrap_or_default(),
                )])
            });
            let numbers = numbers.collect();
            Folded { texts: texts.into_iter().map(str::to_owned).collect(), numbers }
        })
        .collect();
    // The number that differs most often is the last one.
    for from_end in 1..=MOST {
        all = merged(all, from_end);
    }
    all.iter().map(Folded::text).collect()
}

/// The texts and the numbers of a name. Brackets and commas have a meaning in ranges: such a name is text.
fn split(name: &str) -> (Vec<&str>, Vec<&str>) {
    let mut numbers: Vec<(usize, usize)> = Vec::new();
    if !name.contains(['[', ']', ',']) {
        for (at, byte) in name.bytes().enumerate() {
            match numbers.last_mut() {
                Some((_, end)) if byte.is_ascii_digit() && *end == at => *end += 1,
                _ if byte.is_ascii_digit() => numbers.push((at, at + 1)),
                _ => {}
            }
        }
    }
    numbers.retain(|(start, end)| end - start <= DIGITS);
    let numbers = &numbers[numbers.len().saturating_sub(MOST)..];
    let starts = std::iter::once(0).chain(numbers.iter().map(|(_, end)| *end));
    let ends = numbers.iter().map(|(start, _)| *start).chain([name.len()]);
    let texts = starts.zip(ends).map(|(start, end)| &name[start..end]).collect();
    (texts, numbers.iter().map(|(start, end)| &name[*start..*end]).collect())
}

/// The widths that have zeros before a number, by the texts and the place: `10` beside `09` is padded too.
fn widths<'n>(split: &[(Vec<&'n str>, Vec<&'n str>)]) -> BTreeMap<(Vec<&'n str>, usize), BTreeSet<usize>> {
    let mut widths: BTreeMap<_, BTreeSet<usize>> = BTreeMap::new();
    for (texts, digits) in split {
        for (at, digits) in digits.iter().enumerate() {
            if digits.len() > 1 && digits.starts_with('0') {
                widths.entry((texts.clone(), at)).or_default().insert(digits.len());
            }
        }
    }
    widths
}

/// Puts together what differs in one number only, counted from the end.
fn merged(all: Vec<Folded>, from_end: usize) -> Vec<Folded> {
    let mut places: BTreeMap<Folded, usize> = BTreeMap::new();
    let mut merged: Vec<Folded> = Vec::new();
    for mut one in all {
        let Some(at) = one.numbers.len().checked_sub(from_end) else {
            merged.push(one);
            continue;
        };
        let numbers = std::mem::take(&mut one.numbers[at]);
        let place = *places.entry(one.clone()).or_insert(merged.len());
        if let Some(there) = merged.get_mut(place) {
            there.numbers[at].extend(numbers);
        } else {
            one.numbers[at] = numbers;
            merged.push(one);
        }
    }
    merged
}

impl Folded {
    fn text(&self) -> String {
        let mut texts = self.texts.iter();
        let mut text = texts.next().cloned().unwrap_or_default();
        for (numbers, behind) in self.numbers.iter().zip(texts) {
            text += &ranges(numbers);
            text += behind;
        }
        text
    }
}

/// `07`, or `[1-3,07]`.
fn ranges(numbers: &BTreeSet<Number>) -> String {
    let mut runs: Vec<(usize, u64, u64)> = Vec::new();
    for (width, number) in numbers {
        match runs.last_mut() {
            Some((same, _, last)) if same == width && *last + 1 == *number => *last = *number,
            _ => runs.push((*width, *number, *number)),
        }
    }
    let run = |(width, first, last): &(usize, u64, u64)| {
        let first_text = format!("{first:0width$}");
        if first == last { first_text } else { format!("{first_text}-{last:0width$}") }
    };
    let all: Vec<String> = runs.iter().map(run).collect();
    if numbers.len() == 1 { all.concat() } else { format!("[{}]", all.join(",")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_differ_in_a_number_are_a_range() {
        let check = |names: &str, want: &str| assert_eq!(folded(names.split(' ')).join(" "), want, "{names}");
        check("web01 web02 web03", "web[01-03]");
        check("web08 web09 web10", "web[08-10]");
        check("web8 web9 web10", "web[8-10]");
        check("web1 web01 web2", "web[1-2,01]");
        check("web3 web1 db1 web1", "web[1,3] db1");
        check("a1.dc1 a2.dc1 a1.dc2 a2.dc2", "a[1-2].dc[1-2]");
        check("a1.dc1 a2.dc1 a1.dc2", "a1.dc[1-2] a2.dc1");
        check("10.0.0.1 10.0.0.2", "10.0.0.[1-2]");
        check("mail", "mail");
        check("a[1 a[2", "a[1 a[2");
        check("x00000000000000000000001", "x00000000000000000000001");
        check("1 2", "[1-2]");
    }

    proptest! {
        #[test]
        fn the_ranges_are_the_names(names in proptest::collection::vec("[ab]([0-2]{0,2}|10|9)[.-]?[01]{0,2}", 1..30)) {
            let back: BTreeSet<String> = folded(names.iter().map(String::as_str))
                .iter()
                .flat_map(|range| hosts::ranges::expand(range).unwrap())
                .collect();
            prop_assert_eq!(back, names.into_iter().collect::<BTreeSet<_>>());
        }
    }
}
