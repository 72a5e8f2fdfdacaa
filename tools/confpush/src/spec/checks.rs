//! Health checks: `[[health]]` and `[checks]`.

use std::time::Duration;

use specs::Table;

use super::texts::{self, never_wrong, template, wrong_address, wrong_expression, wrong_url};

/// Something that has to work once the new file is in use. Its texts are templates with the values of
/// the host until [`crate::values`] has filled them in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Check {
    /// How it is asked.
    pub(crate) how: How,
    /// From where.
    pub(crate) from: From,
    /// For how long.
    pub(crate) timeout: Duration,
}

/// How it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum How {
    /// A command on the host ends with 0.
    Command(String),
    /// `HOST:PORT` takes a connection.
    Tcp(String),
    /// A GET of this URL, `http` or `https`, is answered with `status`, and with a body in which the regular
    /// expression `body` is found.
    Http {
        /// The URL.
        url: String,
        /// From 100 to 599.
        status: u16,
        /// None: any body.
        body: Option<String>,
    },
}

/// From where a port or a URL is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// From the host, through the SSH connection.
    Host,
    /// From the machine of the deployer.
    Here,
}

/// `[checks]`: how often all checks are made, and how many rounds have to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checks {
    /// So many rounds have to pass.
    pub(crate) pass: u32,
    /// Of so many.
    pub(crate) of: u32,
    /// The rounds are spread evenly over this time.
    pub(crate) window: Duration,
}

impl Check {
    /// Reads one of `[[health]]`; `None` only where a fault says why.
    pub(super) fn read(mut table: Table<'_>, secrets: &[String]) -> Option<Self> {
        let line = table.line();
        let ways = ["command", "tcp", "http"].map(|key| table.has(key));
        let is_http = table.has("http");
        for key in ["status", "body"].into_iter().filter(|key| !is_http && table.has(key)) {
            table.fault(table.line_of(key), format!("`{}` is that of `http`", table.path_of(key)));
        }
        if ways[0] && table.has("from") {
            let at = table.line_of("from");
            table.fault(at, "`health.from` is that of `tcp` and `http`; a `command` runs on the host");
        }
        if ways.into_iter().filter(|is_there| *is_there).count() != 1 {
            table.fault(line, "a [[health]] has one of `command`, `tcp` and `http`");
        }
        let command = template(&mut table, "command", secrets, never_wrong).map(How::Command);
        let tcp = template(&mut table, "tcp", secrets, wrong_address).map(How::Tcp);
        let status = table.number("status", 100..=599).and_then(|status| u16::try_from(status).ok());
        let status = status.unwrap_or(200);
        let body = template(&mut table, "body", secrets, wrong_expression);
        let http = template(&mut table, "http", secrets, wrong_url);
        let http = http.map(|url| How::Http { url, status, body });
        let from = match table.choice("from", &["host", "here"]) {
            Some(1) => From::Here,
            _ => From::Host,
        };
        let timeout = table.duration("timeout").unwrap_or(Duration::from_secs(5));
        table.finish();
        command.or(tcp).or(http).map(|how| Self { how, from, timeout })
    }

    /// The same with its texts filled in by `fill`, which is told their keys.
    ///
    /// # Errors
    /// That of `fill`, or what is wrong with the text that it made.
    pub(crate) fn filled(&self, fill: impl Fn(&str, &str) -> Result<String, String>) -> Result<Self, String> {
        let text = |key: &str, text: &str, is_wrong: fn(&str) -> Option<String>| {
            let text = fill(key, text)?;
            is_wrong(&text).map_or(Ok(text), |why| Err(format!("`health.{key}` {why}")))
        };
        let how = match &self.how {
            How::Command(script) => How::Command(text("command", script, never_wrong)?),
            How::Tcp(address) => How::Tcp(text("tcp", address, wrong_address)?),
            How::Http { url, status, body } => {
                let body = body.as_ref().map(|body| text("body", body, texts::wrong_expression));
                How::Http { url: text("http", url, wrong_url)?, status: *status, body: body.transpose()? }
            }
        };
        Ok(Self { how, ..self.clone() })
    }
}

impl Default for Checks {
    fn default() -> Self {
        Self { pass: 1, of: 1, window: Duration::ZERO }
    }
}

impl Checks {
    /// Reads `[checks]`.
    pub(super) fn read(mut table: Table<'_>) -> Self {
        let at = table.line_of("pass");
        let number = |table: &mut Table<'_>, key| {
            table.number(key, 1..=1000).and_then(|number| u32::try_from(number).ok())
        };
        let pass = number(&mut table, "pass").unwrap_or(1);
        let of = number(&mut table, "of").unwrap_or(pass);
        if pass > of {
            table.fault(at, format!("`checks.pass` is {pass} of only {of} rounds"));
        }
        let window = table.duration("window").unwrap_or_default();
        table.finish();
        Self { pass, of, window }
    }
}

#[cfg(test)]
mod tests {
    use specs::Faults;

    use super::*;

    fn check(text: &str, want: &str) {
        let faults = Faults::of(text);
        let got = format!("{:?}", Check::read(specs::parse(text, &faults), &["pw".to_owned()]));
        let found = faults.into_sorted();
        let found = found.first().map_or(got, |fault| format!("{}: {}", fault.line, fault.what));
        assert!(found.contains(want), "{found}");
    }

    #[test]
    fn a_check_is_one_of_three() {
        check("command = 'true'", "Command(\"true\"), from: Host, timeout: 5s");
        check("tcp = '127.0.0.1:{{ port }}'\nfrom = 'here'", "Tcp(\"127.0.0.1:{{ port }}\"), from: Here");
        check("http = 'http://h/'", "Http { url: \"http://h/\", status: 200, body: None }");
        check("http = 'http://h/'\nstatus = 99", "2: `status`: is to be a whole number from 100 to 599");
        check("command = 'true'\ntcp = 'h:1'", "1: a [[health]] has one of");
        check("tcp = 'h:1'\nbody = 'x'", "2: `body` is that of `http`");
        check("command = 'true'\nfrom = 'here'", "2: `health.from` is that of `tcp` and `http`");
        check("tcp = 'h'", "1: `tcp` is `h`; it is to be HOST:PORT");
        check("http = 'h'", "1: `http` is `h`; it is to be http://");
        check("http = 'http://h/'\nbody = '('", "2: `body` is no regular expression: unclosed group");
        check("tcp = '{{ h'", "1: `tcp`: it is no template");
        check("command = 'x {{ pw }}'", "1: `command` names the secret `pw`");
        check("comand = 'true'", "1: a [[health]] has one of `command`, `tcp` and `http`");
    }

    #[test]
    fn so_many_rounds_pass_of_so_many() {
        let check = |text: &str, want: &str| {
            let faults = Faults::of(text);
            let got = format!("{:?}", Checks::read(specs::parse(text, &faults)));
            let found = faults.into_sorted();
            assert!(found.first().map_or(got, |fault| fault.what.clone()).contains(want));
        };
        check("", "pass: 1, of: 1, window: 0ns");
        check("pass = 3", "pass: 3, of: 3");
        check("pass = 3\nof = 5\nwindow = '10s'", "pass: 3, of: 5, window: 10s");
        check("pass = 3\nof = 2", "`checks.pass` is 3 of only 2 rounds");
        check("pass = 0", "`pass`: is to be a whole number");
    }
}
