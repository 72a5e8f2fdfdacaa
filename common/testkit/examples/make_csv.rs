//! Writes a large CSV file and its truth, the same for the same seed: `make_csv KIND BYTES SEED FILE`.
//!
//! KIND is `plain` (10 columns, no quotes, 90 bytes a row), `quoted` (10 columns, 3 fields of 10 in
//! quotes, some of them with delimiters, line ends and quotes in them), `wide` (100 columns, 500 bytes
//! a row) or `events` (a time in front, which runs evenly through one day). In the first three, half of
//! the ages are 30 or more and one of 100 is 99 or more, one city of 8 matches `^San .*o$`, one status
//! of 4 is `active`, all independent of each other. Beside FILE, `FILE.truth` says how many rows meet
//! which condition.

#![allow(clippy::unwrap_used, reason = "a generator for benchmarks stops at the first surprise")]

mod seed;

use std::fs::File;
use std::io::{self, BufWriter, Write};

use seed::Seed;

const PLAIN: &str = "id,name,age,city,country,status,amount,joined,address,token\n";
const QUOTED: &str = "id,name,note,age,city,status,amount,street,joined,token\n";
const EVENTS: &str = "ts,host,service,status,latency_ms,bytes,user,request\n";

/// What the rows of the truth are about.
const CONDITIONS: [&str; 6] = [
    "true",
    "age >= 30",
    "age >= 99",
    "city =~ /^San .*o$/",
    "age >= 30 and status == \"active\"",
    "ts >= 2026-03-14T12:00:00Z",
];

const FIRST: [&str; 8] = ["Ada", "Grace", "Edsger", "Barbara", "Ken", "Radia", "Donald", "Frances"];
const LAST: [&str; 8] = ["Lovelace", "Hopper", "Dijkstra", "Liskov", "Thompson", "Perlman", "Knuth", "Allen"];
/// Two of them match `^San .*o$`, and others nearly do.
const CITIES: [&str; 16] = [
    "San Francisco",
    "San Antonio",
    "San Jose",
    "Santo Domingo",
    "San Salvador",
    "Santiago",
    "Toronto",
    "Oslo",
    "Chicago",
    "Berlin",
    "Porto",
    "Rio de Janeiro",
    "Kyoto",
    "Paris",
    "Aarhus",
    "Sapporo",
];
const COUNTRIES: [&str; 8] = ["DE", "FR", "US", "JP", "BR", "NO", "CA", "PT"];
const STATUSES: [&str; 4] = ["active", "inactive", "closed", "pending"];
const NOTES: [&str; 4] = [
    "called twice and heard nothing",
    "no answer since the letter of May",
    "wants an invoice with the order number",
    "moved in spring; see the new address",
];
/// As they stand between quotes.
const QUOTED_NOTES: [&str; 4] = [
    "called, no answer, called again",
    "said \"\"later\"\" twice, then \"\"never\"\"",
    "first line\nsecond line\nthird",
    "\"\"urgent\"\"\n",
];
const STREETS: [&str; 4] = ["Long Lane", "Rue de la Paix", "Unter den Linden", "Main Street"];
const QUOTED_STREETS: [&str; 4] =
    ["Long Lane 7, 2nd floor", "House \"\"Rose\"\"", "Main Street 1\nBack door", "Rue de la Paix, 9"];
const SERVICES: [&str; 4] = ["checkout", "search", "auth", "mail"];
const CODES: [u64; 8] = [200, 200, 200, 200, 201, 304, 404, 500];

struct Table {
    seed: Seed,
    /// How many fields of 10 are quoted.
    quoted: u64,
    /// The row that is being written.
    row: Vec<u8>,
    /// How many rows meet each of the [`CONDITIONS`].
    truth: [u64; 6],
}

impl Table {
    /// A field that `write` writes, and the delimiter behind it. `write` hears whether it is quoted.
    fn field(&mut self, write: impl FnOnce(&mut Self, bool)) {
        let is_quoted = self.quoted > 0 && self.seed.below(10) < self.quoted;
        self.row.extend(is_quoted.then_some(b'"'));
        write(self, is_quoted);
        self.row.extend(is_quoted.then_some(b'"'));
        self.row.push(b',');
    }

    fn text(&mut self, text: &str) {
        self.field(|table, _| table.row.extend_from_slice(text.as_bytes()));
    }

    fn number(&mut self, number: u64) {
        self.field(|table, _| table.digits(number, 1));
    }

    /// One of these texts, if the field is quoted one of those.
    fn either(&mut self, plain: &[&str], quoted: &[&str]) {
        self.field(|table, is_quoted| {
            let text = table.seed.pick(if is_quoted { quoted } else { plain });
            table.row.extend_from_slice(text.as_bytes());
        });
    }

    /// At least `width` digits. Formatting by the library would take most of the time.
    fn digits(&mut self, mut number: u64, width: usize) {
        let mut text = [b'0'; 20];
        let mut at = text.len();
        while number > 0 || text.len() - at < width {
            at -= 1;
            text[at] = b'0' + u8::try_from(number % 10).unwrap();
            number /= 10;
        }
        self.row.extend_from_slice(&text[at..]);
    }

    /// Numbers of this width, with a byte behind each but the last.
    fn parts(&mut self, numbers: &[u64], width: usize, between: u8) {
        for (index, number) in numbers.iter().enumerate() {
            self.row.extend((index > 0).then_some(between));
            self.digits(*number, width);
        }
    }

