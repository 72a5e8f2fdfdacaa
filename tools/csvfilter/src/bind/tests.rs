use super::*;
use crate::expr::parse;

const NOW: i64 = 1_772_359_200; // 2026-03-01T10:00:00Z

fn columns() -> Columns {
    let names = ["age", "name", "zip", "ts", "end", "third"];
    Columns::named(names.iter().map(|name| name.as_bytes().to_vec()).collect(), "people.csv")
}

/// What it is bound to, or the sentence and the bytes it is about.
fn bound(text: &str, types: &str) -> Result<String, (String, String)> {
    let columns = columns();
    let pins: Vec<Pins> = Some(types)
        .filter(|types| !types.is_empty())
        .map(|types| Pins::parse(types).unwrap())
        .into_iter()
        .collect();
    let kinds = Pins::find(&pins, &columns).unwrap();
    let table = Table { columns: &columns, kinds: &kinds, now: Time::from_secs(NOW), zone: Zone::Utc };
    let expr = parse(text).map_err(|problem| (problem.to_string(), String::new()))?;
    let found = table.bind(&expr).map(|condition| shown(&condition));
    found.map_err(|problem| (problem.to_string(), text[problem.place.start..problem.place.end].to_owned()))
}

fn shown(condition: &Condition) -> String {
    let several = |parts: &[Condition]| parts.iter().map(shown).collect::<Vec<_>>().join(", ");
    match condition {
        Condition::Always(value) => value.to_string(),
        Condition::Not(inner) => format!("not({})", shown(inner)),
        Condition::All(parts) => format!("all({})", several(parts)),
        Condition::Any(parts) => format!("any({})", several(parts)),
        Condition::Test { operand, check } => format!("{} {}", value(operand), checked(check)),
        Condition::Compare { left, order, right, kind } => {
            format!("{} {order:?} {} as {kind:?}", value(left), value(right))
        }
    }
}

fn value(operand: &Operand) -> String {
    let changes: Vec<String> = operand.changes.iter().map(|change| format!(".{change:?}")).collect();
    format!("{}{}", operand.column, changes.concat())
}

fn checked(check: &Check) -> String {
    let text = |bytes: &[u8]| format!("{:?}", String::from_utf8_lossy(bytes));
    match check {
        Check::Number(order, number) => format!("{order:?} {:?}", number.compare(b"30")),
        Check::Text(order, bytes) => format!("{order:?} {}", text(bytes)),
        Check::Time(order, span) => {
            let seconds = [span.first, span.last].map(|time| time.secs() - NOW);
            format!("{order:?} {seconds:?}")
        }
        Check::AmongTexts(list) => {
            format!("among {}", list.iter().map(|one| text(one)).collect::<Vec<_>>().join(" "))
        }
        Check::AmongNumbers(list) => format!("among {} numbers", list.len()),
        Check::Matches(regex) => format!("matches {regex}"),
        Check::Contains(finder) => format!("contains {}", text(finder.needle())),
        Check::Begins(bytes) => format!("begins {}", text(bytes)),
        Check::Ends(bytes) => format!("ends {}", text(bytes)),
        Check::IsEmpty => "is empty".into(),
        Check::IsNumber => "is a number".into(),
        Check::IsTime => "is a time".into(),
    }
}

fn check(text: &str, types: &str, want: &str) {
    assert_eq!(bound(text, types).as_deref(), Ok(want), "{text} {types}");
}

fn check_wrong(text: &str, types: &str, want: (&str, &str)) {
    let want = (want.0.to_owned(), want.1.to_owned());
    assert_eq!(bound(text, types), Err(want), "{text} {types}");
}

#[test]
fn the_literal_tells_what_is_compared() {
    check("age >= 30", "", "0 AtLeast Some(Equal)");
    check("29 < age", "", "0 Greater Some(Greater)");
    check("name == \"x\"", "", "1 Equal \"x\"");
    check("name > 'x'", "", "1 Greater \"x\"");
    check("ts >= 2026-03-01", "", "3 AtLeast [-36000, 50399]");
    check("ts < 2026-03-01T10:30", "", "3 Less [1800, 1859]");
    check("ts < 2026-03-01 10:30", "", "3 Less [1800, 1859]");
    check("ts == 2026-03-01T11:30:00+01:00", "", "3 Equal [1800, 1800]");
    check("ts > now - 2h", "", "3 Greater [-7200, -7200]");
    check("ts > now+1h30m", "", "3 Greater [5400, 5400]");
    check("ts <= now", "", "3 AtMost [0, 0]");
    check("len(name) > 5", "", "1.Length Greater Some(Greater)");
    check("lower(trim(name)) == \"x\"", "", "1.Trim.Lower Equal \"x\"");
}

