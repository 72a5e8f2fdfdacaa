//! KIND

use common::Result;

use super::{Config, Consumer, Place};

/// The consumers that `config` means.
pub(crate) fn build(_config: &Config, _place: &Place<'_>) -> Result<Vec<Box<dyn Consumer>>> {
    Err(common::Error::failed("this kind is not there yet"))
}
