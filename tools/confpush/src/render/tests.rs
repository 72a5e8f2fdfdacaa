use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::spec::{How, reader};

const REST: &str = "
[values]
workers = 4
db = { host = 'db01', port = 5432 }
[[health]]
command = 'test {{ workers }} = {{ workers }} # {{ host }}'
[[environments]]
name = 'staging'
hosts = ['web01']
[[environments]]
name = 'prod'
hosts = ['web02', 'web03']
values = { db.host = 'db02' }
host_values.web03 = { workers = 16 }
";

/// A spec, its source and its secret, in a folder of their own.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new(source: &[u8]) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        testkit::write(place.path("app.j2"), source);
        place.secret("hunter2-hunter2");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn secret(&self, secret: &str) {
        testkit::write(self.path("pw"), secret);
        fs::set_permissions(self.path("pw"), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn spec(&self, head: &str) -> Spec {
        let text = format!("name = 'web'\nsource = 'app.j2'\n{head}{REST}");
        let judged = reader::read_text(&self.path("web.toml"), &text);
        assert_eq!(judged.faults, []);
        judged.spec.unwrap()
    }

    /// What is made for a host, or the sentence that says why it is not.
    fn made(&self, head: &str, environment: usize, host: &str) -> std::result::Result<Made, String> {
        let spec = self.spec(head);
        let renderer = Renderer::new(&spec).map_err(|error| self.told(&error))?;
        renderer.made(&spec.environments[environment], host).map_err(|error| self.told(&error))
    }

    fn told(&self, error: &Error) -> String {
        error.to_string().replace(&self.folder.path().display().to_string(), "F")
    }
}

const PATH: &str = "path = '/etc/{{ env }}/{{ host }}.conf'\n";

const SECRET: &str = "path = '/etc/app'\nsecrets.password = { file = 'pw' }\n";

#[test]
fn values_are_layered() {
    let place = Place::new(b"{{ name }} {{ env }} {{ host }}: {{ workers }} {{ db.host }}:{{ db.port }}\n");
    let check = |environment, host, want: &str, path: &str| {
        let made = place.made(PATH, environment, host).ok().unwrap();
        assert_eq!((String::from_utf8_lossy(&made.bytes), made.path.as_str()), (want.into(), path));
        assert!(made.secret_lines.is_empty());
    };
    check(0, "web01", "web staging web01: 4 db01:5432\n", "/etc/staging/web01.conf");
    check(1, "web02", "web prod web02: 4 db02:5432\n", "/etc/prod/web02.conf");
    check(1, "web03", "web prod web03: 16 db02:5432\n", "/etc/prod/web03.conf");
    let made = place.made(PATH, 1, "web03").ok().unwrap();
    assert!(
        matches!(&made.checks[..], [Check { how: How::Command(text), .. }] if text == "test 16 = 16 # web03")
    );
}

#[test]
fn what_is_missing_is_told_with_its_line() {
    let check = |source: &str, head: &str, want: &str| {
        assert_eq!(Place::new(source.as_bytes()).made(head, 1, "web02").err().unwrap(), want);
    };
    check("a\n{{ db.prt }}\n", PATH, "F/app.j2:2: `db.prt` has no value, for web02 of prod");
    check("{% if %}", PATH, "F/app.j2:1: it is no template: unexpected end of block");
    check(
        "",
        "path = '/etc/{{ missing }}'\n",
        "F/web.toml:3: `path`: `missing` has no value, for web02 of prod",
    );
    check(
        "",
        "path = '{{ db.host }}'\n",
        "F/web.toml:3: `path` is `db02`; it is to be an absolute path, for web02 of prod",
    );
    let health = "path = '/a'\nhealth = [{ tcp = '{{ db.host }}' }]\n";
    let text = format!(
        "name = 'web'\nsource = 'app.j2'\n{health}{}",
        REST.replace("[[health]]\ncommand = 'test {{ workers }} = {{ workers }} # {{ host }}'\n", "")
    );
    let place = Place::new(b"");
    let spec = reader::read_text(&place.path("web.toml"), &text).spec.unwrap();
    let error = Renderer::new(&spec).ok().unwrap().made(&spec.environments[1], "web02").err().unwrap();
    assert_eq!(
        place.told(&error),
        "F/web.toml:4: `health.tcp` is `db02`; it is to be HOST:PORT, for web02 of prod"
    );
    let bytes = Place::new(b"\xff").made(PATH, 0, "web01").err().unwrap();
    assert_eq!(bytes, "F/web.toml:2: `source`: F/app.j2 is a template, and no text in UTF-8");
}

#[test]
fn lines_with_a_secret_are_known() {
    let check = |source: &str, want: &[usize]| {
        let made = Place::new(source.as_bytes()).made(SECRET, 0, "web01").ok().unwrap();
        assert!(made.secret_lines.iter().eq(want), "{source}: {:?}", made.secret_lines);
    };
    check("a\npw={{ password }}\nb\n", &[1]);
    check("a\n{{ password | upper }}\n{{ password | tojson }}\n{{ password[:3] }}\nb", &[1, 2, 3]);
    check("{% for letter in password %}{{ letter }}\n{% endfor %}end", &(0..15).collect::<Vec<_>>());
    check("{{ workers }}\nhunter2-hunter2\n", &[1]);
    check("a\n{% if password == 'hunter2-hunter2' %}b\nc\n{% endif %}d", &[1, 2]);
    check("no secret\n", &[]);
}

#[test]
fn a_secret_is_never_told() {
    let check = |source: &str, want: &str| {
        let told = Place::new(source.as_bytes()).made(SECRET, 0, "web01").err().unwrap();
        assert_eq!(told, want);
    };
    check("{{ password.x }}", "F/app.j2:1: `password.x` has no value, for web01 of staging");
    let told = "F/app.j2:1: `password | int`: invalid operation: cannot convert value to integer: invalid digit found in string, for web01 of staging";
    let got = Place::new(b"{{ password | int }}").made(SECRET, 0, "web01").err().unwrap();
    assert!(!got.contains("hunter2"), "{got} {told}");
    let got = Place::new(b"{{ {}[password] }}{{ password() }}").made(SECRET, 0, "web01").err().unwrap();
    assert!(!got.contains("hunter2"), "{got}");
}

#[test]
fn a_secret_that_cannot_be_hidden_or_read_is_none() {
    let place = Place::new(b"");
    place.secret("abc\n");
    let told = "F/web.toml:4: `secrets.password`: F/pw has less than 4 bytes, which no message could hide";
    assert_eq!(place.made(SECRET, 0, "web01").err().unwrap(), told);
    fs::remove_file(place.path("pw")).unwrap();
    fs::remove_file(place.path("app.j2")).unwrap();
    let spec = place.spec(SECRET);
    let error = Renderer::new(&spec).err().unwrap();
    assert_eq!((place.told(&error), error.excerpt().len()), ("F/web.toml has 2 faults".into(), 2));
}

#[test]
fn a_plain_file_is_its_bytes() {
    let place = Place::new(b"\xff{{ no }}\n");
    let made = place.made("template = false\npath = '/a'\n", 0, "web01").ok().unwrap();
    assert_eq!(*made.bytes, b"\xff{{ no }}\n");
}

#[test]
fn a_version_is_that_of_all_that_a_file_is_made_of() {
    let place = Place::new(b"x");
    let version = |head: &str| Renderer::new(&place.spec(head)).ok().unwrap().version();
    let first = version(SECRET);
    assert_eq!((first.len(), version(SECRET)), (64, first.clone()));
    assert_eq!(version(&format!("keep = 7\n{SECRET}")), first);
    assert_ne!(version(&format!("mode = '0600'\n{SECRET}")), first);
    assert_ne!(version(PATH), first);
    place.secret("another-secret");
    assert_ne!(version(SECRET), first);
    place.secret("hunter2-hunter2");
    assert_eq!(version(SECRET), first);
    testkit::write(place.path("app.j2"), "y");
    assert_ne!(version(SECRET), first);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_file_without_templates_is_itself(text: String) {
        let text = text.replace('{', "(");
        let made = Place::new(text.as_bytes()).made(PATH, 0, "web01").ok().unwrap();
        prop_assert_eq!(&*made.bytes, text.as_bytes());
    }
}
