//! How hosts are reached: `[ssh]` of the spec.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use common::{Error, Result};
use hosts::Host;
use hosts::cli::Hosts;
use hosts::inventory::{Inventory, Source};
use hosts::select::Selection;
use specs::Table;

use crate::keys::Keyring;
use crate::settings::{Flags, Myself, Settler};
use crate::{Bounds, Reach, Target};

/// How hosts are reached; what is missing is looked up as ssh(1) does it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ssh {
    /// Files with inventories.
    inventory: Vec<PathBuf>,
    /// The SSH configuration to read instead of the usual ones; `none` for none.
    settings: Option<PathBuf>,
    flags: Flags,
}

impl Ssh {
    /// Reads `[ssh]`.
    pub fn read(mut table: Table<'_>) -> Self {
        let paths = |table: &mut Table<'_>, key| {
            let texts = table.texts(key).unwrap_or_default();
            texts.into_iter().map(PathBuf::from).collect::<Vec<_>>()
        };
        let port = table.number("port", 1..=65535).and_then(|port| u16::try_from(port).ok());
        let config = Self {
            inventory: paths(&mut table, "inventory"),
            settings: table.text("config").map(PathBuf::from),
            flags: Flags {
                user: table.text("user"),
                port,
                keys: paths(&mut table, "key"),
                jump: table.text("jump"),
                known_hosts: paths(&mut table, "known_hosts"),
                accepts_new: table.flag("accept_new").unwrap_or_default(),
                uses_no_agent: !table.flag("agent").unwrap_or(true),
            },
        };
        table.finish();
        config
    }

    /// The hosts that `names` means: names, ranges, or, with an inventory, also patterns, groups and tags
    /// as `--limit` of the other tools takes them.
    ///
    /// # Errors
    /// When an inventory or the SSH configuration cannot be read, or a name means no host, or one that
    /// cannot be reached at all.
    pub fn targets(&self, names: &[String]) -> Result<Vec<Target>> {
        self.targets_among(names, &[])
    }

    /// As [`Ssh::targets`], of which only those that all of `limit` means are left; that may be none.
    ///
    /// # Errors
    /// As [`Ssh::targets`].
    pub fn targets_among(&self, names: &[String], limit: &[Selection]) -> Result<Vec<Target>> {
        let hosts = self.hosts(names)?;
        let mut selected = hosts.selected()?;
        selected.hosts.retain(|host| limit.iter().all(|one| one.matches(host)));
        let config = hosts.ssh_config()?;
        let myself = Myself::now();
        let mut settler = Settler::new(&config, &self.flags, &myself, &selected.known);
        let target = |host: &Host| {
            let target = settler.target(host);
            target.map_err(|failure| Error::failed(format!("{}: {failure}", host.name)))
        };
        selected.hosts.iter().map(target).collect()
    }

    /// That each of `names` can mean a host; which hosts there are is not looked up.
    ///
    /// # Errors
    /// What is wrong with the first that cannot.
    pub fn can_be_hosts(&self, names: &[String]) -> std::result::Result<(), String> {
        if !self.inventory.is_empty() {
            return Selection::parse(&names.join(",")).map(drop);
        }
        for name in names {
            if let Err(error) = Inventory::read(&[Source::Names(vec![name.clone()])], None) {
                let why = error.to_string();
                let what = why.split_once("command line: ").map_or(why.as_str(), |(_, what)| what);
                return Err(what.to_owned());
            }
        }
        Ok(())
    }

    fn hosts(&self, names: &[String]) -> Result<Hosts> {
        let mut hosts = Hosts { ssh_config: self.settings.clone(), ..Hosts::default() };
        if self.inventory.is_empty() {
            hosts.names = names.to_vec();
            return Ok(hosts);
        }
        hosts.files.clone_from(&self.inventory);
        let selection = Selection::parse(&names.join(",")).map_err(Error::failed)?;
        hosts.limit = vec![selection];
        Ok(hosts)
    }

    /// What all sessions of a run share; `timeout` bounds each command and all of what leads to it.
    #[must_use]
    pub fn reach(timeout: Duration) -> Arc<Reach> {
        let bounds = Bounds {
            connect: timeout.min(Duration::from_secs(5)),
            handshake: timeout.min(Duration::from_secs(5)),
            auth: timeout.min(Duration::from_secs(10)),
            command: timeout,
            total: timeout,
            retries: 2,
            max_output: 1024 * 1024,
        };
        Arc::new(Reach::new(bounds, Keyring::new(None)))
    }
}
