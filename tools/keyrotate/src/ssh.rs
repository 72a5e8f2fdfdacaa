//! What is done on hosts: files there, and the same on many of them.

mod cksum;
pub(crate) mod file;
pub(crate) mod sites;
