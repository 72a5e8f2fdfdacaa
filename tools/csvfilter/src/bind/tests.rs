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
    let changes: String = operand.changes.iter().map(|change| format!(".{change:?}")).collect();
    format!("{}{changes}", operand.column)
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
