//! What goes to stderr: `env_logger` as the engine, four formats, one place that escapes.
//!
//! | format | line |
//! |---|---|
//! | short | `tool: message` |
//! | long | `2026-03-14T09:26:53.123Z tool[4711] warning: message` |
//! | journal | `<4>message`, the prefix of sd-daemon(3) |
//! | json | `{"level":"warning","message":"…","pid":4711,"time":"…","tool":"…"}` |

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;

use chrono::{SecondsFormat, Utc};
use log::{Level, LevelFilter};

use crate::error::Error;

/// How a line on stderr looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// journal where stderr is the journal, else short
    Auto,
    /// `tool: message`
    Short,
    /// with time, process and level, for a log file
    Long,
    /// with the priority prefix that systemd understands
    Journal,
    /// JSON Lines
    Json,
}

impl Format {
    /// What a command line that is wrong asks for all the same, or the environment, as far as they can be
    /// understood.
    pub(crate) fn asked(args: impl Iterator<Item = OsString>) -> Self {
        let mut words = args.map_while(|arg| arg.into_string().ok()).take_while(|arg| arg != "--");
        let mut flag = None;
        while let Some(word) = words.next() {
            if word == "--log-format" {
                flag = words.next();
            } else if let Some(value) = word.strip_prefix("--log-format=") {
                flag = Some(value.to_owned());
            }
        }
        let asked = flag.or_else(|| std::env::var("SRE_LOG_FORMAT").ok()).unwrap_or_default();
        <Self as clap::ValueEnum>::from_str(&asked, false).unwrap_or(Self::Auto)
    }
}

/// Takes secrets out of a message.
static CONCEAL: OnceLock<fn(&str) -> String> = OnceLock::new();

/// From here on every message and every final error goes through `conceal`, which takes out what must
/// not leave the process. The first call counts.
pub fn conceal_with(conceal: fn(&str) -> String) {
    CONCEAL.get_or_init(|| conceal);
}

/// Starts logging. `filter` is what `-v` and `-q` ask for; without either `RUST_LOG` decides, and
/// without that warnings and errors are shown.
pub fn start(tool: &'static str, format: Format, filter: Option<LevelFilter>) {
    let format = resolve(format);
    let mut builder = env_logger::Builder::new();
    // It warns of every watch that went with its folder, which is no trouble.
    builder.filter_module("notify", LevelFilter::Off);
    let asked = std::env::var("RUST_LOG").ok().filter(|_| filter.is_none()).unwrap_or_default();
    let (asked, odd) = directives(&asked);
    builder.filter_level(filter.unwrap_or(LevelFilter::Warn)).parse_filters(&asked);
    builder.format(move |buffer, record| {
        if is_wire(record.level(), record.target()) {
            return Ok(());
        }
        writeln!(buffer, "{}", line(tool, format, record.level(), &record.args().to_string()))
    });
    // A second call finds the first logger in place, which happens only when run() is tested twice.
    let _already_started = builder.try_init();
    for odd in odd {
        log::warn!("RUST_LOG: `{odd}` is passed over: it is neither LEVEL, TARGET nor TARGET=LEVEL");
    }
}

/// What of `RUST_LOG` can be understood, and what cannot: of that `env_logger` would warn in its own words,
/// which name no tool.
fn directives(text: &str) -> (String, Vec<&str>) {
    let (levels, pattern) = text.split_at(text.find('/').unwrap_or(text.len()));
    if pattern.matches('/').count() > 1 {
        return (String::new(), vec![text]);
    }
    let is_one = |part: &&str| match part.split_once('=') {
        Some((_, level)) => level.trim().is_empty() || level.trim().parse::<LevelFilter>().is_ok(),
        None => true,
    };
    let (good, odd): (Vec<&str>, Vec<&str>) = levels.split(',').partition(is_one);
    (good.join(",") + pattern, odd)
}

/// Whether it is what goes over the wire of an HTTP request, in rows of 16 bytes in which no secret can be
/// recognised: never shown, whatever the filter.
fn is_wire(level: Level, target: &str) -> bool {
    level == Level::Trace && target.starts_with("ureq_proto")
}

/// Prints why the run failed. Not through the filter: `RUST_LOG=off` must not hide the reason for
/// a non-zero exit status.
pub fn report(tool: &str, format: Format, error: &Error) {
    // With stderr closed the status still tells; there is nowhere left to complain to.
    let _nowhere_to_report = std::io::stderr().write_all(told(tool, resolve(format), error).as_bytes());
}

/// The sentence of an error and its excerpt below, which in JSON is one more line of the message.
fn told(tool: &str, format: Format, error: &Error) -> String {
    let sentence = error.to_string();
    if format == Format::Json {
        let message = [std::slice::from_ref(&sentence), error.excerpt()].concat().join("\n");
        return line(tool, format, Level::Error, &message) + "\n";
    }
    let mut told = line(tool, format, Level::Error, &sentence) + "\n";
    for excerpt in error.excerpt() {
        let prefix = if format == Format::Journal { "<3>" } else { "" };
        let concealed = CONCEAL.get().map(|conceal| conceal(excerpt));
        let excerpt = concealed.as_deref().unwrap_or(excerpt);
        let _strings_never_refuse = writeln!(told, "{prefix}  {}", escape(excerpt));
    }
    told
}

fn resolve(format: Format) -> Format {
    match format {
        Format::Auto if stderr_is_the_journal() => Format::Journal,
        Format::Auto => Format::Short,
        chosen => chosen,
    }
}

