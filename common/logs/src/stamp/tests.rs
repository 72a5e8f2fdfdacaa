use super::*;
use proptest::prelude::*;

/// Stamps in all forms, as they stand in front of other text.
const STAMPS: &[&str] = &[
    "2025-03-14T09:26:53Z",
    "2025-03-14T09:26:53.123456789+02:00",
    "2025-03-14T09:26:53,123+0200",
    "2025-03-14T09:26:53-07",
    "2025-03-14T09:26",
    "2025-03-14T09:26Z",
    "2025-03-14t09:26:53z",
    "20250314T092653Z",
    "20250314T0926Z",
    "2025-073T09:26:53Z",
    "2025-03-14 09:26:53,123",
    "2025-03-14 09:26:53.123",
    "2025-03-14 09:26:53",
    "2025-03-14 09:26",
    "2025-03-14 09:26:53.123 UTC",
    "2025-03-14 09:26:53.123 CEST",
    "2025-03-14 09:26:53.123 -03",
    "2025-03-14 09:26:53 +0000",
    "2025-03-14 09:26:53.123456789 +0000 UTC",
    "2025-03-14 09:26:53,123 +00:00",
    "2025-03-14 09:26:53:123",
    "2025-03-14  9:26:53",
    "2025-03-14\t09:26:53",
    "2025-03-14, 09:26:53",
    "2025-03-14_09-26-53",
    "2025-03-14][09:26:53",
    "2025-03-14 time=09:26:53",
    "2025-03-14 - 09:26:53",
    "2025-03-14-09.26.53.123456+000",
    "2005-06-03-15.42.50.675872",
    "2025/03/14 09:26:53",
    "2025/03/14 09:26:53.123456",
    "2025/3/4 9:26:53",
    "2025.03.14 09:26:53.123456",
    "2025.03.14-09.26.53:123",
    "2025 Mar 14 09:26:53.123",
    "2025-Mar-14 09:26:53",
    "20250314 09:26:53.123456",
    "20250314:092653.123",
    "20250314-22:15:29:606",
    "20250314-0:4:37:4",
    "20250314092653",
    "20250314092653.123Z",
    "250314 09:26:53",
    "250314  9:26:53",
    "250314 09:26:53.123456",
    "081109 203615",
    "17/06/09 20:10:40",
    "03/14/2025 09:26:53 AM",
    "3/14/2025, 9:26:53 AM",
    "3/14/2025, 9:26:53\u{202f}AM",
    "3/14/2025 9:26 PM",
    "14/03/25 09:26:53",
    "14/3/2025 -- 09:26:53",
    "3/14/25 9:26:53:123 UTC",
    "03/14-09:26:53.123456",
    "03-14-2025 09:26:53.123 +0000",
    "03-14|09:26:53.123",
    "03-17 16:13:38.811",
    "29.08.2023 13:47:38.984",
    "10.30 16:49:06",
    "14/Mar/2025:09:26:53 +0000",
    "14-Mar-2025 09:26:53.123",
    "14-Mar-2025 09:26:53 UTC",
    "14-Mar-2025::09:26:53",
    "14-MAR-25 09:26:53 AM",
    "14Mar2025 09:26:53.123",
    "14 Mar 2025 09:26:53.123",
    "13 Apr 12:52:30.731",
    "Mar 14 09:26:53",
    "Mar  4 09:26:53",
    "Mar 14 09:26:53.123",
    "Mar 14 2025 09:26:53",
    "Mar 14, 2025 9:26:53 AM UTC",
    "March 14, 2025 at 9:26:53 AM",
    "Fri Mar 14 09:26:53 2025",
    "Fri Mar 14 09:26:53.123456 2025",
    "Fri Mar 14 09:26:53 PDT 2025",
    "Fri Mar 14 09:26:53 2025 UTC",
    "Fri Mar 14 2025 09:26:53 GMT+0100",
    "Fri Mar  4 09:26:53",
    "Fri, 14 Mar 2025 09:26:53 GMT",
    "Friday, 14-Mar-25 09:26:53 GMT",
    "Fri 2025-03-14 09:26:53 UTC",
    "Friday, March 14, 2025 9:26:53 AM",
    "0314 09:26:53.123456",
    "0314/092653.123",
    "073/092653",
    "09:26:53",
    "09:26:53.123",
    "09:26:53,123",
    "09:26:53 AM",
    "9:26AM",
    "1741944413",
    "1741944413.123",
    "1741944413123",
    "1741944413123456",
    "1741944413123456789",
    "@4000000067d3f6a707bfa480",
];

