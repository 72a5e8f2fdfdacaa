//! The files that wait for a command.
