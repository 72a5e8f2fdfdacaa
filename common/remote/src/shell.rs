//! Words as sh(1) takes them.

/// `word` as one word that means nothing else, whatever it holds.
#[must_use]
pub fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A command of these words.
#[must_use]
pub fn line(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_quoted() {
        let words = ["printf", "%s", "a b", "it's", ""].map(str::to_owned);
        assert_eq!(line(&words), r"'printf' '%s' 'a b' 'it'\''s' ''");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(50))]
        #[test]
        fn a_shell_gives_back_the_word(word in "[ -~\n\t]{0,40}") {
            let script = format!("printf %s {}", quoted(&word));
            let said = Command::new("sh").arg("-c").arg(script).output().unwrap().stdout;
            prop_assert_eq!(String::from_utf8(said).unwrap(), word);
        }
    }
}
