//! Which names, users, addresses and ports can be meant.
//!
//! What an inventory says becomes arguments of `ssh`, lines of tables and parts of expressions:
//! ssh(1) itself refuses the characters that are refused here, since CVE-2023-51385.

use std::net::Ipv6Addr;

use super::names::Target;

/// The character that is refused, as a sentence shows it.
fn shown(one: char) -> String {
    match one {
        ' ' => "a space".into(),
        '\t' => "a tab".into(),
        one if one.is_control() || (!one.is_ascii() && !one.is_alphanumeric()) => {
            format!("the character U+{:04X}", u32::from(one))
        }
        one => format!("`{one}`"),
    }
}

/// What ssh(1) refuses in a user.
const USER: &str = "'\"`$;&<>|(){},";

/// What it refuses in a host, and what selections and lists are made of.
const NAME: &str = "'\"`$;&<>|(){},\\*?![]@/#=";

/// Whether `text` can be `what`, as far as characters tell: none of `refused`, none that is not seen.
fn plain(what: &str, text: &str, refused: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err(format!("{what} is empty"));
    }
    if text.starts_with('-') {
        return Err(format!("{what} `{text}` begins with `-`, which ssh would take for an option"));
    }
    // Beyond ASCII there are marks that turn the direction of writing, and spaces of every width.
    let is_hidden =
        |one: char| one.is_control() || one.is_whitespace() || !one.is_ascii() && !one.is_alphanumeric();
    match text.chars().find(|one| is_hidden(*one) || refused.contains(*one)) {
        None => Ok(()),
        Some(one) => {
            let text = text.replace(|one| one != ' ' && is_hidden(one), "?");
            Err(format!("{what} `{text}` holds {}", shown(one)))
        }
    }
}

/// The name of a host.
pub(super) fn name(text: &str) -> Result<(), String> {
    plain("the name", text, NAME)
}

/// An address: a name for DNS or an IP address.
pub(super) fn address(text: &str) -> Result<(), String> {
    plain("the address", text, NAME)?;
    let is_address = !text.contains(':') || is_ipv6(text);
    if is_address {
        Ok(())
    } else {
        Err(format!("the address `{text}` is no IPv6 address; a port has its own field"))
    }
}

/// Whether `text` is an IPv6 address, with a zone (`%eth0`) or without.
pub(super) fn is_ipv6(text: &str) -> bool {
    text.split('%').next().unwrap_or_default().parse::<Ipv6Addr>().is_ok()
}

/// A user: ssh(1) allows `\`, for the accounts of a Windows domain.
pub(super) fn user(text: &str) -> Result<(), String> {
    plain("the user", text, USER)
}

/// A port from 1 to 65535.
pub(super) fn port(text: &str) -> Result<u16, String> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u16>() {
        Ok(port) if is_number && port > 0 => Ok(port),
        _ if is_number => Err(format!("the port {text} is not from 1 to 65535")),
        _ => Err(format!("the port `{text}` is no number")),
    }
}

/// A chain of jump hosts, `[user@]host[:port]` separated by commas, or `none`.
pub(super) fn jump(text: &str) -> Result<(), String> {
    for hop in text.split(',').map(str::trim) {
        let says = |what: String| format!("in the jump `{text}`, {what}");
        Target::read(hop).and_then(|target| target.check()).map_err(says)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: Result<(), String>, want: &str) {
        assert_eq!(found.err().unwrap_or_default(), want);
    }

    #[test]
    fn names_that_a_host_can_have() {
        for text in [
            "web01",
            "web01.example.com",
            "2001:db8::1",
            "fe80::1%eth0",
            "büro_1",
            "10.0.0.1",
            "a:2222",
            "a+b~c",
        ] {
            check(name(text), "");
        }
        check(name(""), "the name is empty");
        check(
            name("-oProxyCommand=x"),
            "the name `-oProxyCommand=x` begins with `-`, which ssh would take for an option",
        );
        check(name("a b"), "the name `a b` holds a space");
        check(name("a\u{1b}[m"), "the name `a?[m` holds the character U+001B");
        check(name("a$(x)"), "the name `a$(x)` holds `$`");
        check(name("a\u{202e}b"), "the name `a?b` holds the character U+202E");
        check(name("web*"), "the name `web*` holds `*`");
    }

    #[test]
    fn addresses_and_users() {
        check(address("2001:db8::1"), "");
        check(address("fe80::1%eth0"), "");
        check(address("web01:22"), "the address `web01:22` is no IPv6 address; a port has its own field");
        check(user("EXAMPLE\\admin"), "");
        check(user("first.last@example.com"), "");
        check(user("-l"), "the user `-l` begins with `-`, which ssh would take for an option");
        check(user("a;b"), "the user `a;b` holds `;`");
    }

    #[test]
    fn ports_are_numbers_that_a_socket_can_have() {
        assert_eq!(port("2222"), Ok(2222));
        for text in ["0", "65536", "99999999999999999999"] {
            assert_eq!(port(text), Err(format!("the port {text} is not from 1 to 65535")));
        }
        for text in ["", "ssh", "+22", "-1", "22 "] {
            assert_eq!(port(text), Err(format!("the port `{text}` is no number")));
        }
    }

    #[test]
    fn jumps_are_chains_of_targets() {
        for text in ["none", "bastion", "ops@bastion:2222,[2001:db8::1]:22", "ssh://ops@bastion", "a, b"] {
            check(jump(text), "");
        }
        check(jump("a,,b"), "in the jump `a,,b`, there is no host");
        check(
            jump("-J"),
            "in the jump `-J`, the name `-J` begins with `-`, which ssh would take for an option",
        );
        check(jump("a:x"), "in the jump `a:x`, the port `x` is no number");
    }
}
