//! What the manual does not show.

mod aws;
mod plugins;

#[test]
fn the_manual_is_executed() {
    testkit::readme(env!("CARGO_BIN_EXE_keyrotate"), concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));
}
