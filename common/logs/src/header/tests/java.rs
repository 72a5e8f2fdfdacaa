//! Loggers of application languages: Java, Python, Ruby, .NET, Go, Rust, JavaScript, PHP, C++.

use super::*;

#[test]
fn log4j_and_logback() {
    check("2025-03-14 09:26:53,123 INFO  [main] com.acme.App - Started with 0 errors", INFO);
    check("2025-03-14 09:26:53,123 ERROR [pool-1-thread-3] c.a.Orders: no stock", ERROR);
    check("2025-03-14 09:26:53.123  WARN 7 --- [nio-8080-exec-1] c.a.Cart : ERROR_TIMEOUT set", WARNING);
    check("2025-03-14T09:26:53.123+01:00 TRACE 7 --- [main] c.a.Cart : in", TRACE);
    check("[2025-03-14 09:26:53,123] WARN [Controller id=1] fenced (kafka.controller)", WARNING);
    check("[2025-03-14T09:26:53,123][DEBUG][o.e.i.Shard] [node-1] flush", DEBUG);
    check("[2025-03-14T09:26:53,123][WARN ][o.e.i.Shard] [node-1] slow", WARNING);
    check("2025-03-14 09:26:53,123 - INFO  [QuorumPeer:/0.0.0.0:2181:Peer@7] - LOOKING", INFO);
    check("09:26:53.123 [main] DEBUG c.a.App - no date", DEBUG);
    check("09:26:53,123 |-WARN in ch.qos.logback.core.Roller - no file", WARNING);
    check("2025-03-14 09:26:53,123 main ERROR Cannot find appender", ERROR);
    check("log4j:WARN No appenders could be found", WARNING);
    check("SLF4J(W): No providers were found", WARNING);
    check("INFO   | jvm 1    | 2025/03/14 09:26:53 | started", INFO);
    check("INFO  [main] 2025-03-14 09:26:53,123 Daemon.java:7 - ERROR budget", INFO);
    check("[main] WARN com.acme.App - simple", WARNING);
    check("7 [main] FATAL com.acme.App - counter", CRITICAL);
}

#[test]
fn application_servers() {
    check("[14/03/25 09:26:53:123 CET] 000000a1 WebContainer  E SRVE0255E: no host", ERROR);
    check("[3/14/25 09:26:53:123 CET] 0000006e ThreadMonitor W   hung", WARNING);
    check("[3/14/25 09:26:53:123 CET] 0000006e ThreadMonitors W hung", None);
    check("[#|2025-03-14T09:26:53.123+0100|SEVERE|glassfish 5.0|a.b|_ThreadID=7;|x|#]", ERROR);
    check("####<Mar 14, 2025 9:26:53 AM CET> <Warning> <Server> <h> <a> x", WARNING);
    check("14.03.2025 09:26:53.123 *ERROR* [qtp-7] com.acme.Page x", ERROR);
    check("2025-03-14 09:26:53 *error* x", None);
    check("14-Mar-2025 09:26:53.123 SEVERE [main] org.apache.catalina.Startup x", ERROR);
    check("2025-03-14 09:26:53,123 INFO  [org.jboss.as] (Controller Boot Thread) started", INFO);
    check("2025-03-14T09:26:53.123Z [grpc-5  WARN  com.acme.Lookup  opId=] no node", WARNING);
    check("[2025-03-14 09:26:53:123 'Config' 139700477753600 ERROR]  [config, 7] x", ERROR);
}

#[test]
fn java_util_logging_needs_two_lines() {
    sort("Mar 14, 2025 9:26:53 AM com.acme.App start", Sort::Opens);
    sort("SEVERE: cannot start", Sort::Fills);
    check("WARNING: slow", WARNING);
}

#[test]
fn python() {
    check("2025-03-14 09:26:53,123 - acme.jobs - DEBUG - retry after ERROR", DEBUG);
    check("2025-03-14 09:26:53,123 - acme.jobs - warning - low case", WARNING);
    check("WARNING:root:disk", WARNING);
    check("CRITICAL:acme.jobs:gone", CRITICAL);
    check("2025-03-14 09:26:53.123 | SUCCESS  | acme:main:7 - done", INFO);
    check("2025-03-14 09:26:53.123 | ERROR    | acme:main:7 - failed", ERROR);
    check("[2025-03-14 09:26:53,123: WARNING/MainProcess] celery@h ready", WARNING);
    check("[I 2025-03-14 09:26:53.123 ServerApp] running", INFO);
    check("[2025-03-14 09:26:53 +0000] [7] [ERROR] Worker (pid:8) exited", ERROR);
    check("Thread-7::WARNING::2025-03-14 09:26:53,123::task::94::Storage::x", WARNING);
    check("JobService:2025-03-14 09:26:53,123[MainThread]job:7 [INFO] up", INFO);
    check("Starting supervisor: 2025-03-14 09:26:53,123 CRIT running as root", CRITICAL);
}

