//! What is run on a host: one POSIX-sh command that prints sections for [`crate::parse`].
//!
//! | section | what it holds |
//! |---|---|
//! | `system` | uname(1) |
//! | `window` | the first reading of the CPU, and then the wait |
//! | `files` | files of /proc, each after `==> NAME <==` |
//! | `processes` `clock` | as many words as processes; date(1) |
//! | `sysctl` `memory` `network` `devices` `mounts` | the same on BSD, and `load` elsewhere |
//! | `filesystems` | one line per file system that is mounted here and local |
//! | `extra N` `status N STATUS` | output and exit status of the N-th `--command` |
//!
//! What can hang comes last: the file systems, then the commands.
//!
//! The script itself holds no single quote, `!`, backslash or newline, so that it passes any login
//! shell between single quotes; only a `--command` can bring one in.

use std::time::Duration;

use crate::sample::{Collector, Wanted};

/// Chooses what statfs(2) is asked of among the mounts, six words each, in "$@"; into "$l".
///
/// A mount is local when its device is below /dev, or its type is known to live in this machine. What
/// is neither, nor known to be harmless, may hang, and so does all that is mounted on or beneath it:
/// that stands in "$r", each with a slash. The type comes first in each pattern, device and mount
/// point follow. `fuse`, GPFS, GFS2 and OCFS2 can have a device below /dev and hang all the same; an
/// overlay is told where it is the root, as in a container. What `node_exporter` leaves out by the mount
/// point, the parser does.
const CHOOSE: &str = "r=;l=;while [ $# -gt 5 ];do case \"$3 $1 $2\" in \
    fuseblk*|tmpfs*|zfs*|ubifs*|simfs*|lxfs*|wslfs*|overlay*\" /\")l=\"$l $2\";;\
    fuse*|gpfs*|gfs2*|ocfs2*)r=\"$r $2/\";;\
    squashfs*|iso9660*|erofs*|rootfs*|overlay*|autofs*|aufs*|ramfs*);;\
    *\" /dev/\"*\" /\"*)l=\"$l $2\";;*\" /\");;*)r=\"$r $2/\";esac;shift 6;done;";

/// Asks them, all in one process. In /proc/mounts a space is the escape 040, a tab 011, a newline 012,
/// a backslash 134, which printf(1) turns back; to look for these digits needs no backslash here.
/// ksh93 knows 134 in a format alone, which a percent sign is no part of. A name with a percent sign in which a digit
/// follows a blank is told as a gap: `%b` takes four digits.
/// What stat(1) complains of is told as a gap.
/// A small system can lack it: then df(1) is asked, of the same paths only.
const ASK: &str = "set --;for p in $l;do for x in $r;do case $p/ in \"$x\"*)continue 2;esac;done;\
    case $p in *%*)p=$(printf %b \"$p\");;*0[14][0-2]*|*134*)p=$(printf \"$p\");esac;set -- \"$@\" \"$p\";done;\
    stat -f -c \"%S %b %f %a %c %d %n\" \"$@\" 2>&1;[ $? = 127 ]&&df -kP \"$@\"";

/// More lines than any of the files has.
const HEAD: &str = "head -n 99999";

/// The script for what is `wanted`. `mark` is a word that no output holds by chance; it is made of
/// letters and digits. The script ends with status 0, whatever it could not read.
///
/// # Examples
/// For the load alone, on Linux, it comes down to
/// ```sh
/// m system;echo $(uname -snrm);m files;head -n 99999 /proc/loadavg /dev/null
/// ```
#[must_use]
pub fn script(wanted: &Wanted, mark: &str) -> String {
    // What cannot be read is told by its absence; what a --command says on stderr is its own.
    let mut script = format!(
        "m(){{ echo;echo \"@@ {mark} $*\";}};exec 3>&2 2>/dev/null;\
         m system;set -- $(uname -snrm);echo $*;\
         case $1 in Linux|\"\"){};;FreeBSD|Darwin){};;*){};;esac;:",
        linux(wanted).join(";"),
        bsd(wanted).join(";"),
        other(wanted).join(";"),
    );
    for (number, (_, command)) in wanted.commands.iter().enumerate() {
        let command = quoted(command);
        let run = format!("m extra {number};/bin/sh -c {command} </dev/null 2>&3 3>&-;m status {number} $?");
        script.extend([";", &run]);
    }
    script
}

fn linux(wanted: &Wanted) -> Vec<String> {
    let wants = |collector| wanted.collectors.contains(&collector);
    let mut commands = Vec::new();
    if let Some(wait) = wait(wanted) {
        commands.push(format!("m window;cat /proc/stat;{wait}"));
    }
    let files = files(wanted);
    if !files.is_empty() {
        // Of a single file head(1) prints no name.
        let second = if files.len() == 1 { " /dev/null" } else { "" };
        commands.push(format!("m files;{HEAD} /proc/{}{second}", files.join(" /proc/")));
    }
    if wants(Collector::Procs) {
        // With hidepid, /proc/1 is not the first of them.
        commands.push("m processes;set -- /proc/[0-9]*;echo $# $1".to_owned());
    }
    if wants(Collector::Uptime) {
        commands.push("m clock;date +%s.%N".to_owned());
    }
    if wants(Collector::Disk) {
        // The shell's read(1) takes one system call per byte: a host of containers has 100 kB of them.
        commands.push(format!("m filesystems;set -f;set -- $(cat /proc/mounts);{CHOOSE}{ASK}"));
    }
    commands
}