/// `$JOURNAL_STREAM` is inherited by every child, also by one whose stderr was redirected, so
/// systemd.exec(5) has the reader compare it with the device and inode of the stream.
fn stderr_is_the_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let Ok(fd) = std::io::stderr().as_fd().try_clone_to_owned() else { return false };
    let Ok(meta) = std::fs::File::from(fd).metadata() else { return false };
    stream == format!("{}:{}", meta.dev(), meta.ino())
}

fn line(tool: &str, format: Format, level: Level, message: &str) -> String {
    let (word, priority) = match level {
        Level::Error => ("error", 3),
        Level::Warn => ("warning", 4),
        Level::Info => ("info", 6),
        Level::Debug => ("debug", 7),
        Level::Trace => ("trace", 7),
    };
    let concealed = CONCEAL.get().map(|conceal| conceal(message));
    let message = concealed.as_deref().unwrap_or(message);
    let now = || Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    let pid = std::process::id();
    match format {
        Format::Auto | Format::Short => format!("{tool}: {}", escape(message)),
        Format::Long => format!("{} {tool}[{pid}] {word}: {}", now(), escape(message)),
        Format::Journal => format!("<{priority}>{}", escape(message)),
        Format::Json => serde_json::json!({
            "time": now(), "tool": tool, "pid": pid, "level": word, "message": message,
        })
        .to_string(),
    }
}

/// Makes `text` one line that cannot steer a terminal: a file name may hold an escape sequence, and
/// the journal ends a message at a newline. Control characters become `\n`, `\t`, `\u{1b}`.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) {
            let _strings_never_refuse = write!(safe, "{}", c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// The same for JSON, which may hold what steers a terminal as it is, but only within texts, where it may be
/// escaped: the text is another one, and the document the same.
#[must_use]
pub fn escape_json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if is_harmful(c) {
            // All of them are in the first plane, so that each is one unit of UTF-16.
            let _strings_never_refuse = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Control characters, line separators and the marks that reorder text on a terminal (Unicode TR 36,
/// "bidirectional text spoofing").
fn is_harmful(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_over_the_wire_is_not_shown() {
        assert!(is_wire(Level::Trace, "ureq_proto::util"));
        assert!(!is_wire(Level::Debug, "ureq_proto::client"));
        assert!(!is_wire(Level::Trace, "ureq::run"));
    }

    #[test]
    fn what_rust_log_cannot_mean_is_left_out() {
        let check = |text: &str, want: &str, odd: &[&str]| {
            assert_eq!(directives(text), (want.to_owned(), odd.to_vec()), "{text}");
        };
        check("", "", &[]);
        check("debug,a::b=trace,c=", "debug,a::b=trace,c=", &[]);
        check("nonsense=xx,info", "info", &["nonsense=xx"]);
        check("a=b=info", "", &["a=b=info"]);
        check("a=x,info/disk", "info/disk", &["a=x"]);
        check("info/a/b", "", &["info/a/b"]);
    }

    #[test]
    fn a_message_is_one_harmless_line() {
        let check = |text: &str, want: &str| assert_eq!(escape(text), want);
        check("plain /tmp/ä.log", "plain /tmp/ä.log");
        check("a\nb\tc", "a\\nb\\tc");
        check("\x1b[31mred", "\\u{1b}[31mred");
        check("\u{202e}gnp.exe", "\\u{202e}gnp.exe");
        check("\u{9b}31m", "\\u{9b}31m");
    }

    #[test]
    fn json_steers_no_terminal() {
        let check = |text: &str, want: &str| {
            let json = escape_json(&serde_json::to_string(text).unwrap());
            assert_eq!(json, want);
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        };
        check("a\\b\u{1b}\n", "\"a\\\\b\\u001b\\n\"");
        check("\\\u{9b}31m\u{2066}ä", "\"\\\\\\u009b31m\\u2066ä\"");
    }

    #[test]
    fn a_wrong_command_line_still_says_how_messages_look() {
        let asked = |line: &str| Format::asked(line.split(' ').map(OsString::from));
        assert_eq!(asked("tool --bad --log-format json"), Format::Json);
        assert_eq!(asked("tool --log-format=long --bad"), Format::Long);
        assert_eq!(asked("tool --bad --log-format"), Format::Auto);
        assert_eq!(asked("tool -- --log-format json"), Format::Auto);
    }

    #[test]
    fn each_format_has_its_prefix() {
        let text = |format| line("jsonset", format, Level::Warn, "look\nhere");
        assert_eq!(text(Format::Short), "jsonset: look\\nhere");
        assert_eq!(text(Format::Journal), "<4>look\\nhere");
        assert!(text(Format::Long).ends_with("] warning: look\\nhere"));
        let json: serde_json::Value = serde_json::from_str(&text(Format::Json)).unwrap();
        assert_eq!(json["message"], "look\nhere");
        assert_eq!(json["level"], "warning");
    }

    #[test]
    fn an_excerpt_stands_below_the_sentence() {
        let error = Error::failed("bad").showing(["{\t}".to_owned(), " ^".to_owned()]);
        let check = |format, want: &str| assert_eq!(told("jsonset", format, &error), want);
        check(Format::Short, "jsonset: bad\n  {\\t}\n   ^\n");
        check(Format::Journal, "<3>bad\n<3>  {\\t}\n<3>   ^\n");
        let json: serde_json::Value = serde_json::from_str(&told("jsonset", Format::Json, &error)).unwrap();
        assert_eq!(json["message"], "bad\n{\t}\n ^");
    }
}
