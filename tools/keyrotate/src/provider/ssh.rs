//! KIND

use common::Result;

use super::{Place, Provider};
use crate::spec::reader::Table;

/// What the spec says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {}

impl Config {
    /// Reads `[provider]`.
    pub(crate) fn read(table: Table<'_>) -> Option<Self> {
        table.fault(table.line(), "this kind is not there yet");
        None
    }

    /// The target.
    pub(crate) fn build(&self, _place: &Place<'_>) -> Result<Box<dyn Provider>> {
        Err(common::Error::failed("this kind is not there yet"))
    }
}
