//! The spec: one credential, who accepts it, who holds it, and what must be true before its old key goes.

mod cross;
mod gates;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{Error, OrCannot, Result};

pub(crate) use gates::{Confirm, Gates};
use secrets::Source;
use specs::{Fault, Faults, Table};

use crate::{consumer, provider};

/// One credential.
#[derive(Debug)]
pub(crate) struct Spec {
    /// Its name, also that of its folder of state: letters, digits, `.`, `_` and `-`.
    pub(crate) name: String,
    /// How long after a rotation the next one is due.
    pub(crate) every: Duration,
    /// How long one request to a target or a consumer may take.
    pub(crate) timeout: Duration,
    /// How many consumers or hosts are spoken to at once.
    pub(crate) jobs: usize,
    /// The folder of its state, when the spec says it.
    pub(crate) state: Option<PathBuf>,
    /// The secret in use before the first rotation, where no consumer can be read.
    pub(crate) current: Option<Source>,
    /// How hosts are reached.
    pub(crate) ssh: remote::spec::Ssh,
    /// Who accepts it.
    pub(crate) provider: provider::Config,
    /// Who holds it.
    pub(crate) consumers: Vec<consumer::Config>,
    /// What must be true.
    pub(crate) gates: Gates,
    /// Where in the file some of it stands.
    pub(crate) lines: Lines,
}

/// Where in its file something stands; that of the table where it does not.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// `state`.
    pub(crate) state: usize,
    /// `gates.unused`.
    pub(crate) unused: usize,
    /// Each of the consumers.
    pub(crate) consumers: Vec<usize>,
}

/// All that can be said of the text of a spec.
#[derive(Debug)]
pub(crate) struct Judged {
    /// What it says, also when it has faults, as far as it can be understood.
    pub(crate) spec: Option<Spec>,
    /// What is wrong, in the order of the lines.
    pub(crate) faults: Vec<Fault>,
    /// What is worth a thought.
    pub(crate) warnings: Vec<Fault>,
    /// Where it has secrets read from, each with its line.
    pub(crate) sources: Vec<(usize, Source)>,
}

impl Spec {
    /// Reads the spec in the file `path`.
    ///
    /// # Errors
    /// When it cannot be read, or has faults: all of them, each with its line.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).or_cannot("read", path)?;
        Self::parse(&text).map_err(|faults| {
            let lines =
                faults.iter().map(|fault| format!("{}:{}: {}", path.display(), fault.line, fault.what));
            let count = if faults.len() == 1 { "a fault".into() } else { format!("{} faults", faults.len()) };
            Error::failed(format!("{} has {count}", path.display())).showing(lines)
        })
    }

    /// The spec that `text` is, or its faults in the order of their lines.
    pub(crate) fn parse(text: &str) -> std::result::Result<Self, Vec<Fault>> {
        match Self::judge(text) {
            Judged { spec: Some(spec), faults, .. } if faults.is_empty() => Ok(spec),
            judged => Err(judged.faults),
        }
    }

    /// All that can be said of `text`.
    pub(crate) fn judge(text: &str) -> Judged {
        let faults = Faults::of(text);
        let table = specs::parse(text, &faults);
        // Of a text that is no TOML nothing else is known.
        let spec = if faults.is_empty() { Self::of(table) } else { None };
        let (warnings, sources) = (faults.warnings(), faults.sources());
        Judged { spec, faults: faults.into_sorted(), warnings, sources }
    }

    /// `None` only where a fault says why.
    fn of(mut table: Table<'_>) -> Option<Self> {
        let at = table.line_of("name");
        let name = table.needed("name");
        if !name.is_empty() && !is_name(&name) {
            let only = "`name` is that of a folder, too: letters, digits, `.`, `_` and `-`, not first a dot";
            table.fault(at, only);
        }
        let every_at = table.line_of("every");
        let every = table.duration("every").unwrap_or(Duration::from_secs(30 * 86_400));
        let timeout = table.duration("timeout").unwrap_or(Duration::from_secs(30));
        let jobs = table.number("jobs", 1..=1000).unwrap_or(64);
        let state_at = table.line_of("state");
        let state = table.path("state");
        let current = table.source("current");
        let ssh = table.table("ssh").map(remote::spec::Ssh::read).unwrap_or_default();
        let gates = table.table("gates");
        let unused_at = gates.as_ref().map_or(1, |gates| gates.line_of("unused"));
        let gates = gates.map(Gates::read).unwrap_or_default();
        if every < gates.least() {
            table.fault(every_at, "`every` is shorter than a rotation: soak, unused and watch together");
        }
        table.must("provider");
        let provider = table.table("provider").map(provider::Config::read);
        let (consumers_at, consumers) = consumers(&mut table).into_iter().unzip();
        for (line, names) in table.all_hosts() {
            if let Err(why) = ssh.can_be_hosts(&names) {
                table.fault(line, format!("`hosts`: {why}"));
            }
        }
        let jobs = usize::try_from(jobs).unwrap_or(1);
        let lines = Lines { state: state_at, unused: unused_at, consumers: consumers_at };
        let spec = provider.flatten().map(|provider| Self {
            name,
            every,
            timeout,
            jobs,
            state,
            current,
            ssh,
            provider,
            consumers,
            gates,
            lines,
        });
        if let Some(spec) = &spec {
            cross::check(spec, &table);
        }
        table.misplaced(&gates::KEYS, "gates");
        table.finish();
        spec
    }
}

