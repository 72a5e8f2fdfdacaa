//! What every tool does alike, and nothing else.
//!
//! | module | what it is |
//! |---|---|
//! | [`tool`] | `main()`: parse the command line, log, run, report, exit status |
//! | [`answer`] | yes, no, or unknown |
//! | [`cli`] | the flags that every tool takes; `--help` examples; `--generate` |
//! | [`manual`] | the README of a tool as its help examples and its man page |
//! | [`error`] | one error: a sentence for the operator, its cause, its exit status |
//! | [`log`] | what goes to stderr, in four formats |
//! | [`out`] | standard output that names its errors and survives a closed pipe |
//! | [`output`] | an output that is also an input is refused |
//! | [`input`] | a file or `-`, plain or compressed |
//! | [`natural`](mod@natural) | names in the order in which people count |
//! | [`near`] | which known name a mistyped one is near to |
//! | [`progress`] | how far a run is, on a terminal |
//! | [`prometheus`] | the value of a label in its text format |
//! | [`table`] | an aligned table of texts |
//! | [`units`] | `30s`, `10M`: durations and sizes |
//! | [`stop`] | SIGINT and SIGTERM as a flag |
//!
//! Admission: the second tool that needs a thing moves it here, and when only one needs it, it
//! moves back. What only some tools need is a crate of its own beside this one (`files`, `logs`).
//! This crate depends on nothing of ours and never names a tool.

pub mod answer;
pub mod cli;
pub mod error;
pub mod input;
pub mod log;
pub mod manual;
pub mod natural;
pub mod near;
pub mod out;
pub mod output;
pub mod progress;
pub mod prometheus;
pub mod stop;
pub mod table;
pub mod tool;
pub mod units;
mod usage;

pub use error::{Error, OrCannot, Outcome, Result};
pub use out::Out;
