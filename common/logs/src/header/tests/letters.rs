//! Letters, places and names before the level, and the prose that looks like them.

use super::*;

#[test]
fn a_letter_shares_the_bracket_with_the_time() {
    check("[2025-03-14 09:26:53,123 I 77 77] (store) pool.cc:35: up", INFO);
    check("[2025-03-14 09:26:53,123 E 77 78] pool.cc:9: *** ERROR ***", ERROR);
    check("[2025-03-14 09:26:53.123 W acme.net.ssl] no such method", WARNING);
    check("[2025-03-14 09:26:53 I went home]", None);
    check("[2025-03-14 09:26:53 E major]", None);
}

#[test]
fn a_letter_alone_needs_a_time_or_a_place() {
    check("[I] 2025-03-14T09:26:53Z shard 7 opened", INFO);
    check("[W][wifi:123]: weak signal", WARNING);
    check("[W acme.cpp:12] x", WARNING);
    check("[E314 09:26:53.123456 acme.cpp:12] [net] x", ERROR);
    check("[rank0]:I0314 09:26:53.123456 77 acme/x.py:5] step 1", INFO);
    joins("[I] am here");
    joins("[W][wifi]: x");
    joins("[E flat major] x");
    joins("[W 12 plates:3] x");
}

#[test]
fn the_uptime_of_a_jvm_is_no_kernel_time() {
    check("[2.345s][info][gc] GC(0) Pause", INFO);
    check("[0.001s][warning][gc,init] x", WARNING);
    check("[12ms][error][os] x", ERROR);
    joins("[2.345s][info] x");
    check("[    2.345678] info: x", None);
}

#[test]
fn a_name_stands_before_the_level() {
    check("acme.worker - WARNING - memory is short", WARNING);
    check("acme.jobs.check DEBUG 2025-03-14 09:26:53,123 ERROR in the job", DEBUG);
    check("Acme2Bus:info  2025-03-14 09:26:53: published", INFO);
    joins("acme.worker - ERROR in the message");
    joins("acme.worker ERROR 7 times");
    joins("Acme2Bus:info  about the bus");
    joins("App.cs(12,5): error CS0103: no such name");
}

#[test]
fn other_headers_before_the_level() {
    check("1.7419444135123456e+09\tERROR\tsetup\tno manager\t{\"a\": 1}", ERROR);
    joins("1.7419444135123456e+09\tERRORS\tx");
    check(" 09:26:53.12 INFO  ==> starting", INFO);
    joins("  09:26:53.12 INFO  ==> starting");
    check("2025-03-14T09:26:53.123456Z E i.a.c.h.Server closed", ERROR);
    check("2025-03-14T09:26:53.123456Z I a.b is short", None);
    check("2025-03-14 09:26:53.4|Warn|Rss|limited", WARNING);
    check("2025-03-14 09:26:53.4 Warn|Rss|limited", None);
}

#[test]
fn network_gear_names_the_severity() {
    check("Mar 14 09:26:53 lb7 warning tmm[123]: 01260013:4: x", WARNING);
    check("Mar 14 09:26:53 lb err mcpd[123]: x", ERROR);
    check("Mar 14 09:26:53 lb7 error tmm: x", None);
    check("Mar 14 09:26:53 warning tmm[123]: a host of this name", None);
    check("Mar 14 09:26:53 node7 corosync warning [MAIN  ] no memory lock", WARNING);
    check("Mar 14 09:26:53 node7 about warning [main] x", None);
    check("7007: r7 RP/0/CPU0:2025 Mar 14 09:26:53.1 CET: sshd_[7]: %SECURITY-SSHD-6-OK : x", INFO);
    check("000012: Mar 14 09:26:53.123 UTC: %SYS-4-MEMORY: x", WARNING);
    joins("r7: 100 %SYS-4-MEMORY: x");
    joins("load: %CPU-ERROR: x");
}

#[test]
fn prose_and_markup_are_no_level() {
    joins("I/O operations: 7007");
    joins("I/O: 7 reads");
    joins("N/A: x");
    joins("C/C++: two languages");
    check("W/AcmeRuntime: x", WARNING);
    joins("E/W ratio (left to right): 7");
    check("E/AcmeRuntime( 1234): x", ERROR);
    check("D/Acme Service(  7): x", DEBUG);
    check("2025-03-14T09:26:53Z <error>oops</error>", None);
    check("2025-03-14T09:26:53Z <error><code>7</code></error>", None);
    check("2025-03-14T09:26:53Z <error> oops", ERROR);
}
