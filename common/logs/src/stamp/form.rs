//! What a recognised stamp looks like: where in its text each field stands.

/// The form of one stamp: which fields it has and where they stand.
///
/// It holds positions and never values, so it fits every text that differs from the first one only
/// in its digits. Two stamps of one file may have different forms (`Mar 9`, `Mar 14`; `53.1`,
/// `53.12`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Form {
    pub(crate) len: u8,
    pub(crate) kind: Kind,
    pub(crate) order: Order,
    pub(crate) zone: Suffix,
    pub(crate) year: Field,
    pub(crate) month: Field,
    pub(crate) day: Field,
    pub(crate) hour: Field,
    pub(crate) minute: Field,
    pub(crate) second: Field,
    pub(crate) fraction: Field,
    pub(crate) offset: Field,
    /// Where the `A` or `P` of AM and PM stands; 0 is none, as no stamp begins with it.
    pub(crate) meridiem: u8,
}

/// How finely a stamp tells the time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Precision {
    /// `2025-03-14`
    Day,
    /// `2025-03-14T09:26`
    Minute,
    /// `2025-03-14T09:26:53`
    Second,
    /// Decimal places of a second, 1 to 9.
    Fraction(u8),
}

impl Form {
    /// Bytes of the stamp.
    #[must_use]
    pub fn len(self) -> usize {
        usize::from(self.len)
    }

    /// Is it the form of no stamp at all, as [`Form::default`] is?
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Says it the day? `09:26:53` does not.
    #[must_use]
    pub fn has_date(self) -> bool {
        self.kind != Kind::Calendar || self.day.len > 0
    }

    /// Says it the year? `Mar 14 09:26:53` does not.
    #[must_use]
    pub fn has_year(self) -> bool {
        self.kind != Kind::Calendar || self.year.len > 0
    }

    /// Is it a point in time without a time zone from elsewhere: `Z`, `+0200`, `PDT`, an epoch?
    #[must_use]
    pub fn has_zone(self) -> bool {
        self.kind != Kind::Calendar || self.zone != Suffix::None
    }

    /// How finely it tells the time.
    #[must_use]
    pub fn precision(self) -> Precision {
        if self.kind == Kind::Tai {
            Precision::Fraction(9)
        } else if self.fraction.len > 0 {
            Precision::Fraction(self.fraction.len)
        } else if self.second.len > 0 {
            Precision::Second
        } else if self.minute.len > 0 {
            Precision::Minute
        } else {
            Precision::Day
        }
    }
}

/// What the digits count.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) enum Kind {
    /// Years, months, days, hours, …
    #[default]
    Calendar,
    /// Seconds since 1970 in ten digits; the digits after them, with or without a point, are the
    /// fraction.
    Epoch,
    /// TAI64N: the second and the fraction in hexadecimal.
    Tai,
}

/// What is known about the order of day, month and year without looking at their values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) enum Order {
    /// The fields are what they are called.
    #[default]
    Sure,
    /// Day and month may be each other: `03/14/2025`, `14/03/2025`.
    DayOrMonth,
    /// Three fields of two digits, named in the order month, day, year: `17/06/09`.
    Unknown,
}

/// What stands behind the time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) enum Suffix {
    /// Nothing: the zone comes from elsewhere.
    #[default]
    None,
    /// `Z`, `UTC`, `GMT`.
    Utc,
    /// A sign and digits in `Form::offset`: hours (`+2`, `+02`), minutes (`+120`), `+0200`, `+02:00`.
    Offset,
    /// An abbreviation in `Form::offset`, one of `zone::meanings`.
    Named,
}

/// Bytes of one field. A length of 0 means that there is no such field.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Field {
    pub(crate) at: u8,
    pub(crate) len: u8,
}

impl Field {
    /// The field of `len` bytes at `at`; both are below [`super::LONGEST`].
    #[expect(clippy::cast_possible_truncation, reason = "positions are below 80")]
    pub(crate) fn new(at: usize, len: usize) -> Self {
        debug_assert!(at + len <= super::LONGEST, "{at}+{len}");
        Self { at: at as u8, len: len as u8 }
    }

    /// The position behind it.
    pub(crate) fn end(self) -> usize {
        usize::from(self.at) + usize::from(self.len)
    }

    /// Its bytes; none when `text` is shorter than the stamp the form was made from.
    pub(crate) fn of(self, text: &[u8]) -> Option<&[u8]> {
        text.get(usize::from(self.at)..self.end())
    }
}
