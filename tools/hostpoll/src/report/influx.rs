//! The line protocol of `InfluxDB`, with the measurements and fields of Telegraf, as hosts end.
//!
//! Every line has the tag `host` and the tags of the inventory. What Telegraf has no name for is
//! under `hostpoll` (how the poll went), `hostpoll_probe` (`--command`) and `sockstat`.

mod line;
mod names;

use common::{Out, Result};

use super::{Report, Summary, joined, keys};
use crate::outcome::Polled;
use crate::values::{Told, Values};

use line::Writer;

/// Tags that lines have themselves; a tag of the inventory with such a name becomes `tag_NAME`.
const TAKEN: [&str; 11] =
    ["cpu", "device", "fstype", "host", "interface", "mode", "name", "path", "resource", "time", "type"];

/// The report.
#[derive(Default)]
pub(super) struct Lines {
    writer: Writer,
}

impl Report for Lines {
    fn host(&mut self, polled: &Polled, out: &mut Out) -> Result<()> {
        let writer = &mut self.writer;
        writer.begin(polled.time);
        writer.common_tag("host", &polled.name);
        for key in keys(&polled.tags) {
            let value = joined(&polled.tags, key).unwrap_or_default();
            if TAKEN.contains(&key) {
                writer.common_tag(&format!("tag_{key}"), &value);
            } else {
                writer.common_tag(key, &value);
            }
        }
        poll(writer, polled);
        if let Ok(sample) = &polled.result {
            names::put(writer, sample, polled.before.as_deref().map(|(_, before)| before));
        }
        if let Some(values) = Values::of(polled) {
            probes(writer, &values);
        }
        out.write_all(writer.bytes())
    }

    fn round(&mut self, _: &Summary, _: &mut Out) -> Result<()> {
        Ok(())
    }
}

/// How the poll went.
fn poll(writer: &mut Writer, polled: &Polled) {
    let mut line = writer.line("hostpoll", &[]);
    line.count("up", u64::from(polled.result.is_ok()));
    let took = &polled.took;
    for (name, time) in [
        ("resolve_s", took.opening.resolve),
        ("connect_s", took.opening.connect),
        ("handshake_s", took.opening.handshake),
        ("auth_s", took.opening.auth),
        ("command_s", took.command),
        ("total_s", took.total),
    ] {
        line.number(name, time.as_secs_f64());
    }
    if let Err(failure) = &polled.result {
        line.text("error_class", failure.class.name());
        line.text("error_phase", failure.phase.name());
        line.text("error", &failure.what);
    }
    line.end();
}

/// The values of each `--command` in a line of its own; that of a single number is `value`.
fn probes(writer: &mut Writer, values: &Values<'_>) {
    for extra in values.extras {
        let mut line = writer.line("hostpoll_probe", &[("name", &extra.name)]);
        for (_, key, told) in values.extra_values().filter(|(name, ..)| *name == extra.name) {
            let key = if key.is_empty() { "value" } else { key };
            match told {
                Told::Number(number) => line.number(key, number),
                Told::Text(text) => line.text(key, text),
            }
        }
        line.end();
    }
}

#[cfg(test)]
mod tests;