/// The consumers, each with its line.
fn consumers(table: &mut Table<'_>) -> Vec<(usize, consumer::Config)> {
    let line = table.line_of("consumers");
    let tables = table.tables("consumers");
    if tables.is_empty() {
        table.fault(line, "the spec has no [[consumers]]: who holds the credential");
    }
    let mut names = BTreeSet::new();
    let mut all = Vec::new();
    for one in tables {
        let line = one.line();
        let Some(config) = consumer::Config::read(one) else { continue };
        if !names.insert(config.name.clone()) {
            table.fault(line, format!("two consumers are called `{}`", config.name));
        }
        all.push((line, config));
    }
    all
}

fn is_name(text: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    text.bytes().all(is_good) && !text.starts_with('.') && text.len() <= 64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = r#"
name = "orders"
current = { file = "/etc/orders/redis.password" }
[provider]
kind = "redis-acl"
address = ["127.0.0.1:6379"]
user = "orders"
admin_password = { credential = "redis-admin" }
[[consumers]]
name = "web"
kind = "json"
path = "/etc/orders/config.json"
hosts = ["web*"]
set = { "/redis/password" = "{secret}" }
attest = ["curl", "-fsS", "http://127.0.0.1:8080/key-in-use"]
[ssh]
inventory = ["/etc/sre/hosts.toml"]
[gates]
wave = "25%"
confirm = "manual"
"#;

    #[test]
    fn a_spec_is_read_with_its_defaults() {
        let spec = Spec::parse(GOOD).unwrap();
        assert_eq!(spec.name, "orders");
        assert_eq!((spec.every.as_secs(), spec.timeout.as_secs(), spec.jobs), (2_592_000, 30, 64));
        assert_eq!(spec.lines.consumers, [9]);
        assert_eq!(spec.gates, Gates { confirm: Confirm::Manual, ..Gates::default() });
        let judged = Spec::judge(GOOD);
        assert_eq!(judged.sources.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 8]);
        assert_eq!(judged.warnings, []);
    }

    #[test]
    fn a_name_is_that_of_a_folder() {
        let check = |name: &str, want: bool| assert_eq!(is_name(name), want, "{name}");
        check("orders-redis.eu_1", true);
        for bad in [".hidden", "a/b", "..", "ä", &"x".repeat(65)] {
            check(bad, false);
        }
        let faults = Spec::parse(&GOOD.replace("\"orders\"\nc", "\"../orders\"\nc")).unwrap_err();
        assert_eq!(faults.first().map(|fault| fault.line), Some(2), "{faults:?}");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _faults_or_none = Spec::judge(&text);
        }

        #[test]
        fn a_spec_with_a_part_missing_or_doubled_is_judged(
            (from, length) in (0..GOOD.len(), 0..60usize), again in 0..GOOD.len(),
        ) {
            let to = (from + length).min(GOOD.len());
            let text = [&GOOD[..from], &GOOD[to..again.max(to)], &GOOD[from..to], &GOOD[to..]].concat();
            let judged = Spec::judge(&text);
            prop_assert!(judged.spec.is_some() || !judged.faults.is_empty());
            let lines = text.lines().count() + 1;
            prop_assert!(judged.faults.iter().all(|fault| (1..=lines).contains(&fault.line)));
        }
    }
}
