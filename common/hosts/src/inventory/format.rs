//! How an inventory is written: told by the end of its name, else by its first lines.

use std::path::Path;

/// The first lines of a file tell its format; a longer comment at its head is not read to its end.
const HEAD: usize = 64 * 1024;

/// How an inventory is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Our own, with `[[host]]`.
    Toml,
    /// Our own, with a header line.
    Csv,
    /// Our own, or what a dynamic inventory of Ansible prints.
    Json,
    /// An INI inventory of Ansible.
    AnsibleIni,
    /// A YAML inventory of Ansible, or our own fields in YAML.
    AnsibleYaml,
    /// `ssh_config(5)`.
    SshConfig,
    /// One `[user@]host[:port]` or range per line.
    Names,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 7] = [
        Self::Toml,
        Self::Csv,
        Self::Json,
        Self::AnsibleIni,
        Self::AnsibleYaml,
        Self::SshConfig,
        Self::Names,
    ];

    /// The word for it on a command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Toml => "toml",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::AnsibleIni => "ini",
            Self::AnsibleYaml => "yaml",
            Self::SshConfig => "ssh_config",
            Self::Names => "names",
        }
    }

    /// The format that `name` is the word for.
    ///
    /// # Errors
    /// When it is none; the sentence names all.
    pub fn named(name: &str) -> Result<Self, String> {
        let all = Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|format| format.name() == name);
        found.ok_or_else(|| format!("no format `{name}`; there are {all}"))
    }

    /// The format of a file: `.toml`, `.csv`, `.json`, `.ini`, `.yml`, `.yaml` and `.txt` say it,
    /// else its first lines do.
    #[must_use]
    pub fn of_file(path: &Path, text: &str) -> Self {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "toml" => Self::Toml,
            "csv" => Self::Csv,
            "json" => Self::Json,
            "ini" => Self::AnsibleIni,
            "yml" | "yaml" => Self::AnsibleYaml,
            "txt" => Self::Names,
            _ => Self::of_text(text),
        }
    }

    /// The format of a text without a name; the first of these that holds:
    ///
    /// 1. it begins with `{`, or with `[` and then `{`, `"` or `]`: JSON;
    /// 2. a line is `[[host]]` or `[defaults]`: TOML;
    /// 3. a line begins with the word `Host`, `Match` or `Include`: `ssh_config`;
    /// 4. its first line is `---`, or a word and a colon: YAML;
    /// 5. its first line has commas, and `name` between two of them: CSV;
    /// 6. a line is `[group]`, or has ` key=value` after a name: Ansible INI;
    /// 7. else it is a list of names.
    ///
    /// Empty lines and those that begin with `#` or `;` say nothing.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        if is_json(text) {
            return Self::Json;
        }
        let head = text.char_indices().nth(HEAD).map_or(text, |(end, _)| &text[..end]);
        let lines =
            || head.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
        let first = lines().next().unwrap_or_default();
        if lines().any(|line| without_comment(line) == "[[host]]" || without_comment(line) == "[defaults]") {
            Self::Toml
        } else if lines().any(is_ssh_config) {
            Self::SshConfig
        } else if is_yaml(first) {
            Self::AnsibleYaml
        } else if first.contains(',') && first.split(',').any(|column| column.trim() == "name") {
            Self::Csv
        } else if lines().any(is_ini) {
            Self::AnsibleIni
        } else {
            Self::Names
        }
    }
}

fn is_json(text: &str) -> bool {
    match text.trim_start().as_bytes() {
        [b'{', ..] => true,
        [b'[', rest @ ..] => matches!(rest.trim_ascii_start(), [b'{' | b'"' | b']', ..]),
        _ => false,
    }
}

fn without_comment(line: &str) -> &str {
    line.split('#').next().unwrap_or_default().trim_end()
}

fn is_ssh_config(line: &str) -> bool {
    let word = line.split([' ', '\t', '=']).next().unwrap_or_default();
    word.len() < line.len() && ["host", "match", "include"].contains(&word.to_ascii_lowercase().as_str())
}

fn is_yaml(line: &str) -> bool {
    let line = without_comment(line);
    let key = line.strip_suffix(':').unwrap_or_default();
    line == "---"
        || key.starts_with(char::is_alphabetic) && key.chars().all(|one| !one.is_whitespace() && one != ':')
}

fn is_ini(line: &str) -> bool {
    let line = without_comment(line);
    let section = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
    // `[1-3]` and `[::1]` are names; a group begins with a letter, and `[a-f]` is no group either.
    let is_section = section.is_some_and(|name| {
        name.starts_with(|one: char| one.is_alphabetic() || one == '_')
            && (name.len() > 3 || !name.contains(['-', ':', ',']))
            && name.parse::<std::net::Ipv6Addr>().is_err()
    });
    is_section || line.split_whitespace().skip(1).any(|word| word.contains('='))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, want: Format) {
        assert_eq!(Format::of_text(text), want, "{text}");
    }

    #[test]
    fn the_first_lines_tell() {
        check("\n [\n{\"name\": \"a\"}]", Format::Json);
        check("{}", Format::Json);
        check("# ours\n[defaults] # all\nuser = 'a'\n", Format::Toml);
        check("user = 'a'\n[[host]]\n", Format::Toml);
        check("ForwardAgent no\nHost web01\n  Port 22\n", Format::SshConfig);
        check("host=a\n", Format::SshConfig);
        check("---\nall:\n", Format::AnsibleYaml);
        check("# x\nall: # y\n  hosts:\n", Format::AnsibleYaml);
        check("name,port\na,22\n", Format::Csv);
        check("role, name\n", Format::Csv);
        check("mail\n[web]\na\n", Format::AnsibleIni);
        check("; x\nmail ansible_host=192.0.2.1\n", Format::AnsibleIni);
        check("[web:children]\n", Format::AnsibleIni);
        check("web[01:50]\n", Format::Names);
        check("[1-3]\n[a-f]\n[::1]:22\n[fe80::1]\n", Format::Names);
        check("2001:db8::1\nhost\nroot@a:22\n", Format::Names);
        check("", Format::Names);
    }

    #[test]
    fn the_end_of_a_name_tells_first() {
        for (path, want) in [
            ("a.toml", Format::Toml),
            ("a.CSV", Format::Csv),
            ("a.yml", Format::AnsibleYaml),
            ("hosts.ini", Format::AnsibleIni),
            ("hosts.txt", Format::Names),
            ("hosts", Format::Json),
            ("hosts.cfg", Format::Json),
        ] {
            assert_eq!(Format::of_file(Path::new(path), "{}"), want, "{path}");
        }
    }

    #[test]
    fn every_format_has_its_word() {
        for format in Format::ALL {
            assert_eq!(Format::named(format.name()), Ok(format));
        }
        let none = "no format `xml`; there are toml, csv, json, ini, yaml, ssh_config, names";
        assert_eq!(Format::named("xml"), Err(none.into()));
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(text in any::<String>()) {
            let _ = Format::of_text(&text);
        }
    }
}
