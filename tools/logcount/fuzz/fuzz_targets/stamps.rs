//! Timestamps: recognised whatever their digits, told without a memory, typed by anybody.

#![no_main]

use std::sync::LazyLock;

use fuzz::Draw;
use libfuzzer_sys::fuzz_target;
use logs::clock::{Clock, Time, Zone};
use logs::stamp::{self, Form};
use logs::when;

/// The longest stamp has about 60 bytes.
const LONGEST: usize = 80;

fuzz_target!(|data: &[u8]| {
    let mut draw = Draw::of(data);
    let zone = *draw.one_of(&*ZONES);
    let now = Time::from_nanos(*draw.one_of(&[1_741_944_413_000_000_000, 0, i64::MIN, i64::MAX]));
    let year = *draw.one_of(&[None, None, Some(2024), Some(i32::MAX), Some(i32::MIN)]);
    let mut lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    lines.truncate(16);
    for line in &lines {
        recognition_is_blind(line, &mut draw);
        typed(line, now, zone);
    }
    memory_is_none(&lines, &Clock::new(zone, now, year));
});

/// Read once: a named zone is never given back.
static ZONES: LazyLock<[Zone; 5]> = LazyLock::new(|| {
    let named = |name| Zone::parse(name).expect("a zone of the database");
    [
        Zone::Utc,
        Zone::Fixed(-43_200),
        Zone::Fixed(86_399),
        named("Europe/Berlin"),
        named("Australia/Lord_Howe"),
    ]
});

fn recognition_is_blind(text: &[u8], draw: &mut Draw) {
    let other = draw.other_digits(text);
    let at = stamp::at(text);
    assert_eq!(at, stamp::at(&other), "{:?} is not {:?}", show(&other), show(text));
    assert_eq!(stamp::whole(text), stamp::whole(&other), "{:?} is not {:?}", show(&other), show(text));
    if let Some(stamp) = at {
        assert!(stamp.len > 0 && stamp.len <= text.len().min(LONGEST) && stamp.len == stamp.form.len());
        // What stands behind may lengthen a stamp, but never make one.
        assert!(stamp::at(&text[..stamp.len]).is_some(), "no stamp without its tail: {:?}", show(text));
    }
}

/// A clock that has told times before tells the same time as one that has not.
fn memory_is_none(lines: &[&[u8]], clock: &Clock) {
    let found: Vec<(&[u8], Form)> = lines
        .iter()
        .filter_map(|line| Some((*line, stamp::at(line).map(|at| at.form).or(stamp::whole(line))?)))
        .collect();
    let mut taught = clock.clone();
    if let (Some((first, form)), Some((last, last_form))) = (found.first(), found.last()) {
        taught.begins_with(first, *form);
        taught.learn(last, *last_form);
    }
    let mut used = taught.clone();
    for (line, form) in &found {
        assert_eq!(used.read(line, *form), taught.clone().read(line, *form), "{:?}", show(line));
    }
    // A form of another text is wrong, and no more than that.
    for ((line, _), (_, form)) in found.iter().zip(found.iter().rev()) {
        let _ = used.read(line, *form);
    }
}

fn typed(text: &[u8], now: Time, zone: Zone) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    if let Ok(span) = when::parse(text, now, zone) {
        assert!(span.first <= span.last, "{text:?} is {} to {}", span.first, span.last);
    }
}

fn show(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
