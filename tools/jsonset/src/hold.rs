//! A change that holds while a command runs.
