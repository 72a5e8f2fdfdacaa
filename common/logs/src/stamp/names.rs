//! Names of months and weekdays: three letters or all of them, in upper or lower case.

const NAMES: [&[u8]; 19] = [
    b"january",
    b"february",
    b"march",
    b"april",
    b"may",
    b"june",
    b"july",
    b"august",
    b"september",
    b"october",
    b"november",
    b"december",
    b"monday",
    b"tuesday",
    b"wednesday",
    b"thursday",
    b"friday",
    b"saturday",
    b"sunday",
];

/// Names by their first three letters, so that a word is compared with all of them at a glance.
const KEYS: [u32; 19] = {
    let mut keys = [0; 19];
    let mut index = 0;
    while index < 19 {
        keys[index] = key([NAMES[index][0], NAMES[index][1], NAMES[index][2]]);
        index += 1;
    }
    keys
};

/// A name that begins a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Name {
    /// 1 is January.
    Month(u8),
    /// 0 is Monday.
    Weekday(u8),
}

/// The month or weekday whose name begins `text`, and the length of that name.
pub(crate) fn find(text: &[u8]) -> Option<(Name, usize)> {
    let key = key(*text.first_chunk()?);
    let index = KEYS.iter().position(|known| *known == key)?;
    let number = u8::try_from(index).ok()?;
    let name = if number < 12 { Name::Month(number + 1) } else { Name::Weekday(number - 12) };
    Some((name, length(text, NAMES[index])?))
}

/// The month (1 to 12) whose name begins `text`, and the length of that name.
pub(crate) fn month(text: &[u8]) -> Option<(u8, usize)> {
    match find(text)? {
        (Name::Month(number), len) => Some((number, len)),
        (Name::Weekday(_), _) => None,
    }
}

/// The first three letters in lower case. Only letters become letters by it.
const fn key([a, b, c]: [u8; 3]) -> u32 {
    u32::from_le_bytes([a, b, c, 0]) | 0x0020_2020
}

/// The length of the name, whose first three letters are known to be right: 3 or all of `name`,
/// and 4 for `Sept`. Another letter behind it makes it another word (`Marc`, `Monitor`).
fn length(text: &[u8], name: &[u8]) -> Option<usize> {
    if !text.get(3).is_some_and(u8::is_ascii_alphabetic) {
        return Some(3);
    }
    let len = text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let whole = len == name.len() || (len == 4 && name == b"september");
    (whole && text[..len].eq_ignore_ascii_case(&name[..len])).then_some(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_short_and_in_full() {
        let check =
            |text: &str, want: Option<(Name, usize)>| assert_eq!(find(text.as_bytes()), want, "{text}");
        check("Jan 1", Some((Name::Month(1), 3)));
        check("DEC", Some((Name::Month(12), 3)));
        check("september 1", Some((Name::Month(9), 9)));
        check("Sept 1", Some((Name::Month(9), 4)));
        check("Mon", Some((Name::Weekday(0), 3)));
        check("Sunday, ", Some((Name::Weekday(6), 6)));
        check("Sat\u{e4}", Some((Name::Weekday(5), 3)));
        for other in ["", "Ma", "Marc", "Monitor", "Mart", "Octo", "INFO", "M r"] {
            check(other, None);
        }
    }
}
