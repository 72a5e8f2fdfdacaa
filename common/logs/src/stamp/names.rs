//! Names of months and weekdays: three letters or all of them, in upper or lower case.

const MONTHS: [&[u8]; 12] = [
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
];

const DAYS: [&[u8]; 7] =
    [b"monday", b"tuesday", b"wednesday", b"thursday", b"friday", b"saturday", b"sunday"];

/// The month (1 to 12) whose name begins `text`, and the length of that name.
pub(crate) fn month(text: &[u8]) -> Option<(u8, usize)> {
    let number = match &key(text)? {
        b"jan" => 1,
        b"feb" => 2,
        b"mar" => 3,
        b"apr" => 4,
        b"may" => 5,
        b"jun" => 6,
        b"jul" => 7,
        b"aug" => 8,
        b"sep" => 9,
        b"oct" => 10,
        b"nov" => 11,
        b"dec" => 12,
        _ => return None,
    };
    Some((number, length(text, MONTHS[usize::from(number) - 1])?))
}

/// The weekday (0 is Monday) whose name begins `text`, and the length of that name.
pub(crate) fn weekday(text: &[u8]) -> Option<(u8, usize)> {
    let number = match &key(text)? {
        b"mon" => 0,
        b"tue" => 1,
        b"wed" => 2,
        b"thu" => 3,
        b"fri" => 4,
        b"sat" => 5,
        b"sun" => 6,
        _ => return None,
    };
    Some((number, length(text, DAYS[usize::from(number)])?))
}

/// The first three bytes in lower case. Only letters become letters by it.
fn key(text: &[u8]) -> Option<[u8; 3]> {
    let &[a, b, c, ..] = text else { return None };
    Some([a | 0x20, b | 0x20, c | 0x20])
}

/// The length of the name, whose first three letters are known to be right: 3 or all of `name`,
/// and 4 for `Sept`. Another letter behind it makes it another word (`Marc`, `Monitor`).
fn length(text: &[u8], name: &[u8]) -> Option<usize> {
    let len = text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let whole = || len == name.len() || (len == 4 && name == b"september");
    (len == 3 || (whole() && text[..len].eq_ignore_ascii_case(&name[..len]))).then_some(len)
}
