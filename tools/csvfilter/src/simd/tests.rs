use super::*;
use crate::block::Block;

/// What every processor finds in `text`, cut at `cut` words, is what is found byte by byte.
fn check(text: &[u8], dialect: Dialect, cut: usize) {
    let (words, _) = text.as_chunks::<64>();
    let want = Block::of(words.as_flattened(), dialect);
    for (name, cpu) in Cpu::all() {
        let mut index = Index::default();
        let (first, second) = words.split_at(cut.min(words.len()));
        let state = cpu.scan(&mut index, first, State::Row, dialect);
        cpu.scan(&mut index, second, state, dialect);
        if index.ends.last().is_none_or(|end| (*end as usize) < words.len() * 64) && !words.is_empty() {
            index.ends.push(u32::try_from(words.len() * 64).unwrap());
        }
        assert_eq!(index, want.index, "{name}");
        let mut odd = Vec::new();
        cpu.measure(&mut index, 2, &mut odd);
        let counts = |row: usize| want.fields(row).count() - 1;
        let rows = 0..u32::try_from(want.rows()).unwrap();
        assert_eq!(odd, rows.clone().filter(|row| counts(*row as usize) != 2).collect::<Vec<_>>(), "{name}");
        let even: Vec<u32> = rows.filter(|row| !odd.contains(row)).collect();
        for column in 0..3 {
            let mut places = Vec::new();
            cpu.locate(&index, &even, Which { column, is_last: column == 2 }, &mut places);
            for (&row, place) in even.iter().zip(&places) {
                let found = &want.bytes[place.start as usize..place.end as usize];
                let found = if column == 2 { crate::block::without_line_end(found) } else { found };
                assert_eq!(Some(found), want.fields(row as usize).nth(column as usize), "{name}");
            }
        }
        let mut out = b"before".to_vec();
        let length = cpu.copy(&want.bytes, &index, &even, &mut out);
        let rows: Vec<&[u8]> = even.iter().map(|row| want.row(*row as usize)).collect();
        assert_eq!(out[..length], rows.concat(), "{name}");
    }
}

proptest::proptest! {
    #[test]
    fn every_processor_finds_what_is_found_byte_by_byte(
        text in proptest::collection::vec(proptest::sample::select(b"\",\n\",\n\r#x\x8a\x0b\xac".to_vec()), 0..700),
        cut in 0..11_usize, quote in proptest::option::of(proptest::sample::select(b"\"'".to_vec())),
        comment in proptest::option::of(proptest::sample::select(b"#x".to_vec())),
    ) {
        check(&text, Dialect { delimiter: b',', quote, comment, escapes: false }, cut);
    }

    #[test]
    fn also_where_most_of_it_is_ordinary(
        rows in proptest::collection::vec(
            proptest::sample::select(vec!["1,2,3\n", "a longer one,\"quoted, \"\"x\"\"\",\r\n", "\"\n\",,\n", "x\"y,,\n", "\n"]),
            0..200,
        ),
        cut in 0..50_usize,
    ) {
        check(rows.concat().as_bytes(), Dialect::delimited(b','), cut);
    }
}
