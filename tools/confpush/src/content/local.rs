//! `validate.local`: a command of the user's judges the file.

use std::fs::{OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use process::child::{Call, Status};
use remote::shell;
use secrets::conceal;

use crate::spec::Spec;

/// Has the command of `spec`, if there is one, judge `bytes`, the file of `host`. It sees a file with the
/// ending of the real one, in a folder that is the deployer's alone; nothing is left of it.
///
/// # Errors
/// What it said, or why it could not be run.
pub(crate) fn judge(spec: &Spec, bytes: &[u8], host: &str) -> Result<(), String> {
    let Some(words) = &spec.validate.local else { return Ok(()) };
    let folder = tempfile::Builder::new()
        .prefix(&format!("confpush-{}-", plain(host)))
        .permissions(Permissions::from_mode(0o700))
        .tempdir()
        .map_err(|why| format!("cannot make a folder for `validate.local`: {why}"))?;
    let path = folder.path().join(file_name(&spec.path));
    let cannot = |why: &dyn std::fmt::Display| format!("cannot write {}: {why}", path.display());
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    file.and_then(|mut file| file.write_all(bytes)).map_err(|why| cannot(&why))?;
    let shown = path.to_str().ok_or_else(|| cannot(&"its folder is no text in UTF-8"))?;
    let argv = filled(words, shown);
    let ended = Call::new(&argv, spec.validate.timeout).run()?;
    if ended.status == Status::Exit(0) {
        return Ok(());
    }
    let said = conceal::quoted(&ended.stdout);
    let why = ended.why();
    // Some judges say on their standard output what is wrong.
    let why = if ended.stderr.is_empty() && !said.is_empty() { format!("{why}: {said}") } else { why };
    Err(format!("`validate.local`: {}", why.replace(shown, &spec.path)))
}

/// The words of the command with `path` in the places of `{}`.
fn filled(words: &[String], path: &str) -> Vec<String> {
    match words {
        [sh, flag, script] if sh == "sh" && flag == "-c" => {
            vec![sh.clone(), flag.clone(), script.replace("{}", &shell::quoted(path))]
        }
        _ => words.iter().map(|word| word.replace("{}", path)).collect(),
    }
}

/// The name of the file at `path`, a template; of what is to be filled in only the ending is known.
fn file_name(path: &str) -> String {
    let last = path.rsplit('/').next().unwrap_or_default();
    let name = Path::new(last);
    match name.extension().and_then(|ending| ending.to_str()) {
        _ if plain(last) == last && !last.is_empty() => last.to_owned(),
        Some(ending) if plain(ending) == ending => format!("file.{ending}"),
        _ => "file".to_owned(),
    }
}

fn plain(text: &str) -> String {
    text.chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_its_name_or_its_ending() {
        let check = |path: &str, want: &str| assert_eq!(file_name(path), want);
        check("/etc/nginx/nginx.conf", "nginx.conf");
        check("/etc/{{ host }}.json", "file.json");
        check("/etc/{{ host }}", "file");
        check("/etc/a b.ini", "file.ini");
        check("/etc/hosts", "hosts");
    }

    #[test]
    fn the_path_is_one_word() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(filled(&words(&["jq", ".", "{}", "--x={}"]), "/a b"), ["jq", ".", "/a b", "--x=/a b"]);
        assert_eq!(filled(&words(&["sh", "-c", "jq . {}"]), "/a b"), ["sh", "-c", "jq . '/a b'"]);
    }
}
