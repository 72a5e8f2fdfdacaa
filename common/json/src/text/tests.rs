//! Pieces, windows and what both texts share.

use super::*;

/// [`SMALL`] as a length.
const MIB: usize = 1 << 20;

fn large(bytes: &[u8]) -> Text {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Text::of(file, Path::new("x")).unwrap()
}

#[test]
fn splices_are_as_those_of_a_vector() {
    let begin: Vec<u8> = (0..=255).cycle().take(MIB + 5_000).collect();
    let check = |splices: &[(usize, usize, &[u8])]| {
        let (mut text, mut want) = (large(&begin), begin.clone());
        for (from, to, new) in splices {
            text.splice(*from as u64..*to as u64, new.to_vec()).unwrap();
            want.splice(from..to, new.iter().copied());
            assert_eq!(text.length(), want.len() as u64);
            assert!(text.all().unwrap() == want, "{splices:?}");
            let mut written = Vec::new();
            text.write_to(&mut written, Path::new("x")).unwrap();
            assert!(written == want);
            assert!(text.same_as(&Text::new(want.clone())).unwrap());
            assert_eq!(text.same_as(&large(&begin)).unwrap(), want == begin);
        }
    };
    check(&[(0, 0, b"before"), (3, 9, b""), (2, 2, b"xyz"), (4, 5, b"q")]);
    check(&[(begin.len(), begin.len(), b"after"), (0, begin.len(), b"short")]);
    check(&[(10, 1 << 20, b""), (5, 15, b"0123456789")]);
    check(&[(70_000, 70_001, b"!"), (69_999, 70_002, b"???"), (70_000, 70_001, b"")]);
}

#[test]
fn a_cursor_sees_every_byte_across_windows_and_parts() {
    let begin = b"abcdefgh".repeat(MIB / 4);
    let mut text = large(&begin);
    text.splice(WINDOW as u64 - 1..WINDOW as u64 + 1, b"--new--".to_vec()).unwrap();
    let want = text.all().unwrap();
    let mut cursor = text.cursor(0);
    for (offset, byte) in want.iter().enumerate() {
        assert_eq!(cursor.offset(), offset as u64);
        assert_eq!(cursor.peek().unwrap(), Some(*byte));
        cursor.advance();
    }
    assert_eq!(cursor.peek().unwrap(), None);
    assert_eq!(text.cursor(3).peek().unwrap(), Some(b'd'));
}

#[test]
fn what_both_take_from_the_file_is_not_compared() {
    let text = large(&vec![b'x'; MIB * 2]);
    let mut edited = text.clone();
    edited.splice(5..7, b"xx".to_vec()).unwrap();
    assert!(edited.same_as(&text).unwrap());
    edited.splice(SMALL..SMALL + 1, b"y".to_vec()).unwrap();
    assert!(!edited.same_as(&text).unwrap());
}

#[test]
fn a_file_that_was_cut_short_is_no_end() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&vec![b' '; MIB + 10]).unwrap();
    let text = Text::of(file.try_clone().unwrap(), Path::new("x")).unwrap();
    file.set_len(7).unwrap();
    assert_eq!(text.all().unwrap_err().status(), 75);
}
