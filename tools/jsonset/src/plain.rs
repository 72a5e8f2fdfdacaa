//! JSON with comments as JSON, for readers that know none.

use std::borrow::Cow;

/// The same text with spaces in the place of comments, of commas behind a last item, and of a byte
/// order mark: every value keeps its offset. `json` has been scanned.
pub(crate) fn plain(json: &[u8]) -> Cow<'_, [u8]> {
    let has_mark = json.starts_with(b"\xEF\xBB\xBF");
    if !has_mark && !json.contains(&b'/') && !json.contains(&b',') {
        return Cow::Borrowed(json);
    }
    let mut text = json.to_vec();
    if has_mark {
        text[..3].fill(b' ');
    }
    let (mut at, mut comma) = (0, None);
    while let Some(byte) = text.get(at).copied() {
        let length = match byte {
            b'"' => string(&text[at..]),
            b'/' => comment(&text[at..]),
            _ => 1,
        };
        let end = (at + length).min(text.len());
        match byte {
            b'/' => text[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' '),
            b',' => comma = Some(at),
            b']' | b'}' => comma.take().into_iter().for_each(|comma| text[comma] = b' '),
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => comma = None,
        }
        at = end;
    }
    if text == json { Cow::Borrowed(json) } else { Cow::Owned(text) }
}

fn string(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

fn comment(text: &[u8]) -> usize {
    let end = |mark: &[u8]| text[2.min(text.len())..].windows(mark.len()).position(|found| found == mark);
    match text.get(1) {
        Some(b'/') => end(b"\n").map_or(text.len(), |at| at + 2),
        _ => end(b"*/").map_or(text.len(), |at| at + 4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_last_commas_become_spaces() {
        let check = |text: &str, want: &str| assert_eq!(plain(text.as_bytes()), want.as_bytes());
        check("{\"a\": 1}", "{\"a\": 1}");
        check("[1,2,]", "[1,2 ]");
        check("{\"a,]//\": [1, /* x,] */ 2, // }\n],}", "{\"a,]//\": [1,           2      \n] }");
        check("[\"\\\"//\", 1]", "[\"\\\"//\", 1]");
        check("\u{feff}[] // x", "   []     ");
        check("/* a\n*/[,", "    \n  [,");
    }

    #[test]
    fn a_text_without_them_is_not_copied() {
        assert!(matches!(plain(b"{\"a\": [1, 2]}"), Cow::Borrowed(_)));
    }
}
