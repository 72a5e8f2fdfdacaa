//! A shell that stays on a host and is told one script after the other: to begin one costs the host more than
//! what most scripts do.

use std::sync::Arc;

use zeroize::Zeroizing;

/// Such a shell, as it is begun.
#[derive(Debug)]
pub struct Coprocess {
    /// What is sent to begin it.
    pub(crate) opener: String,
    /// What every line begins with. Where something else is read, it has lost its place, and ends.
    token: String,
    library: &'static str,
}

impl Coprocess {
    /// `library` is what all its scripts may use: its functions, for a POSIX shell. `wrap` makes of a script
    /// one that runs it as somebody else. `token` is a word as of [`Command::mark`](crate::Command::mark).
    #[must_use]
    pub fn new(library: &'static str, token: String, wrap: impl FnOnce(&str) -> String) -> Arc<Self> {
        let whole = format!(
            "nl='\n';while IFS= read -r x;do case $x in \"{token} \"*) eval \"${{x#{token} }}\";;*) exit 97;;esac;done"
        );
        Arc::new(Self { opener: super::command::portable(&wrap(&whole)), token, library })
    }

    /// What is sent to have `line` done, and `input` be read by it. The first time the library goes before,
    /// whole lines of it: where head(1) is a part of something smaller it reads more than it was told to, so
    /// the shell itself reads them there, which takes longer.
    pub(crate) fn request(&self, line: &str, input: &[u8], is_first: bool) -> Zeroizing<Vec<u8>> {
        let Self { token, library, .. } = self;
        let mut request = Vec::with_capacity(library.len() + line.len() + input.len() + 100);
        if is_first {
            let load = format!(
                "{token} y=$(command -v head);if [ -L \"$y\" ]||[ \"${{y#/}}\" = \"$y\" ];then y=;\
                 while IFS= read -r z&&[ \"$z\" != {token} ];do y=\"$y$z$nl\";done;\
                 else y=$(head -c {});IFS= read -r z;fi;eval \"$y\"\n",
                library.len()
            );
            for part in [load.as_bytes(), library.as_bytes(), token.as_bytes(), b"\n"] {
                request.extend_from_slice(part);
            }
        }
        for part in [token.as_bytes(), b" ", line.as_bytes(), b"\n", input] {
            request.extend_from_slice(part);
        }
        Zeroizing::new(request)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::path::Path;
    use std::process::{Command, Stdio};

    use super::*;

    const SHELLS: [&[&str]; 6] =
        [&["sh"], &["dash"], &["bash", "--posix"], &["busybox", "sh"], &["mksh"], &["ksh"]];

    fn said(shell: &[&str], requests: &[Zeroizing<Vec<u8>>], coprocess: &Coprocess) -> (String, Option<i32>) {
        said_in(shell, &std::env::var("PATH").unwrap(), requests, coprocess)
    }

    fn said_in(
        shell: &[&str],
        path: &str,
        requests: &[Zeroizing<Vec<u8>>],
        coprocess: &Coprocess,
    ) -> (String, Option<i32>) {
        let mut child = Command::new(shell[0])
            .args(&shell[1..])
            .env("PATH", path)
            .args(["-c", &coprocess.opener])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        for request in requests {
            input.write_all(request).unwrap();
        }
        drop(input);
        let output = child.wait_with_output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.code())
    }

    #[test]
    fn a_head_that_reads_too_much_takes_no_request() {
        if !testkit::has("busybox") {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let busybox = ["/usr/bin/busybox", "/bin/busybox"].into_iter().find(|path| Path::new(path).exists());
        std::os::unix::fs::symlink(busybox.unwrap(), folder.path().join("head")).unwrap();
        for shell in ["/bin/sh", "/bin/bash"] {
            let coprocess = Coprocess::new("say() {\n  echo \"$1 \\it's\"\n}\n", "t0k".into(), str::to_owned);
            let one = coprocess.request("(say one)", b"", true);
            let two = coprocess.request("(say two)", b"", false);
            let path = folder.path().to_str().unwrap();
            let (text, status) = said_in(&[shell], path, &[one, two], &coprocess);
            assert_eq!(
                (text.replace('\\', "").as_str(), status),
                ("one it's\ntwo it's\n", Some(0)),
                "{shell}"
            );
        }
    }

    #[test]
    fn scripts_do_not_meet_and_what_is_no_request_is_not_run() {
        for shell in SHELLS.into_iter().filter(|shell| testkit::has(shell[0])) {
            let coprocess = Coprocess::new("say() {\necho \"$1 it's\"\n}\n", "t0k".into(), str::to_owned);
            let first = coprocess.request("(a=1;say one;head -c 4;exit 3);echo $?", b"a\nb\n", true);
            let second = coprocess.request("(say \"two$a\");echo $?", b"", false);
            let (text, status) = said(shell, &[first.clone(), second.clone()], &coprocess);
            assert_eq!((text.as_str(), status), ("one it's\na\nb\n3\ntwo it's\n0\n", Some(0)), "{shell:?}");
            let stray = Zeroizing::new(b"echo stray\n".to_vec());
            let (text, status) = said(shell, &[first, stray, second], &coprocess);
            assert_eq!((text.as_str(), status), ("one it's\na\nb\n3\n", Some(97)), "{shell:?}");
        }
    }
}
