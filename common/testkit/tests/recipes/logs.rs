//! The logs and other files that the recipes find.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use testkit::write;

use crate::fleet::program;

/// Folders that are there before anything is put into them.
const FOLDERS: &[&str] = &["run/lock", "usr/local/bin", "var/backups", "var/lib", "var/tmp"];

/// Writes all of them below `root`.
pub(crate) fn write_all(root: &Path) {
    for folder in FOLDERS {
        std::fs::create_dir_all(root.join(folder)).expect("the folder is ours");
    }
    nights(&root.join("var/log/shop"));
    uploads(&root.join("srv/uploads"));
    write(root.join("srv/config/app.json"), "{\n  \"port\": 8080,\n  \"limits\": { \"burst\": 20 }\n}\n");
    write(root.join("etc/gateway/keys"), "first-key-of-the-shop\n");
    write(root.join("etc/shop/api.json"), "{\"gateway\": {\"key\": \"first-key-of-the-shop\"}}\n");
    for secret in ["etc/gateway/keys", "etc/shop/api.json"] {
        std::fs::set_permissions(root.join(secret), std::fs::Permissions::from_mode(0o600))
            .expect("it is ours");
    }
    write(root.join("srv/shop/orders.csv"), "id,amount\n1017,90\n1018,1200\n");
    let payments = "id,payer,amount\n1,Ada,1200.00\n2,Bruno,\"1.234,50\"\n3,Chen,20\n4,Dana\n5,Eve,5000\n6,Farid,17.50\n\
         7,Grace,980\n8,Hugo,1000\n9,Ines,3.10\n10,Jonas,64\n";
    write(root.join("srv/bank/payments.csv"), payments);
    let hosts = std::fs::read_dir(root.join("systems")).expect("the hosts are there");
    for host in hosts.map(|host| host.expect("a host has a name")) {
        let name = host.file_name().into_string().expect("it is ASCII");
        write(host.path().join("var/log/shop/app.log"), incident(&name));
        write(
            host.path().join("etc/shop/app.json"),
            "{\n  \"port\": 8080,\n  \"limits\": { \"burst\": 20 }\n}\n",
        );
        let config = host.path().join("etc/shop/app.json");
        program(&host.path(), "shop-is-well", &format!("#!/bin/sh\n! grep -q 4000 {}\n", config.display()));
    }
}

/// The log of today, and what logrotate has made of those before. Every night is the same, so that it
/// does not matter when the test begins, and that midnight may pass while it runs.
fn nights(folder: &Path) {
    let log = |days: &[i32]| days.iter().map(|&day| of_day(&date(day))).collect::<String>();
    write(folder.join("app.log"), log(&[0, 1]));
    write(folder.join("app.log.1"), log(&[-1]));
    for (number, day) in [(2, -2), (3, -3)] {
        let name = folder.join(format!("app.log.{number}"));
        write(&name, log(&[day]));
        let packed = Command::new("gzip").arg(&name).status();
        assert!(packed.is_ok_and(|status| status.success()), "gzip packs {}", name.display());
    }
}

/// A record every ten minutes; three errors in each night, seven at noon.
fn of_day(date: &str) -> String {
    let mut log = String::new();
    for number in 0..24 * 6 {
        let (hour, minute) = (number / 6, number % 6 * 10);
        let what = match (hour, minute) {
            (23, 10) | (2, 30) | (4, 40) => {
                "ERROR Payment - the bank does not answer\n\tat shop.Payment.charge"
            }
            (12, _) | (13, 0) => "ERROR Cart - too many items",
            (1, _) => "WARN  Stock - only 2 left",
            _ => "INFO  Shop - order is paid",
        };
        writeln!(log, "{date} {hour:02}:{minute:02}:07,120 {what}").expect("a string takes it");
    }
    log
}

/// The date so many days from now, in UTC.
fn date(days: i32) -> String {
    let output = Command::new("date").args(["-u", "+%F", "-d", &format!("{days} days")]).output();
    let output = output.expect("date(1) runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// What a host said around 09:26.
fn incident(host: &str) -> String {
    let middle = match host {
        "web07" => {
            "2026-03-14 09:26:02,310 WARN  Upload - the disk is nearly full\n\
             2026-03-14 09:26:41,005 ERROR Upload - cannot store order 1017\n\
             java.io.IOException: No space left on device\n\tat shop.Upload.store(Upload.java:88)\n"
        }
        "web03" | "web12" => "2026-03-14 09:27:11,480 ERROR Shop - web07 does not answer\n",
        "web20" => "2026-03-14 09:29:30,000 WARN  Shop - web07 is left out\n",
        _ => "2026-03-14 09:28:00,000 INFO  Shop - order is paid\n",
    };
    format!(
        "2026-03-14 09:25:59,118 ERROR Shop - before all that\n{middle}2026-03-14 09:31:00,002 INFO  Shop - well again\n"
    )
}

fn uploads(folder: &Path) {
    write(folder.join("north.csv"), "id,amount\n1,90\n2,75\n");
    write(folder.join("south.csv"), "id,amount\n1,12\n2,5\n3,61\n");
    write(folder.join("torn.csv"), "id,amount\n1,12\n2\n");
    write(folder.join("west.csv.part"), "id,amount\n1,");
}
