use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::identity::Key;

fn file(path: &[u8]) -> JobFile {
    let path = PathBuf::from(OsString::from_vec(path.to_vec()));
    JobFile { path, key: Key([0xab; 16]), attempt: 1, hash: Some("c0de".into()) }
}

fn words(command: &[&str]) -> Vec<OsString> {
    command.iter().map(OsString::from).collect()
}

fn argument(word: &[u8], path: &[u8]) -> Vec<u8> {
    let command = [OsString::from("x"), OsString::from_vec(word.to_vec())];
    let template = Template::parse(&command, false).unwrap();
    template.arguments(&[file(path)]).concat_bytes()
}

trait Concat {
    fn concat_bytes(self) -> Vec<u8>;
}

impl Concat for Vec<OsString> {
    fn concat_bytes(self) -> Vec<u8> {
        assert_eq!(self.len(), 1);
        self.into_iter().flat_map(OsString::into_vec).collect()
    }
}

fn check(word: &str, path: &str, want: &str) {
    assert_eq!(String::from_utf8_lossy(&argument(word.as_bytes(), path.as_bytes())), want, "{word}");
}

#[test]
fn placeholders_stand_for_parts_of_the_path() {
    let path = "/in/sub/a.tar.gz";
    check("{}", path, path);
    check("{name}", path, "a.tar.gz");
    check("{dir}", path, "/in/sub");
    check("{stem}", path, "a.tar");
    check("{ext}", path, "gz");
    check("{hash}", path, "c0de");
    check("--to=/out/{stem}.{ext}", path, "--to=/out/a.tar.gz");
    check("{}{}", "/a", "/a/a");
    check("{stem}|{ext}", "/in/.bashrc", ".bashrc|");
    check("{stem}|{ext}", "/in/a.", "a|");
    check("{dir}", "/a", "/");
    check("{name}", "/in/-rf", "-rf");
}

#[test]
fn other_braces_are_text() {
    for text in
        ["{a,b}", "{1}", "{\"a\":{\"b\":{}x}}", "}{", "{", "}}", "{{", "{ }", "{{.ID}}", "{a b}", "{ä}"]
    {
        let want = text.replace("{}", "/f");
        check(text, "/f", &want);
    }
    check("{{}}", "/f", "{}");
    check("{{name}}", "/f", "{name}");
    check("{{nonsense}}", "/f", "{nonsense}");
    check("{{{name}}}", "/f", "{{name}}");
    check("", "/f", "");
}

#[test]
fn names_are_bytes() {
    let path = b"/in/\xff\n'\" $(x)\\.\xfe";
    assert_eq!(argument(b"{}", path), path);
    assert_eq!(argument(b"\xfd{ext}", path), b"\xfd\xfe");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let check = |command: &[&str], batch: bool, want: &str| {
        let refusal = Template::parse(&words(command), batch).unwrap_err();
        assert!(refusal.contains(want), "{refusal}");
    };
    check(&[], false, "no command is given");
    check(&[""], false, "is empty");
    check(&["{}"], false, "can hold no placeholder");
    check(&["x{stem}"], false, "can hold no placeholder");
    check(
        &["x", "a{path}"],
        false,
        "no placeholder `{path}` in `a{path}`: there are {} {name} {dir} {stem} {ext} {hash}; \
         for the text itself write `{{path}}`",
    );
    check(&["x", "--in={}"], true, "in `--in={}` a placeholder is inside a longer argument");
}

#[test]
fn the_program_may_have_braces_in_its_name() {
    let template = Template::parse(&words(&["./{{a}}", "{}"]), false).unwrap();
    assert_eq!(template.program(), "./{a}");
    assert!(!template.wants_hash());
    assert!(Template::parse(&words(&["x", "a{hash}"]), false).unwrap().wants_hash());
}

#[test]
fn a_batch_gets_an_argument_for_each_file() {
    let template = Template::parse(&words(&["x", "-n", "{name}", "--", "{}", "{a,b}"]), true).unwrap();
    let done = template.arguments(&[file(b"/in/a"), file(b"/in/b")]);
    assert_eq!(done, words(&["-n", "a", "b", "--", "/in/a", "/in/b", "{a,b}"]));
    let mut files = vec![file(b"/in/a"), file(b"/in/b")];
    files[1].attempt = 3;
    let told = environment(&files);
    let id = "ab".repeat(16);
    assert_eq!(told, [("DIRWATCH_ID", format!("{id} {id}").into()), ("DIRWATCH_ATTEMPT", "3".into())]);
    assert_eq!(environment(&files[1..]).last().unwrap(), &("DIRWATCH_PATH", "/in/b".into()));
}

#[test]
fn a_batch_is_no_larger_than_the_system_allows() {
    let template = Template::parse(&words(&["/bin/true", "{}"]), true).unwrap();
    let files = vec![file(&[b"/", [b'a'; 199].as_slice()].concat()); 100_000];
    assert_eq!(template.fits(&[], 1000), 0);
    assert_eq!(template.fits(&files, 0), 1, "one is always tried");
    assert_eq!(template.fits(&files, 10_000), 41, "each 200 + 1 + 8 + 33");
    let most = template.fits(&files, room());
    let mut command = std::process::Command::new("/bin/true");
    command.args(template.arguments(&files[..most])).envs(environment(&files[..most]));
    assert!(command.status().unwrap().success(), "{most} files");
    let short = vec![file(b"/a"); 100_000];
    let most = template.fits(&short, usize::MAX);
    let mut command = std::process::Command::new("/bin/true");
    command.args(template.arguments(&short[..most])).envs(environment(&short[..most]));
    assert!(command.status().unwrap().success(), "{most} files");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(word: Vec<u8>, path: Vec<u8>, batch: bool) {
        let command = [OsString::from("x"), OsString::from_vec(word)];
        if let Ok(template) = Template::parse(&command, batch) {
            prop_assert!(template.arguments(&[file(&path)]).len() <= 1);
            prop_assert_eq!(template.fits(&[file(&path)], 10), 1);
        }
    }

    #[test]
    fn text_comes_out_as_it_went_in(text in "[{}a-c.,]{0,12}") {
        let mut word = text.clone();
        for depth in (0..text.len()).rev() {
            if let Some((name, _)) = braced(&text.as_bytes()[depth..], b"{", b"}") {
                word.replace_range(depth..depth + name.len() + 2,
                                   &format!("{{{{{}}}}}", String::from_utf8_lossy(name)));
            }
        }
        prop_assert_eq!(argument(word.as_bytes(), b"/f"), text.as_bytes());
    }
}
