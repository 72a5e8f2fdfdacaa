//! Sentences that a line of ten megabytes does not make as long.

/// Bytes of a sentence that nobody need shorten.
const LONG: usize = 400;

/// Letters that stay of what is shortened, at its beginning and at its end.
const KEPT: (usize, usize) = (80, 20);

/// Parts between backticks: a sentence of ours has fewer, and one that quotes them is shortened as a whole.
const MOST: usize = 20;

/// `what`; when it is long, only a beginning and an end stay of each text that it quotes in backticks.
pub(crate) fn short(what: String) -> String {
    if what.len() <= LONG {
        return what;
    }
    if what.split('`').count() > MOST {
        return clipped(&what);
    }
    what.split('`').map(clipped).collect::<Vec<_>>().join("`")
}

fn clipped(part: &str) -> String {
    let start = part.char_indices().nth(KEPT.0).map(|(at, _)| at);
    let end = part.char_indices().nth_back(KEPT.1 - 1).map(|(at, _)| at);
    match start.zip(end) {
        Some((start, end)) if start < end => format!("{}…{}", &part[..start], &part[end..]),
        _ => part.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_shortened() {
        let check = |what: String, want: String| assert_eq!(short(what), want);
        check("the name `a b` holds a space".into(), "the name `a b` holds a space".into());
        let quoted = |text: &str| format!("the name `{text}` holds a space; it is left out");
        let (left, right) = ("é".repeat(80), "z".repeat(20));
        check(
            quoted(&format!("{left}{}{right}", "x".repeat(10_000_000))),
            quoted(&format!("{left}…{right}")),
        );
        check(quoted(&"x".repeat(300)), quoted(&"x".repeat(300)));
        assert!(short(quoted(&"`".repeat(10_000))).len() < 200);
    }
}
