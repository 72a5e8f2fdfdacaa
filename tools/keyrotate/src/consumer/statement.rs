//! What a command says of the key that a consumer uses: a word, or JSON.

use common::answer::Answer;
use secrets::conceal;
use serde::Deserialize;

use super::{Named, Statement};

/// Longer ones are no name of a key but something else, such as a page with an error.
const LONGEST: usize = 128;

#[derive(Deserialize)]
struct Attested {
    key: Option<String>,
    works: Option<bool>,
}

/// What a command that ended with `status` (`None`: by a signal or late) and printed `stdout` has said.
///
/// 0 with an id or 12 and more digits of a digest: that is the key; with `{"key": TEXT, "works": FLAG}`,
/// each of which may be null, also whether it works. 1: it does not work, where it names a key, and a no
/// for the reason `why` where it does not. All else is unknown, for the same reason.
pub(crate) fn of(status: Option<i32>, stdout: &[u8], why: &str) -> Answer<Statement> {
    match (status, read(stdout)) {
        (Some(0), Ok(statement)) => Answer::Yes(statement),
        (Some(0), Err(what)) => Answer::Unknown(what),
        (Some(1), Ok(Statement { key: key @ Named::Text(_), .. })) => {
            Answer::Yes(Statement { key, works: Some(false) })
        }
        (Some(1), _) => Answer::No(why.into()),
        _ => Answer::Unknown(why.into()),
    }
}

fn read(stdout: &[u8]) -> Result<Statement, String> {
    let printed = stdout.trim_ascii();
    if printed.is_empty() {
        return Err("it printed nothing; of no key it says {\"key\":null}".into());
    }
    if printed.starts_with(b"{") {
        let said: Attested = serde_json::from_slice(printed).map_err(|_| {
            // The reason would quote what is there.
            "it printed no JSON such as {\"key\":\"3f9a1c0b77de\",\"works\":true}".to_owned()
        })?;
        let key = said.key.as_deref().map(str::trim).filter(|key| !key.is_empty());
        let key = key.map_or(Named::Nothing, |key| Named::Text(conceal::quoted(key.as_bytes())));
        return Ok(Statement { key, works: said.works });
    }
    let printed = digest_of_sha256sum(printed).unwrap_or(printed);
    let is_word = printed.len() <= LONGEST && printed.iter().all(u8::is_ascii_graphic);
    if !is_word {
        return Err(format!("it printed `{}`, which names no key", conceal::quoted(printed)));
    }
    Ok(Statement { key: Named::Text(conceal::quoted(printed)), works: None })
}

/// The digest in a line of sha256sum(1), which the name of a file follows.
fn digest_of_sha256sum(line: &[u8]) -> Option<&[u8]> {
    let (digest, rest) = line.split_at_checked(64)?;
    let is_line =
        digest.iter().all(u8::is_ascii_hexdigit) && rest.starts_with(b"  ") && !rest.contains(&b'\n');
    is_line.then_some(digest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn yes(key: &str, works: Option<bool>) -> Answer<Statement> {
        let key = if key.is_empty() { Named::Nothing } else { Named::Text(key.into()) };
        Answer::Yes(Statement { key, works })
    }

    #[test]
    fn unknown_is_what_names_no_key() {
        let check = |status: Option<i32>, stdout: &str, want: Answer<Statement>| {
            assert_eq!(of(status, stdout.as_bytes(), "refused"), want, "{stdout}");
        };
        let no = || Answer::No("refused".into());
        let unknown = |why: &str| Answer::Unknown(why.into());
        check(Some(0), "AKIA123\n", yes("AKIA123", None));
        check(Some(0), "{\"key\": \"a\", \"works\": true, \"more\": 1}", yes("a", Some(true)));
        check(Some(0), "{\"key\":\"a\"}", yes("a", None));
        check(Some(0), "{\"key\":null}", yes("", None));
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        check(Some(0), &format!("{digest}  -\n"), yes(digest, None));
        check(Some(0), "{\"key\":\" \"}", yes("", None));
        check(Some(0), "\n", unknown("it printed nothing; of no key it says {\"key\":null}"));
        let page = "it printed `<html>502 Bad Gateway</html>`, which names no key";
        check(Some(0), "<html>502 Bad Gateway</html>", unknown(page));
        let form = "it printed no JSON such as {\"key\":\"3f9a1c0b77de\",\"works\":true}";
        check(Some(0), "{\"key\":7}", unknown(form));
        check(Some(1), "AKIA123", yes("AKIA123", Some(false)));
        check(Some(1), "{\"key\":\"a\",\"works\":true}", yes("a", Some(false)));
        check(Some(1), "{\"key\":null}", no());
        check(Some(1), "", no());
        check(Some(75), "AKIA123", unknown("refused"));
        check(Some(7), "", unknown("refused"));
        check(None, "AKIA123", unknown("refused"));
    }

    #[test]
    fn a_secret_that_it_prints_is_not_shown() {
        conceal::secret(&"hunter2hunter2".into());
        let check = |stdout: &str| {
            assert!(!format!("{:?}", of(Some(0), stdout.as_bytes(), "")).contains("hunter2"), "{stdout}");
        };
        check("hunter2hunter2");
        check("my hunter2hunter2");
        check("{\"key\":\"hunter2hunter2\"}");
        check("{\"key\":hunter2hunter2}");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(stdout in proptest::collection::vec(any::<u8>(), 0..40), status in 0..3) {
            let answer = of(Some(status), &stdout, "why");
            prop_assert!(status < 2 || !answer.is_yes());
        }
    }
}
