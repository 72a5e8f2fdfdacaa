//! The order in which people count.

use std::cmp::Ordering;

/// Names in that order: `web2` before `web10`.
pub(super) fn natural(left: &str, right: &str) -> Ordering {
    let (mut left_rest, mut right_rest) = (left, right);
    while !left_rest.is_empty() && !right_rest.is_empty() {
        let (one, other) = (run(&mut left_rest), run(&mut right_rest));
        let order = if is_number(one) && is_number(other) {
            let (one, other) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
            one.len().cmp(&other.len()).then_with(|| one.cmp(other))
        } else {
            one.cmp(other)
        };
        if order.is_ne() {
            return order;
        }
    }
    left_rest.len().cmp(&right_rest.len()).then_with(|| left.cmp(right))
}

fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// Takes the digits, or what is none, from the beginning.
fn run<'t>(rest: &mut &'t str) -> &'t str {
    let digits = is_number(rest);
    let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
    let (run, behind) = rest.split_at(end);
    *rest = behind;
    run
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count() {
        let mut names = ["c10", "c2", "c", "c02", "b@h3", "b@h12", "c2a"];
        names.sort_by(|left, right| natural(left, right));
        assert_eq!(names, ["b@h3", "b@h12", "c", "c02", "c2", "c2a", "c10"]);
    }
}