#[test]
fn a_pinned_kind_tells_what_is_compared() {
    check("zip == 01234", "zip=text", "2 Equal \"01234\"");
    check("zip >= 30", "zip=text", "2 AtLeast \"30\"");
    check("zip >= '30'", "zip=text", "2 AtLeast \"30\"");
    check("zip == 2026-03-01", "zip=text", "2 Equal \"2026-03-01\"");
    check("zip in (01234, 1)", "$3=text", "2 among \"01234\" \"1\"");
    check("age == '30'", "age=number", "0 Equal Some(Equal)");
    check("age in ('30', '31')", "age=number", "0 among 2 numbers");
    check("ts < '2026-03-01 10:30'", "ts=time", "3 Less [1800, 1859]");
    check("ts == 1772359200", "ts=time", "3 Equal [0, 0]");
    check("ts in (now, 2026-03-01)", "ts=time", "any(3 Equal [0, 0], 3 Equal [-36000, 50399])");
    check("lower(age) == 'x'", "age=number", "0.Lower Equal \"x\"");
    check("age == 30", "ts=time,zip=text", "0 Equal Some(Equal)");
}

#[test]
fn two_columns_are_compared_as_what_is_known() {
    check("name == zip", "", "1 Equal 2 as Text");
    check("name != zip", "", "1 NotEqual 2 as Text");
    check("ts < end", "ts=time", "3 Less 4 as Time");
    check("ts < end", "end=time", "3 Less 4 as Time");
    check("age == zip", "age=number,zip=number", "0 Equal 2 as Number");
    check("len(name) > age", "", "1.Length Greater 0 as Number");
    check("lower(name) < upper(zip)", "", "1.Lower Less 2.Upper as Text");
    let sentence = "what ts and end are compared as is not known; write --types ts=number,end=number, \
                    or time or text instead of number";
    check_wrong("ts < end", "", (sentence, "ts < end"));
    let sentence = "age is a number and ts is a time; pin both alike with --types";
    check_wrong("age == ts", "age=number,ts=time", (sentence, "age == ts"));
    let sentence = "lower(name) is a text and age is a number; pin both alike with --types";
    check_wrong("lower(name) == age", "age=number", (sentence, "lower(name) == age"));
}

#[test]
fn tests_are_bound() {
    check(
        "empty(trim(name)) or number(age) or time(ts)",
        "",
        "any(1.Trim is empty, 0 is a number, 3 is a time)",
    );
    check("contains(name, 'x') and starts(zip, '0')", "", "all(1 contains \"x\", 2 begins \"0\")");
    check("not ends(name, 'x')", "", "not(1 ends \"x\")");
    check("name in ('b', 'a', 'b')", "", "1 among \"a\" \"b\"");
    check("age not in (1, 2)", "", "not(0 among 2 numbers)");
    check("ts in (2026-03-01)", "", "3 Equal [-36000, 50399]");
}

#[test]
fn a_pattern_that_is_a_plain_text_is_looked_for_as_one() {
    check("name =~ /x y/", "", "1 contains \"x y\"");
    check("name =~ /^x/", "", "1 begins \"x\"");
    check("name =~ /x$/", "", "1 ends \"x\"");
    check("name =~ /^x$/", "", "1 Equal \"x\"");
    check("name =~ /x/i", "", "1 matches x");
    check("name =~ /^$/", "", "1 matches ^$");
    check("name =~ /a.c|d/", "", "1 matches a.c|d");
    check(r"name =~ /\/x/", "", r"1 matches \/x");
    check("name !~ /x/", "", "not(1 contains \"x\")");
}

#[test]
fn constants_are_folded() {
    check("true", "", "true");
    check("not true", "", "false");
    check("not not age = 30", "", "0 Equal Some(Equal)");
    check("true and age = 30", "", "0 Equal Some(Equal)");
    check("false or age = 30", "", "0 Equal Some(Equal)");
    check("false and age = 30", "", "false");
    check("true or age = 30", "", "true");
    check("age = 30 and false and empty(name)", "", "all(0 Equal Some(Equal), false)");
    check("(empty(age) and empty(name)) and empty(zip)", "", "all(0 is empty, 1 is empty, 2 is empty)");
    check("(true and true) or empty(age)", "", "true");
    check_wrong("true or b = 30", "", (&missing("b"), "b"));
}

fn missing(name: &str) -> String {
    format!("no column `{name}` in people.csv; it has `age`, `name`, `zip`, `ts`, `end`, `third`")
}