#[test]
fn every_form_as_long_as_it_goes() {
    for stamp in STAMPS {
        for behind in ["", " ", "]", " INFO x", " [main] x", ": x", ", Info", "|x"] {
            let text = format!("{stamp}{behind}");
            let found = at(text.as_bytes()).map(|found| &text[..found.len]);
            assert_eq!(found, Some(*stamp), "{text}");
        }
        assert!(whole(stamp.as_bytes()).is_some(), "{stamp}");
        assert_eq!(whole(format!("{stamp} x").as_bytes()), None, "{stamp}");
    }
}

#[test]
fn what_belongs_to_the_record_stays_there() {
    let check = |text: &str, want: &str| {
        assert_eq!(at(text.as_bytes()).map(|found| &text[..found.len]), Some(want), "{text}");
    };
    check("2025-03-14 09:26:53 INFO x", "2025-03-14 09:26:53");
    check("2025-03-14 09:26:53 EST-1 x", "2025-03-14 09:26:53");
    check("2025-03-14 09:26:53 UTC_x", "2025-03-14 09:26:53");
    check("2025-03-14 09:26:53 UTC-host x", "2025-03-14 09:26:53");
    check("2025-03-14 09:26:53 PMTU x", "2025-03-14 09:26:53");
    check("2025-03-14 09:26:53 AMD", "2025-03-14 09:26:53");
    check("2025-03-14 9:26:53 pm x", "2025-03-14 9:26:53 pm");
    check("Mar 14 09:26:53 pm sshd[1]: x", "Mar 14 09:26:53");
    check("Mar 14 09:26:53 PM x", "Mar 14 09:26:53 PM");
    check("2025-03-14 09:26:53 -- x", "2025-03-14 09:26:53");
    check("2025-03-14 09:26:53 -5 x", "2025-03-14 09:26:53");
    check("2025-03-14 09:26:53,5,x", "2025-03-14 09:26:53");
    check("2025-03-14 09:26:53INFO x", "2025-03-14 09:26:53");
    check("2025-03-14 09:26:53 10.1.2.3 x", "2025-03-14 09:26:53");
    check("2025-03-14 09:26:53-10.1.2.3 x", "2025-03-14 09:26:53");
    check("2021-01-16 00:35:32.958.5926 - x", "2021-01-16 00:35:32.958");
    check("2025-01-01 00:00:00.123456789:INFO:x", "2025-01-01 00:00:00.123456789");
    check("2018-06-11T01:53:11.382+0000: 1396138.752: x", "2018-06-11T01:53:11.382+0000");
    check("2025-03-14T09:26:53+01:00[Europe/Paris] x", "2025-03-14T09:26:53+01:00");
    check("Apr 15 2013 09:36:50: %ASA-4-106023: x", "Apr 15 2013 09:36:50");
    check("Mar 14 09:26:53 2025 x", "Mar 14 09:26:53");
    check("Fri Mar 14 09:26:53 20250 x", "Fri Mar 14 09:26:53");
    check("1693279182) x", "1693279182");
    check("1485893834.891:18877199): x", "1485893834.891");
}

