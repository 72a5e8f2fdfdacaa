//! The hosts of the recipes: each has a system of its own, below a folder that is named after it.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use testkit::sshd::Fleet;

/// How full the file systems of a host are: those of a host that is not here are half full.
const FULL: &[(&str, u32, u32)] = &[("db1", 61, 93), ("web07", 96, 40), ("web13", 91, 12)];

/// The hosts, in the order of their addresses.
pub(crate) fn names() -> Vec<String> {
    let web = (1..=20).map(|number| format!("web{number:02}"));
    web.chain(["dev1", "stage1", "db1"].map(str::to_owned)).collect()
}

/// Gives each host its system, and the recipes an SSH configuration in which they have their names.
pub(crate) fn settle(fleet: &Fleet, names: &[String], root: &Path) {
    let mut config = String::new();
    for (name, address) in names.iter().zip(fleet.hosts()) {
        let system = root.join("systems").join(name);
        testkit::write(root.join("by-address").join(&address).join("name"), name);
        write!(config, "Host {name}\n  HostName {address}\n").expect("a string takes it");
        // A system of which hostpoll asks no more than df(1): how full this machine is changes.
        program(&system, "uname", "#!/bin/sh\necho AIX 7.3 00F6 powerpc\n");
        program(&system, "df", &df(name));
    }
    let theirs = std::fs::read_to_string(fleet.path("ssh_config")).expect("the fleet has a configuration");
    testkit::write(root.join(".ssh/config"), config + &theirs);
    // The home that ssh(1) has is that of the user of the test.
    program(
        root,
        "ssh",
        &format!("#!/bin/sh\nexec /usr/bin/ssh -F '{}/.ssh/config' \"$@\"\n", root.display()),
    );
    let enter = program(root, "enter", &entrance(root));
    let keys = std::fs::read_to_string(fleet.path("authorized_keys")).expect("the fleet has keys");
    let forced = format!("command=\"{}\" ssh-", enter.display());
    let keys: String = keys.lines().map(|key| key.replacen("ssh-", &forced, 1) + "\n").collect();
    testkit::write(fleet.path("authorized_keys"), keys);
}

/// What every session of a host goes through: paths below the root of the recipes are below its own. In
/// what goes to any login shell, digits are escapes of printf's `%b`, and a backslash before each of them. A shell
/// that stays is told its paths line by line.
fn entrance(root: &Path) -> String {
    let root = root.display().to_string();
    let escaped: String = root
        .chars()
        .map(|c| if c.is_ascii_digit() { format!("\\\\\\\\0{:03o}", u32::from(c)) } else { c.to_string() })
        .collect();
    format!(
        "#!/bin/sh\n\
         set -- $SSH_CONNECTION\n\
         name=$(cat '{root}/by-address/'$3/name)\n\
         cd '{root}/systems/'$name || exit\n\
         command=$(printf '%s\\n' \"$SSH_ORIGINAL_COMMAND\" | sed \"s|{root}/|@ROOT@/|g; s|{escaped}/|@ROOT@/|g; s|@ROOT@|$PWD|g\")\n\
         export HOME=$PWD PATH=$PWD/usr/local/bin:$PATH\n\
         case $command in *'read -r x'*) sed -u \"s|{root}/|$PWD/|g\" | sh -c \"$command\"; exit ;; esac\n\
         exec sh -c \"$command\"\n"
    )
}

fn df(name: &str) -> String {
    let (root, data) = FULL.iter().find(|row| row.0 == name).map_or((48, 51), |row| (row.1, row.2));
    let line = |device: &str, percent: u32, point: &str| {
        let (size, used) = (100_000_000, percent * 1_000_000);
        format!("{device} {size} {used} {} {percent}% {point}\n", size - used)
    };
    let head = "Filesystem 1024-blocks Used Available Capacity Mounted on\n";
    let (system, data) = (line("/dev/hd4", root, "/"), line("/dev/hd9", data, "/data"));
    format!("#!/bin/sh\ncat <<END\n{head}{system}{data}END\n")
}

/// Puts a script where a system has those of its own.
pub(crate) fn program(system: &Path, name: &str, script: &str) -> PathBuf {
    let path = system.join("usr/local/bin").join(name);
    testkit::write(&path, script);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("the file is ours");
    path
}
