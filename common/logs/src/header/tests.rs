use super::*;

#[test]
fn placeholder() {
    assert_eq!(read(b"2025-03-14 09:26:53,123 INFO  [main] x").level, Some(Level::Info));
}
