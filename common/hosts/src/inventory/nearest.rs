//! Which known key a mistyped one is near to.

use common::near;

/// `; did you mean KEY?`, or all of them when none is near to `wanted`.
pub(super) fn meant(wanted: &str, keys: &[&str]) -> String {
    match near::best(wanted, near::slips(wanted), keys.iter().copied()) {
        Some(key) => format!("; did you mean `{key}`?"),
        None => format!("; known are {}", keys.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wanted: &str, want: &str) {
        assert_eq!(meant(wanted, &["name", "port", "user", "jump"]), want, "{wanted}");
    }

    #[test]
    fn slips_of_the_finger_are_near() {
        check("prot", "; did you mean `port`?");
        check("prt", "; did you mean `port`?");
        check("Users", "; did you mean `user`?");
        check("Name", "; did you mean `name`?");
        check("hostname", "; known are name, port, user, jump");
        check("", "; known are name, port, user, jump");
    }
}
