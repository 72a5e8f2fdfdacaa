//! Which inputs do not go together.

use std::path::Path;

use common::{Result, tool};

/// Refuses to take standard input for two inputs of a merge: each would get some of its bytes.
///
/// # Errors
/// When `-` is named twice.
pub fn refuse_two_stdins(inputs: &[&Path]) -> Result<()> {
    if inputs.iter().filter(|input| input.as_os_str() == "-").count() > 1 {
        return Err(tool::usage("standard input cannot be merged with itself; name `-` once"));
    }
    Ok(())
}