#[test]
fn what_is_no_stamp() {
    let others = [
        "",
        " ",
        "1.2.3.4",
        "12345",
        "2025",
        "10.112.72.172 - -",
        "10.12.14.17 x",
        "3.14",
        "123 ms",
        "5:3",
        "1:M",
        "-1",
        "10.12 x",
        "12-14 x",
        "9:26:53 x",
        "09:26 x",
        "9:26",
        "2025-03-14",
        "2025-03-14 x",
        "2025-03-14 10.12.14.172",
        "20250314 x",
        "250314 x",
        "250314 10:30 x",
        "0314 09:26:53 x",
        "0314/092653 x",
        "4096 12:30",
        "2025-03-14 9",
        "12345678-1234-1234-1234-123456789012",
        "550e8400-e29b-41d4-a716-446655440000",
        "00:11:22:33:44:55",
        "12:34:56:789a::1",
        "12:34:56/7",
        "12:34:56.7.8",
        "1741944413x",
        "1741944413-1",
        "1741944413%",
        "1741944413.x",
        "12345678901",
        "123456789012345678901234567890",
        "174194441312",
        "Monday",
        "Mar",
        "Mar x",
        "Mar 14",
        "March on",
        "Marc 14 09:26:53",
        "Monitor 14 09:26:53",
        "Mar 14 x",
        "May the 4th",
        "Sun is down",
        "Dec 31",
        "INFO",
        "E",
        "@x",
        "@4000000067d3f6a707bfa48",
        "@4000000067d3f6a707bfa4800",
        "v1.2.3",
        "2025-03-14T",
        "2025-03-14T9",
        "\0",
        "\u{e4}",
        "2025-03-14 09:26:5 x",
        "2025-03-14 09:26:531 x",
        "2025-03/14 09:26:53",
        "Fri",
        "Fri ",
        "Fri, ",
        "1 Mar",
        "1 x",
        "123/456",
        "12/34",
        "12/34/56",
        "12/Foo/2025:09:26:53",
    ];
    for text in others {
        assert_eq!(at(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn a_date_alone_is_one_only_where_nothing_else_stands() {
    let check = |text: &str, value: bool, by_hand: bool| {
        assert_eq!(at(text.as_bytes()), None, "{text}");
        assert_eq!(
            (whole(text.as_bytes()).is_some(), typed(text.as_bytes()).is_some()),
            (value, by_hand),
            "{text}"
        );
    };
    check("2025-03-14", true, true);
    check("2025/03/14", true, true);
    check("14/Mar/2025", true, true);
    check("March 14, 2025", true, true);
    check("20250314", false, true);
    check("Mar 14", false, true);
    check("09:26", false, true);
    check("03-14", false, false);
    check("10.30", false, false);
    check("250314", false, false);
    check("2025-073", false, false);
    check("2025", false, false);
}

#[test]
fn what_a_form_tells() {
    let check = |text: &str, date: bool, year: bool, zone: bool, precision: Precision| {
        let form = whole(text.as_bytes()).unwrap();
        assert_eq!((form.has_date(), form.has_year(), form.has_zone()), (date, year, zone), "{text}");
        assert_eq!((form.precision(), form.len(), form.is_empty()), (precision, text.len(), false), "{text}");
    };
    check("2025-03-14", true, true, false, Precision::Day);
    check("2025-03-14T09:26", true, true, false, Precision::Minute);
    check("2025-03-14T09:26:53Z", true, true, true, Precision::Second);
    check("2025-03-14T09:26:53.1+01", true, true, true, Precision::Fraction(1));
    check("2025-03-14T09:26:53.123456789012Z", true, true, true, Precision::Fraction(9));
    check("Mar 14 09:26:53", true, false, false, Precision::Second);
    check("Fri Mar 14 09:26:53 PDT 2025", true, true, true, Precision::Second);
    check("09:26:53.123", false, false, false, Precision::Fraction(3));
    check("1741944413", true, true, true, Precision::Second);
    check("1741944413123", true, true, true, Precision::Fraction(3));
    check("@4000000067d3f6a707bfa480", true, true, true, Precision::Fraction(9));
}

/// A text in which every digit is another one.
fn with_other_digits(text: &[u8], seed: u64) -> Vec<u8> {
    let mut state = seed;
    let other = |byte: &u8| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if byte.is_ascii_digit() { b'0' + u8::try_from((state >> 33) % 10).unwrap() } else { *byte }
    };
    text.iter().map(other).collect()
}

/// A stamp with text behind, some bytes of it changed.
fn almost_a_stamp() -> impl Strategy<Value = Vec<u8>> {
    let change = (0_usize..60, prop::sample::select(b"0123456789 -:.,/TZ+AaPMm|\t_@[]x".to_vec()));
    let behind = prop::sample::select(vec!["", " INFO x", ".5 x", " UTC", " -07:00", ":1", " 2025", "Z"]);
    (prop::sample::select(STAMPS), behind, prop::collection::vec(change, 0..4)).prop_map(
        |(stamp, behind, changes)| {
            let mut text = [stamp.as_bytes(), behind.as_bytes()].concat();
            for (at, byte) in changes {
                let len = text.len();
                text[at % len] = byte;
            }
            text
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn recognition_is_blind_to_the_values_of_digits(text in almost_a_stamp(), seed in any::<u64>()) {
        let other = with_other_digits(&text, seed);
        prop_assert_eq!(at(&text), at(&other));
        prop_assert_eq!(whole(&text), whole(&other));
        prop_assert_eq!(typed(&text), typed(&other));
    }

    #[test]
    fn the_short_way_leads_where_the_long_one_does(text in almost_a_stamp()) {
        let (mut short, mut long) = (Form::default(), Form::default());
        if let Some(end) = iso(&text, &mut short) {
            prop_assert_eq!(Some(end), numeric(&text, Extent::Header, &mut long));
            prop_assert_eq!(short, long);
        }
    }

    #[test]
    fn a_stamp_is_within_its_text(text in prop::collection::vec(any::<u8>(), 0..100)) {
        for form in [at(&text).map(|stamp| stamp.form), whole(&text), typed(&text)].into_iter().flatten() {
            prop_assert!(!form.is_empty() && form.len() <= text.len());
        }
    }

    #[test]
    fn digits_are_counted(text in "[0-9a:]{0,24}", at in 0_usize..30) {
        let want = text.bytes().skip(at).take(20).take_while(u8::is_ascii_digit).count();
        prop_assert_eq!(run(text.as_bytes(), at), want);
    }

    #[test]
    fn no_other_byte_is_a_digit(bytes in any::<[u8; 8]>()) {
        prop_assert_eq!(run(&bytes, 0), bytes.iter().take_while(|byte| byte.is_ascii_digit()).count());
    }
}
