//! The manual and the hard cases, run through the real binary.
