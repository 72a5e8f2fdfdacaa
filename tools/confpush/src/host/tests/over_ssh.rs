//! A host, with the scripts below the login shell of its user.

use remote::keys::Keyring;
use remote::target::{Login, Trust};
use testkit::sshd::Sshd;

use super::*;
use crate::spec::From;

struct Site {
    server: Sshd,
    machine: Machine,
    reach: Arc<Reach>,
}

impl Site {
    fn new(old: &str) -> Option<Self> {
        let server = Sshd::new().start()?;
        let bounds = Bounds {
            connect: PATIENCE,
            handshake: PATIENCE,
            auth: PATIENCE,
            total: PATIENCE,
            ..Bounds::default()
        };
        let reach = Arc::new(Reach::new(bounds, Keyring::new(None)));
        Some(Self { server, machine: Machine::new("sh", old), reach })
    }

    fn host(&self) -> Host {
        let login = Login { keys: vec![self.server.path("id")], ..Login::with(Vec::new()) };
        let trust = Trust { files: vec![self.server.path("known_hosts")], accepts_new: false };
        let target = Target {
            name: Arc::from("web01"),
            address: self.server.host(),
            port: self.server.port(),
            user: remote::settings::Myself::now().user,
            login: Arc::new(login),
            trust: Arc::new(trust),
            key_alias: None,
            jumps: Vec::new(),
        };
        Host::new(self.machine.settings.clone(), Arc::new(target), Arc::clone(&self.reach))
    }
}

/// Ends the session from the other side.
fn cut(host: &mut Host) {
    let command = Command::new("kill -9 $PPID; sleep 150", &Command::mark());
    let end = Instant::now() + PATIENCE;
    let answer = host.session.as_mut().unwrap().run(&command, &Bounds::default(), end);
    assert!(answer.ended.is_err());
}

#[test]
fn a_host_is_deployed_to_and_brought_back() {
    let Some(site) = Site::new("old\n") else { return };
    let mut host = site.host();
    let machine = &site.machine;
    let Answer::Yes(seen) = host.look() else { panic!("{:?}", host.look()) };
    assert_eq!(seen, machine.look());
    assert_eq!(host.restore(), Answer::Yes(()));
    assert!(matches!(host.confirm(), Answer::No(_)));

    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(300_000).collect();
    let content = Content::Bytes(Zeroizing::new(bytes.clone()));
    let order = Order { content, ..machine.order("1-a", "") };
    for call in [Host::beat, Host::confirm] {
        assert_eq!(host.stage(&order), Answer::Yes(()));
        assert_eq!(host.swap(), Answer::Yes(()));
        assert_eq!(call(&mut host), Answer::Yes(()));
        assert_eq!(host.fetch(&Piece::Live).map(|live| *live == bytes), Answer::Yes(true));
        assert_eq!(host.restore(), Answer::Yes(()));
        assert_eq!(machine.text(), "old\n");
        machine.is_clean();
    }
    assert_eq!(host.settle(), Answer::Yes(Settled::Nothing));
    assert_eq!(site.server.log().matches("Accepted publickey").count(), 1);
}

#[test]
fn a_lost_session_is_opened_again() {
    let Some(site) = Site::new("old\n") else { return };
    let (mut host, mut other) = (site.host(), site.host());
    let order = site.machine.order("1-a", "new\n");
    assert_eq!(host.stage(&order), Answer::Yes(()));
    cut(&mut host);
    assert_eq!(host.swap(), Answer::Yes(()));
    cut(&mut host);
    assert_eq!(host.confirm(), Answer::Yes(()));
    assert_eq!(site.machine.text(), "new\n");
    site.machine.is_clean();
    // Another process goes on with it, by its id.
    other = other.resumed(order);
    assert_eq!(other.confirm(), Answer::Yes(()));
    assert_eq!(other.restore(), Answer::Yes(()));
    assert_eq!(site.machine.text(), "old\n");
}

#[test]
fn a_service_is_asked_also_after_the_session_is_lost() {
    let Some(site) = Site::new("old\n") else { return };
    let mut host = site.host();
    let check = |host: &mut Host, how| host.check(&Check { how, from: From::Host, timeout: PATIENCE });
    let port = || How::Tcp(format!("127.0.0.1:{}", site.server.port()));
    assert_eq!(check(&mut host, How::Command("true".into())), Answer::Yes(()));
    assert_eq!(check(&mut host, port()), Answer::Yes(()));
    cut(&mut host);
    assert_eq!(check(&mut host, port()), Answer::Yes(()));
    cut(&mut host);
    let Answer::No(why) = check(&mut host, How::Command("echo no >&2; exit 3".into())) else { panic!() };
    assert!(why.contains("no"), "{why}");
}

#[test]
fn a_session_that_is_lost_within_a_call_is_opened_again() {
    let Some(mut site) = Site::new("old\n") else { return };
    // Each command of the user kills the server of its session, once.
    let once = site.machine.folder.path().join("once");
    let cut = format!(
        "mkdir '{}'.$K 2>/dev/null || exit 0; p=$$; while [ $p -gt 1 ]; do \
         case $(cat /proc/$p/comm) in sshd*) kill -9 $p; exit 0;; esac; \
         set -- $(sed 's/.*) //' /proc/$p/stat); p=$2; done",
        once.display()
    );
    let remote = |k: &str| Some(Remote { script: format!("K={k}; {cut}"), timeout: PATIENCE });
    (site.machine.settings.validate, site.machine.settings.reload) = (remote("judged"), remote("reloaded"));
    let mut host = site.host();
    let order = site.machine.order("1-a", "new\n");
    assert!(host.look().is_yes());
    assert_eq!(host.stage(&order), Answer::Yes(()));
    assert_eq!(host.swap(), Answer::Yes(()));
    assert_eq!(host.confirm(), Answer::Yes(()));
    assert!(names(site.machine.folder.path()).iter().filter(|name| name.starts_with("once")).count() == 2);
    assert_eq!(site.machine.text(), "new\n");
    site.machine.is_clean();
}
