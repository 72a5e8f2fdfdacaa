use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use specs::{Faults, parse};
use testkit::moto::Moto;

use super::*;

fn config(text: &str) -> std::result::Result<Config, Vec<String>> {
    let faults = Faults::of(text);
    let config = Config::read(parse(text, &faults));
    let faults: Vec<_> = faults.into_sorted().into_iter().map(|fault| fault.what).collect();
    config.filter(|_| faults.is_empty()).ok_or(faults)
}

fn aws(user: &str, url: &str, admin: Option<(&str, &str)>) -> Aws {
    let timeout = Duration::from_secs(30);
    let admin = admin.map(credential);
    Aws {
        user: user.to_owned(),
        iam: Service::iam(url, "us-east-1", timeout).unwrap(),
        sts: Service::sts(url, "us-east-1", timeout).unwrap(),
        admin,
    }
}

fn credential((id, secret): (&str, &str)) -> Credential {
    Credential { id: id.to_owned(), secret: secret.into(), public: [].into() }
}

static SKIPPED: BTreeSet<String> = BTreeSet::new();

fn context<'a>(old: &'a Credential, new: Option<&'a Credential>) -> Context<'a> {
    Context { token: "t0ken", old: Some(old), new, prefers_new: false, skipped: &SKIPPED }
}

/// Asks until it is a yes; how many noes came before. An unknown is none.
#[track_caller]
fn insist(mut ask: impl FnMut() -> Answer) -> usize {
    let end = Instant::now() + Duration::from_secs(60);
    let mut refused = 0;
    while Instant::now() < end {
        match ask() {
            Answer::Yes(()) => return refused,
            Answer::No(why) => assert!(why.contains("InvalidClientTokenId"), "{why}"),
            Answer::Unknown(why) => panic!("{why}"),
        }
        refused += 1;
        thread::sleep(Duration::from_millis(50));
    }
    panic!("never a yes")
}

#[track_caller]
fn made(answer: Answer<Credential>) -> Credential {
    match answer {
        Answer::Yes(made) => made,
        other => panic!("{other:?}"),
    }
}

fn says(answer: &Answer, parts: &[&str]) {
    let (Answer::No(why) | Answer::Unknown(why)) = answer else { panic!("{answer:?}") };
    for part in parts {
        assert!(why.contains(part), "{part}: {why}");
    }
}

fn states(target: &mut Aws, context: &Context<'_>) -> Vec<(String, bool)> {
    let Answer::Yes(keys) = target.list(context) else { panic!("{:?}", target.list(context)) };
    keys.into_iter().map(|key| (key.id, key.is_enabled)).collect()
}

#[test]
fn a_key_lives_and_dies_by_an_administrator() {
    let Some(server) = Moto::start(Duration::from_secs(3)) else { return };
    let mut target = aws("orders", server.url(), Some(server.key("admin")));
    let old = credential(server.key("orders"));
    let before = context(&old, None);
    assert_eq!(target.ready(&before), Answer::Yes(()));
    assert_eq!(target.usage(&old, &before), Answer::Yes(Usage::None));
    assert_eq!(target.check(&old, &before), Answer::Yes(()));
    assert!(matches!(target.usage(&old, &before), Answer::Yes(Usage::At(_))));
    let new = made(target.create(&before));
    let both = context(&old, Some(&new));
    assert!(insist(|| target.check(&new, &both)) > 0, "a new key is not known at once");
    assert_eq!(states(&mut target, &both), [(old.id.clone(), true), (new.id.clone(), true)]);
    let wrong = target.corrupted(&new).unwrap();
    says(&target.check(&wrong, &both), &["SignatureDoesNotMatch"]);
    let third = target.ready(&both);
    assert!(matches!(third, Answer::No(_)));
    says(
        &third,
        &[&old.id, &new.id, "Active, made 2", "last used 2", "aws iam delete-access-key --user-name orders"],
    );
    says(&target.create(&both).map(|_| ()), &["LimitExceeded"]);
    for _again in 0..2 {
        assert_eq!(target.disable(&old, &both), Answer::Yes(()));
        says(&target.check(&old, &both), &["InvalidClientTokenId"]);
        assert_eq!(states(&mut target, &both), [(old.id.clone(), false), (new.id.clone(), true)]);
    }
    assert_eq!(target.enable(&old, &both), Answer::Yes(()));
    assert_eq!(target.check(&old, &both), Answer::Yes(()));
    for _again in 0..2 {
        assert_eq!(target.delete(&old.id, &both), Answer::Yes(()));
        assert_eq!(states(&mut target, &both), [(new.id.clone(), true)]);
    }
    assert!(matches!(target.check(&old, &both), Answer::No(_)));
    assert!(matches!(target.disable(&old, &both), Answer::No(_)));
}

