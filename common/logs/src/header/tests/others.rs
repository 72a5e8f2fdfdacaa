//! Continuations, and what is no record.

use super::*;

#[test]
fn the_lines_of_a_trace_belong_to_their_record() {
    joins("java.lang.IllegalStateException: ERROR state");
    joins("\tat com.acme.Orders.process(Orders.java:745)");
    joins("Caused by: java.net.SocketTimeoutException: Read timed out");
    joins("Traceback (most recent call last):");
    joins("  File \"x.py\", line 3, in error");
    joins("ValueError: bad ERROR code");
    joins("\t... 12 more");
    joins("goroutine 7 [running]:");
    joins("}");
    joins("");
    joins("    ERROR indented");
    joins("SELECT * FROM t WHERE level = 'ERROR'");
}

#[test]
fn some_loggers_indent() {
    check("    2025-03-14T09:26:53.123Z [WARN]  agent: x", WARNING);
    check("  2025-03-14T09:26:53.123456Z ERROR acme: x", ERROR);
    check(" INFO | started", INFO);
}

#[test]
fn prose_is_no_header() {
    joins("An error occurred");
    joins("errors: 7");
    joins("informational text");
    joins("main.c:3:5: error: 'x' undeclared");
    joins("Last seen at 2025-03-14 09:26:53 ERROR x");
    joins("order-7 was placed 2025-03-14 09:26:53 ERROR x");
}