    fn name(&mut self) {
        let (first, last) = (self.seed.pick(&FIRST), self.seed.pick(&LAST));
        self.field(|table, _| {
            table.row.extend_from_slice(first.as_bytes());
            table.row.push(b' ');
            table.row.extend_from_slice(last.as_bytes());
        });
    }

    fn amount(&mut self) {
        let cents = [self.seed.below(10_000), self.seed.below(100)];
        self.field(|table, _| table.parts(&cents, 2, b'.'));
    }

    fn date(&mut self) {
        let (year, month, day) =
            (2000 + self.seed.below(26), 1 + self.seed.below(12), 1 + self.seed.below(28));
        self.field(|table, _| table.parts(&[year, month, day], 2, b'-'));
    }

    fn address(&mut self) {
        let bytes = [10, self.seed.below(256), self.seed.below(256), self.seed.below(256)];
        self.field(|table, _| table.parts(&bytes, 1, b'.'));
    }

    fn token(&mut self) {
        let token = self.seed.below(1_000_000_000_000);
        self.field(|table, _| table.digits(token, 12));
    }

    /// Age, city and status of a row, of which the truth takes note.
    fn person(&mut self) -> (u64, &'static str, &'static str) {
        let age = match self.seed.below(100) {
            0 => 99 + self.seed.below(7),
            1..50 => 30 + self.seed.below(69),
            _ => self.seed.below(30),
        };
        let (city, status) = (self.seed.pick(&CITIES), self.seed.pick(&STATUSES));
        self.note(1, age >= 30);
        self.note(2, age >= 99);
        self.note(3, city.starts_with("San ") && city.ends_with('o'));
        self.note(4, age >= 30 && status == "active");
        (age, city, status)
    }

    fn note(&mut self, condition: usize, is_met: bool) {
        self.truth[condition] += u64::from(is_met);
    }

    fn plain(&mut self, _: u64) {
        let (age, city, status) = self.person();
        let country = self.seed.pick(&COUNTRIES);
        self.number(self.truth[0]);
        self.name();
        self.number(age);
        self.text(city);
        self.text(country);
        self.text(status);
        self.amount();
        self.date();
        self.address();
        self.token();
    }

    fn quoted(&mut self, _: u64) {
        let (age, city, status) = self.person();
        self.number(self.truth[0]);
        self.name();
        self.either(&NOTES, &QUOTED_NOTES);
        self.number(age);
        self.text(city);
        self.text(status);
        self.amount();
        self.either(&STREETS, &QUOTED_STREETS);
        self.date();
        self.token();
    }

    fn wide(&mut self, _: u64) {
        let (age, city, status) = self.person();
        for column in 0..100 {
            match column {
                50 => self.number(age),
                60 => self.text(city),
                70 => self.text(status),
                _ => {
                    let bound = 10_u64.pow(column % 7 + 1);
                    let number = self.seed.below(bound);
                    self.number(number);
                }
            }
        }
    }

    fn event(&mut self, ms: u64) {
        let (service, code) =
            (self.seed.pick(&SERVICES), CODES[usize::try_from(self.seed.below(8)).unwrap()]);
        let (host, latency) = (self.seed.below(40), self.seed.below(2000));
        let (bytes, user) = (self.seed.below(100_000), self.seed.below(1_000_000));
        self.note(5, ms >= 43_200_000);
        self.row.extend_from_slice(b"2026-03-14T");
        self.parts(&[ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60], 2, b':');
        self.row.push(b'.');
        self.digits(ms % 1000, 3);
        self.row.extend_from_slice(b"Z,web");
        self.number(host);
        self.text(service);
        self.number(code);
        self.number(latency);
        self.number(bytes);
        self.number(user);
        self.token();
    }
}

/// The names of the columns of `wide`.
fn wide_header() -> String {
    let name = |column| match column {
        50 => "age".to_owned(),
        60 => "city".to_owned(),
        70 => "status".to_owned(),
        _ => format!("c{column}"),
    };
    (0..100).map(name).collect::<Vec<_>>().join(",") + "\n"
}

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [kind, bytes, seed, path] = &args[..] else {
        panic!("make_csv plain|quoted|wide|events BYTES SEED FILE")
    };
    let size: u64 = bytes.parse().unwrap();
    let (header, quoted, write): (String, u64, fn(&mut Table, u64)) = match kind.as_str() {
        "plain" => (PLAIN.to_owned(), 0, Table::plain),
        "quoted" => (QUOTED.to_owned(), 3, Table::quoted),
        "wide" => (wide_header(), 0, Table::wide),
        "events" => (EVENTS.to_owned(), 0, Table::event),
        _ => panic!("no kind {kind}"),
    };
    let mut table = Table { seed: Seed(seed.parse().unwrap()), quoted, row: Vec::new(), truth: [0; 6] };
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    out.write_all(header.as_bytes())?;
    let mut written = header.len() as u64;
    while written < size {
        table.row.clear();
        table.note(0, true);
        write(&mut table, u64::try_from(u128::from(written) * 86_400_000 / u128::from(size)).unwrap());
        // The last delimiter becomes the line end.
        *table.row.last_mut().unwrap() = b'\n';
        written += table.row.len() as u64;
        out.write_all(&table.row)?;
    }
    out.flush()?;
    let mut truth = File::create(format!("{path}.truth"))?;
    let conditions: &[usize] = if kind == "events" { &[0, 5] } else { &[0, 1, 2, 3, 4] };
    for &condition in conditions {
        writeln!(truth, "{}\t{}", CONDITIONS[condition], table.truth[condition])?;
    }
    Ok(())
}
