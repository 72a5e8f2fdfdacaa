use proptest::prelude::*;

use super::*;

fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap()
}

/// What a value means in a zone; `want` is empty if it is no time. Asked twice, as days are
/// remembered.
fn check(name: &str, value: &str, want: &str) {
    let times = Times::new(zone(name));
    for _ in 0..2 {
        let found = times.read(value.as_bytes()).map(|time| time.to_string()).unwrap_or_default();
        assert_eq!(found, want, "{name} {value}");
    }
}

#[test]
fn stamps_of_many_forms_are_times() {
    for same in [
        "2026-03-01T10:30:00Z",
        " 2026-03-01 10:30 ",
        "2026-03-01t10:30:00z",
        "2026-03-01 10:30:00",
        "2026-03-01T10:30",
        "2026-03-01 12:30:00+02:00",
        "2026-03-01T12:30:00.000 +0200",
        "2026-03-01T08:30:00-02",
        "2026-03-01 10:30:00 UTC",
        "2026-03-01 02:30:00 PST",
        "2026/03/01 10:30:00",
        "01/Mar/2026:10:30:00 +0000",
        "Sun, 01 Mar 2026 10:30:00 GMT",
        "Sun Mar  1 10:30:00 2026",
        "01.03.2026 10:30:00",
        "1 Mar 2026 10:30",
        "20260301T103000Z",
        "1772361000",
        "1772361000000",
        "1772361000.0",
    ] {
        check("UTC", same, "2026-03-01T10:30:00Z");
    }
    check("UTC", "2026-03-01", "2026-03-01T00:00:00Z");
    check("UTC", "2026-03-01T10:30:00.123456789Z", "2026-03-01T10:30:00.123456789Z");
    check("UTC", "2026-03-01T10:30:00.5", "2026-03-01T10:30:00.500Z");
    check("UTC", "2026-03-01T10:30:60Z", "2026-03-01T10:30:59.999999999Z");
    check("UTC", "2024-02-29", "2024-02-29T00:00:00Z");
}

#[test]
fn other_values_are_no_times() {
    for value in [
        "",
        " ",
        "2026-13-01",
        "2026-02-30",
        "2026-00-10",
        "2026-01-00",
        "10:99",
        "10:30",
        "2026",
        "x",
        "2026-03-01T24:00:00Z",
        "2026-03-01T10:60:00Z",
        "2026-03-01T10:30:61Z",
        "2026-03-01T10:30:00+24:00",
        "2026-03-01T10:30:00+01:60",
        "2026-03-01x",
        "2026-03-01T",
        "2026-03-01T10",
        "2026-03-01T10:30:",
        "2026-03-01T10:30:00.Z",
        "2026-03-01 10:30 and more",
        "Mar 1 10:30:00",
        "20260301",
        "42",
        "123456789",
        "1000-01-01",
        "2026-3-",
        "9999-12-31",
        "2026-03-01 10:30:00  Z",
        "2026-03-01 ,",
        "03/04/2026",
        "03/04/2026 10:30:00",
        "14/03/2026 10:30:00",
        "03-14-2026 10:30:00",
        "17/06/09 10:00:00",
        "Sun 03/01/2026 10:30:00",
    ] {
        check("UTC", value, "");
    }
}

#[test]
fn a_time_without_a_zone_is_in_the_given_one() {
    check("+05:30", "2026-03-01", "2026-02-28T18:30:00Z");
    check("Europe/Berlin", "2026-03-01 10:30", "2026-03-01T09:30:00Z");
    check("Europe/Berlin", "2026-07-01 10:30", "2026-07-01T08:30:00Z");
    check("Europe/Berlin", "2026-07-01 10:30Z", "2026-07-01T10:30:00Z");
    // Clocks were put forward from 02:00 to 03:00, and back from 03:00 to 02:00.
    check("Europe/Berlin", "2025-03-30 01:59:59", "2025-03-30T00:59:59Z");
    check("Europe/Berlin", "2025-03-30 02:30:00", "2025-03-30T01:30:00Z");
    check("Europe/Berlin", "2025-03-30 03:00:00", "2025-03-30T01:00:00Z");
    check("Europe/Berlin", "2025-10-26 02:30:00", "2025-10-26T00:30:00Z");
    check("Europe/Berlin", "2025-10-26 03:30:00", "2025-10-26T02:30:00Z");
    check("Pacific/Apia", "2011-12-30 10:00:00", "2011-12-30T20:00:00Z");
}

#[test]
fn a_literal_is_as_long_as_it_is_told() {
    let check = |text: &str, first: &str, last: &str| {
        let span = literal(text, Time::from_secs(1_772_361_000), Zone::Utc).unwrap();
        assert_eq!(
            (span.first.to_string(), span.last.to_string()),
            (first.to_owned(), last.to_owned()),
            "{text}"
        );
    };
    check("2026-03-01", "2026-03-01T00:00:00Z", "2026-03-01T23:59:59.999999999Z");
    check("2026-03-01T10:30", "2026-03-01T10:30:00Z", "2026-03-01T10:30:59.999999999Z");
    check("2026-03-01 10:30:00+02:00", "2026-03-01T08:30:00Z", "2026-03-01T08:30:00.999999999Z");
    check("09:15", "2026-03-01T09:15:00Z", "2026-03-01T09:15:59.999999999Z");
    let refused = |text: &str| literal(text, Time::from_secs(0), Zone::Utc).unwrap_err();
    let want = "`03/04/2026` does not tell the day from the month; write it as 2026-03-01";
    assert_eq!(refused("03/04/2026"), want);
    assert!(refused("2026-02-30").starts_with("`2026-02-30` is no time; write it as 2026-03-01"));
}

fn zones() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("UTC"),
        Just("-03:30"),
        Just("Europe/Berlin"),
        Just("Pacific/Apia"),
        Just("Africa/Casablanca")
    ]
}

proptest! {
    #[test]
    fn the_fast_way_tells_the_same_time(
        zone_name in zones(),
        text in "(20[0-2][0-9]|1[6-9][0-9]{2}|22[67][0-9])-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-6][0-9](:[0-6][0-9](\\.[0-9]{1,9})?)?(Z| ?[+-][0-2][0-9]:?([0-6][0-9])?)?)?",
    ) {
        let times = Times::new(zone(zone_name));
        prop_assert_eq!(times.read(text.as_bytes()), times.other(text.as_bytes()), "{}", text);
    }

    #[test]
    fn days_near_a_change_of_clocks_are_read_as_all_others(zone_name in zones(), day in 1_i64..30, month in prop_oneof![Just(3), Just(10), Just(12)], hour in 0..24) {
        let times = Times::new(zone(zone_name));
        for year in 2010..2030 {
            let text = format!("{year}-{month:02}-{day:02} {hour:02}:30:00");
            prop_assert_eq!(times.read(text.as_bytes()), times.other(text.as_bytes()), "{}", text);
        }
    }

    #[test]
    fn reads_what_times_print(nanos in i64::MIN / 2..i64::MAX / 2, zone_name in zones()) {
        let time = Time::from_nanos(nanos);
        prop_assert_eq!(Times::new(zone(zone_name)).read(time.to_string().as_bytes()), Some(time));
    }

    #[test]
    fn never_panics(value: Vec<u8>, text in "[-+@]?[0-9a-zA-Z:. /-]{0,30}") {
        let times = Times::new(Zone::Utc);
        let _ = (times.read(&value), times.read(text.as_bytes()), literal(&text, Time::from_secs(0), Zone::Utc));
    }
}
