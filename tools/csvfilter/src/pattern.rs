//! A regular expression that looks at both ends of a text before it is run.
//!
//! Starting the regex engine costs more than all else that is done for a short field. Where every
//! match begins at the first byte with one of a few texts, or ends at the last byte with one, most
//! fields are told by that alone.

use std::fmt::{self, Display, Formatter};

use regex::bytes::Regex;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::literal::{ExtractKind, Extractor};
use regex_syntax::hir::{Hir, Look};

/// So many texts are looked for one by one; more are left to the engine.
const MOST: usize = 8;

/// A regular expression for fields.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Regex,
    /// What matches with one of these at the beginning only; any text if there are none.
    beginnings: Vec<Vec<u8>>,
    /// The same for the end.
    endings: Vec<Vec<u8>>,
    /// The first eight bytes of the beginnings, as words, and which bytes of a word they have.
    first_words: Vec<(u64, u64)>,
    /// For each byte, whether an ending ends with it.
    last_bytes: Box<[bool; 256]>,
}

impl Pattern {
    /// Of a compiled regular expression, its source and its flags, of `i`, `s`, `m` and `x`.
    #[must_use]
    pub fn new(regex: Regex, source: &str, flags: &str) -> Self {
        let has = |flag: char| flags.contains(flag);
        let parsed = ParserBuilder::new()
            .case_insensitive(has('i'))
            .dot_matches_new_line(has('s'))
            .multi_line(has('m'))
            .ignore_whitespace(has('x'))
            .utf8(false)
            .build()
            .parse(source);
        let (mut beginnings, mut endings) = (Vec::new(), Vec::new());
        if let Ok(parsed) = parsed {
            if parsed.properties().look_set_prefix().contains(Look::Start) {
                beginnings = texts(&parsed, ExtractKind::Prefix);
            }
            if parsed.properties().look_set_suffix().contains(Look::End) {
                endings = texts(&parsed, ExtractKind::Suffix);
            }
        }
        let first_words = beginnings.iter().map(|text| first_word(text)).collect();
        let mut last_bytes = Box::new([endings.is_empty(); 256]);
        for byte in endings.iter().filter_map(|text| text.last()) {
            last_bytes[usize::from(*byte)] = true;
        }
        Self { regex, beginnings, endings, first_words, last_bytes }
    }

    /// Whether a text cannot match that begins with the bytes of `word`, as far as it is that long,
    /// and ends with `last`.
    #[must_use]
    #[inline]
    pub(crate) fn refuses(&self, word: u64, last: u8) -> bool {
        let begins =
            self.first_words.is_empty() || self.first_words.iter().any(|(first, mask)| word & mask == *first);
        !(begins && self.last_bytes[usize::from(last)])
    }

    /// Whether it matches somewhere.
    #[must_use]
    #[inline]
    pub fn is_match(&self, text: &[u8]) -> bool {
        let begins = self.beginnings.is_empty() || self.beginnings.iter().any(|one| text.starts_with(one));
        let ends = self.endings.is_empty() || self.endings.iter().any(|one| text.ends_with(one));
        begins && ends && self.regex.is_match(text)
    }
}

/// At most eight bytes of a text as a word, the first in its lowest place; and which these are.
pub(crate) fn first_word(text: &[u8]) -> (u64, u64) {
    let mut word = [0; 8];
    let length = text.len().min(8);
    word[..length].copy_from_slice(&text[..length]);
    let mask = u64::MAX.checked_shr(64 - 8 * u32::try_from(length).unwrap_or(8)).unwrap_or(0);
    (u64::from_le_bytes(word), mask)
}

/// Texts of which every match begins or ends with one; none if that is not known.
fn texts(parsed: &Hir, kind: ExtractKind) -> Vec<Vec<u8>> {
    let found = Extractor::new().kind(kind).extract(parsed);
    let texts = found.literals().filter(|literals| literals.len() <= MOST).unwrap_or_default();
    if texts.iter().any(regex_syntax::hir::literal::Literal::is_empty) {
        return Vec::new();
    }
    texts.iter().map(|literal| literal.as_bytes().to_vec()).collect()
}

impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.regex.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::{Node, parse};

    fn pattern(source: &str, flags: &str) -> Pattern {
        let Node::Matches(_, found) = parse(&format!("x =~ /{source}/{flags}")).unwrap().node else {
            panic!("{source}");
        };
        Pattern::new(found.regex, source, flags)
    }

    fn check(source: &str, flags: &str, (beginnings, endings): (&[&str], &[&str])) {
        let pattern = pattern(source, flags);
        let texts = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>();
        assert_eq!(pattern.beginnings, texts(beginnings), "{source}");
        assert_eq!(pattern.endings, texts(endings), "{source}");
    }

    #[test]
    fn the_ends_are_known_where_the_pattern_holds_to_them() {
        check("^San .*o$", "", (&["San "], &["o"]));
        check("^San .*o", "", (&["San "], &[]));
        check("San .*o$", "", (&[], &["o"]));
        check("^(ab|c)d?x", "", (&["abdx", "abx", "cdx", "cx"], &[]));
        check("^a|b", "", (&[], &[]));
        check("^a", "m", (&[], &[]));
        check("^.*a$", "", (&[], &["a"]));
        check("^no$", "i", (&["NO", "No", "nO", "no"], &["NO", "No", "nO", "no"]));
        check("^", "", (&[], &[]));
    }

    proptest::proptest! {
        #[test]
        fn matches_what_the_expression_matches(
            pieces in proptest::collection::vec(proptest::sample::select(vec![
                "^", "$", "a", "b", "ab", ".", ".*", "(a|b)", "[ab]", "a?", "|", "b+", "\\n", "(?m)^", "k",
            ]), 1..6),
            flags in proptest::sample::select(vec!["", "i", "m", "s", "im"]),
            text in "[abKk\u{212a}\n]{0,6}",
        ) {
            if let Ok(Node::Matches(_, found)) = parse(&format!("x =~ /{}/{flags}", pieces.concat())).map(|e| e.node) {
                let ours = Pattern::new(found.regex.clone(), &pieces.concat(), flags);
                proptest::prop_assert_eq!(ours.is_match(text.as_bytes()), found.regex.is_match(text.as_bytes()));
            }
        }
    }
}
