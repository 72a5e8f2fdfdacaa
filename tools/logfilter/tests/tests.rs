//! The manual, and what it should not be burdened with.

mod cases;

#[test]
fn the_examples_of_the_manual_run() {
    testkit::readme(env!("CARGO_BIN_EXE_logfilter"), "README.md");
}
