//! `[[environments]]`: where it goes to.

use std::collections::BTreeMap;
use std::time::Duration;

use specs::Table;

use super::{Strategy, Values, texts};
use crate::values;

/// Hosts that get it together, or not at all.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Environment {
    /// What it is called.
    pub(crate) name: String,
    /// Which hosts: names, ranges, or terms as `--limit` takes them where there is an inventory.
    pub(crate) hosts: Vec<String>,
    /// Values of its hosts, over those of all.
    pub(crate) values: Values,
    /// Values of single hosts, by their names, over those of the environment.
    pub(crate) host_values: BTreeMap<String, Values>,
    /// Whether it takes `--yes`.
    pub(crate) is_protected: bool,
    /// Whether a person opens the gate before it, by `--confirm`.
    pub(crate) is_manual: bool,
    /// How long its hosts have to be healthy before it is confirmed.
    pub(crate) bake: Duration,
    /// That of the spec, with what the environment says otherwise.
    pub(crate) strategy: Strategy,
}

impl Environment {
    /// Reads one of `[[environments]]`; `strategy` is that of the spec.
    pub(super) fn read(mut table: Table<'_>, strategy: Strategy) -> Self {
        let name = texts::name(&mut table, "name");
        table.must("hosts");
        let hosts = table.hosts("hosts").unwrap_or_default();
        let values = table.table("values").map(values::read).unwrap_or_default();
        let of_hosts = table.table("host_values").map(Table::into_named).unwrap_or_default();
        let host_values = of_hosts.into_iter().map(|(host, table)| (host, values::read(table))).collect();
        let is_protected = table.flag("protected").unwrap_or_default();
        let is_manual = table.choice("gate", &["health", "manual"]) == Some(1);
        let bake = table.duration("bake").unwrap_or_default();
        let own = table.table("strategy");
        let strategy = own.map_or(strategy, |own| Strategy::read(own, strategy));
        table.finish();
        Self { name, hosts, values, host_values, is_protected, is_manual, bake, strategy }
    }
}

impl Environment {
    /// All its tables of values.
    pub(super) fn tables(&self) -> impl Iterator<Item = &Values> {
        std::iter::once(&self.values).chain(self.host_values.values())
    }
}