#[test]
fn keys_administer_themselves_and_the_better_one_comes_first() {
    let Some(server) = Moto::start(Duration::ZERO) else { return };
    let mut target = aws("orders", server.url(), None);
    let old = credential(server.key("orders"));
    let new = made(target.create(&context(&old, None)));
    let forward = Context { prefers_new: true, ..context(&old, Some(&new)) };
    let back = context(&old, Some(&new));
    for context in [&forward, &back] {
        assert_eq!(target.disable(&old, context), Answer::Yes(()));
        // The old one cannot do this any more, also where it comes first.
        assert_eq!(states(&mut target, context).len(), 2);
        assert_eq!(target.enable(&old, context), Answer::Yes(()));
    }
    assert_eq!(target.delete(&new.id, &back), Answer::Yes(()));
    let nobody = credential((&new.id, "no such secret"));
    let lost = target.list(&context(&nobody, Some(&new))).map(|_| ());
    assert!(matches!(lost, Answer::Unknown(_)), "{lost:?}");
    says(&lost, &["InvalidClientTokenId", &new.id]);
    let none = Context { old: None, ..context(&old, None) };
    says(&target.ready(&none), &["give `admin_id` and `admin_secret`"]);
}

#[test]
fn a_key_of_somebody_else_is_told_from_a_refused_one() {
    let Some(server) = Moto::start(Duration::ZERO) else { return };
    let (old, web) = (credential(server.key("orders")), credential(server.key("web")));
    let mut target = aws("orders", server.url(), None);
    let other = target.check(&web, &context(&old, None));
    says(&other, &["the key is that of arn:aws:iam::123456789012:user/", "web, not of the user orders"]);
    let mut target = aws("web", server.url(), None);
    says(&target.ready(&context(&web, None)), &["AccessDenied", &web.id]);
    let mut target = aws("nobody", server.url(), Some(server.key("admin")));
    says(&target.ready(&context(&old, None)), &["NoSuchEntity"]);
}

/// A way to `url` on which the answer to one request is lost after it was done.
fn lossy(url: &str) -> String {
    let there = url.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let here = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut server = TcpStream::connect(there).unwrap();
        let mut back = client.try_clone().unwrap();
        let mut up = server.try_clone().unwrap();
        thread::spawn(move || std::io::copy(&mut client, &mut up));
        let _whole = server.read(&mut [0; 4096]).unwrap();
        back.flush().unwrap();
        back.shutdown(std::net::Shutdown::Both).unwrap();
    });
    here
}

#[test]
fn a_key_whose_answer_was_lost_is_in_the_list() {
    let Some(server) = Moto::start(Duration::ZERO) else { return };
    let (old, admin) = (credential(server.key("orders")), Some(server.key("admin")));
    let context = context(&old, None);
    let lost = aws("orders", &lossy(server.url()), admin).create(&context);
    assert!(matches!(lost, Answer::Unknown(_)), "{lost:?}");
    let mut target = aws("orders", server.url(), admin);
    let ours: Vec<_> = states(&mut target, &context).into_iter().filter(|(id, _)| *id != old.id).collect();
    assert_eq!(ours.len(), 1);
    assert_eq!(target.delete(&ours[0].0, &context), Answer::Yes(()));
    assert!(target.create(&context).is_yes());
}

#[test]
fn the_spec_is_read() {
    let check = |text: &str, want: &str| match config(text) {
        Ok(config) => {
            let admin = config.admin.map(|(id, _)| id);
            let got = format!("{} {} {} {admin:?}", config.endpoint, config.sts_endpoint, config.region);
            assert_eq!(got, want);
        }
        Err(faults) => assert_eq!(faults.join("; "), want),
    };
    let real = "https://iam.amazonaws.com https://sts.amazonaws.com";
    check("user = 'a'", &format!("{real} us-east-1 None"));
    check(
        "user = 'a'\nendpoint = 'http://[::1]:5000'\nregion = 'x'",
        "http://[::1]:5000 http://[::1]:5000 x None",
    );
    check(
        "user = 'a'\nsts_endpoint = 'https://sts.eu-west-1.amazonaws.com/'",
        "https://iam.amazonaws.com https://sts.eu-west-1.amazonaws.com/ us-east-1 None",
    );
    check(
        "user = 'a'\nadmin_id = 'AKIA1'\nadmin_secret = { env = 'X' }",
        &format!("{real} us-east-1 Some(\"AKIA1\")"),
    );
    check("user = 'a'\nadmin_id = 'AKIA1'", "`admin_id` and `admin_secret` belong together");
    check("region = 'x'", "the spec has no `user`");
    check("user = 'a'\nendpoint = 'iam'", "`endpoint`: iam is no URL; it begins with https:// or http://");
    check("user = 'a'\nendpoint = 'ftp://x'", "`endpoint`: ftp://x is to begin with https:// or http://");
}

#[test]
fn a_consumer_holds_both_parts() {
    let target = aws("orders", "http://127.0.0.1:1", None);
    let held = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), "x".into())).collect();
    assert!(target.recognise(&held(&["id", "secret"])).is_yes());
    says(&target.recognise(&held(&["secret"])).map(|_| ()), &["{id} beside {secret}"]);
}
