//! The flags that name hosts, alike in every tool.

mod choose;
mod findings;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use common::{Error, OrCannot, Result, tool};

use crate::host::Host;
use crate::inventory::{Finding, Format, Inventory, Source};
use crate::select::Selection;
use crate::shard::Shard;
use crate::ssh_config::SshConfig;

/// How long `--hosts-command` may take: a cloud's API answers within seconds, or not at all.
const PATIENCE: Duration = Duration::from_secs(60);

/// The variable that names an inventory where no flag does.
const VARIABLE: &str = "SRE_HOSTS";

/// Which hosts are meant. Flatten it into the arguments of a tool.
#[derive(Args, Debug, Clone, Default)]
pub struct Hosts {
    /// Hosts: names, `[user@]name[:port]`, ranges such as `web[01-99].example.com`; `-` reads them from standard input
    #[arg(value_name = "HOST")]
    pub names: Vec<String>,

    /// Read an inventory; may be given again [env: SRE_HOSTS]
    #[arg(
        short = 'H',
        long = "hosts",
        value_name = "FILE",
        help_heading = "Hosts",
        long_help = "Read an inventory: TOML, CSV, JSON, Ansible INI or YAML, ssh_config or a list of names; - is standard input; may be given again [env: SRE_HOSTS]"
    )]
    pub files: Vec<PathBuf>,

    /// Read what this command prints, as an inventory
    #[arg(long, value_name = "CMD", help_heading = "Hosts")]
    pub hosts_command: Option<String>,

    /// Take the inventory for toml, csv, json, ini, yaml, ssh_config or names
    #[arg(long, value_name = "FORMAT", value_parser = Format::named, help_heading = "Hosts")]
    pub hosts_format: Option<Format>,

    /// Take some of the hosts: env=prod,role=web,!web07; given again, all must hold
    #[arg(
        long,
        value_name = "EXPR",
        value_parser = Selection::parse,
        help_heading = "Hosts",
        long_help = "Take some of the hosts: terms separated by commas. KEY=VALUE is a tag; a name, a pattern web*, a range, a group or @FILE names hosts; !TERM and KEY!=VALUE take away. Given again, all must hold"
    )]
    pub limit: Vec<Selection>,

    /// Take the I-th of N parts of them
    #[arg(long, value_name = "I/N", help_heading = "Hosts")]
    pub shard: Option<Shard>,

    /// Read this SSH configuration instead of ~/.ssh/config and /etc/ssh/ssh_config; `none` reads none
    #[arg(long, value_name = "FILE", help_heading = "Hosts")]
    pub ssh_config: Option<PathBuf>,
}

/// The hosts that are meant, and all that are known.
#[derive(Debug, Clone, Default)]
pub struct Selected {
    /// Those that are meant, in the order of the inventory or of the command line; never none.
    pub hosts: Vec<Host>,
    /// All of the inventory: jump hosts are found here, selected or not.
    pub known: Vec<Host>,
}

impl Hosts {
    /// The hosts that are meant. What is odd about the inventory, and what of the selection means no
    /// host, is a warning.
    ///
    /// # Errors
    /// When no hosts are told, a source cannot be read, or no host is left: nothing to do must never be
    /// taken for everything done, and an empty selection never for all hosts.
    pub fn selected(&self) -> Result<Selected> {
        if self.names.is_empty() && self.sources().is_empty() {
            let what = "no hosts are told; name them, or an inventory with --hosts FILE";
            return Err(tool::usage(format!("{what} or {VARIABLE}")));
        }
        self.names.iter().try_for_each(|name| choose::may_be_a_name(name))?;
        let inventory = Inventory::read(&self.sources(), self.hosts_format)?;
        findings::warn(&inventory.findings);
        let known = inventory.hosts;
        let hosts = if self.names.is_empty() { known.clone() } else { choose::named(&self.told()?, &known) };
        if hosts.is_empty() {
            return Err(Error::failed(format!("there is no host in {}", self.places())));
        }
        let limited = choose::limited(hosts, &known, &self.limit)?;
        Ok(Selected { hosts: choose::shard(limited, self.shard)?, known })
    }

    /// All that is odd about the inventory, each once and in its order, without a word on stderr. Jump
    /// hosts may be those of the SSH configuration.
    ///
    /// # Errors
    /// When no inventory is told, or it or the SSH configuration cannot be read.
    pub fn lint(&self) -> Result<Vec<Finding>> {
        let sources = self.sources();
        if sources.is_empty() {
            let what = "no inventory is told; name it with --hosts FILE";
            return Err(tool::usage(format!("{what} or {VARIABLE}")));
        }
        let inventory = Inventory::read(&sources, self.hosts_format)?;
        let mut seen = BTreeSet::new();
        let mut findings = inventory.lint(&self.ssh_config()?);
        findings.retain(|finding| seen.insert((finding.place.clone(), finding.what.clone())));
        Ok(findings)
    }

    /// The SSH configuration. What it says that is not done here is a warning.
    ///
    /// # Errors
    /// When it cannot be read, or has a broken line.
    pub fn ssh_config(&self) -> Result<SshConfig> {
        let config = match &self.ssh_config {
            None => SshConfig::read_default()?,
            Some(path) if path.as_os_str() == "none" => SshConfig::default(),
            Some(path) => {
                // One that is named must be there; those of ssh(1) need not.
                path.metadata().or_cannot("read", path)?;
                SshConfig::read(&[path])?
            }
        };
        findings::warn(config.findings());
        Ok(config)
    }

