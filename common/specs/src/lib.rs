//! Specs: files of TOML that say what a tool is to do.

mod faults;
mod reader;

pub use faults::{Fault, Faults};
pub use reader::{Shape, Table, parse};
