//! Tables that are the same in every run, each odd in its own way.

use csvfilter::dialect::Dialect;

/// Numbers that look like chance, and are the same in every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Less than `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    /// Whether something happens that does so in so many of a thousand cases.
    fn happens(&mut self, of_thousand: usize) -> bool {
        self.below(1000) < of_thousand
    }

    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// What is odd about a table: how often of a thousand times, in rows or fields.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Odd {
    pub(crate) quoted: usize,
    pub(crate) embedded: usize,
    pub(crate) dirty: usize,
    pub(crate) ragged: usize,
    pub(crate) invalid: usize,
    pub(crate) not_numeric: usize,
    pub(crate) blank: usize,
    pub(crate) comment: usize,
    pub(crate) crlf: usize,
    pub(crate) open_quote: usize,
    /// The length of one cell, in bytes, that looks like rows.
    pub(crate) cell: usize,
    pub(crate) has_no_end: bool,
}

impl Odd {
    /// Some of it, some more, some less.
    pub(crate) fn any(dice: &mut Dice) -> Self {
        let mut often = |most| if dice.happens(500) { 0 } else { dice.below(most) };
        Self {
            quoted: often(900),
            embedded: often(400),
            dirty: often(200),
            ragged: often(30),
            invalid: often(30),
            not_numeric: often(30),
            blank: often(50),
            comment: often(50),
            crlf: often(1400),
            open_quote: often(2),
            cell: often(2_000_000),
            has_no_end: often(2) > 0,
        }
    }
}

/// A table with the columns id, num, name and note.
pub(crate) struct Text {
    pub(crate) bytes: Vec<u8>,
    pub(crate) dialect: Dialect,
}

impl Text {
    /// At least so many bytes.
    pub(crate) fn generate(odd: Odd, dialect: Dialect, length: usize, dice: &mut Dice) -> Self {
        let delimiter = char::from(dialect.delimiter);
        let mut bytes = format!("id{delimiter}num{delimiter}name{delimiter}note\n").into_bytes();
        let cell_at = dice.below(length);
        let mut has_cell = odd.cell == 0;
        for id in 0_usize.. {
            if bytes.len() >= length {
                break;
            }
            if !has_cell && bytes.len() > cell_at {
                has_cell = true;
                add_cell(&mut bytes, odd.cell, dialect);
            }
            add_no_row(&mut bytes, odd, dialect, dice);
            add_row(&mut bytes, id, (odd, dialect), dice);
            let end: &[u8] = if dice.happens(odd.crlf) { b"\r\n" } else { b"\n" };
            bytes.extend_from_slice(end);
        }
        if odd.has_no_end {
            bytes.extend_from_slice(b"7x");
            bytes.extend([dialect.delimiter; 3]);
        }
        Self { bytes, dialect }
    }
}

fn add_no_row(bytes: &mut Vec<u8>, odd: Odd, dialect: Dialect, dice: &mut Dice) {
    if dice.happens(odd.blank) {
        bytes.extend_from_slice(dice.one_of(&["\n", "\r\n", "\n\n"]).as_bytes());
    }
    if let Some(comment) = dialect.comment.filter(|_| dice.happens(odd.comment)) {
        bytes.push(comment);
        bytes.extend_from_slice(dice.one_of(&[" no \"row,\n", "'\n", "\r\n", ",,\"é\n"]).as_bytes());
    }
}

fn add_row(bytes: &mut Vec<u8>, id: usize, (odd, dialect): (Odd, Dialect), dice: &mut Dice) {
    let fields = if dice.happens(odd.ragged) { dice.below(7) } else { 4 };
    for column in 0..fields {
        if column > 0 {
            bytes.push(dialect.delimiter);
        }
        let value = match column {
            0 => format!("{id}"),
            1 if dice.happens(odd.not_numeric) => dice.one_of(&["n/a", "", " ", "1_0", "x"]).to_owned(),
            1 if dice.happens(50) => dice.one_of(&["", " 7 ", "+600", "-3", "000500", "499"]).to_owned(),
            1 => dice.below(1000).to_string(),
            2 => dice.one_of(&["jo", "Ada", "M\u{fc}ller", ""]).to_owned(),
            _ => "word ".repeat(dice.below(12)),
        };
        let at = bytes.len();
        add_field(bytes, &value, (odd, dialect), dice);
        if column > 1 && dice.happens(odd.invalid) {
            let place = at + dice.below(bytes.len() - at + 1);
            bytes.insert(place, dice.one_of(&[0xff, 0xc3, 0x80]));
        }
    }
}

fn add_field(bytes: &mut Vec<u8>, value: &str, (odd, dialect): (Odd, Dialect), dice: &mut Dice) {
    let (quote, delimiter) = (dialect.quote.unwrap_or(b'"'), dialect.delimiter);
    if dice.happens(odd.dirty) {
        let (q, d) = (char::from(quote), char::from(delimiter));
        let dirty = [
            format!("jo{q}hn"),
            format!("{q}c{q}x{q}y"),
            format!("{q}{q}{q}{q}"),
            format!("x{q}{q}"),
            format!("{q}a{d}{q}b"),
            format!(" {q}spaced{q} "),
        ];
        return bytes.extend_from_slice(dirty[dice.below(dirty.len())].as_bytes());
    }
    if dice.happens(odd.open_quote) && dialect.quote.is_some() {
        // The next quote closes it, and so all that follow mean the other thing.
        bytes.push(quote);
        return bytes.extend_from_slice(value.as_bytes());
    }
    if dialect.quote.is_none() || !dice.happens(odd.quoted) {
        return bytes.extend_from_slice(value.as_bytes());
    }
    bytes.push(quote);
    bytes.extend_from_slice(value.as_bytes());
    if dice.happens(odd.embedded) {
        let inner: [&[u8]; 5] =
            [&[delimiter], b"\n", b"\r\n", &[quote, quote], &[delimiter, b'\n', delimiter]];
        bytes.extend_from_slice(inner[dice.below(inner.len())]);
    }
    bytes.push(quote);
}

/// A row with a cell that looks like rows of the same table, also with quotes where they can be.
fn add_cell(bytes: &mut Vec<u8>, length: usize, dialect: Dialect) {
    let Some(quote) = dialect.quote else { return };
    let (d, q) = (char::from(dialect.delimiter), char::from(quote));
    let inner = format!("1{d}2{d}jo{d}note\n17{d}900{d}{q}{q}{d}{q}{q}{d}\n{d}{d}{d}{q}{q}\n");
    bytes.extend_from_slice(format!("1{d}777{d}{q}\n").as_bytes());
    bytes.extend_from_slice(inner.repeat(length / inner.len()).as_bytes());
    bytes.extend_from_slice(format!("{q}{d}end\n").as_bytes());
}
