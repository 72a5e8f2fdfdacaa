use proptest::prelude::*;

use super::*;

fn equal(one: &[u8], other: &[u8]) -> bool {
    canonical(one) == canonical(other)
}

fn check_equal(one: &str, other: &str, want: bool) {
    assert_eq!(equal(one.as_bytes(), other.as_bytes()), want, "{one} {other}");
    assert_eq!(equal(other.as_bytes(), one.as_bytes()), want, "{other} {one}");
}

fn sum(one: &str, other: &str) -> Result<String, String> {
    let sum = add(one.as_bytes(), other.as_bytes()).map_err(|problem| problem.to_string())?;
    Ok(String::from_utf8(sum).unwrap())
}

fn check_sum(one: &str, other: &str, want: &str) {
    assert_eq!(sum(one, other).as_deref(), Ok(want), "{one} + {other}");
    assert_eq!(sum(other, one).as_deref(), Ok(want), "{other} + {one}");
}

#[test]
fn one_number_has_many_spellings() {
    for spelling in ["1", "1.0", "1.000", "10e-1", "1e0", "1E+00", "0.1e1", "0.001e3", "1000e-3"] {
        check_equal("1", spelling, true);
        check_equal("-1", spelling, false);
        check_equal("10", spelling, false);
    }
    for zero in ["-0", "0.0", "-0.00", "0e5", "0e-99999999999999999999", "-0E+9"] {
        check_equal("0", zero, true);
    }
    check_equal("100", "1e2", true);
    check_equal("-100", "-1e2", true);
    check_equal("9007199254740993", "9007199254740992", false);
    check_equal("0.1", "0.10000000000000000000000000000000000001", false);
    check_equal("101", "1001", false);
    check_equal("1e400", "1e401", false);
}

#[test]
fn exponents_of_any_length_are_compared_exactly() {
    check_equal("1e99999999999999999999", "10e99999999999999999998", true);
    check_equal("1e99999999999999999999", "1e99999999999999999998", false);
    check_equal("1e-99999999999999999999", "0.1e-99999999999999999998", true);
    check_equal("1e100000000000000000000", "0.1e+0100000000000000000001", true);
    check_equal("1e9999999999999999", "0.1e10000000000000000", true);
    check_equal("1e-0999999999999999999", "0.01e-999999999999999997", true);
    check_equal("1e-0999999999999999999", "0.01e-999999999999999998", false);
    check_equal("10e9223372036854775807", "1e9223372036854775808", true);
    check_equal("0.1e-9223372036854775808", "1e-9223372036854775809", true);
    check_equal("1e99999999999999999999", "1e-99999999999999999999", false);
    let nines = "9".repeat(100_000);
    check_equal(&format!("1e{nines}"), &format!("1.0e{nines}"), true);
    check_equal(&format!("1e{nines}"), &format!("10e{nines}"), false);
    check_equal(&format!("{nines}.0"), &nines, true);
}

#[test]
fn what_is_no_number_equals_itself_only() {
    for bad in ["", "-", "+1", "01", "1.", ".1", "1e", "1e+", "0x10", "1 ", "1.0.0", "--1", "NaN", "1e1.0"] {
        check_equal(bad, bad, true);
        check_equal(bad, "1", false);
        check_equal(bad, "10", false);
        assert_eq!(sum("1", bad), Err(format!("`{bad}` is no number")));
        assert_eq!(sum(bad, "1"), Err(format!("`{bad}` is no number")));
    }
}

#[test]
fn a_sum_has_the_places_of_the_longer_one() {
    check_sum("1", "1", "2");
    check_sum("1.50", "1", "2.50");
    check_sum("0.1", "0.2", "0.3");
    check_sum("9.99", "0.01", "10.00");
    check_sum("-1", "1", "0");
    check_sum("-0", "-0.0", "0.0");
    check_sum("-0.5", "0.5", "0.0");
    check_sum("-0.05", "0.01", "-0.04");
    check_sum("1", "-1000", "-999");
    check_sum("1000", "-1", "999");
    check_sum("-7", "-8", "-15");
    check_sum("9007199254740992", "1", "9007199254740993");
    check_sum("18446744073709551615", "1", "18446744073709551616");
    let nines = "9".repeat(10_000);
    check_sum(&nines, "1", &format!("1{}", "0".repeat(10_000)));
    check_sum(&format!("1{}", "0".repeat(10_000)), "-1", &nines);
}

#[test]
fn small_exponents_are_written_out() {
    check_sum("1e3", "1", "1001");
    check_sum("1.5E+1", "0", "15");
    check_sum("1.50e1", "0", "15.0");
    check_sum("1.5e-2", "1", "1.015");
    check_sum("0e0000000000000000000000000000003", "1", "1");
    check_sum("1e1000", "0", &format!("1{}", "0".repeat(1000)));
    check_sum("1e-1000", "0", &format!("0.{}1", "0".repeat(999)));
    for large in ["1e1001", "1e-1001", "0e99999999999999999999"] {
        assert_eq!(sum(large, "1"), Err(format!("`{large}` has an exponent beyond 1000")));
        assert_eq!(sum("1", large), Err(format!("`{large}` has an exponent beyond 1000")));
    }
    let long = format!("1e{}", "9".repeat(100));
    assert_eq!(sum(&long, "1"), Err(format!("`1e{}...` has an exponent beyond 1000", "9".repeat(38))));
}

/// `mantissa` divided by ten to the `scale`, written by the formatter of integers.
fn plain(mantissa: i128, scale: usize) -> String {
    let digits = format!("{:0width$}", mantissa.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if mantissa < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

proptest! {
    #[test]
    fn sums_are_those_of_integers(
        (one, one_scale) in (any::<i64>(), 0_usize..12),
        (other, other_scale) in (prop_oneof![any::<i64>(), -20_i64..20], 0_usize..12),
    ) {
        let scale = one_scale.max(other_scale);
        let lift = |mantissa: i64, own: usize| i128::from(mantissa) * 10_i128.pow(u32::try_from(scale - own).unwrap());
        let want = plain(lift(one, one_scale) + lift(other, other_scale), scale);
        prop_assert_eq!(sum(&plain(one.into(), one_scale), &plain(other.into(), other_scale)), Ok(want.clone()));
        prop_assert_eq!(sum(&format!("{one}e-{one_scale}"), &plain(other.into(), other_scale)), Ok(want));
    }

    #[test]
    fn numbers_are_equal_when_their_integers_are(
        (one, one_scale) in (-1200_i64..1200, 0_usize..4),
        (other, other_scale) in (-1200_i64..1200, 0_usize..4),
        shift in -3_i64..3,
    ) {
        let lift = |mantissa: i64, own: usize| mantissa * 10_i64.pow(u32::try_from(3 - own).unwrap());
        let want = lift(one, one_scale) == lift(other, other_scale);
        let spelled = format!("{}e{}", plain(other.into(), other_scale), shift);
        let back = format!("{one}e{}", shift - i64::try_from(one_scale).unwrap());
        prop_assert_eq!(equal(back.as_bytes(), spelled.as_bytes()), want);
        let again = format!("{}e{}", one * 10, -1 - i64::try_from(one_scale).unwrap());
        prop_assert!(equal(plain(one.into(), one_scale).as_bytes(), again.as_bytes()));
    }

    #[test]
    fn a_number_is_what_others_take_for_one(text in "[-+0-9.eE]{0,8}") {
        let number = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        prop_assert_eq!(Number::read(text.as_bytes()).is_some(), number);
        let spelling = canonical(text.as_bytes()).into_owned();
        prop_assert_eq!(canonical(&spelling).into_owned(), spelling);
    }
}
