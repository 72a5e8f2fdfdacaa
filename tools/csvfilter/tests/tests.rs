//! Cases through the binary.

#[test]
fn the_examples_of_the_manual_run() {
    testkit::readme(env!("CARGO_BIN_EXE_csvfilter"), "README.md");
}
