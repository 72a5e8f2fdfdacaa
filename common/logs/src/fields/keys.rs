//! The names that loggers give to the level and the time.

use memchr::memmem;

use crate::level::Level;

/// How the number in a level field is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LevelKey {
    /// `level`, `lvl`: words, or the numbers of pino and bunyan.
    Level,
    /// `levelno`.
    Python,
    /// `PRIORITY`: the severity of syslog as a number.
    Syslog,
    /// `severity`: words, or the numbers of Google Cloud. Whose scale a small number is of, nobody
    /// can tell.
    Severity,
    /// `severityLevel` of Azure Application Insights.
    Azure,
    /// `severityNumber`.
    Otel,
}

impl LevelKey {
    /// The level key that `name` is: in any case, with or without `_ . - @` in it.
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        match name {
            b"@l" | b"L" => return Some(Self::Level),
            b"PRIORITY" | b"syslog_severity" => return Some(Self::Syslog),
            _ => {}
        }
        // There is a `v` in every one of these names, and in few others: most keys end here.
        if !matches!(name.len(), 3..=16) || !name.iter().any(|b| b | 0x20 == b'v') {
            return None;
        }
        let mut plain = [0; 16];
        let mut length = 0;
        for byte in name.iter().filter(|b| !b"_.-@".contains(b)) {
            plain[length] = byte.to_ascii_lowercase();
            length += 1;
        }
        Some(match &plain[..length] {
            b"level" | b"lvl" | b"lev" | b"levelname" | b"loglevel" | b"loglevelname" | b"leveltext" => {
                Self::Level
            }
            b"severity" | b"sev" | b"severitytext" | b"logseverity" | b"errorseverity" => Self::Severity,
            b"severitylevel" => Self::Azure,
            b"levelno" => Self::Python,
            b"severitynumber" => Self::Otel,
            _ => return None,
        })
    }

    /// What `number` means under this key. `record` tells GELF and Nextcloud from pino; it is taken
    /// when it has been searched, for a record of nothing but levels would be searched for each.
    pub(super) fn number(self, number: u64, record: &mut Option<&[u8]>) -> Option<Level> {
        match self {
            Self::Python => Level::of_python(number),
            Self::Otel => Level::of_otel(number),
            // Google Cloud's LogSeverity: 100 DEBUG, 200 INFO, 300 NOTICE … 800 EMERGENCY.
            Self::Severity if number < 100 => None,
            Self::Severity => [Level::Debug, Level::Info, Level::Notice, Level::Warning, Level::Error]
                .get(usize::try_from(number / 100 - 1).ok()?)
                .copied()
                .or((number <= 800).then_some(Level::Critical)),
            Self::Syslog => Level::of_syslog(number),
            Self::Azure => {
                let scale = [Level::Trace, Level::Info, Level::Warning, Level::Error, Level::Critical];
                scale.get(usize::try_from(number).ok()?).copied()
            }
            Self::Level if number >= 10 => Level::of_pino(number),
            Self::Level => {
                let record = record.take()?;
                if memmem::find(record, b"\"short_message\"").is_some() {
                    return Level::of_syslog(number);
                }
                memmem::find(record, b"\"reqId\"")?;
                // Nextcloud: 0 debug, 1 info, 2 warning, 3 error, 4 fatal.
                let scale = [Level::Debug, Level::Info, Level::Warning, Level::Error, Level::Critical];
                scale.get(usize::try_from(number).ok()?).copied()
            }
        }
    }
}

/// Whether `name` is a field that holds the time of the record.
pub(super) fn is_time(name: &[u8]) -> bool {
    matches!(
        name,
        b"ts"
            | b"TS"
            | b"t"
            | b"@t"
            | b"time"
            | b"Time"
            | b"timestamp"
            | b"Timestamp"
            | b"@timestamp"
            | b"datetime"
            | b"asctime"
            | b"eventTime"
            | b"date"
            | b"timeMillis"
            | b"__REALTIME_TIMESTAMP"
            | b"_SOURCE_REALTIME_TIMESTAMP"
            | b"timeUnixNano"
            | b"receivedTime"
            | b"log_time"
            | b"created_at"
            | b"start_time"
            | b"event_time"
            | b"logTime"
            | b"@time"
            | b"when"
            | b"TIMESTAMP"
            | b"instant"
    )
}
