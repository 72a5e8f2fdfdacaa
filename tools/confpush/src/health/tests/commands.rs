use super::*;

#[test]
fn only_a_status_of_0_is_a_yes() {
    let Some(mut host) = Host::start() else { return };
    let mut check = |script: &str, want: Answer| {
        assert_eq!(host.ask(&command(script, LONG)), want, "{script}");
    };
    check("true", Answer::Yes(()));
    check("cat", Answer::Yes(()));
    check("echo noise; echo noise >&2", Answer::Yes(()));
    check("echo no; exit 3", no("`echo no; exit 3`: exit status 3"));
    check("echo inactive >&2; exit 3", no("`echo inactive >&2; exit 3`: exit status 3: inactive"));
    check("echo inactive >&2; false", no("`echo inactive >&2; false`: inactive"));
    check("exit 124", no("`exit 124`: exit status 124"));
    check("no-such-command 2>/dev/null", no("`no-such-command 2>/dev/null`: exit status 127"));
    check("printf \"it's \"\nexit 1", no("`printf \"it's \"`: exit status 1"));
}

#[test]
fn a_command_that_hangs_is_ended_on_the_host() {
    in_time(|| {
        let Some(mut host) = Host::start() else { return };
        let file = host.server.path("pid");
        for then in ["exec sleep 600", "trap '' TERM; sleep 600; sleep 600"] {
            let script = format!("echo $$ >{}; {then}", file.display());
            let answer = host.ask(&command(&script, SHORT));
            assert_eq!(answer, no(format!("`{script}`: no end within 400ms")));
            let left = format!("! grep '^State:[[:space:]]*[RSDT]' /proc/$(cat {})/status", file.display());
            assert_eq!(host.ask(&command(&left, LONG)), Answer::Yes(()));
        }
    });
}

#[test]
fn secrets_are_not_told() {
    let Some(mut host) = Host::start() else { return };
    conceal::secret(&"correct-horse-battery".into());
    let answer = host.ask(&command("echo correct-horse-battery >&2; exit 4", LONG));
    assert_eq!(answer, no("`echo [secret] >&2; exit 4`: exit status 4: [secret]"));
    let url = "http://u:correct@127.0.0.1:1/?token=correct-horse-battery";
    assert_eq!(client::label(url), "http://127.0.0.1:1/?token=[secret]");
}

#[test]
fn what_is_asked_from_here_needs_no_session() {
    let port = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let place = format!("127.0.0.1:{port}");
    for (how, from, needs) in [
        (How::Command("true".into()), From::Host, true),
        (How::Command("true".into()), From::Here, true),
        (How::Tcp(place.clone()), From::Host, true),
        (How::Tcp(place.clone()), From::Here, false),
        (http(&format!("http://{place}/"), 200, None), From::Host, true),
        (http(&format!("http://{place}/"), 200, None), From::Here, false),
    ] {
        let check = Check { how, from, timeout: LONG };
        assert_eq!(needs_session(&check), needs, "{check:?}");
        assert_eq!(matches!(ask_from_here(&check), Answer::Unknown(_)), needs, "{check:?}");
        assert_eq!(ask_from_here(&check).is_yes(), !needs, "{check:?}");
    }
}
