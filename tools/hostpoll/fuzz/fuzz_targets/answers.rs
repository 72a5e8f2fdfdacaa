//! The answer of a host, whole or cut off: numbers are finite or absent, and nothing panics.

#![no_main]

use std::time::Duration;

use hostpoll::parse;
use hostpoll::sample::{Collector, Value, Wanted};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let wanted = Wanted {
        collectors: Collector::ALL.iter().map(|(_, one)| *one).collect(),
        window: Duration::from_secs(1),
        commands: vec![("x".into(), "true".into())],
    };
    for read in [parse::sample, parse::partial] {
        let Ok(sample) = read(data, &wanted, "m") else { continue };
        for (_, value) in sample.extras.iter().flat_map(|extra| &extra.values) {
            if let Value::Number(number) = value {
                assert!(number.is_finite());
            }
        }
        assert!(sample.load.is_none_or(|load| load.iter().all(|load| load.is_finite())));
        assert!(sample.uptime.is_none_or(f64::is_finite));
    }
});
