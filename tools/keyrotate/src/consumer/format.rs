//! How a credential stands in a file: alone, in fields of JSON, or in variables of an env file.

use crate::spec::reader::Table;

/// How a credential stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {}

impl Format {
    /// Reads the keys of a consumer of the kind `file`.
    pub(crate) fn read_whole(table: &mut Table<'_>) -> Option<Self> {
        table.fault(table.line(), "this kind is not there yet");
        None
    }

    /// Reads the keys of a consumer of the kind `json`.
    pub(crate) fn read_json(table: &mut Table<'_>) -> Option<Self> {
        Self::read_whole(table)
    }

    /// Reads the keys of a consumer of the kind `env`.
    pub(crate) fn read_env(table: &mut Table<'_>) -> Option<Self> {
        Self::read_whole(table)
    }
}
