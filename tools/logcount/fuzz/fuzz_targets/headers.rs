//! Headers of text lines, and whole lines in all their wrappers.
//!
//! What a settled line promises is what the fast path in `records` takes at its word.

#![no_main]

use std::ops::Range;

use fuzz::{Draw, line_and_tail, place_of};
use libfuzzer_sys::fuzz_target;
use logs::Level;
use logs::header::{self, Header, Sort};
use logs::line::{self, Scratch};
use logs::rules::{Format, Rules};

fuzz_target!(|data: &[u8]| {
    let (text, tail) = line_and_tail(data);
    let mut draw = Draw::of(data);
    header_is_sound(text);
    header_keeps_its_promise(text, tail, &mut draw);
    for want_time in [false, true] {
        let rules = Rules { want_time, ..Rules::default() };
        line_keeps_its_promise(text, tail, &rules, &mut draw);
    }
    let formats = [
        Format::Text,
        Format::Json,
        Format::Logfmt,
        Format::Syslog,
        Format::Docker,
        Format::Cri,
        Format::Journal,
    ];
    let rules = Rules { format: *draw.one_of(&formats), ..Rules::default() };
    line_keeps_its_promise(text, tail, &rules, &mut draw);
});

fn header_is_sound(text: &[u8]) {
    let Header { sort, level, word, stamp, rule, settled, tail } = header::read(text);
    assert!(word.start <= word.end && word.end <= text.len(), "word {word:?}");
    // Serilog's Information has no word.
    let serilog = rule == "JSON in the message" && level == Some(Level::Info);
    assert!(level.is_some() != word.is_empty() || serilog, "{rule}: {level:?} at {word:?}");
    assert!(!settled || level.is_some(), "{rule}: settled without a level");
    assert!(level.is_none() || !matches!(sort, Sort::More | Sort::Plain), "{rule}: {level:?} of a {sort:?}");
    assert!(!rule.is_empty(), "no rule");
    assert!(tail > 0, "{rule}: no byte behind the word");
    if let Some(level) = level {
        assert!(spells(&text[word.clone()], level, rule), "{rule}: {level} at {word:?}");
    }
    if let Some((range, form)) = stamp {
        assert!(range.start < range.end && range.end <= text.len(), "stamp {range:?}");
        assert_eq!(range.len(), form.len(), "stamp {range:?}");
        assert!(
            word.is_empty() || word.end <= range.start || range.end <= word.start,
            "{word:?} in {range:?}"
        );
    }
}

/// Is `word` a spelling of `level`? What makers write in another way is told by its rule.
fn spells(word: &[u8], level: Level, rule: &str) -> bool {
    let all = |levels: &[Level]| levels.contains(&level);
    match (rule, word) {
        ("sign after the stamp", [b'.' | b'-' | b'*' | b'#']) | ("SSSD debug level", [b'0', b'x', ..]) => {
            true
        }
        ("Cisco severity", [digit @ b'0'..=b'7']) => Level::of_syslog(u64::from(digit - b'0')) == Some(level),
        ("PHP", b"Parse") => all(&[Level::Error]),
        ("letter after the stamp", b"A") => all(&[Level::Critical]),
        ("DB2", b"Event") | ("log show", b"Default") | ("WebSphere", b"A" | b"C") => all(&[Level::Info]),
        ("part of a bracket", [b't', b'r', b'a', b'c', b'e', b'1'..=b'8']) => all(&[Level::Trace]),
        ("VMware severity", [a, b]) => {
            level.name().as_bytes()[0] == *a || (*a, *b) == (b'D', b'b') || all(&[Level::Critical])
        }
        // A field may explain its number by its key, and say more behind its word.
        ("JSON in the message" | "level=…", word) => {
            let letters =
                word.trim_ascii().split(|byte| !byte.is_ascii_alphanumeric()).next().unwrap_or_default();
            letters.first().is_none_or(u8::is_ascii_digit) || Level::of_value(letters) == Some(level)
        }
        _ => Level::of_value(word) == Some(level),
    }
}

fn header_keeps_its_promise(text: &[u8], tail: &[u8], draw: &mut Draw) {
    let header = header::read(text);
    let Some(other) = sibling(text, &header.word, header.tail, tail, draw) else { return };
    if header.settled {
        assert_eq!(header::read(&other), header, "{:?} is not {:?}", show(&other), show(text));
    }
}

fn line_keeps_its_promise(text: &[u8], tail: &[u8], rules: &Rules, draw: &mut Draw) {
    let (mut first, mut second) = (Scratch::default(), Scratch::default());
    let line = line::read(text, rules, &mut first);
    assert!(line.level.is_some() || line.word.is_empty(), "{}: {:?}", line.rule, show(line.word));
    // Serilog's Information has no word.
    assert!(line.level.is_none() || !line.word.is_empty() || line.rule.starts_with("JSON"), "{}", line.rule);
    if let Some((stamp, form)) = line.stamp {
        assert_eq!(stamp.len(), form.len(), "{}: {:?}", line.rule, show(stamp));
    }
    if !line.settled {
        return;
    }
    let start = place_of(line.word, text);
    let Some(other) = sibling(text, &(start..start + line.word.len()), line.tail, tail, draw) else { return };
    let again = line::read(&other, rules, &mut second);
    assert_eq!(
        (again.sort, again.level, again.word),
        (line.sort, line.level, line.word),
        "{:?} is not {:?}",
        show(&other),
        show(text)
    );
    assert_eq!(
        (again.rule, again.part),
        (line.rule, line.part),
        "{:?} is not {:?}",
        show(&other),
        show(text)
    );
    let stamp = line.stamp.map(|(stamp, form)| (place_of(stamp, text), form));
    let (start, form) = stamp.unzip();
    let same = start.and_then(|start| other.get(start..start + line.stamp?.0.len()));
    assert_eq!(again.stamp, same.zip(form), "{:?} is not {:?}", show(&other), show(text));
}

/// `text` up to the last byte behind its word that took part, with other digits before the word, and
/// behind it where more than one byte took part; then `end`.
fn sibling(text: &[u8], word: &Range<usize>, tail: usize, end: &[u8], draw: &mut Draw) -> Option<Vec<u8>> {
    let behind = text.get(word.end..word.end + tail)?;
    let behind = if tail > 1 { draw.other_digits(behind) } else { behind.to_vec() };
    let before = draw.other_digits(&text[..word.start]);
    Some([&before, &text[word.clone()], &behind, end].concat())
}

fn show(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
