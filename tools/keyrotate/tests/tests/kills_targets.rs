//! As `kills.rs`, with targets that are asked over the network or by a plug-in.

use std::sync::Arc;
use std::time::Duration;

use testkit::moto::Moto;
use testkit::postgres::Postgres;
use testkit::redis::Redis;

use crate::kills::{fail, kill, kill_a_few};
use crate::rig::Rig;
use crate::targets::{Plugin, TOKEN_FILE, User};
use crate::targets_aws::Account;
use crate::targets_postgres::Pair;

const USERS: &str = "user default on nopass ~* &* +@all\n";

#[test]
fn a_kill_while_redis_is_told_costs_nobody_his_key() {
    let Some(server) = Redis::new().users(USERS).start().map(Arc::new) else { return };
    kill("rotation of a user of Redis", 3, || Rig::new(User::new(&server, server.address())));
}

#[test]
fn a_fault_at_any_call_to_redis_costs_nobody_his_key() {
    let Some(server) = Redis::new().users(USERS).start().map(Arc::new) else { return };
    fail("rotation of a user of Redis", 2, || Rig::new(User::new(&server, server.address())));
}

#[test]
fn a_kill_while_postgres_is_told_costs_nobody_his_key() {
    let Some(server) = Postgres::new().start().map(Arc::new) else { return };
    kill("rotation of two roles", 2, || Rig::new(Pair::new(&server, server.address())));
}

#[test]
fn a_fault_at_any_call_to_postgres_costs_nobody_his_key() {
    let Some(server) = Postgres::new().start().map(Arc::new) else { return };
    fail("rotation of two roles", 2, || Rig::new(Pair::new(&server, server.address())));
}

#[test]
fn a_kill_while_aws_is_told_costs_nobody_his_key() {
    let Some(server) = Moto::start(Duration::ZERO).map(Arc::new) else { return };
    kill("rotation of access keys", 2, || Rig::new(Account::new(&server)));
}

#[test]
fn a_fault_at_any_call_to_aws_costs_nobody_his_key() {
    let Some(server) = Moto::start(Duration::ZERO).map(Arc::new) else { return };
    fail("rotation of access keys", 2, || Rig::new(Account::new(&server)));
}

#[test]
fn a_kill_while_a_key_is_not_yet_known_everywhere_costs_nobody_his_key() {
    let Some(server) = Moto::start(Duration::from_secs(2)).map(Arc::new) else { return };
    let patient = || {
        let rig = Rig::new(Account::new(&server));
        let spec = std::fs::read_to_string(rig.path("spec.toml")).unwrap();
        testkit::write(
            rig.path("spec.toml"),
            spec.replace("tries = 3\nwindow = \"0s\"", "tries = 12\nwindow = \"1s\""),
        );
        rig
    };
    kill_a_few("rotation of keys that take two seconds", patient);
}

#[test]
fn a_kill_around_a_plug_in_costs_nobody_his_key() {
    kill("rotation by a plug-in", 2, || Rig::new(Plugin(TOKEN_FILE.to_owned())));
}

#[test]
fn a_fault_at_any_call_around_a_plug_in_costs_nobody_his_key() {
    fail("rotation by a plug-in", 2, || Rig::new(Plugin(TOKEN_FILE.to_owned())));
}
