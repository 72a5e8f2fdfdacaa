//! What is between the options, and what it was meant as.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::bind::Question;
use crate::expr;

/// Why operands cannot be what was meant; the first is the expression, or there is none.
///
/// # Errors
/// A sentence, when a file has no name, or is not there and is a condition.
pub(super) fn check(operands: &[OsString], has_expression: bool) -> Result<(), String> {
    for file in operands.iter().skip(usize::from(has_expression)) {
        if file.is_empty() {
            return Err(empty("the name of an input"));
        }
        let is_condition = file.to_str().is_some_and(|text| Question::parse(text).is_ok());
        if !has_expression && is_condition && !Path::new(file).exists() {
            let shown = file.display();
            return Err(format!(
                "`{shown}` is a condition and stands where files do; write --expr before it, as another \
                 option tells a condition"
            ));
        }
    }
    Ok(())
}

/// Refuses a condition that is empty.
///
/// # Errors
/// A sentence.
pub(super) fn say_something(conditions: &[String]) -> Result<(), String> {
    if conditions.iter().any(String::is_empty) { Err(empty("a condition")) } else { Ok(()) }
}

/// What is said of a value that is empty.
fn empty(what: &str) -> String {
    format!("{what} is empty; is a variable of the shell not set?")
}

/// What the first operand is where it should be an expression and is none; `None`: a wrong one.
pub(super) fn no_expression(operand: &OsStr) -> Option<String> {
    if operand.is_empty() {
        return Some(empty("the expression"));
    }
    let shown = operand.display();
    if Path::new(operand).is_file() {
        return Some(format!("`{shown}` is a file, where an expression belongs; --all keeps every row"));
    }
    operand.to_str().is_some_and(expr::is_bare).then(|| {
        format!(
            "`{shown}` is a column and no condition; write all of it in one pair of quotes, as in \
             'status >= 500' or 'not empty({shown})': the shell splits it at spaces, and takes > and < for \
             itself"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(operands: &[&str], has_expression: bool, want: Option<&str>) {
        let operands: Vec<OsString> = operands.iter().map(OsString::from).collect();
        let found = super::check(&operands, has_expression).err();
        match want {
            Some(want) => assert!(found.as_ref().is_some_and(|found| found.contains(want)), "{found:?}"),
            None => assert_eq!(found, None),
        }
    }

    #[test]
    fn a_file_has_a_name_and_is_no_condition() {
        check(&["a > 1", "x.csv"], true, None);
        check(&["a > 1", "a > 1"], true, None);
        check(&["a > 1", ""], true, Some("is a variable of the shell not set?"));
        check(&["x.csv", "a"], false, None);
        check(&["x.csv", "a > 1"], false, Some("`a > 1` is a condition"));
        check(&[""], false, Some("is empty"));
    }

    #[test]
    fn an_expression_that_the_shell_took_apart_is_told() {
        let check = |text: &str, want: bool| assert_eq!(no_expression(OsStr::new(text)).is_some(), want);
        check("status", true);
        check("", true);
        check("Cargo.toml", true);
        check("status >", false);
        check("status ==", false);
    }
}
