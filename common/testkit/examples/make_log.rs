//! Writes a large log and its truth, the same for the same seed: `make_log KIND BYTES SEED FILE`.
//!
//! KIND is `text` (a Java service: header lines, stack traces below some errors, level words in
//! messages) or `json` (one object per line, the level second). The time runs evenly through one
//! day. Beside FILE, `FILE.truth` says how many records and lines each level has.

#![allow(clippy::unwrap_used, reason = "a generator for benchmarks stops at the first surprise")]

mod seed;

use std::fs::File;
use std::io::{self, BufWriter, Write};

use seed::Seed;

const LEVELS: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
/// Of 1000 records: the mixture of a busy service.
const SHARES: [u64; 6] = [20, 180, 650, 115, 33, 2];

const LOGGERS: [&str; 8] = [
    "com.acme.payments.OrderService",
    "com.acme.payments.ledger.LedgerClient",
    "com.acme.web.RequestLoggingFilter",
    "com.acme.auth.TokenVerifier",
    "com.acme.stock.WarehouseSync",
    "org.hibernate.engine.jdbc.spi.SqlStatementLogger",
    "com.acme.mail.Mailer",
    "com.zaxxer.hikari.pool.HikariPool",
];

/// Level words in messages are what a counter of words falls for.
const MESSAGES: [&str; 10] = [
    "Order # accepted for customer # in # ms",
    "GET /api/v2/orders/#?retry=# took # ms, 0 errors",
    "Retrying after ERROR_TIMEOUT from gateway #, attempt #",
    "Token for user # verified, scopes=[orders:read, orders:write]",
    "pool stats (total=#, active=#, idle=#, waiting=#)",
    "select o.id, o.total, o.state from orders o where o.customer = # and o.state <> 'ERROR' limit #",
    "Synchronised # articles with warehouse # (WARN threshold #, ERROR threshold #)",
    "handled error page for session # with status #",
    "Cache entry # evicted after # s",
    "Mail # to customer # queued: subject='Your order #'",
];

const TRACE: [&str; 4] = [
    "\tat com.acme.payments.OrderService.process(OrderService.java:#)",
    "\tat com.acme.payments.ledger.LedgerClient.post(LedgerClient.java:#)",
    "\tat java.base/java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:#)",
    "\tat org.springframework.web.servlet.FrameworkServlet.service(FrameworkServlet.java:#)",
];

impl Seed {
    /// `text` with a number for each `#`.
    fn fill(&mut self, text: &str, line: &mut Vec<u8>) {
        for (index, part) in text.split('#').enumerate() {
            if index > 0 {
                let digits = 10_u64.pow(u32::try_from(self.below(5)).unwrap() + 1);
                write!(line, "{}", self.below(digits)).unwrap();
            }
            line.extend(part.bytes());
        }
    }

    fn level(&mut self) -> usize {
        let mut ticket = self.below(SHARES.iter().sum());
        SHARES
            .iter()
            .position(|share| ticket.checked_sub(*share).map(|left| ticket = left).is_none())
            .unwrap()
    }
}

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [kind, bytes, seed, path] = &args[..] else { panic!("make_log text|json BYTES SEED FILE") };
    let size: u64 = bytes.parse().unwrap();
    let mut seed = Seed(seed.parse().unwrap());
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let (mut written, mut records, mut lines) = (0, [0_u64; 6], [0_u64; 6]);
    let mut record = Vec::new();
    while written < size {
        record.clear();
        let level = seed.level();
        let ms = u64::try_from(u128::from(written) * 86_400_000 / u128::from(size)).unwrap();
        lines[level] += if kind == "json" {
            json_record(&mut seed, level, ms, &mut record)
        } else {
            text_record(&mut seed, level, ms, &mut record)
        };
        records[level] += 1;
        written += record.len() as u64;
        out.write_all(&record)?;
    }
    out.flush()?;
    let mut truth = File::create(format!("{path}.truth"))?;
    for (index, level) in LEVELS.iter().enumerate() {
        writeln!(truth, "{level}\t{}\t{}", records[index], lines[index])?;
    }
    Ok(())
}

fn clock(ms: u64) -> (u64, u64, u64, u64) {
    (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000)
}

fn text_record(seed: &mut Seed, level: usize, ms: u64, record: &mut Vec<u8>) -> u64 {
    let (hour, minute, second, ms) = clock(ms);
    let (name, logger, thread) = (LEVELS[level], seed.pick(&LOGGERS), seed.below(200));
    write!(
        record,
        "2025-03-14 {hour:02}:{minute:02}:{second:02},{ms:03} {name:<5} [http-nio-8080-exec-{thread}] {logger} - "
    )
    .unwrap();
    let message = seed.pick(&MESSAGES);
    seed.fill(message, record);
    record.push(b'\n');
    let mut lines = 1;
    // Every tenth error has a trace, of 24 lines on average.
    if level >= 4 && seed.below(10) == 0 {
        seed.fill("java.lang.IllegalStateException: ERROR state # of order #\n", record);
        lines += 1;
        for _ in 0..seed.below(40) + 2 {
            let frame = seed.pick(&TRACE);
            seed.fill(frame, record);
            record.push(b'\n');
            lines += 1;
        }
        seed.fill("Caused by: java.net.SocketTimeoutException: Read timed out after # ms\n", record);
        lines += 1;
    }
    lines
}

fn json_record(seed: &mut Seed, level: usize, ms: u64, record: &mut Vec<u8>) -> u64 {
    let (hour, minute, second, ms) = clock(ms);
    let (name, logger, thread) = (LEVELS[level], seed.pick(&LOGGERS), seed.below(200));
    write!(
        record,
        "{{\"time\":\"2025-03-14T{hour:02}:{minute:02}:{second:02}.{ms:03}Z\",\"level\":\"{name}\",\
         \"logger\":\"{logger}\",\"thread\":\"exec-{thread}\",\"msg\":\""
    )
    .unwrap();
    let message = seed.pick(&MESSAGES);
    seed.fill(message, record);
    seed.fill("\",\"order_id\":#,\"duration_ms\":#,\"nested\":{\"level\":\"error\"}}\n", record);
    1
}