/// The files below /proc that are read at the end of the window.
fn files(wanted: &Wanted) -> Vec<&'static str> {
    let of = |collector| -> &[&'static str] {
        match collector {
            Collector::Cpu => &["stat"],
            Collector::Load => &["loadavg"],
            Collector::Mem => &["meminfo"],
            Collector::Disk => &["mounts"],
            Collector::Io => &["diskstats"],
            Collector::Net => &["net/dev"],
            Collector::Uptime => &["uptime", "stat"],
            Collector::Procs => &[],
            Collector::Files => &["sys/fs/file-nr"],
            Collector::Sockets => &["net/sockstat", "net/sockstat6"],
            Collector::Pressure => &["pressure/cpu", "pressure/memory", "pressure/io"],
        }
    };
    let mut files = Vec::new();
    for file in wanted.collectors.iter().flat_map(|&collector| of(collector)) {
        if !files.contains(file) {
            files.push(file);
        }
    }
    files
}

/// FreeBSD and macOS. Each is asked for what either knows; what it does not know is not printed.
fn bsd(wanted: &Wanted) -> Vec<String> {
    // In a locale with a decimal comma sysctl(8) prints loads with one.
    let mut commands = vec!["export LC_ALL=C PATH=$PATH:/sbin:/usr/sbin".to_owned()];
    if let Some(wait) = wait(wanted) {
        // macOS tells CPU times to no command. Its iostat(8) takes whole seconds only.
        let seconds = wanted.window.as_secs_f64().ceil();
        commands.push(format!(
            "m window;if [ $1 = Darwin ];then iostat -C -c 2 -w {seconds};\
             else sysctl kern.cp_time kern.cp_times;{wait};fi"
        ));
    }
    let names: Vec<&str> = wanted.collectors.iter().filter_map(|&collector| sysctl(collector)).collect();
    if !names.is_empty() {
        commands.push(format!("m sysctl;sysctl {}", names.join(" ")));
    }
    let others = [
        (Collector::Mem, "m memory;vm_stat;swapinfo -k"),
        (Collector::Net, "m network;netstat -ibdn"),
        (Collector::Procs, "m processes;ps -axo pid="),
        (Collector::Io, "m devices;iostat -Ix"),
        (Collector::Uptime, "m clock;date +%s"),
        (Collector::Disk, "m mounts;mount;m filesystems;df -lki"),
    ];
    commands.extend(chosen(wanted, &others));
    commands
}

/// Those of `commands` that tell of what is wanted.
fn chosen(wanted: &Wanted, commands: &[(Collector, &str)]) -> Vec<String> {
    let wanted = commands.iter().filter(|(collector, _)| wanted.collectors.contains(collector));
    wanted.map(|(_, command)| (*command).to_owned()).collect()
}

/// The variables of sysctl(8) that tell of a collector.
fn sysctl(collector: Collector) -> Option<&'static str> {
    match collector {
        Collector::Cpu => Some("kern.cp_time kern.cp_times kern.clockrate"),
        Collector::Load => Some("vm.loadavg"),
        Collector::Mem => Some("hw.memsize hw.physmem vm.swapusage vm.stats.vm"),
        Collector::Uptime => Some("kern.boottime"),
        Collector::Files => Some("kern.openfiles kern.num_files kern.maxfiles"),
        _ => None,
    }
}

/// Any other system: what POSIX knows. AIX has no `df -l`.
fn other(wanted: &Wanted) -> Vec<String> {
    let commands = [
        (Collector::Load, "m load;LC_ALL=C uptime"),
        (Collector::Procs, "m processes;ps -A -o pid="),
        (Collector::Disk, "m filesystems;df -klP||df -kP"),
    ];
    chosen(wanted, &commands)
}

/// The command that waits for the window, when there is one. POSIX lets sleep(1) refuse a fraction:
/// then it waits for the next whole second; both readings tell how long it really was.
fn wait(wanted: &Wanted) -> Option<String> {
    if wanted.window == Duration::ZERO || !wanted.collectors.contains(&Collector::Cpu) {
        return None;
    }
    let seconds = wanted.window.as_millis().max(1);
    let (whole, rest) = (seconds / 1000, seconds % 1000);
    if rest == 0 {
        return Some(format!("sleep {whole}"));
    }
    let fraction = format!("{rest:03}");
    Some(format!("sleep {whole}.{}||sleep {}", fraction.trim_end_matches('0'), whole + 1))
}

/// `command` as one word of a POSIX shell: between double quotes, which any login shell leaves alone
/// within single ones, unless it holds what means something there.
fn quoted(command: &str) -> String {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !b"\"$`\\'!".contains(&byte);
    if command.bytes().all(is_plain) {
        return format!("\"{command}\"");
    }
    format!("'{}'", command.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests;
