use super::*;

fn check(text: &str, want: &str) {
    let shown = parse(text).map(|expr| expr.to_string()).map_err(|problem| problem.to_string());
    assert_eq!(shown.as_deref(), Ok(want), "{text}");
}

#[test]
fn conditions_are_read() {
    check(
        r#"age >= 30 and country in ("DE","FR") and not (name =~ /^test/i)"#,
        r#"age >= 30 and country in ("DE", "FR") and name !~ /^test/i"#,
    );
    check("a=1 or b==2 and c!=3", "a == 1 or (b == 2 and c != 3)");
}
