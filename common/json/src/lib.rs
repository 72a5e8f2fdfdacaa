//! What tools that read and change JSON documents need: edits that are spliced into the bytes.
//!
//! An edit finds its place in one pass, which checks the grammar of everything, and everything else
//! keeps its bytes: layout, comments, the order of members, the spelling of numbers.
//!
//! | item | what it is |
//! |---|---|
//! | [`Document`] | a document that is edited, and its name in messages |
//! | [`Text`] | its bytes, of which what stays is not loaded where they are many |
//! | [`Path`], [`Token`], [`Assign`] | the way to a value, as JSON Pointer or dotted; `PATH=VALUE` |
//! | [`Syntax`], [`Kind`] | what is allowed, and what a value is |
//! | [`Fault`], [`Found`] | why a text is no JSON |
//! | [`members()`], [`root()`] | where the parts of a text are, for who compares two of them |
//! | [`same()`] | whether two values are equal |
//! | [`plain()`], [`strict()`] | JSON with comments as JSON |
//! | [`merge`], [`patch`] | RFC 7396 and RFC 6902 |
//! | [`number`], [`string`] | exact sums; strings as JSON spells them |

mod document;
mod find;
mod layout;
mod members;
pub mod merge;
pub mod number;
pub mod patch;
mod path;
mod plain;
mod same;
mod scan;
pub mod string;
mod text;

pub use document::Document;
pub use members::{Members, in_order, members, root};
pub use path::{Assign, Path, Token};
pub use plain::{plain, strict};
pub use same::{Numbers, same};
pub use scan::{Fault, Found, Kind, Scanned, Syntax};
pub use text::{SMALL, Text};
