//! Databases, web servers, caches, brokers.

use super::*;

#[test]
fn nginx_and_apache() {
    check("2025/03/14 09:26:53 [error] 31#31: *1 open() \"/x\" failed", ERROR);
    check("2025/03/14 09:26:53 [emerg] 1#1: bind() failed", CRITICAL);
    check("[Fri Mar 14 09:26:53.123456 2025] [core:error] [pid 7] AH00135: x", ERROR);
    check("[Fri Mar 14 09:26:53.123456 2025] [ssl:trace4] [pid 7] x", TRACE);
    check("[Fri Mar 14 09:26:53 2025] [notice] Digest: done", NOTICE);
    check("10.0.0.7 - - [14/Mar/2025:09:26:53 +0000] \"GET /error HTTP/1.1\" 500 1", None);
    check("nginx: [emerg] unknown directive", CRITICAL);
    check("E [14/Mar/2025:09:26:53 -0400] StartListening: no address", ERROR);
}

#[test]
fn postgres() {
    check("2025-03-14 09:26:53.123 UTC [7] LOG:  could not send data", INFO);
    check("2025-03-14 09:26:53.123 UTC [7] PANIC:  no space", CRITICAL);
    check("2025-03-14 09:26:53 UTC:10.0.0.7(5432):app@db:[77]:ERROR:  deadlock", ERROR);
    check("2025-03-14 09:26:53 UTC:10.0.0.7(5432):app@db:[77]:LOG:  slow", INFO);
    check("<2025-03-14 09:26:53.123 UTC app@db(10.0.0.7)>FATAL:  no", CRITICAL);
    check("<2025-03-14 09:26:53.123 UTC app@db(10.0.0.7)>LOG:  yes", INFO);
    sort("<2025-03-14 09:26:53.123 UTC app@db(10.0.0.7)>HINT:  try", Sort::More);
    sort("2025-03-14 09:26:53.123 UTC [7] STATEMENT:  SELECT 'ERROR'", Sort::More);
    sort("DETAIL:  Key (id)=(7) exists.", Sort::More);
    check("LOG:  database system is ready", INFO);
    check(
        "2025-03-14 09:26:53.123 UTC,\"u\",\"d\",7,\"[local]\",67d.1,1,\"idle\",2025-03-14 09:26:50 UTC,3/4,0,FATAL,57P01,\"bye\",,",
        CRITICAL,
    );
    check(
        "2025-03-14 09:26:53.123 UTC,\"u, v\",\"d\",p7,th-6,\"10.0.0.7\",\"5\",2025-03-14 09:26:50 UTC,0,con7,cmd1,seg-1,,,,sx1,\"LOG\",\"00000\",\"x\",,",
        INFO,
    );
    check("2025-03-14 09:26:53.123 UTC,\"ERROR\",\"d\",7", None);
}

#[test]
fn other_databases() {
    check("2025-03-14T09:26:53.123456Z 0 [Warning] [MY-010055] [Server] no IP", WARNING);
    check("2025-03-14T09:26:53.123456Z 0 [System] [MY-010931] [Server] ready", INFO);
    check("2025-03-14  9:26:53 0 [Note] InnoDB: ready", INFO);
    check("2025-03-14T09:26:53.123+0000 I NETWORK  [conn1] end", INFO);
    check("2025-03-14T09:26:53.123+0000 E STORAGE  [initandlisten] x", ERROR);
    check("7:M 14 Mar 2025 09:26:53.123 # WARNING overcommit", WARNING);
    check("7:S 14 Mar 2025 09:26:53.123 - connected", TRACE);
    check("[7] 14 Mar 09:26:53.123 * ready", NOTICE);
    check("14 Mar 09:26:53 . 0 clients", DEBUG);
    check("14 Mar 2025 09:26:53 - no sign of Redis", None);
    check("2025-03-14-09.26.53.123456+060 I363420E1996          LEVEL: Severe", ERROR);
    check("2025-03-14-09.26.53.123456+060 I363420E1996          LEVEL: Event", INFO);
    check("[3957]{-1}[-1/-1] 2025-03-14 09:26:53.123456 e Memory       Pool.cpp(01211) : out", ERROR);
    check("[ns_server:warn,2025-03-14T09:26:53.123+02:00,ns_1@h:normal]slow", WARNING);
    check("=CRASH REPORT==== 14-Mar-2025::09:26:53.123456 ===", ERROR);
    check("=PROGRESS REPORT==== 14-Mar-2025::09:26:53.123456 ===", INFO);
    check("2025-03-14 09:26:53.123 [warning] <0.77.0> closing", WARNING);
}

#[test]
fn big_data() {
    check("250314 092653 148 INFO dfs.DataNode: x", INFO);
    check("25/03/14 09:26:53 WARN executor.Backend: x", WARNING);
    check(
        "- 1741944413 2025.03.14 R02-M1-N0 2025-03-14-09.26.53.123456 R02-M1-N0 RAS KERNEL FATAL x",
        CRITICAL,
    );
    check("KERNDTLB 1741944413 2025.03.14 R02 2025-03-14-09.26.53.123456 R02 RAS APP FAILURE x", ERROR);
    check("nova-api.log 2025-03-14 09:26:53.123 25746 WARNING nova.osapi [req-7] GET", WARNING);
}
