//! Where rows and fields end: the rules, byte by byte.
//!
//! They are those of RFC 4180, and where that is silent those of the crate csv: a quote opens a
//! quoted field only at the beginning of a field; behind a closing quote the field goes on as an
//! unquoted one, in which quotes are data.

use crate::dialect::Dialect;

/// What was read up to a byte, as far as it matters for what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum State {
    /// A row begins here; a comment could.
    #[default]
    Row,
    /// A quote here opens: at the beginning of a field, and behind a closing quote, where it makes
    /// a doubled one.
    Fresh,
    /// Within a field that is not quoted; a quote is data.
    Field,
    /// Within quotes.
    Quoted,
    /// Within a comment, up to its line end.
    Comment,
}

impl State {
    /// The state behind `byte`.
    #[inline]
    pub(crate) fn after(self, byte: u8, dialect: Dialect) -> Self {
        let is_quote = dialect.quote == Some(byte);
        match self {
            Self::Quoted if is_quote => Self::Fresh,
            Self::Quoted => Self::Quoted,
            _ if byte == b'\n' => Self::Row,
            Self::Comment => Self::Comment,
            Self::Row if dialect.comment == Some(byte) => Self::Comment,
            _ if byte == dialect.delimiter => Self::Fresh,
            Self::Row | Self::Fresh if is_quote => Self::Quoted,
            _ => Self::Field,
        }
    }

    /// Whether a delimiter here is one.
    #[inline]
    pub(crate) fn delimits(self) -> bool {
        !matches!(self, Self::Quoted | Self::Comment)
    }
}

/// What a stretch of at most 64 bytes contains; one bit for each byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Marks {
    /// Delimiters between fields.
    pub(crate) delimiters: u64,
    /// Line ends that end rows.
    pub(crate) ends: u64,
}

/// Reads at most 64 bytes.
pub(crate) fn exact(bytes: &[u8], mut state: State, dialect: Dialect) -> (Marks, State) {
    let mut marks = Marks::default();
    for (bit, &byte) in (0..64).zip(bytes) {
        let next = state.after(byte, dialect);
        if byte == b'\n' && next == State::Row {
            marks.ends |= 1 << bit;
        } else if byte == dialect.delimiter && state.delimits() && next == State::Fresh {
            marks.delimiters |= 1 << bit;
        }
        state = next;
    }
    (marks, state)
}

/// Where the quote stands that is still open at the end of `row`, if one is.
pub(crate) fn open_quote(row: &[u8], dialect: Dialect) -> Option<usize> {
    let (mut state, mut opened) = (State::Row, 0);
    let mut was_closed = false;
    for (at, &byte) in row.iter().enumerate() {
        let next = state.after(byte, dialect);
        if next == State::Quoted && state != State::Quoted && !was_closed {
            opened = at;
        }
        was_closed = state == State::Quoted && next == State::Fresh;
        state = next;
    }
    (state == State::Quoted).then_some(opened)
}
