//! Level words where no logger puts a level.

use super::*;

#[test]
fn a_word_in_the_message_is_no_level() {
    check("2025-03-14 09:26:53 no ERROR here", None);
    check("2025-03-14 09:26:53 the build said ERROR: x", None);
    check("2025-03-14 09:26:53 got ERROR", None);
    check("2025-03-14 09:26:53 info and more", None);
    check("2025-03-14 09:26:53 Error handling is on", None);
    check("2025-03-14 09:26:53 Fine weather", None);
    check("2025-03-14 09:26:53 failure: disk", None);
    check("2025-03-14 09:26:53 \"ERROR\" was quoted", None);
    check("2025-03-14 09:26:53 state=ERROR", None);
    check("2025-03-14 09:26:53 TERROR in the night", None);
    check("2025-03-14 09:26:53 ERROR_CODE 7", None);
    check("2025-03-14 09:26:53 errors=7 level of water", None);
    check("2025-03-14 09:26:53 GET /api?level=error 200", None);
    check("2025-03-14 09:26:53 [system] started", None);
    check("2025-03-14 09:26:53 [default] started", None);
    check("2025-03-14 09:26:53 [lvl=2] started", None);
    check("2025-03-14 09:26:53 I am here", None);
    check("2025-03-14 09:26:53 A word", None);
}

#[test]
fn states_of_somebody_else_are_no_level() {
    check("[1741944413] SERVICE ALERT: web7;DNS;CRITICAL;SOFT;1;CRITICAL - timed out", None);
    check("[1741944413] HOST ALERT: web7;DOWN;SOFT;1;Alarm timeout", None);
    check("[03.14 09:26:53] browser.exe *64 - proxy.acme.com:5070 error : no connection", None);
    check("[03.14 09:26:53] browser.exe - proxy.acme.com:5070 close, 7 bytes sent", None);
    check("20250314-09:26:53:123|Step_LSC|30002312|onStandStepChanged 3579", None);
    check("20250314-09:26:53:123|Step_LSC|30002312|REPORT : 7007 5002", None);
    joins("460903 node-7 unix.hw state_change.unavailable 1741944413 1 Component ERROR: x");
}

#[test]
fn the_first_level_wins() {
    check("2025-03-14 09:26:53 INFO ERROR x", INFO);
    check("2025-03-14 09:26:53 [info] [error] x", INFO);
    check("2025-03-14 09:26:53 DEBUG level=error", DEBUG);
    check("[INFO] [ERROR] x", INFO);
    check("INFO: ERROR: x", INFO);
}
