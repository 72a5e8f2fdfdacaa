use proptest::prelude::*;

use super::*;

/// `text` compares so with `with`, by every way there is.
fn check(text: &str, with: &str, want: Ordering) {
    let compare = |left: &str, right: &str| Number::parse(right.as_bytes()).unwrap().compare(left.as_bytes());
    assert_eq!(compare(text, with), Some(want), "{text} {with}");
    assert_eq!(compare(with, text), Some(want.reverse()), "{with} {text}");
    assert_eq!(compare_texts(text.as_bytes(), with.as_bytes()), Some(want), "{text} {with}");
    assert_eq!(compare_texts(with.as_bytes(), text.as_bytes()), Some(want.reverse()), "{with} {text}");
    let exact = |text| Exact::of(str::as_bytes(text).trim_ascii()).unwrap();
    assert_eq!(exact(text).compare(&exact(with)), want, "{text} {with}");
}

#[test]
fn what_is_written_otherwise_is_the_same_number() {
    for same in
        ["30", "+30", "030", " 30 ", "30.", "30.0", "3e1", "3E+1", "300e-1", ".3e2", "0.30e02", "\t30\t"]
    {
        check(same, "30", Ordering::Equal);
        check(same, "30.0", Ordering::Equal);
        check(same, "29.99", Ordering::Greater);
        check(same, "30.000000000000000000001", Ordering::Less);
    }
    for zero in ["0", "-0", "+0", "0.0", "000", "-.0", "0e99999999999999999999999999999999999999", "0e-5"] {
        check(zero, "0", Ordering::Equal);
        check(zero, "-0.00", Ordering::Equal);
        check(zero, "1e-400", Ordering::Less);
    }
}

#[test]
fn no_digit_is_lost() {
    check("9007199254740993", "9007199254740992", Ordering::Greater);
    check("18446744073709551615", "18446744073709551614", Ordering::Greater);
    check("9223372036854775807", "9223372036854775808", Ordering::Less);
    check("-9223372036854775808", "-9223372036854775807", Ordering::Less);
    check("-9223372036854775808", "-9223372036854775809", Ordering::Greater);
    check("9999999999999999999", "1e19", Ordering::Less);
    check("99999999", "100000000", Ordering::Less);
    check("-5", "-4.5", Ordering::Less);
    check("-4", "-4.5", Ordering::Greater);
    check("0.1", "0.1000000000000000055511151231257827", Ordering::Less);
    check("123456789012345.67", "123456789012345.66", Ordering::Greater);
    check("12345.67", "12345.670", Ordering::Equal);
    check("1e400", "1e399", Ordering::Greater);
    check("-1e400", "5", Ordering::Less);
    check("1e-400", "0.000001", Ordering::Less);
}

#[test]
fn exponents_of_any_length_are_read() {
    let nines = "9".repeat(60);
    check(&format!("1e{nines}"), &format!("10e{}8", &nines[1..]), Ordering::Equal);
    check(&format!("1e{nines}"), &format!("0.1e1{}", "0".repeat(60)), Ordering::Equal);
    check(&format!("1e{nines}"), &format!("1e{}8", &nines[1..]), Ordering::Greater);
    check(&format!("-1e{nines}"), "-1e5", Ordering::Less);
    check(&format!("1e-{nines}"), "1e-5", Ordering::Less);
    check(&format!("1e-{nines}"), &format!("1e-1{}", "0".repeat(60)), Ordering::Greater);
    check(&format!("1e000{}1", "0".repeat(60)), "10", Ordering::Equal);
    check(&format!("1e{}", "9".repeat(30)), &format!("0.1e1{}", "0".repeat(30)), Ordering::Equal);
    check(&format!("1e-{}", "9".repeat(30)), &format!("10e-1{}", "0".repeat(30)), Ordering::Equal);
}

