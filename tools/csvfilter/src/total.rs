//! A number of rows, instead of the rows.

use crate::emit::Form;

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Total {
    Number,
    /// `{"count":7}`
    Object,
}

impl Total {
    /// An object where JSON was asked for. What came from JSON and is to stay that is counted for a
    /// shell, unless somebody says so.
    pub(crate) fn of(asked: Option<Form>) -> Self {
        if matches!(asked, Some(Form::Json | Form::Jsonl)) { Self::Object } else { Self::Number }
    }

    /// A line.
    pub(crate) fn text(self, count: u64) -> String {
        match self {
            Self::Number => format!("{count}\n"),
            Self::Object => format!("{{\"count\":{count}}}\n"),
        }
    }
}
