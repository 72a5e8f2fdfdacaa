//! Texts of a spec that are to have a form.

use specs::Table;

use crate::render;

/// Whether `text` can be the name of a spec or of an environment: letters, digits, `.`, `_` and `-`, not
/// first a dot, since that of a spec is the name of a folder on the hosts, too.
fn is_name(text: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !text.is_empty() && text.bytes().all(is_good) && !text.starts_with(['.', '-']) && text.len() <= 64
}

/// `key` of `table`, which has to be a name.
pub(super) fn name(table: &mut Table<'_>, key: &'static str) -> String {
    let line = table.line_of(key);
    let name = table.needed(key);
    if !name.is_empty() && !is_name(&name) {
        let key = table.path_of(key);
        let form = "64 letters, digits, `.`, `_` and `-` at most, not first a dot or a dash";
        table.fault(line, format!("`{key}` is `{name}`; a name is {form}"));
    }
    name
}

/// `key` of `table`, a template; with its line. What can be known of it without values is judged: that it
/// is one, that it names none of `secrets`, and, when it is plain text, what `is_wrong` says.
pub(super) fn template(
    table: &mut Table<'_>,
    key: &'static str,
    secrets: &[String],
    is_wrong: fn(&str) -> Option<String>,
) -> Option<String> {
    let line = table.line_of(key);
    let text = table.text(key)?;
    let path = table.path_of(key);
    match render::names_of(&text) {
        Err(why) => table.fault(line, format!("`{path}`: {why}")),
        Ok(names) => {
            for name in names.iter().filter(|name| secrets.contains(name)) {
                let what = format!("`{path}` names the secret `{name}`, and would show it to everybody");
                table.fault(line, what);
            }
            if let Some(why) = is_wrong(&text).filter(|_| !is_template(&text)) {
                table.fault(line, format!("`{path}` {why}"));
            }
        }
    }
    Some(text)
}

/// Whether there is anything in it to fill in.
fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|begin| text.contains(begin))
}

/// Why `path` cannot be that of a file on a host.
pub(crate) fn wrong_path(path: &str) -> Option<String> {
    let last = path.rsplit('/').next().unwrap_or_default();
    let why = if !path.starts_with('/') {
        "is to be an absolute path"
    } else if matches!(last, "" | "." | "..") {
        "is to be that of a file"
    } else if path.chars().any(char::is_control) {
        "has a control character"
    } else if last.len() > 200 || path.len() > 3000 {
        "is too long"
    } else {
        return None;
    };
    Some(format!("is `{}`; it {why}", common::log::escape(path)))
}

/// Why `address` is not `HOST:PORT`.
pub(super) fn wrong_address(address: &str) -> Option<String> {
    let is_good = address.rsplit_once(':').is_some_and(|(host, port)| is_host(host) && is_port(port));
    (!is_good).then(|| format!("is `{}`; it is to be HOST:PORT", common::log::escape(address)))
}

/// Why `url` cannot be asked.
pub(super) fn wrong_url(url: &str) -> Option<String> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let authority = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let is_plain = url.chars().all(|letter| letter.is_ascii_graphic());
    let is_good = |authority: &str| match authority.rsplit_once(':') {
        Some((host, port)) if !authority.ends_with(']') => is_host(host) && is_port(port),
        _ => is_host(authority),
    };
    let is_good = is_plain && authority.is_some_and(is_good);
    let what = "it is to be http://HOST[:PORT]/PATH or https://..., without blanks, and without a user";
    (!is_good).then(|| format!("is `{}`; {what}", common::log::escape(url)))
}

/// Why `expression` is no regular expression.
pub(super) fn wrong_expression(expression: &str) -> Option<String> {
    let error = regex::bytes::Regex::new(expression).err()?;
    // Its message draws the place over several lines; the last one says what is wrong.
    let text = error.to_string();
    let why = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
    Some(format!("is no regular expression: {why}"))
}

/// Nothing is wrong with a text for a shell that can be known here.
pub(super) fn never_wrong(_: &str) -> Option<String> {
    None
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !host.is_empty() && host.bytes().all(is_good)
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_its_form() {
        fn check(wrong: fn(&str) -> Option<String>, good: &[&str], bad: &[&str]) {
            for text in good {
                assert_eq!(wrong(text), None);
            }
            for text in bad {
                assert!(wrong(text).is_some(), "{text}");
            }
        }
        let paths = ["web.conf", "/", "/etc/", "/etc/..", "/etc/a\nb", &format!("/{}", "x".repeat(201))];
        check(wrong_path, &["/a", "/etc/a b", "/ä/x"], &paths);
        let addresses = ["web", ":80", "web:", "web:0", "web:65536", "web:+1", "[::1]", "a b:1", "[x]:1"];
        check(wrong_address, &["web:80", "127.0.0.1:1", "[::1]:65535"], &addresses);
        let urls = [
            "http://",
            "ftp://web/",
            "web",
            "http://u@web/",
            "http://web:0/",
            "http://web/a b",
            "http://[::1/",
        ];
        check(
            wrong_url,
            &["http://web", "https://web:8443/x?y#z", "http://[::1]:80/", "http://[::1]"],
            &urls,
        );
        check(wrong_expression, &["^ok", ""], &["(", "a{2,1}"]);
    }

    #[test]
    fn a_name_is_that_of_a_folder() {
        let check = |name: &str, want: bool| assert_eq!(is_name(name), want, "{name}");
        check("orders-web.eu_1", true);
        for bad in ["", ".hidden", "-x", "a/b", "..", "ä", &"x".repeat(65)] {
            check(bad, false);
        }
    }

    #[test]
    fn what_is_wrong_with_an_expression_is_one_line() {
        assert_eq!(wrong_expression("a(").unwrap(), "is no regular expression: unclosed group");
    }
}
