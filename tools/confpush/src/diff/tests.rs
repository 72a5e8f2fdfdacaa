use proptest::prelude::*;
use secrets::conceal;

use super::*;

const SECRET: &str = "s3cr3t-of-now";

/// The lines of `new` that have [`SECRET`].
fn secret_lines(new: &str) -> BTreeSet<usize> {
    lines(new).iter().enumerate().filter(|(_, line)| line.contains(SECRET)).map(|(at, _)| at).collect()
}

fn shown(old: Option<&str>, new: Option<&str>) -> String {
    conceal::secret(&SECRET.into());
    let (none, known) = (BTreeSet::new(), secret_lines(new.unwrap_or_default()));
    let old = old.map(|text| Shown { bytes: text.as_bytes(), secret_lines: &none });
    let new = new.map(|text| Shown { bytes: text.as_bytes(), secret_lines: &known });
    unified(old.as_ref(), new.as_ref(), "/etc/app.conf")
}

/// Of the diff what is below the headers.
fn check(old: &str, new: &str, want: &str) {
    let diff = shown(Some(old), Some(new));
    let below = diff.strip_prefix("--- /etc/app.conf\n+++ /etc/app.conf\n").unwrap_or(&diff);
    assert_eq!(below, want, "{old:?} to {new:?}");
}

