//! The text format of Prometheus, version 0.0.4.

/// The value of a label as it stands between the quotes: three characters are escaped, others must not be.
#[must_use]
pub fn label_value(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_the_value_is_escaped() {
        assert_eq!(label_value("a \"b\\c\"\n\t"), "a \\\"b\\\\c\\\"\\n\t");
    }
}
