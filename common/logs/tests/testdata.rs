//! The sample logs of `testdata/logs` are counted as their makers count them.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use logs::level::Level;
use logs::line::Line;
use logs::records::{Scanner, Sink};
use logs::rules::Rules;
use logs::source::Source;
use logs::stream::scan_reader;

/// Records by level, and all the bytes.
#[derive(Default)]
struct Tally {
    levels: BTreeMap<String, u64>,
    lines: u64,
}

impl Sink for Tally {
    fn record(&mut self, line: &Line<'_>, _bytes: &[u8], lines: u64) {
        let name = line.level.map_or("UNKNOWN", Level::name);
        *self.levels.entry(name.to_owned()).or_default() += 1;
        self.lines += lines;
    }

    fn more(&mut self, _bytes: &[u8], lines: u64) {
        self.lines += lines;
    }
}

fn count(path: &Path) -> Result<Tally, Box<dyn Error>> {
    let mut text = Source::open(path)?.text()?;
    let rules = Rules::default();
    let mut tally = Tally::default();
    scan_reader(&mut text.reader, &mut Scanner::new(&rules), &mut tally)?;
    Ok(tally)
}

#[test]
fn every_sample_has_the_levels_of_its_truth() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/logs"));
    let truth = std::fs::read_to_string(folder.join("truth.tsv")).unwrap();
    let mut want: BTreeMap<&str, BTreeMap<String, u64>> = BTreeMap::new();
    for row in truth.lines() {
        let [file, level, records] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        want.entry(file).or_default().insert(level.to_owned(), records.parse().unwrap());
    }
    assert!(want.len() >= 25);
    let mut wrong = Vec::new();
    for (file, levels) in want {
        let tally = count(&folder.join(file)).unwrap();
        if tally.levels != levels {
            wrong.push(format!("{file}: {:?} instead of {levels:?}", tally.levels));
        }
        assert!(tally.lines >= 7, "{file}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