    /// The files that the hosts are read from, `-` for standard input: no place for a result.
    #[must_use]
    pub fn inputs(&self) -> Vec<PathBuf> {
        let file = |source| match source {
            Source::File(path) => Some(path),
            Source::Stdin => Some("-".into()),
            _ => None,
        };
        let named = self.names.iter().filter(|name| *name == "-").map(PathBuf::from);
        self.sources().into_iter().filter_map(file).chain(named).chain(self.ssh_config.clone()).collect()
    }

    /// Where the inventory is: what the flags name, else the variable.
    fn sources(&self) -> Vec<Source> {
        let mut sources: Vec<Source> = self.files.iter().map(|path| source(path)).collect();
        let command = |line: &String| Source::Command { line: line.clone(), timeout: PATIENCE };
        sources.extend(self.hosts_command.iter().map(command));
        if sources.is_empty() {
            let path = std::env::var_os(VARIABLE).filter(|path| !path.is_empty());
            sources.extend(path.map(|path| source(Path::new(&path))));
        }
        sources
    }

    /// The hosts of the command line.
    fn told(&self) -> Result<Vec<Host>> {
        let mut sources = Vec::new();
        let words: Vec<String> = self.names.iter().filter(|name| *name != "-").cloned().collect();
        if words.len() < self.names.len() {
            sources.push(Source::Stdin);
        }
        if !words.is_empty() {
            sources.insert(0, Source::Names(words));
        }
        let told = Inventory::read(&sources, None)?;
        findings::warn(&told.findings);
        Ok(told.hosts)
    }

    /// What messages call where the hosts were looked for.
    fn places(&self) -> String {
        let mut places: Vec<String> = self.sources().iter().map(Source::name).collect();
        if self.names.iter().any(|name| name == "-") {
            places = vec!["-".into()];
        }
        places
            .iter()
            .map(|place| if place == "-" { "standard input" } else { place })
            .collect::<Vec<_>>()
            .join(", ")
    }
}

fn source(path: &Path) -> Source {
    if path.as_os_str() == "-" { Source::Stdin } else { Source::File(path.to_path_buf()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Tool {
        #[command(flatten)]
        hosts: Hosts,
    }

    fn hosts(line: &str) -> std::result::Result<Hosts, String> {
        let tool = Tool::try_parse_from(line.split(' ')).map_err(|error| error.to_string())?;
        Ok(tool.hosts)
    }

    fn check(line: &str, want: &[&str]) {
        let selected = hosts(line).unwrap().selected().unwrap();
        let names: Vec<&str> = selected.hosts.iter().map(|host| host.name.as_str()).collect();
        assert_eq!(names, want, "{line}");
    }

    fn fleet() -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fleet.csv");
        testkit::write(&path, "name,port,env\nweb1,,prod\nweb2,2222,test\nDB1,,prod\n");
        let flag = format!("-H{}", path.display());
        (folder, flag)
    }

    #[test]
    fn hosts_are_those_of_the_command_line_or_of_the_inventory() {
        let (_folder, fleet) = fleet();
        check("t a b[1-2] a", &["a", "b1", "b2"]);
        check(&format!("t {fleet}"), &["web1", "web2", "DB1"]);
        check(&format!("t {fleet} db1 web[1-2] new"), &["DB1", "web1", "web2", "new"]);
        check(&format!("t {fleet} --limit env=prod --limit !web1"), &["DB1"]);
        check(&format!("t {fleet} --shard 2/2"), &["DB1"]);
        check("t --hosts-command true --hosts-format names a", &["a"]);
    }

    #[test]
    fn a_named_host_is_the_one_of_the_inventory() {
        let (_folder, fleet) = fleet();
        let selected = hosts(&format!("t {fleet} root@web2 web1:7")).unwrap().selected().unwrap();
        let told: Vec<_> = selected.hosts.iter().map(|host| (host.user.as_deref(), host.port)).collect();
        assert_eq!(told, [(Some("root"), Some(2222)), (None, Some(7))]);
        assert_eq!(selected.hosts[0].tags["env"].iter().collect::<Vec<_>>(), ["test"]);
        assert_eq!(selected.known.len(), 3);
    }

    #[test]
    fn no_host_is_never_all_hosts() {
        let (_folder, fleet) = fleet();
        let check = |line: &str, want: &str| {
            let selected = hosts(line).and_then(|hosts| hosts.selected().map_err(|error| error.to_string()));
            let error = selected.unwrap_err();
            assert!(error.contains(want), "{line}: {error}");
        };
        check(
            &format!("t {fleet} --limit env=none"),
            "no host is selected: `env=none` means none of the 3 hosts",
        );
        check(
            &format!("t {fleet} --limit web1 --limit web2"),
            "`web1` and `web2` together mean none of the 3 hosts",
        );
        check(&format!("t {fleet} --shard 4/4"), "shard 4/4 has no host: there are only 3");
        check("t -H/dev/null --hosts-format names", "there is no host in /dev/null");
        check(&format!("t {fleet} web*"), "web*");
        check("t a --limit ,", "there is no term");
        check("t a --shard 2/1", "there is no shard 2 of 1");
        check("t a --hosts-format xml", "no format `xml`");
    }

    #[test]
    fn the_ssh_configuration_can_be_another_or_none() {
        let (folder, _) = fleet();
        let path = folder.path().join("config");
        testkit::write(&path, "Host *\nUser ops\n");
        let user = |flag: &str| {
            let config = hosts(&format!("t a --ssh-config={flag}")).unwrap().ssh_config();
            config.map(|config| config.settings("a").user).map_err(|error| error.to_string())
        };
        assert_eq!(user(&path.display().to_string()), Ok(Some("ops".into())));
        assert_eq!(user("none"), Ok(None));
        assert!(user("/nowhere").unwrap_err().starts_with("cannot read /nowhere: "));
    }
}
