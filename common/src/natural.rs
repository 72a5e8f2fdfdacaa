//! Names in the order in which people count.

use std::cmp::Ordering;

/// Compares names so that `web2` comes before `web10`.
#[must_use]
pub fn natural(left: &str, right: &str) -> Ordering {
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_in_names_count() {
        let mut names = ["c10", "c2", "c", "c02", "b@h3", "b@h12", "c2a"];
        names.sort_by(|left, right| natural(left, right));
        assert_eq!(names, ["b@h3", "b@h12", "c", "c02", "c2", "c2a", "c10"]);
    }

    #[test]
    fn names_are_in_the_order_in_which_people_count() {
        let mut names = ["web10", "web2", "db1", "web02b", "web", "web2a"];
        names.sort_by(|left, right| natural(left, right));
        assert_eq!(names, ["db1", "web", "web2", "web2a", "web02b", "web10"]);
    }

    proptest! {
        #[test]
        fn the_order_of_names_is_one(a in "[a-b0-2]{0,6}", b in "[a-b0-2]{0,6}", c in "[a-b0-2]{0,6}") {
            prop_assert_eq!(natural(&a, &b), natural(&b, &a).reverse());
            prop_assert_eq!(natural(&a, &b).is_eq(), a == b);
            if natural(&a, &b).is_le() && natural(&b, &c).is_le() {
                prop_assert!(natural(&a, &c).is_le());
            }
        }
    }
}
