//! Patterns with `*` and `?`, as ssh_config(5), sshd(8) and selections have them.

/// A pattern: `*` is any text, `?` one character, everything else itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob {
    pattern: Box<str>,
    is_wild: bool,
}

impl Glob {
    /// The pattern that is written so.
    pub(crate) fn new(pattern: &str) -> Self {
        Self { pattern: pattern.into(), is_wild: pattern.contains(['*', '?']) }
    }

    /// Whether `text` is what the pattern means, from its first letter to its last.
    pub(crate) fn matches(&self, text: &str) -> bool {
        if self.is_wild { wild(self.pattern.as_bytes(), text.as_bytes()) } else { *self.pattern == *text }
    }

    /// The one text that it means, where it means one only.
    pub(crate) fn literal(&self) -> Option<&str> {
        (!self.is_wild).then_some(&*self.pattern)
    }

    /// The pattern, as it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.pattern
    }
}

/// Whether `text` is what `pattern` means, from its first byte to its last. `?` is one character of
/// UTF-8, or a byte where it is none. Upper and lower case differ.
///
/// Only the last star is tried again: what an earlier one could take more, the last one can too. So the
/// work is at most the product of both lengths, whatever the pattern.
#[must_use]
pub fn wild(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                at += 1;
                star = Some((at, read));
            }
            Some(b'?') => {
                at += 1;
                read = after(text, read);
            }
            Some(byte) if *byte == text[read] => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((behind, taken)) = star else { return false };
                at = behind;
                read = after(text, taken);
                star = Some((behind, read));
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// Where the character ends that begins at `start`.
fn after(text: &[u8], start: usize) -> usize {
    let mut end = start + 1;
    while text.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
        end += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_pattern_means_what_it_is_written_for() {
        let check = |pattern: &str, text: &str, want: bool| {
            assert_eq!(Glob::new(pattern).matches(text), want, "{pattern} {text}");
        };
        check("web", "web", true);
        check("web", "web1", false);
        check("web*", "web", true);
        check("web?", "web", false);
        check("web?", "web1", true);
        check("*.example.com", "a.example.com", true);
        check("*.example.com", "example.com", false);
        check("*", "", true);
        check("?", "", false);
        check("", "", true);
        check("a*b*c", "aXbXbXc", true);
        check("a*b*c", "aXbXbX", false);
        check("m?nchen", "münchen", true);
        check("m??nchen", "münchen", false);
        check("*??x", "éx", false);
        check("[ab]", "a", false);
    }

    /// The meaning, word by word.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, left) => left.is_none(),
            (Some(('*', rest)), _) => (0..=text.len()).any(|skip| naive(rest, &text[skip..])),
            (Some(('?', rest)), Some((_, behind))) => naive(rest, behind),
            (Some((one, rest)), Some((other, behind))) => one == other && naive(rest, behind),
            (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn the_loop_is_the_meaning(pattern in "[ab*?é]{0,8}", text in "[abé]{0,8}") {
            let letters = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(Glob::new(&pattern).matches(&text), naive(&letters(&pattern), &letters(&text)));
        }
    }
}