#[test]
fn what_does_not_fit_is_refused() {
    check_wrong("agee >= 30", "", ("no column `agee` in people.csv; did you mean `age`?", "agee"));
    check_wrong("lower( nam ) = 'x'", "", ("no column `nam` in people.csv; did you mean `name`?", "nam"));
    check_wrong(
        "name == berlin",
        "",
        ("no column `berlin` in people.csv; a text stands in quotes: \"berlin\"", "berlin"),
    );
    let sentence = "no column `thirt` in people.csv; did you mean `third`, or the text \"thirt\"?";
    check_wrong("name == thirt", "", (sentence, "thirt"));
    check_wrong(
        "name != NULL",
        "",
        ("no column `NULL` in people.csv; a row without a value has empty(x)", "NULL"),
    );
    check_wrong("age == ''", "age=number", ("`` is no number; a row without a value has empty(x)", "''"));
    check_wrong("age == 'x'", "age=number", ("`x` is no number", "'x'"));
    let sentence = "age is pinned to numbers, and this is a time; pin age=time";
    check_wrong("age == now", "age=number", (sentence, "now"));
    let sentence = "age is pinned to texts, and now is none; pin age=time";
    check_wrong("age == now - 2h", "age=text", (sentence, "now - 2h"));
    check_wrong("len(name) > '5'", "", ("len(name) is a number; write 5 without quotes", "'5'"));
    check_wrong("len(name) > 'x'", "", ("len(name) is a number; compare it with a number", "'x'"));
    check_wrong("len(name) > now", "", ("len(name) is a number; compare it with one", "now"));
    check_wrong("trim(age) > 30", "", ("trim(age) is a text; write \"30\", or compare age itself", "30"));
    let sentence = "in quotes this is a text, and as texts \"9\" comes after \"30\"; write 30 \
                    without quotes, or --types age=text if it is meant";
    check_wrong("age >= '30'", "", (sentence, "'30'"));
    let (sentence, place) = bound("ts > 2026-13-01", "").unwrap_err();
    assert!(sentence.starts_with("`2026-13-01` is no time") && place == "2026-13-01", "{sentence}");
}

#[test]
fn kinds_are_pinned_by_name_and_number() {
    let columns = columns();
    let find = |text: &str| Pins::parse(text).and_then(|pins| Pins::find(&[pins], &columns));
    assert_eq!(find("age=number, $3=text"), Ok([(0, Kind::Number), (2, Kind::Text)].into()));
    assert_eq!(find("age=time,age=time"), Ok([(0, Kind::Time)].into()));
    let wrong = |text: &str, want: &str| assert_eq!(find(text), Err(want.to_owned()), "{text}");
    wrong("age=number,$1=text", "$1 is pinned to number and to text; pin it to one");
    wrong("age=int", "`int` is no kind of value; write number");
    wrong("age=x", "`x` is no kind of value; write number, text or time");
    wrong("age", "`age` has no `=`; write COLUMN=VALUE");
    wrong("nam=text", "no column `nam` in people.csv; did you mean `name`?");
}

#[test]
fn questions_are_bound_together() {
    let (columns, kinds) = (columns(), BTreeMap::new());
    let table = Table { columns: &columns, kinds: &kinds, now: Time::from_secs(NOW), zone: Zone::Utc };
    let ask = |questions: &[common::Result<Question>]| {
        let questions: Vec<Question> = questions.iter().map(|one| one.as_ref().unwrap().clone()).collect();
        Question::bind_all(&questions, &table).map(|condition| shown(&condition))
    };
    assert_eq!(ask(&[]).unwrap(), "true");
    let both = ask(&[Question::parse("empty(age) and empty(zip)"), Question::equals("name=x")]);
    assert_eq!(both.unwrap(), "all(0 is empty, 2 is empty, 1 Equal \"x\")");
    let times = ask(&[Question::at_least("ts=2026-03-01"), Question::at_most("ts=2026-03-01")]);
    assert_eq!(times.unwrap(), "all(3 AtLeast [-36000, 50399], 3 AtMost [-36000, 50399])");
    let error = ask(&[Question::matches("nam=x")]).unwrap_err();
    assert_eq!(error.to_string(), "no column `nam` in people.csv; did you mean `name`?");
    assert_eq!((error.excerpt(), error.status()), (&["nam=x".to_owned(), "^^^".to_owned()][..], 2));
    let error = Question::parse("age >").unwrap_err();
    assert_eq!(error.excerpt(), ["age >", "    ^"]);
}
