use super::*;

fn sh(script: &str) -> Vec<String> {
    ["sh", "-c", script].map(str::to_owned).into()
}

const SOON: Duration = Duration::from_secs(10);

fn run(script: &str) -> Ended {
    Call::new(&sh(script), SOON).run().unwrap()
}

#[test]
fn the_status_is_the_answer() {
    let check = |script: &str, want: Answer| assert_eq!(run(script).answer(), want, "{script}");
    check("exit 0", Answer::Yes(()));
    check("exit 1", Answer::No("exit status 1".into()));
    check("echo; echo ' no such user' >&2; exit 1", Answer::No("no such user".into()));
    check("exit 75", Answer::Unknown("exit status 75".into()));
    check("echo busy >&2; exit 75", Answer::Unknown("exit status 75: busy".into()));
    check("kill -TERM $$", Answer::Unknown("killed by signal 15".into()));
}

#[test]
fn what_cannot_be_started_is_told() {
    let secret = "made-of-4-words".into();
    for argv in [vec!["/no/such/program".to_owned()], Vec::new()] {
        let call = Call { secret: Some(&secret), takes_secret: true, ..Call::new(&argv, SOON) };
        let why = call.run().err().unwrap();
        assert!(why == "there is no command to run" || why.starts_with("cannot run /no/such/program: "));
    }
}

#[test]
fn a_secret_goes_in_on_3_and_out_on_4() {
    let (script, secret) = ("cat <&3 >&4; echo >&4; cat <&3; cat /dev/fd/3 >&2", "Tr0ub4dor&3".into());
    let argv = sh(script);
    let ended = Call { secret: Some(&secret), takes_secret: true, ..Call::new(&argv, SOON) }.run().unwrap();
    assert_eq!(ended.secret.unwrap().expose_secret(), "Tr0ub4dor&3");
    assert_eq!(*ended.stdout, b"");
    assert_eq!(ended.stderr, "[secret]");
}

#[test]
fn a_secret_cannot_be_changed_or_executed() {
    let secret = "made-of-4-words".into();
    let argv = sh("echo x >&3 || echo x >/proc/self/fd/3");
    let ended = Call { secret: Some(&secret), ..Call::new(&argv, SOON) }.run().unwrap();
    assert_ne!(ended.status, Status::Exit(0));
}

#[test]
fn what_is_no_secret_is_none() {
    let check = |script: &str, want: Option<&str>| {
        let argv = sh(script);
        let ended = Call { takes_secret: true, ..Call::new(&argv, SOON) }.run().unwrap();
        assert_eq!(ended.secret.as_ref().map(ExposeSecret::expose_secret), want, "{script}");
    };
    check(":", None);
    check("echo >&4", None);
    check("printf '\\377' >&4", None);
    check("head -c 65537 /dev/zero | tr '\\0' a >&4", None);
    check("printf 'one-line\\n\\n' >&4", Some("one-line\n"));
}

#[test]
fn nothing_else_is_open() {
    let open = run("for fd in /proc/$$/fd/*; do readlink \"$fd\"; done");
    let open = String::from_utf8_lossy(&open.stdout);
    let others: Vec<_> = open.lines().filter(|to| !to.starts_with("pipe:") && *to != "/dev/null").collect();
    assert_eq!((others, open.matches("pipe:").count()), (vec![], 3));
}

#[test]
fn input_and_output_may_be_larger_than_a_pipe() {
    let input = vec![b'a'; 3 * LARGEST];
    let argv = sh("cat");
    let ended = Call { stdin: &input, ..Call::new(&argv, SOON) }.run().unwrap();
    assert_eq!((ended.status, ended.stdout.len()), (Status::Exit(0), LARGEST));
    let argv = sh("exec <&-; exit 3");
    let ended = Call { stdin: &input, ..Call::new(&argv, SOON) }.run().unwrap();
    assert_eq!(ended.status, Status::Exit(3));
}

#[test]
fn a_variable_is_set_and_others_are_inherited() {
    let argv = sh("echo \"$AWS_PROFILE$PATH\"");
    let env = vec![("AWS_PROFILE".to_owned(), "given:".into())];
    let ended = Call { env, ..Call::new(&argv, SOON) }.run().unwrap();
    let path = std::env::var("PATH").unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stdout), format!("given:{path}\n"));
}

/// Whether something that was told its own number by `pid` in the output is still running.
fn is_alive(output: &[u8]) -> bool {
    let pid: u32 = String::from_utf8_lossy(output).trim().parse().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

fn dies(output: &[u8]) -> bool {
    (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        !is_alive(output)
    })
}

#[test]
fn at_the_limit_the_whole_group_is_killed() {
    let argv = sh("sleep 1000 & echo $!; echo waiting >&2; wait");
    let ended = Call::new(&argv, Duration::from_millis(300)).run().unwrap();
    assert_eq!(ended.status, Status::Late);
    assert_eq!(ended.answer(), Answer::Unknown("no end within 300ms: waiting".into()));
    assert!(dies(&ended.stdout));
}

#[test]
fn who_keeps_the_output_open_is_killed_and_a_daemon_is_not() {
    let kept = run("sleep 1000 & echo $!");
    assert_eq!(kept.status, Status::Exit(0));
    assert!(dies(&kept.stdout));
    let daemon = run("sleep 1000 >/dev/null 2>&1 & echo $!");
    assert_eq!(daemon.status, Status::Exit(0));
    assert!(is_alive(&daemon.stdout));
    let pid = String::from_utf8_lossy(&daemon.stdout).trim().to_owned();
    run(&format!("kill {pid}"));
}