#[test]
fn it_is_what_diff_prints() {
    check("a\n", "a\n", "");
    check("a\n", "b\n", "@@ -1 +1 @@\n-a\n+b\n");
    check("", "a\n", "@@ -0,0 +1 @@\n+a\n");
    check("a\n", "", "@@ -1 +0,0 @@\n-a\n");
    check("a", "a\n", "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
    check(
        "1\n2\n3\n4\n5\n6\n7\n8\n9\n10",
        "1\nII\n3\n4\n5\n6\n7\n8\n9\nX",
        "@@ -1,5 +1,5 @@\n 1\n-2\n+II\n 3\n 4\n 5\n@@ -7,4 +7,4 @@\n 7\n 8\n 9\n-10\n\
         \\ No newline at end of file\n+X\n\\ No newline at end of file\n",
    );
}

#[test]
fn no_file_is_dev_null() {
    let none = "--- /dev/null\n+++ /etc/app.conf\n@@ -0,0 +1 @@\n+a\n";
    assert_eq!(shown(None, Some("a\n")), none);
    assert_eq!(shown(Some("a\n"), None), "--- /etc/app.conf\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n");
    assert_eq!(shown(None, Some("")), "--- /dev/null\n+++ /etc/app.conf\nan empty file\n");
    assert_eq!(shown(None, None), "");
}

#[test]
fn what_is_no_text_is_one_sentence() {
    let none = BTreeSet::new();
    let old = Shown { bytes: b"a\0", secret_lines: &none };
    let new = Shown { bytes: b"\xff", secret_lines: &none };
    let want = format!(
        "--- x\n+++ x\nno text: 2 bytes with SHA-256 {} before, 1 byte with SHA-256 {} after\n",
        sum(b"a\0"),
        sum(b"\xff")
    );
    assert_eq!(unified(Some(&old), Some(&new), "x"), want);
    let want = format!(
        "--- /dev/null\n+++ x\nno text: no file before, 1 byte with SHA-256 {} after\n",
        sum(b"\xff")
    );
    assert_eq!(unified(None, Some(&new), "x"), want);
}

#[test]
fn nothing_steers_a_terminal() {
    check("a\r\n", "a\tb\u{1b}[2J\u{202e}\n", "@@ -1 +1 @@\n-a\\r\n+a\tb\\u{1b}[2J\\u{202e}\n");
    let none = BTreeSet::new();
    let new = Shown { bytes: b"a", secret_lines: &none };
    assert!(unified(None, Some(&new), "/x\n\u{1b}").starts_with("--- /dev/null\n+++ /x\\n\\u{1b}\n"));
}

#[test]
fn what_is_too_long_is_cut() {
    let many = (0..700).map(|at| at.to_string()).collect::<Vec<_>>().join("\n") + "\n";
    let diff = shown(None, Some(&many));
    assert!(diff.ends_with("+498\n... and 201 more lines\n"), "{diff}");
    assert_eq!(shown(None, Some(&many[..many.len() - 804])).lines().last(), Some("+498"));
    let wide = "ä".repeat(20_000);
    let diff = shown(Some("a\n"), Some(&format!("{wide}\n")));
    let want = format!("-a\n+{} ... (a line of 40000 bytes)\n", "ä".repeat(1000));
    assert!(diff.ends_with(&want));
}

#[test]
fn a_secret_of_now_is_taken_out() {
    check(
        "a\npassword = x\n",
        "a\npassword = s3cr3t-of-now;\n",
        "@@ -1,2 +1,2 @@\n a\n-password = (masked)\n+password = [secret];\n",
    );
    let same = "workers = 4\npassword = s3cr3t-of-now\n";
    check(
        same,
        &same.replace('4', "16"),
        "@@ -1,2 +1,2 @@\n-workers = 4\n+workers = 16\n password = [secret]\n",
    );
}

#[test]
fn a_secret_of_before_is_not_shown() {
    let json =
        |value: &str| format!("{{\n  \"user\": \"app\",\n  \"password\": \"{value}\",\n  \"x\": 1\n}}\n");
    check(
        &json("before-that"),
        &json(SECRET),
        "@@ -1,5 +1,5 @@\n {\n   \"user\": \"app\",\n-  \"password\": \"(masked)\",\n+  \"password\": \
         \"[secret]\",\n   \"x\": 1\n }\n",
    );
    // Its neighbours change at the same time: they are not told apart.
    check(
        "host = one\nkey = before-that\n",
        "host = two\nkey = s3cr3t-of-now\n",
        "@@ -1,2 +1,2 @@\n-host = (masked)\n-key = (masked)\n+host = two\n+key = [secret]\n",
    );
    // It stood elsewhere.
    let far = "1\n2\n3\n4\n5\n6\n7\n8\n";
    check(
        &format!("key: before-that\n{far}"),
        &format!("{far}key: {SECRET}\n"),
        "@@ -1,4 +1,3 @@\n-(masked)\n 1\n 2\n 3\n@@ -7,3 +6,4 @@\n 6\n 7\n 8\n+key: [secret]\n",
    );
    // The new file has none any more.
    check("url = db://app:before-that@db\n", "url = none\n", "@@ -1 +1 @@\n-url = (masked)\n+url = none\n");
    check("a\nPassword: before-that\n", "a\n", "@@ -1,2 +1 @@\n a\n-(masked)\n");
}

#[test]
fn a_form_that_nobody_knows_is_not_shown() {
    conceal::secret(&SECRET.into());
    let (none, known) = (BTreeSet::new(), BTreeSet::from([0]));
    let old = Shown { bytes: b"key = before\n", secret_lines: &none };
    let new = Shown { bytes: b"key = S3CR3T-OF-NOW\n", secret_lines: &known };
    let diff = unified(Some(&old), Some(&new), "x");
    assert_eq!(diff, "--- x\n+++ x\n@@ -1 +1 @@\n-(masked)\n+(masked)\n");
}

#[test]
fn of_a_long_line_with_a_secret_nothing_is_shown() {
    let line = |value: &str| format!("{{\"key\": \"{value}\", \"x\": \"{}\"}}\n", "x".repeat(17_000));
    check(&line("before-that"), &line(SECRET), "@@ -1 +1 @@\n-(masked)\n+(masked)\n");
}

#[test]
fn a_line_of_a_secret_is_none_elsewhere() {
    let far = "1\n2\n3\n4\n5\n6\n7\n8\n";
    let (old, new) = (format!("QQ\n{far}"), format!("{far}QQ\nRR\n"));
    let (none, known) = (BTreeSet::new(), BTreeSet::from([8, 9]));
    let old = Shown { bytes: old.as_bytes(), secret_lines: &none };
    let new = Shown { bytes: new.as_bytes(), secret_lines: &known };
    let diff = unified(Some(&old), Some(&new), "x");
    assert!(
        diff.ends_with("\n-(masked)\n 1\n 2\n 3\n@@ -7,3 +6,5 @@\n 6\n 7\n 8\n+(masked)\n+(masked)\n"),
        "{diff}"
    );
}

#[test]
fn near_a_secret_a_line_needs_one_that_it_is_like() {
    let near = |old: &str, new: &str, want: &str| {
        let diff = shown(Some(&format!("{old}key = {SECRET}\n")), Some(&format!("{new}key = {SECRET}\n")));
        assert_eq!(diff.lines().nth(3), Some(want), "{old:?} to {new:?}");
    };
    near("abc\n", "", "-(masked)");
    near("abc\n", "ab\n", "-abc");
    near("port = 1234567\n", "port = 80\n", "-port = 1234567");
    near("port = 12345678\n", "port = 80\n", "-port = (masked)");
}

#[test]
fn what_is_harmless_is_shown() {
    let check = |line: &str, want: &str| {
        let diff = shown(Some(&format!("{line}\n")), Some("other\n"));
        assert_eq!(diff.lines().nth(3), Some(want), "{line}");
    };
    check("listen 10.0.0.11:8080;", "-listen 10.0.0.11:8080;");
    check("password_min_length = 8", "-password_min_length = 8");
    check("token_ttl = 30s", "-token_ttl = 30s");
    check("password:", "-password:");
    check("url = https://example.com/@x", "-url = https://example.com/@x");
    check("password = 12345", "-(masked)");
    check("-----BEGIN RSA PRIVATE KEY-----", "-(masked)");
    check("<secret>abc</secret>", "-(masked)");
}

/// What the diff makes of `old`, by its line numbers and its signs alone.
fn applied(old: &str, diff: &str) -> String {
    let (old, mut new, mut at, mut last) = (lines(old), String::new(), 0, ' ');
    for line in lines(diff).into_iter().skip(2) {
        let sign = line.chars().next().unwrap_or(' ');
        match sign {
            '@' => {
                let range = line.split(' ').nth(1).unwrap();
                let first: usize = range[1..].split(',').next().unwrap().parse().unwrap();
                let start = if range.ends_with(",0") { first } else { first - 1 };
                new += &old[at..start].concat();
                at = start;
            }
            '\\' if last == '-' => {}
            '\\' => assert_eq!(new.pop(), Some('\n')),
            '-' => at += 1,
            '+' => new += &line[1..],
            _ => {
                new += &line[1..];
                at += 1;
            }
        }
        last = sign;
    }
    new + &old[at..].concat()
}

/// Text of few different lines, so that some are equal, with and without a last line end.
fn text() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec!["a", "b", "\tc", "", "{", "-- a", "++ b", "\\ c", "@@ d"]);
    (prop::collection::vec(line, 0..40), any::<bool>())
        .prop_map(|(lines, ended)| lines.join("\n") + if ended { "\n" } else { "" })
}

