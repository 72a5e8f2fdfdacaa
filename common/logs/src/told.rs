//! For tests: a sink that writes everything down, and lines of every kind that scanning can meet.

use crate::line::Line;
use crate::records::{After, Scanner, Sink};
use crate::rules::Rules;
use crate::stream::Merge;

/// Writes down everything it is told, so that nothing can differ unseen.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Told {
    /// What was told before the first record.
    pub(crate) orphans: (u64, Vec<u8>),
    pub(crate) records: Vec<(String, u64, Vec<u8>)>,
}

impl Sink for Told {
    fn record(&mut self, line: &Line<'_>, bytes: &[u8], lines: u64) {
        let what = format!("{:?} {}", line.level, String::from_utf8_lossy(line.word));
        self.records.push((what, lines, bytes.to_vec()));
    }
    fn more(&mut self, bytes: &[u8], lines: u64) {
        let (count, text) = match self.records.last_mut() {
            Some((_, count, text)) => (count, text),
            None => (&mut self.orphans.0, &mut self.orphans.1),
        };
        *count += lines;
        text.extend(bytes);
    }
}

impl Merge for Told {
    fn absorb(&mut self, next: Self) {
        self.more(&next.orphans.1, next.orphans.0);
        self.records.extend(next.records);
    }
}

pub(crate) const LINES: &[&str] = &[
    "2025-03-14 09:26:53,123 INFO  [main] c.a.App - one",
    "2025-03-14 09:26:53,124 ERROR [main] c.a.App - two",
    "I0314 09:26:53.123456    1234 server.go:42] klog",
    "[2025-03-14T09:26:53,123][INFO ][o.e.n.Node] padded",
    "[2025-03-14T09:26:53,123] [ERROR] [o.e.n.Node] in brackets",
    "03-17 16:13:38.811  1702  2395 D WindowManager: a letter",
    "nova-api.log.1.2017-05-16_13:53:08 2017-05-16 00:00:00.008 25746 INFO nova.osapi_compute a long beginning",
    "java.lang.IllegalStateException: ERROR state",
    "\tat com.acme.payments.Order.process(Order.java:745)",
    "Caused by: x",
    "Caused by: 2025-03-14 09:26:53 ERROR x",
    "plain text",
    "ERROR 12 in a table",
    "WARNING:root:disk almost full",
    "Mar 14, 2025 9:26:53 AM com.x.Foo bar",
    "SEVERE: second line",
    "2025-03-14T09:26:53.123456789Z stdout P 2025-03-14 09:26:53 WARN half",
    "2025-03-14T09:26:53.123456789Z stdout F ERROR the other half",
    "2025-03-14T09:26:53.123456789Z stderr F E0102 15:04:05.123456 1 x.go:1] failed",
    "{\"level\":\"error\",\"msg\":\"x\"}",
    "{\"log\":\"half\",\"stream\":\"stdout\",\"time\":\"2025-03-14T09:26:53Z\"}",
    "__CURSOR=s=1",
    "PRIORITY=3",
    "",
    "  2025-03-14T09:26:53.123456Z  INFO pretty",
];

/// What a scan of the whole text in order tells.
pub(crate) fn in_order(text: &[u8]) -> Told {
    let rules = Rules::default();
    let mut told = Told::default();
    let used = Scanner::new(&rules).scan(text, After::End, &mut told);
    assert_eq!(used, text.len());
    told
}

/// The lines with these numbers, each with its line end.
pub(crate) fn text_of(picks: &[usize]) -> Vec<u8> {
    picks.iter().flat_map(|pick| format!("{}\n", LINES[*pick]).into_bytes()).collect()
}