#[test]
fn ruby_php_and_perl() {
    check("W, [2025-03-14T09:26:53.123456 #7]  WARN -- : slow", WARNING);
    check("[2025-03-14T09:26:53.123456+00:00] app.ERROR: boom {\"a\":1} []", ERROR);
    check("[2025-03-14 09:26:53] production.INFO: info", INFO);
    check("[14-Mar-2025 09:26:53 UTC] PHP Fatal error:  Uncaught Error", CRITICAL);
    check("[14-Mar-2025 09:26:53 UTC] PHP Parse error:  unexpected '}'", ERROR);
    check("PHP Warning:  Undefined variable", WARNING);
    sort("[14-Mar-2025 09:26:53 UTC] PHP Stack trace:", Sort::More);
    check("ERROR - 2025-03-14 09:26:53 --> Severity: error", ERROR);
}

#[test]
fn dotnet() {
    check("info: Acme.Hosting.Lifetime[0]", INFO);
    check("fail: Acme.Data.Command[20102]", ERROR);
    check("crit: Acme.Program[0]", CRITICAL);
    check("[09:26:53 WRN] slow", WARNING);
    check("[2025-03-14 09:26:53.123 +01:00 FTL] gone", CRITICAL);
    check("2025-03-14 09:26:53.1234|ERROR|Acme.Program|x", ERROR);
    check("2025-03-14 09:26:53, Info                  CBS    Loaded with ERROR_SUCCESS", INFO);
}

#[test]
fn go_and_kubernetes() {
    check("I0314 09:26:53.123456    1234 server.go:42] error budget", INFO);
    check("E20250314 09:26:53.123456 400441 config.cc:27] x", ERROR);
    check("2025-03-14T09:26:53.123456789Z W0314 09:26:53.123456       7 main.go:1] x", WARNING);
    check("INFO[0042] started                       pod=7", INFO);
    check("WARN [03-14|09:26:53.123] Served conn=7", WARNING);
    check("2025-03-14T09:26:53.123Z\tERROR\tsetup\tmain.go:7\tfailed", ERROR);
    check("2025-03-14T09:26:53.123Z\terror\tsetup\tmain.go:7\tfailed", ERROR);
    check("2025-03-14T09:26:53.123Z [WARN]  agent: deprecated", WARNING);
    check("2025/03/14 09:26:53 [ERR] raft: no peer", ERROR);
    check("2025/03/14 09:26:53 INFO started addr=:80", INFO);
    check("2025/03/14 09:26:53 daemon: WARNING: (1404): key", WARNING);
    check("2025/03/14 09:26:53 http: TLS handshake error from 10.0.0.7: EOF", None);
    check("2025/03/14 09:26:53 worker: error: EOF", None);
    check("2025-03-14 09:26:53.123456 I | etcdserver: ready", INFO);
    check("[pod/web-7/app] E0314 09:26:53.123456       1 main.go:13] failed", ERROR);
    check("web-5d4f8c7b9-abcde app 2025-03-14T09:26:53Z WARN retrying", WARNING);
    check("web-5d4f8c7b9-abcde app level=error msg=x", ERROR);
}

#[test]
fn rust_and_javascript() {
    check("[2025-03-14T09:26:53Z ERROR acme::db] gone", ERROR);
    check("2025-03-14T09:26:53.123456Z  INFO acme::server: error_count=0", INFO);
    check("[2025-03-14][09:26:53][acme::db][WARN] slow", WARNING);
    check("2025-03-14T09:26:53.123Z warn: slow", WARNING);
    check("2025-03-14T09:26:53.123Z [error]: boom", ERROR);
    check("[2025-03-14T09:26:53.123] [INFO] default - up", INFO);
    check("[Nest] 7  - 03/14/2025, 9:26:53 AM     LOG [Routes] mapped", INFO);
    check("npm ERR! code ENOENT", ERROR);
}

#[test]
fn native_code() {
    check("[1234:5678:0314/092653.123456:ERROR:file.cc(12)] x", ERROR);
    check("[1234:5678:0314/092653.123456:VERBOSE2:file.cc(12)] x", TRACE);
    check("2025-03-14 09:26:53.123456: I tensorflow/core/cpu.cc:7] x", INFO);
    check("(editor:77): Gtk-WARNING **: 09:26:53.123: no display", WARNING);
    check("(editor:77): GLib-GObject-CRITICAL **: assertion failed", CRITICAL);
    check("** (editor:77): DEBUG: 09:26:53.123: hello", DEBUG);
    check("E (6714) wifi: init", ERROR);
    check("0:00:00.452100000   987 0xffffa8000b70 WARN                 src src.c:12:f:<v0> lost", WARNING);
    check("[2025.03.14-09.26.53:123][  7]LogInit: Warning: no paths", WARNING);
    check("[09:26:53] [Server thread/WARN]: overloaded", WARNING);
    check("[Debug#SQL] SELECT 1", DEBUG);
}

#[test]
fn build_tools_and_consoles() {
    for (line, level) in [
        ("[INFO] BUILD SUCCESS", INFO),
        ("[ERROR] Failed to execute goal", ERROR),
        ("[warn] deprecated", WARNING),
        ("[success] Total time: 3 s", INFO),
    ] {
        check(line, level);
        sort(line, Sort::Record);
    }
    for line in ["ERROR 12", "Error: no such file", "[GIN-debug] [WARNING] debug mode", "nginx: [emerg] x"] {
        sort(line, Sort::Weak);
    }
}
