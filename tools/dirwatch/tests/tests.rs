//! The manual and the hard cases, run through the real binary.

mod cases {
    mod losses;
    pub(crate) mod mill;
}

#[test]
fn the_examples_of_the_manual_run() {
    testkit::readme(env!("CARGO_BIN_EXE_dirwatch"), "README.md");
}