/// A line around a secret, and what surrounds it there.
const PLACES: &[(&str, &str)] = &[
    ("password = ", ""),
    ("  \"token\": \"", "\","),
    ("url = postgres://app:", "@db.example.com/app"),
    ("requirepass ", ""),
    ("<key>", "</key>"),
    ("", ""),
];

#[derive(Debug, Clone)]
enum Line {
    Plain(String),
    Secret(usize),
}

/// A template: lines, some of which have a place for a secret.
fn template() -> impl Strategy<Value = Vec<Line>> {
    let plain = "[a-e]{1,3} = [a-e0-9]{0,4}".prop_map(Line::Plain);
    let secret = (0..PLACES.len()).prop_map(Line::Secret);
    prop::collection::vec(prop_oneof![3 => plain, 1 => secret], 1..25)
}

fn render(template: &[Line], secret: &str) -> String {
    let line = |line: &Line| match line {
        Line::Plain(text) => format!("{text}\n"),
        Line::Secret(place) => format!("{}{secret}{}\n", PLACES[*place].0, PLACES[*place].1),
    };
    template.iter().map(line).collect()
}

proptest! {
    // Every secret is known from then on, and makes the next case slower.
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn applied_it_gives_the_new_text(old in text(), new in text()) {
        prop_assert_eq!(applied(&old, &shown(Some(&old), Some(&new))), new);
    }

    /// Between both plain lines come, and those with a secret come, go and move. One without a word that
    /// tells it, the last two of [`PLACES`], does not go for good, and the very last one does not move.
    #[test]
    fn no_secret_of_either_side_is_shown(
        whole in template(),
        changes in prop::collection::vec(0..9_u8, 25),
        edits in prop::collection::vec((0..25_usize, "[f-j]{1,3} = [f-j]{0,4}"), 0..5),
        secrets in ("[P-Z][P-Z0-9!#%.-]{7,30}", "[P-Z][P-Z0-9!#%.-]{7,30}"),
    ) {
        conceal::secret(&secrets.1.as_str().into());
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for (line, change) in whole.into_iter().zip(changes) {
            match (&line, change) {
                (Line::Secret(_), 0) => new.push(line),
                (Line::Secret(0..4), 1) => old.push(line),
                (Line::Secret(0..5), 2) => {
                    new.insert(0, line.clone());
                    old.push(line);
                }
                _ => {
                    old.push(line.clone());
                    new.push(line);
                }
            }
        }
        for (at, text) in edits {
            new.insert(at.min(new.len()), Line::Plain(text));
        }
        let none = BTreeSet::new();
        let known = new.iter().enumerate().filter(|(_, line)| matches!(line, Line::Secret(_)));
        let known: BTreeSet<usize> = known.map(|(at, _)| at).collect();
        let (old, new) = (render(&old, &secrets.0), render(&new, &secrets.1));
        let old = Shown { bytes: old.as_bytes(), secret_lines: &none };
        let new = Shown { bytes: new.as_bytes(), secret_lines: &known };
        let diff = unified(Some(&old), Some(&new), "x");
        prop_assert!(!diff.contains(&secrets.0), "{}", diff);
        prop_assert!(!diff.contains(&secrets.1), "{}", diff);
    }

    #[test]
    fn no_text_is_a_panic(old in any::<Vec<u8>>(), new in any::<String>(), known in any::<BTreeSet<u8>>()) {
        let known: BTreeSet<usize> = known.into_iter().map(usize::from).collect();
        let old = Shown { bytes: &old, secret_lines: &known };
        let new = Shown { bytes: new.as_bytes(), secret_lines: &known };
        let diff = unified(Some(&old), Some(&new), "x");
        prop_assert!(!diff.chars().any(|one| one.is_control() && !"\n\t".contains(one)));
    }
}
