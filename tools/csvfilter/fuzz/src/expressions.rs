//! Expressions that nobody would write.

use std::collections::BTreeMap;

use csvfilter::bind::Table;
use csvfilter::columns::Columns;
use csvfilter::expr::{self, Place, Problem};
use csvfilter::time::{Time, Zone};

/// Any text is read, and then what is printed is read as the same; or it is refused, with a place that
/// can be shown. So it is when it is bound to the columns of a table.
pub fn expressions_are_read_or_refused(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let expr = match expr::parse(text) {
        Ok(expr) => expr,
        Err(problem) => return check(&problem, text),
    };
    let shown = expr.to_string();
    let again = expr::parse(&shown).map(|expr| expr.to_string());
    assert_eq!(again.as_ref(), Ok(&shown));
    let names = ["a", "age", "b c", "\u{e4}", "a"].map(|name| name.as_bytes().to_vec()).to_vec();
    for columns in [Columns::named(names, "table.csv"), Columns::counted(3, "table.csv")] {
        let kinds = BTreeMap::new();
        let table =
            Table { columns: &columns, kinds: &kinds, now: Time::from_secs(1_772_359_200), zone: Zone::Utc };
        if let Err(problem) = table.bind(&expr) {
            check(&problem, text);
        }
    }
}

/// The place is within the text, and the marks below it are.
fn check(problem: &Problem, text: &str) {
    let Place { start, end } = problem.place;
    assert!(text.get(start..end).is_some(), "{problem} {start} {end}");
    let [line, marks] = problem.excerpt(text);
    assert!(marks.ends_with('^') && !line.contains('\n'), "{line}\n{marks}");
    assert!(marks.trim_start().chars().all(|mark| mark == '^'), "{marks}");
    assert!(!problem.to_string().is_empty());
}
