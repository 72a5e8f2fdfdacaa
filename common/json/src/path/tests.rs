use proptest::prelude::*;

use super::*;

fn name(name: &str) -> Token {
    Token::Name(name.to_owned())
}

/// `text` is the path `want`, which is shown as `shown`.
fn check(text: &str, want: &[Token], shown: &str) {
    let path = Path::parse(text).unwrap();
    assert_eq!(path.tokens(), want, "{text}");
    assert_eq!(path.to_string(), shown, "{text}");
    assert_eq!(Path::parse(shown).unwrap(), path, "{text}");
}

fn refuse(text: &str, want: &str) {
    let bad = Path::parse(text).unwrap_err();
    assert_eq!(bad, format!("`{text}` is no path: {want}"));
}

#[test]
fn nothing_and_a_dot_are_the_whole_document() {
    check("", &[], ".");
    check(".", &[], ".");
}

#[test]
fn a_slash_begins_a_pointer() {
    check("/server/port", &[name("server"), name("port")], "server.port");
    check("/tags/-", &[name("tags"), name("-")], "tags.-");
    check("/tags/0", &[name("tags"), name("0")], "tags.0");
    check("/", &[name("")], "\"\"");
    check("//", &[name(""), name("")], "\"\"[\"\"]");
    check("/a~1b", &[name("a/b")], "a/b");
    check("/m~0n", &[name("m~n")], "\"m~n\"");
    check("/~01", &[name("~1")], "\"~1\"");
    check("/~1a", &[name("/a")], "\"/a\"");
    check("/c%d", &[name("c%d")], "c%d");
    check("/e^f", &[name("e^f")], "\"e^f\"");
    check("/g|h", &[name("g|h")], "\"g|h\"");
    check("/i\\j", &[name("i\\j")], r#""i\\j""#);
    check("/k\"l", &[name("k\"l")], r#""k\"l""#);
    check("/ ", &[name(" ")], "\" \"");
    check("/a.b/[0]", &[name("a.b"), name("[0]")], "\"a.b\"[\"[0]\"]");
}

#[test]
fn all_else_is_dotted() {
    check("server.port", &[name("server"), name("port")], "server.port");
    check(".server.port", &[name("server"), name("port")], "server.port");
    check("tags[0]", &[name("tags"), Token::Index(0)], "tags[0]");
    check("tags[-1]", &[name("tags"), Token::Last(1)], "tags[-1]");
    check("tags[-]", &[name("tags"), Token::End], "tags[-]");
    check("tags.-", &[name("tags"), name("-")], "tags.-");
    check("tags.07", &[name("tags"), name("07")], "tags.07");
    check("[0].name", &[Token::Index(0), name("name")], "[0].name");
    check(".[0][1]", &[Token::Index(0), Token::Index(1)], "[0][1]");
    check("a.[0]", &[name("a"), Token::Index(0)], "a[0]");
    check("a/b.c", &[name("a/b"), name("c")], "a/b.c");
    check("größe.naïve", &[name("größe"), name("naïve")], "größe.naïve");
    check("my key.don't", &[name("my key"), name("don't")], "\"my key\"[\"don't\"]");
    check("a=b.c:", &[name("a=b"), name("c:")], "\"a=b\"[\"c:\"]");
}

#[test]
fn odd_keys_are_quoted() {
    check("\"odd.key\".b", &[name("odd.key"), name("b")], "\"odd.key\".b");
    check("a[\"odd.key\"]", &[name("a"), name("odd.key")], "a[\"odd.key\"]");
    check("a['x'].y", &[name("a"), name("x"), name("y")], "a.x.y");
    check(
        "a.'it\\'.\"x]\"[2]",
        &[name("a"), name("it\\"), name("x]"), Token::Index(2)],
        r#"a["it\\"]["x]"][2]"#,
    );
    check(r#""\u00e9\n\"\\".x"#, &[name("é\n\"\\"), name("x")], r#""é\n\"\\".x"#);
    check(r#"a."".b"#, &[name("a"), name(""), name("b")], r#"a[""].b"#);
    check("''", &[name("")], "\"\"");
}

#[test]
fn what_is_no_path_is_refused_at_its_character() {
    refuse("/a~2", "character 3: `~` stands alone; write ~0 for `~` and ~1 for `/`");
    refuse("/é~", "character 3: `~` stands alone; write ~0 for `~` and ~1 for `/`");
    for (bad, at) in [("a..b", 3), ("a.", 3), ("..", 2), ("é..b", 3)] {
        refuse(bad, &format!("character {at}: the name is empty; write an empty key as \"\""));
    }
    for bad in [
        "a[x]",
        "a[]",
        "a[01]",
        "a[-0]",
        "a[+1]",
        "a[ 1]",
        "a[1:2]",
        "a[*]",
        "a[-1",
        "a[99999999999999999999]",
    ] {
        if bad == "a[-1" {
            refuse(bad, "character 2: this `[` is not closed");
        } else {
            refuse(bad, "character 2: write [0], [-1] for the last, [-] behind it, or [\"key\"]");
        }
    }
    refuse("a[\"b\"", "character 2: this `[` is not closed");
    refuse("a[\"b]", "character 3: this quote is not closed");
    refuse("'", "character 1: this quote is not closed");
    refuse("\"a\"b", "character 4: after a quoted key or a bracket comes `.` or `[`");
    refuse("a[0]b", "character 5: after a quoted key or a bracket comes `.` or `[`");
    refuse("\"\\x\"", "character 1: the key has an escape that JSON does not know");
    refuse("\"\\ud800\"", "character 1: the key has an escape that JSON does not know");
    refuse("a\"b\"", "character 2: an odd key needs quotes around the whole of it, as in a[\"odd.key\"]");
    refuse("a]", "character 2: an odd key needs quotes around the whole of it, as in a[\"odd.key\"]");
    assert_eq!(Path::parse_pointer("a/b").unwrap_err(), "`a/b` is no JSON Pointer; begin it with `/`");
}

#[test]
fn an_assignment_splits_at_the_first_equals_outside_quotes() {
    let check = |text: &str, path: &str, want: Assign<'_>| {
        let (ours, assign) = Path::split_assignment(text).unwrap();
        assert_eq!((ours.to_string().as_str(), assign), (path, want), "{text}");
    };
    check("a.b=1", "a.b", Assign::Value("1"));
    check("a=", "a", Assign::Value(""));
    check("a=b=c", "a", Assign::Value("b=c"));
    check("a:=1", "a", Assign::Json("1"));
    check("a:b::=1", "\"a:b:\"", Assign::Json("1"));
    check("a:b=1", "\"a:b\"", Assign::Value("1"));
    check("a=:=1", "a", Assign::Value(":=1"));
    check("a=@f=g", "a", Assign::File("f=g"));
    check("a:=@f.json", "a", Assign::JsonFile("f.json"));
    check("a=\"@\"", "a", Assign::Value("\"@\""));
    check("\"a=b\"=1", "\"a=b\"", Assign::Value("1"));
    check("\"a\":=1", "a", Assign::Json("1"));
    check("x['a:=b'][-]:=1", "x[\"a:=b\"][-]", Assign::Json("1"));
    check("a['\"']=\"", "a[\"\\\"\"]", Assign::Value("\""));
    check("/a/b=c=/d", "a.b", Assign::Value("c=/d"));
    check("/a/b:=1", "a.b", Assign::Json("1"));
    check("/\"=1", "\"\\\"\"", Assign::Value("1"));
    check(".=1", ".", Assign::Value("1"));
    check(".:=1", ".", Assign::Json("1"));
    check("/=1", "\"\"", Assign::Value("1"));
}

#[test]
fn what_assigns_nothing_is_refused() {
    let check = |text: &str, want: &str| {
        assert_eq!(Path::split_assignment(text).unwrap_err(), want, "{text}");
    };
    let how = "sets nothing; write PATH=VALUE, PATH:=JSON or PATH=@FILE";
    for bad in ["", ".", "a", "/a/b", "a.b:", "\"a=b\""] {
        check(bad, &format!("`{bad}` {how}"));
    }
    check("=1", "`=1` has no path before `=`; the whole document is `.`");
    check(":=1", "`:=1` has no path before `=`; the whole document is `.`");
    check("a=@", "`a=@` names no file behind `@`; write the string as PATH:='\"@\"'");
    check("/~=1", "`/~` is no path: character 2: `~` stands alone; write ~0 for `~` and ~1 for `/`");
    check("a.=1", "`a.=1` is no path: character 3: the name is empty; write an empty key as \"\"");
    check("a.:=1", "`a.:=1` is no path: character 3: the name is empty; write an empty key as \"\"");
}

#[test]
fn an_index_has_digits_only_and_no_leading_zero() {
    let check = |name: &str, want: Option<usize>| assert_eq!(index_of(name), want, "{name}");
    check("0", Some(0));
    check("10", Some(10));
    check("18446744073709551615", Some(usize::MAX));
    for bad in ["", "-", "-1", "+1", "00", "01", "1e0", " 1", "١", "18446744073709551616"] {
        check(bad, None);
    }
}

#[test]
fn paths_have_steps() {
    let root = Path::default();
    let path = root.child(name("a")).child(Token::Index(1));
    assert_eq!(path.to_string(), "a[1]");
    assert_eq!(path.parent().unwrap(), Path::pointer(&["a"]));
    assert_eq!(root.parent(), None);
    assert!(root.is_root() && !path.is_root());
    assert!(path.starts_with(&root) && path.starts_with(&path) && path.starts_with(&Path::pointer(&["a"])));
    assert!(!path.starts_with(&Path::pointer(&["a", "1"])) && !root.starts_with(&path));
    assert_eq!(Path::pointer(&["~1", "x/y"]), Path::parse("/~01/x~1y").unwrap());
}

fn token() -> impl Strategy<Value = Token> {
    let odd = "[-a:=@.\\[\\]\"'\\\\/~0é\n ]{0,4}";
    prop_oneof![
        odd.prop_map(Token::Name),
        any::<String>().prop_map(Token::Name),
        any::<usize>().prop_map(Token::Index),
        (1..usize::MAX).prop_map(Token::Last),
        Just(Token::End),
    ]
}

proptest! {
    #[test]
    fn what_is_shown_is_parsed_again(
        tokens in proptest::collection::vec(token(), 0..5),
        assign in prop_oneof![Just("="), Just(":=")],
        value in "[^@].{0,8}",
    ) {
        let path = Path(tokens);
        prop_assert_eq!(&Path::parse(&path.to_string()).unwrap(), &path);
        let text = format!("{path}{assign}{value}");
        let (split, rest) = Path::split_assignment(&text).unwrap();
        prop_assert_eq!(split, path);
        let want = if assign == "=" { Assign::Value(&value) } else { Assign::Json(&value) };
        prop_assert_eq!(rest, want);
    }

    #[test]
    fn names_make_a_pointer(names in proptest::collection::vec("[~/01a-]{0,4}", 0..4)) {
        let escaped = |name: &String| format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        let text: String = names.iter().map(escaped).collect();
        prop_assert_eq!(Path::parse(&text).unwrap(), Path::pointer(&names));
    }

    #[test]
    fn no_text_panics(text in "[-a:=@.\\[\\]\"'\\\\/~01é]{0,10}") {
        let _ = Path::parse(&text);
        let _ = Path::split_assignment(&text);
    }
}
