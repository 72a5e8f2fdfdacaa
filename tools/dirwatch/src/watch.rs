//! Hints from the kernel, through notify.
