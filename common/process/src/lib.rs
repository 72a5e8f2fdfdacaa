//! Processes: running a command, telling a person by one, saying who this one is and where its state is,
//! and what the system says of any.

pub mod child;
pub mod event;
pub mod folder;
pub mod origin;
pub mod stat;