#[test]
fn other_texts_are_no_numbers() {
    let texts =
        "|.|+|-|e5|1e|1e+|1_000|0x30|1,000|NaN|inf|--1|+-1|1.2.3|1 2|1e5.0|..|.e1|12345678x|x|1e1e1|½|1\0";
    for text in texts.split('|').chain(["12345678901234567x", "1234567.8901234x"]) {
        let number = Number::parse(b"5.5").unwrap();
        assert_eq!(number.compare(text.as_bytes()), None, "{text}");
        assert_eq!(Number::parse(text.as_bytes()), None, "{text}");
        assert_eq!(compare_texts(text.as_bytes(), b"1"), None, "{text}");
        assert!(!is_number(text.as_bytes()), "{text}");
    }
}

#[test]
fn a_word_is_read_up_to_its_length() {
    let word = u64::from_le_bytes(*b"1234567x");
    assert_eq!((1..=8).map(|len| small(word, len)).collect::<Vec<_>>(), {
        let read = [1, 12, 123, 1_234, 12_345, 123_456, 1_234_567].map(Some);
        [&read[..], &[None]].concat()
    });
    assert_eq!((small(word, 0), small(word, 9)), (None, None));
    for byte in 0..=255_u8 {
        let want = byte.is_ascii_digit().then(|| u64::from(byte.wrapping_sub(b'0')));
        assert_eq!(small(u64::from(byte) | 0xff00, 1), want);
        let word = u64::from_le_bytes([b'9', byte, b'9', b'9', b'9', b'9', b'9', b'0']);
        assert_eq!(small(word, 8).is_some(), byte.is_ascii_digit());
    }
}

/// The same by another way: an integer of some size in units of 10^-24.
fn units(text: &str) -> Option<i128> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().ok()?;
    let unsigned = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all: i128 = format!("{whole}{fraction}").parse().ok()?;
    let power = 24 + exponent - i32::try_from(fraction.len()).ok()?;
    let amount = all * 10_i128.pow(u32::try_from(power).ok()?);
    Some(if mantissa.starts_with('-') { -amount } else { amount })
}

/// Numbers that are often near each other, each at most 12 digits and 12 places.
fn texts() -> impl Strategy<Value = String> {
    let digits = prop_oneof!["[0-9]{1,6}", "[019]{1,8}", "[09]{1,9}"];
    (("[+-]?", digits), ("(\\.[09]{0,6})?|\\.[0-9]{1,6}", "(e[+-]?[0-4])?"))
        .prop_map(|((a, b), (c, d))| a + &b + &c + &d)
}

proptest! {
    #[test]
    fn compares_as_integers_do(left in texts(), right in texts()) {
        let want = units(&left).unwrap().cmp(&units(&right).unwrap());
        check(&left, &right, want);
    }

    #[test]
    fn is_an_order(mut all in proptest::collection::vec("[+-]?[0-9]{1,30}(\\.[0-9]{0,30})?(e-?[0-9]{1,33})?", 3)) {
        all.sort_by(|a, b| compare_texts(a.as_bytes(), b.as_bytes()).unwrap());
        for (low, high) in [(0, 1), (1, 2), (0, 2)] {
            let (low, high) = (&all[low], &all[high]);
            let found = compare_texts(low.as_bytes(), high.as_bytes()).unwrap();
            prop_assert!(found.is_le(), "{low} {high}");
            check(low, high, found);
        }
    }

    #[test]
    fn any_text_is_read(text: Vec<u8>) {
        let number = Number::parse(&text);
        prop_assert_eq!(number.is_some(), Number::parse(b"7").unwrap().compare(&text).is_some());
        prop_assert_eq!(number.is_some(), is_number(&text));
    }

    #[test]
    fn every_form_of_a_number_is_one(text in "[+-]?[0-9]{0,20}\\.?[0-9]{0,20}(e[+-]?[0-9]{0,3})?") {
        let want = text.parse::<f64>().is_ok();
        prop_assert_eq!(is_number(text.as_bytes()), want, "{}", &text);
        prop_assert_eq!(Number::parse(b"7.5").unwrap().compare(text.as_bytes()).is_some(), want, "{}", &text);
    }
}
