//! The grammar, beside that of `serde_json`, and across the borders of what is in memory.

use proptest::prelude::*;
use serde::de::IgnoredAny;

use super::*;
use crate::find::find;
use crate::path::Path;
use crate::plain::plain;

/// How much of a text is in memory at a time.
const WINDOW: usize = 1 << 16;

/// The offset of what is wrong, the reason, and what is there.
type Wrong = (u64, String, Found);

fn scan(text: &[u8], syntax: Syntax) -> Result<(), Wrong> {
    match find(&Text::new(text.to_vec()), syntax, &Path::of(&[])) {
        Ok(_) => Ok(()),
        Err(Fault::Syntax { offset, what, found }) => Err((offset, what, found)),
        Err(Fault::Empty) => Err((text.len() as u64, "empty".into(), Found::Said)),
        Err(Fault::Read(error)) => panic!("{error}"),
    }
}

/// With blanks before it, so that the border comes `before` bytes behind the first one.
fn scan_across(text: &[u8], before: usize, syntax: Syntax) -> Result<(), Wrong> {
    let blanks = WINDOW - before;
    let result = scan(&[&vec![b' '; blanks], text].concat(), syntax);
    result.map_err(|(offset, what, found)| (offset - blanks as u64, what, found))
}

/// As `serde_json` and Rust's UTF-8 have it.
fn is_json(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok() && serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

/// Scans `text` by itself and with the border in every place of it.
#[track_caller]
fn check(text: &[u8], syntax: Syntax, is_valid: bool) {
    let whole = scan(text, syntax);
    assert_eq!(whole.is_ok(), is_valid, "{}: {whole:?}", text.escape_ascii());
    // What tells an encoding does so in front only.
    let has_mark = [&b"\xef\xbb"[..], b"\xff\xfe", b"\xfe\xff"].iter().any(|mark| text.starts_with(mark));
    for before in 1..if has_mark { 1 } else { text.len().min(80) } {
        assert_eq!(scan_across(text, before, syntax), whole, "{} at {before}", text.escape_ascii());
    }
}

#[track_caller]
fn check_strict(text: &[u8], is_valid: bool) {
    assert_eq!(is_json(text), is_valid, "{}", text.escape_ascii());
    check(text, Syntax::Strict, is_valid);
}

#[test]
fn what_is_json_is_accepted() {
    for text in [
        r"[]",
        r"{}",
        " [\n\t\r] ",
        r#""""#,
        r"0",
        r"-0",
        r"-0.0e-0",
        r"1E+2",
        r"123.456e78",
        r"1e400",
        r"9007199254740993",
        r"-123456789012345678901234567890.12345678901234567890",
        r"true",
        r"false",
        r"null ",
        r#"{"":0}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"a":{"b":[[],{},[{}]]}}"#,
        r#"["\u0000","\uD800"]"#,
        r#""\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00""#,
        r#""\udc00\ud800\uFFFF""#,
        "\"\u{7f}\u{80}\u{7ff}\u{800}\"",
        "\"\u{ffff}\u{10000}\u{10ffff}\u{2028}é😀\"",
        "\"é\",".trim_end_matches(','),
        r#"[1,"a",true,null,-1.5e3]"#,
        "{ \"a\" : [ 1 , 2 ] , \"b\" : { \"c\" : \"d\" } }",
        "[\"0123456789abcdef\",\"01234567é9abcdef\"]",
        "{\"long key of many bytes\":      \"and its value\",            \"x\":            0}",
    ] {
        check_strict(text.as_bytes(), true);
        check(text.as_bytes(), Syntax::Comments, true);
    }
}

#[test]
fn what_is_none_is_refused() {
    let texts = [
        r#"[ ¦ { ¦ ] ¦ } ¦ [} ¦ {] ¦ [[] ¦ []] ¦ {}} ¦ [1} ¦ {"a":1] ¦ [, ¦ [,1] ¦ [1,,2] ¦ [1 2] ¦ [1 true]"#,
        r#"[1:2] ¦ ["a""b"] ¦ [1, ¦ {"a" ¦ {"a": ¦ {"a":} ¦ {"a":1 ¦ {"a":1, ¦ {"a" 1} ¦ {"a",1} ¦ {:1} ¦ {1:1}"#,
        r#"{a:1} ¦ {null:1} ¦ {'a':1} ¦ {"a":1 "b":2} ¦ {"a":1,,"b":2} ¦ {,"a":1} ¦ {"a"::1} ¦ {"a":"b":1}"#,
        r#"{[1]:1} ¦ {"a":1}x ¦ 1 2 ¦ []a ¦ [] [] ¦ {"a":1}# ¦ {} // ¦ [1], ¦ : ¦ , ¦ * ¦ - ¦ --1 ¦ -01 ¦ 01"#,
        r"00 ¦ 0012 ¦ -012 ¦ 1. ¦ -1. ¦ .5 ¦ -.5 ¦ 1.e1 ¦ 1.+1 ¦ +1 ¦ ++1 ¦ 0x1 ¦ 0X1F ¦ 1_000 ¦ 1 000 ¦ 1e",
        r"1E ¦ 1e+ ¦ 1e- ¦ 1e1.5 ¦ 1e1e1 ¦ 0e ¦ 0.3e ¦ 0.3e+ ¦ 1eE2 ¦ 1.2.3 ¦ 1+2 ¦ 0.1.2 ¦ -Infinity",
        r"Infinity ¦ NaN ¦ -NaN ¦ inf ¦ -x ¦ 1a ¦ 1ea ¦ 2.e3 ¦ [- ¦ [1 ¦ [1. ¦ [1e ¦ [-] ¦ [0 ¦ [01] ¦ [1.]",
        r"[.1] ¦ t ¦ tru ¦ truE ¦ True ¦ TRUE ¦ truetrue ¦ true1 ¦ fals ¦ nul ¦ nulL ¦ nan ¦ n ¦ [nul] ¦ [tru]",
        r#"[fals] ¦ [nullx] ¦ " ¦ "a ¦ "\ ¦ "\" ¦ "\u ¦ "\u00 ¦ "\u00" ¦ "\a" ¦ "\'" ¦ "\\\" ¦ "\u00g0""#,
        r#""\U0041" ¦ "\u{41}" ¦ "\u-001" ¦ "\ud83d\u" ¦ 'a' ¦ a ¦ `a` ¦ <a> ¦ [<null>] ¦ [1]] ¦ <.> ¦ ["x""#,
        r#"["x ¦ (1) ¦ {"a":/*x*/1} ¦ /* x */ 1 ¦ 1 // x ¦ [1,] ¦ {"a":1,} ¦ / ¦ & ¦ $1 ¦ undefined ¦ \u000A"""#,
        r#"[\u000A""] ¦ "\uD800\ ¦ {"a":"a" 123} ¦ ["\u00A"] ¦ {"x":tru}"#,
    ];
    for text in texts.iter().flat_map(|line| line.split(" ¦ ")) {
        check_strict(text.as_bytes(), false);
    }
    let odd: &[&[u8]] = &[
        b" |[\"a\",\n4\n,|\xef\xbc\x91|\"\\x00\"|\"\\\n\"|\"\\\xc3\xa9\"|\"\0\"|\"\x01\"",
        b"\"\x1f\"|\"a\nb\"|\"a\tb\"|\"01234567\x0f\"|\"\r\"|\0|[]\0|[\0]|1\0|[1\x0b]",
        b"[\x0c]|\x0b1|[\xc2\xa0]|\xe2\x81\xa0[]|\"\x80\"|\"\xbf\"|\"\xc0\xaf\"|\"\xc1\xbf\"",
        b"\"\xc3\"|\"\xc3\x28\"|\"\xe0\x80\xaf\"|\"\xe0\x9f\xbf\"|\"\xe2\x82\"|\"\xe2\x28\xa1\"",
        b"\"\xed\xa0\x80\"|\"\xed\xbf\xbf\"|\"\xf0\x80\x80\xaf\"|\"\xf0\x8f\xbf\xbf\"|\"\xf0\x9f\x98\"",
        b"\"\xf4\x90\x80\x80\"|\"\xf5\x80\x80\x80\"|\"\xf8\x88\x80\x80\x80\"|\"\xfe\"|\"\xff\"",
        b"\"\xff\xff\"|\xff|[\xff]|{\"\xff\":0}|[\"a\xe5\"]|\"0123456\xe2\x82\xac\xe2\"|// x\n1",
        b"[1,\n]|# x\n1|\xff\xfe[\0]\0|\xfe\xff\0[\0]|[\0]\0|\0[\0]|\xef\xbb|\xef\xbb[]",
        b"[\xef\xbb\xbf]",
    ];
    for text in odd.iter().flat_map(|line| line.split(|byte| *byte == b'|')) {
        check_strict(text, false);
    }
}

#[test]
fn comments_and_last_commas_are_allowed_where_asked_for() {
    for text in [
        "// x\n[]",
        "[] // x",
        "[] /* x */",
        "/**/[]",
        "/***/[/* * / // */]",
        "[1, // x\r\n2,]",
        "[1,/* x */]",
        "{/* a */\"a\"/* b */:/* c */1/* d */,/* e */}",
        "{\"a\":1,\n// x\n}",
        "{ // x\n}",
        "[\n// ]\n]",
        "[\"//\", \"/*\"]",
        "[// \u{e9}\n]",
        "[1/**/,//\n2/**/]",
        "//\n1",
        "1//",
    ] {
        check(text.as_bytes(), Syntax::Comments, true);
        assert!(is_json(&plain(text.as_bytes())), "{text}");
        assert_eq!(scan(text.as_bytes(), Syntax::Strict).is_ok(), is_json(text.as_bytes()), "{text}");
    }
    for text in [
        "[,]",
        "{,}",
        "[1,,]",
        "[1,/**/,]",
        "/* x",
        "/*/[]",
        "/",
        "[]/",
        "[] / x",
        "1 /* *",
        "[1 // ]",
        "# x\n1",
        ",",
        "1,",
        "[] ,",
        "{\"a\",}",
        "{\"a\":,}",
        "{\"a\":/**/}",
        "/**/",
        "//",
        "[/]",
        "[1/]",
        "{\"a\"/:1}",
        "<!-- -->1",
    ] {
        check(text.as_bytes(), Syntax::Comments, false);
    }
    check(b"// \xff\n1 /* \xff */", Syntax::Comments, true);
}

#[test]
fn a_byte_order_mark_may_be_in_front_only() {
    check(b"\xef\xbb\xbf[]", Syntax::Strict, true);
    check(b"\xef\xbb\xbf", Syntax::Strict, false);
    check(b"\xef\xbb\xbf\xef\xbb\xbf[]", Syntax::Strict, false);
    check(b" \xef\xbb\xbf[]", Syntax::Strict, false);
}

#[test]
fn the_place_of_a_fault_is_that_of_its_cause() {
    let check = |text: &str, offset: u64, what: &str, found: Found| {
        assert_eq!(scan(text.as_bytes(), Syntax::Strict), Err((offset, what.to_owned(), found)), "{text}");
    };
    check("[1, 2,]", 5, "nothing follows this comma", Found::LastComma);
    check("{\"a\": 01}", 7, "`,` or `}` is expected", Found::Byte(b'1'));
    let what = "there is no such escape; a backslash is written as \\\\";
    check("{\"a\": \"\\q\"}", 7, what, Found::Said);
    check("[\"abcdefgh", 1, "this string does not end", Found::Said);
    check("[1] x", 4, "the end of the text is expected", Found::Byte(b'x'));
    check("{\"a\" 1}", 5, "`:` is expected", Found::Byte(b'1'));
    check("{a: 1}", 1, "a key in double quotes is expected", Found::Byte(b'a'));
    check("[1, nul]", 7, "`null` is expected", Found::Byte(b']'));
    check("[1 // x", 3, "`,` or `]` is expected", Found::Comment);
}

#[test]
fn no_depth_is_too_deep() {
    let depth = 100_000;
    let text = ["[".repeat(depth), "]".repeat(depth)].concat();
    assert_eq!(scan(text.as_bytes(), Syntax::Strict), Ok(()));
    let fault = scan("[".repeat(depth).as_bytes(), Syntax::Strict).unwrap_err();
    assert_eq!(fault, (depth as u64, "a value is expected, the text ends here".to_owned(), Found::Said));
    let text = ["{\"a\":[".repeat(depth), "]}".repeat(depth - 1), "]]".into()].concat();
    let fault = scan(text.as_bytes(), Syntax::Strict).unwrap_err();
    assert_eq!(fault.0, text.len() as u64 - 1);
}

/// Texts that are JSON, or nearly.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        4 => proptest::sample::select(vec!["{", "}", "[", "]", ",", ":", " ", "\n", "\"a\"", "0", "-1.5e3", "true", "null"]).prop_map(|token| token.as_bytes().to_vec()),
        1 => proptest::sample::select(vec!["\"", "\\", "/", "//", "/*", "*/", "\\u", "-", ".", "e", "é", "\u{feff}", "        ", "\t", "01"]).prop_map(|token| token.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    proptest::collection::vec(token, 0..12).prop_map(|tokens| tokens.concat())
}

/// Valid texts, of which a byte may be another one.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        "-?(0|[1-9][0-9]{0,8})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?",
        "\"([ -!#-\\[\\]-~é€😀]|\\\\[\"\\\\/bfnrt]|\\\\u[0-9a-fA-F]{4}){0,20}\"",
    ];
    let value = leaf.prop_recursive(3, 24, 4, |inner| {
        let blank = "[ \n]{0,3}";
        let items =
            proptest::collection::vec((blank, inner.clone(), blank).prop_map(|(a, b, c)| a + &b + &c), 0..4);
        let members = proptest::collection::vec(
            (blank, "\"[a-c]{0,2}\"", blank, inner).prop_map(|(a, b, c, d)| a + &b + &c + ":" + &d),
            0..4,
        );
        prop_oneof![
            items.prop_map(|items| format!("[{}]", items.join(","))),
            members.prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    });
    (value, any::<Option<(prop::sample::Index, u8)>>()).prop_map(|(text, damage)| {
        let mut text = text.into_bytes();
        if let Some((place, byte)) = damage {
            let place = place.index(text.len());
            text[place] = byte;
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_grammar_is_that_of_serde_json(text in prop_oneof![texts(), damaged()], before in 0_usize..40) {
        let whole = scan(&text, Syntax::Strict);
        prop_assert_eq!(whole.is_ok(), is_json(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text)), "{:?}", whole);
        if !text.starts_with(b"\xef\xbb\xbf") && !text.starts_with(b"\xff\xfe") && !text.starts_with(b"\xfe\xff") {
            prop_assert_eq!(scan_across(&text, before.min(text.len()), Syntax::Strict), whole);
        }
    }

    #[test]
    fn without_its_comments_a_text_is_json(text in prop_oneof![texts(), damaged()]) {
        let has_comments = scan(&text, Syntax::Comments).is_ok();
        prop_assert!(has_comments || scan(&text, Syntax::Strict).is_err());
        if has_comments {
            let plain = plain(&text);
            prop_assert_eq!(plain.len(), text.len());
            prop_assert!(is_json(&plain), "{:?}", plain);
        }
    }
}
