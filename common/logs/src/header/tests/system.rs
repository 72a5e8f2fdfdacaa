//! Operating systems, hypervisors, phones, network gear.

use super::*;

#[test]
fn syslog_without_a_priority_has_no_level() {
    check("Mar 14 09:26:53 web7 sshd(pam_unix)[7]: authentication failure; no error code", None);
    check("Mar 14 09:26:53 web7 cron[7]: ERROR: job failed", None);
    check("Mar 14 09:26:53 web7 kernel: [4754.368566] app[7]: segfault error 4", None);
    check("Mar 14 09:26:53 web7 dbus-daemon[7]: [system] Activated service", None);
    check("Mar 14 09:26:53 web7 app[7]: [ERROR] boom", None);
    check("Mar 14 09:26:53 web7 app[7]: 09:26:53.123 ERROR boom", None);
    check("Mar 14 09:26:53 web7 app[7]: 09:26:53 ERROR: boom", None);
    check("Mar 14 09:26:53 web7 WARNING: no tag", None);
    check(
        "Mar 14 09:26:53 Somebodys-iMac Finder[7]: 2025-03-14 09:26:53.1 Finder[7/0x7] [lvl=2] -[Sync run:] KSx",
        None,
    );
    check("Mar 14 09:26:53 Somebodys-iMac launchd[1] (com.acme.agent[77]): ERROR exit", None);
    check("Mar 14 09:26:53 Somebodys-iMac sandboxd[7] ([77]): agent(77) deny", None);
    check("Mar 14 09:26:53 --- last message repeated 1 time ---", None);
    check("- 1741944413 2025.03.14 n7 Mar 14 09:26:53 n7/n7 gmond[7]: ERROR: no data", None);
    check("R_MPT1 1741944413 2025.03.14 n7 Mar 14 09:26:53 n7/n7 kernel: mpt: error", None);
}

#[test]
fn syslog_that_says_its_severity() {
    check("Mar 14 09:26:53 gate user.warn kernel: IN=br7", WARNING);
    check("Mar 14 09:26:53 web7 NetworkManager[7]: <warn>  [1741944413.1] x", WARNING);
    check("Mar 14 09:26:53 phone Springboard(Front)[7] <Error>: x", ERROR);
    check("Mar 14 09:26:53 web7 corosync notice  [MAIN  ] ready", NOTICE);
    check("Mar 14 09:26:53 web7 crmd[7]:   notice: moved", NOTICE);
    check("Mar 14 09:26:53.123 web7 pacemaker-fenced  [7] (log_action) \twarning: x", WARNING);
    check("Mar 14 09:26:53 web7 krb5kdc[7](info): AS_REQ", INFO);
    check("Mar 14 09:26:53 web7 [CLOUDINIT] util.py[DEBUG]: x", DEBUG);
    check("kern  :warn  : [    0.123] x", WARNING);
    check("[    0.123456] error: no level", None);
    check("[    12.345] (EE) no screens", ERROR);
}

#[test]
fn a_record_inside_syslog_has_its_own_level() {
    check("Mar 14 09:26:53 web7 app[7]: E0314 09:26:53.123456 7 a.go:1] x", ERROR);
    check("Mar 14 09:26:53 web7 app[7]: {\"level\":\"warn\",\"msg\":\"x\"}", WARNING);
    check("Mar 14 09:26:53 web7 app[7]: time=2025-03-14T09:26:53Z level=error msg=x", ERROR);
    check("Mar 14 09:26:53 web7 app[7]: 2025-03-14 09:26:53,123 - app - ERROR - x", ERROR);
    check("Mar 14 09:26:53 web7 app[7]: [2025-03-14T09:26:53Z WARN  app::x] y", WARNING);
    check("Mar 14 09:26:53 web7 app/worker.1 [2025-03-14 09:26:53,123: ERROR/Main] y", ERROR);
    check("Mar 14 09:26:53 web7 unbound[7]: Mar 14 09:26:53 unbound[7:0] info: start", INFO);
}

#[test]
fn network_gear() {
    check("Mar 14 2025 09:26:53: %ASA-4-106023: Deny tcp", WARNING);
    check("Mar 14 2025 09:26:53 FW7 : %ASA-session-5-106100: permitted", NOTICE);
    check("Mar 14 09:26:53 10.0.0.7 77: Mar 14 09:26:53.123 UTC: %SEC_LOGIN-3-FAILED: x", ERROR);
    check("Mar 14 09:26:53 10.0.0.7 77: Mar 14 09:26:53.123: %PIM-SW1-6-JOIN: x", INFO);
    check("Mar 14 09:26:53 10.0.0.7 app: %d-4 is no facility", None);
    check("2025-03-14 09:26:53 system,error,critical login failure", CRITICAL);
    check("09:26:53 system,info,account user logged in", INFO);
    check("09:26:53 red,green,blue", None);
}

#[test]
fn vmware() {
    check("2025-03-14T09:26:53.123Z Wa(180) vmkwarning: cpu0:7)WARNING: x", WARNING);
    check("2025-03-14T09:26:53.123Z In(14) settingsd[7]: debug x", INFO);
    check("2025-03-14T09:26:53.123Z Db(167) Hostd[7]: x", DEBUG);
    check("2025-03-14T09:26:53.123Z cpu22:4401)ALERT: x", CRITICAL);
    check("2025-03-14T09:26:53.123Z [7F03ECE76700 verbose 'Default' opID=2140] x", TRACE);
    check("[2025-03-14 09:26:53.123 F5A5AB90 warning 'vm:/x' opID=F6] x", WARNING);
    check("2025-03-14T09:26:53.123Z info vpxd[7] [Originator@6876 sub=Default] x", INFO);
    check("2025-03-14T09:26:53.123Z h NSX 7 - [nsx@6876 comp=\"edge\" level=\"ERROR\" s2=\"x\"] y", ERROR);
    check("2025-03-14T09:26:53Z updater: 1000211352: root: INFO: x", INFO);
    check("[2025-03-14T09:26:53,123] WARN574240[Thread-35] - x", WARNING);
}

#[test]
fn phones() {
    check("03-14 09:26:53.123  1702  2395 D WindowManager: error", DEBUG);
    check("2025-03-14 09:26:53.123  1702  2395 F libc: abort", CRITICAL);
    check("03-14 09:26:53.123 E/AndroidRuntime( 1234): FATAL EXCEPTION", ERROR);
    check("[ 03-14 09:26:53.123  1234: 5678 D/ActivityManager ]", DEBUG);
    check("E/AndroidRuntime( 1234): FATAL EXCEPTION: main", ERROR);
    check("W( 1234) Suspending all threads", WARNING);
    check("mobiled[83] <Notice>: Connection invalid <error: 7>", NOTICE);
}

#[test]
fn macos_columns() {
    check("2025-03-14 09:26:53.123456+0100 0xf0c      Error       0x0   1  0  launchd: x", ERROR);
    check("2025-03-14 09:26:53.123456+0100 0xf0c      Fault       0x0   1  0  launchd: x", CRITICAL);
    check("2025-03-14 09:26:53.123456+0100 0xf0c      Default     0x0   1  0  launchd: x", INFO);
}

#[test]
fn masks_of_sssd() {
    check("(2025-03-14  9:26:53): [pam] [process] (0x0020): fatal error", CRITICAL);
    check("(2025-03-14  9:26:53): [be[acme.com]] [add_user] (0x0400): x", DEBUG);
    check("(2025-03-14  9:26:53): [pam] [process] (0x1234): x", None);
}
