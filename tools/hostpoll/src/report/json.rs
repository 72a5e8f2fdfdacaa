//! JSON Lines: an object for each host, as it ends.
//!
//! Written straight into one buffer that is kept: no tree is built.

use std::io::Write;
use std::time::Duration;

use chrono::SecondsFormat;
use common::{Out, Result};
use remote::Failure;

use super::{Report, Summary, keys};
use crate::outcome::{Polled, Took};
use crate::sample::{Disk, Filesystem, Interface, Modes, Sample};
use crate::values::{Told, Values, used_percent};

/// The report.
#[derive(Default)]
pub(super) struct Lines {
    json: Json,
}

impl Report for Lines {
    fn host(&mut self, polled: &Polled, out: &mut Out) -> Result<()> {
        let json = &mut self.json;
        json.bytes.clear();
        json.open(b'{');
        json.key("host").text(&polled.name);
        json.key("time").text(&polled.time.to_rfc3339_opts(SecondsFormat::Millis, true));
        json.key("ok").raw(if polled.result.is_ok() { "true" } else { "false" });
        took(json, &polled.took);
        tags(json, &polled.tags);
        match &polled.result {
            Ok(sample) => {
                values(json, polled);
                nested(json, sample);
            }
            Err(failure) => error(json, failure),
        }
        json.close(b'}');
        json.bytes.push(b'\n');
        out.write_all(&json.bytes)
    }

    fn round(&mut self, _: &Summary, _: &mut Out) -> Result<()> {
        Ok(())
    }
}

fn took(json: &mut Json, took: &Took) {
    json.key("duration_ms").open(b'{');
    let mut put = |name, time: Duration| json.key(name).number(time.as_secs_f64() * 1e3);
    put("resolve", took.opening.resolve);
    put("connect", took.opening.connect);
    put("handshake", took.opening.handshake);
    put("auth", took.opening.auth);
    put("command", took.command);
    put("total", took.total);
    json.close(b'}');
}

/// A tag with several values is a list.
fn tags(json: &mut Json, tags: &[(String, String)]) {
    json.key("tags").open(b'{');
    for key in keys(tags) {
        json.key(key);
        let mut values = tags.iter().filter(|(one, _)| one == key).map(|(_, value)| value);
        if values.clone().count() > 1 {
            json.open(b'[');
            values.for_each(|value| json.text(value));
            json.close(b']');
        } else if let Some(value) = values.next() {
            json.text(value);
        }
    }
    json.close(b'}');
}

fn error(json: &mut Json, failure: &Failure) {
    json.key("error").open(b'{');
    json.key("class").text(failure.class.name());
    json.key("phase").text(failure.phase.name());
    json.key("message").text(&failure.what);
    json.close(b'}');
}

fn values(json: &mut Json, polled: &Polled) {
    let Some(values) = Values::of(polled) else { return };
    let told = values.each(|name, value| -> std::result::Result<(), std::convert::Infallible> {
        match value {
            Told::Number(number) => json.key(name).number(number),
            Told::Text(text) => json.key(name).text(text),
        }
        Ok(())
    });
    let Ok(()) = told;
}

fn nested(json: &mut Json, sample: &Sample) {
    let system = &sample.system;
    json.key("system").open(b'{');
    for (key, text) in [
        ("name", &system.name),
        ("release", &system.release),
        ("machine", &system.machine),
        ("node", &system.node),
    ] {
        json.key(key).text(text);
    }
    json.close(b'}');
    if let Some(cpu) = &sample.cpu {
        json.key("cpu").open(b'{');
        modes(json, &cpu.total);
        json.count("context_switches", cpu.context_switches);
        json.count("forks", cpu.forks);
        json.close(b'}');
    }
    json.list("filesystems", &sample.filesystems, filesystem);
    json.list("disks", &sample.disks, disk);
    json.list("interfaces", &sample.interfaces, interface);
    if !sample.sockets.is_empty() {
        json.key("sockets").open(b'{');
        sample.sockets.iter().for_each(|(name, count)| json.count(name, Some(*count)));
        json.close(b'}');
    }
    if !sample.pressure.is_empty() {
        json.key("pressure").open(b'{');
        for (resource, kind, seconds) in &sample.pressure {
            json.key(&format!("{resource}_{kind}_s")).number(*seconds);
        }
        json.close(b'}');
    }
    json.list("failed_commands", &sample.failed, |json, (name, why)| {
        json.key("name").text(name);
        json.key("message").text(why);
    });
    json.list("gaps", &sample.gaps, |json, (collector, why)| {
        json.key("metrics").text(collector.name());
        json.key("message").text(why);
    });
}

fn modes(json: &mut Json, modes: &Modes) {
    let all = [
        ("user_s", modes.user),
        ("nice_s", modes.nice),
        ("system_s", modes.system),
        ("idle_s", modes.idle),
        ("iowait_s", modes.iowait),
        ("irq_s", modes.irq),
        ("softirq_s", modes.softirq),
        ("steal_s", modes.steal),
        ("guest_s", modes.guest),
        ("guest_nice_s", modes.guest_nice),
    ];
    for (name, seconds) in all {
        json.key(name).number(seconds);
    }
}

fn filesystem(json: &mut Json, one: &Filesystem) {
    json.key("device").text(&one.device);
    json.key("mountpoint").text(&one.mountpoint);
    json.key("fstype").text(&one.fstype);
    json.count("size_bytes", Some(one.size));
    json.count("free_bytes", Some(one.free));
    json.count("available_bytes", Some(one.available));
    if let Some(percent) = used_percent(one) {
        json.key("used_percent").number(percent);
    }
    json.count("inodes", Some(one.files));
    json.count("inodes_free", Some(one.files_free));
    json.key("is_readonly").raw(if one.is_readonly { "true" } else { "false" });
}

fn disk(json: &mut Json, one: &Disk) {
    json.key("device").text(&one.device);
    json.count("reads", Some(one.reads));
    json.count("writes", Some(one.writes));
    json.count("read_bytes", Some(one.read_bytes));
    json.count("written_bytes", Some(one.written_bytes));
    json.key("read_time_s").number(one.read_time);
    json.key("write_time_s").number(one.write_time);
    json.key("io_time_s").number(one.io_time);
    json.key("io_weighted_time_s").number(one.io_weighted_time);
    json.count("io_now", Some(one.io_now));
}

fn interface(json: &mut Json, one: &Interface) {
    json.key("device").text(&one.device);
    json.count("receive_bytes", Some(one.receive_bytes));
    json.count("receive_packets", Some(one.receive_packets));
    json.count("receive_errs", Some(one.receive_errs));
    json.count("receive_drop", Some(one.receive_drop));
    json.count("transmit_bytes", Some(one.transmit_bytes));
    json.count("transmit_packets", Some(one.transmit_packets));
    json.count("transmit_errs", Some(one.transmit_errs));
    json.count("transmit_drop", Some(one.transmit_drop));
}

/// A line of JSON that is being written. A comma is put where something was written before.
#[derive(Default)]
struct Json {
    bytes: Vec<u8>,
}

impl Json {
    fn comma(&mut self) {
        if !matches!(self.bytes.last(), None | Some(b'{' | b'[' | b':')) {
            self.bytes.push(b',');
        }
    }

    fn key(&mut self, key: &str) -> &mut Self {
        self.text(key);
        self.bytes.push(b':');
        self
    }

    fn open(&mut self, bracket: u8) {
        self.comma();
        self.bytes.push(bracket);
    }

    fn close(&mut self, bracket: u8) {
        self.bytes.push(bracket);
    }

    fn raw(&mut self, word: &str) {
        self.comma();
        self.bytes.extend_from_slice(word.as_bytes());
    }

    /// A number with at most six digits behind the point if it is a time or a share; `null` for
    /// what JSON has no word for.
    fn number(&mut self, number: f64) {
        self.comma();
        if !number.is_finite() {
            self.bytes.extend_from_slice(b"null");
            return;
        }
        // Sums of binary fractions have tails (0.30000000000000004) that nobody measured.
        let rounded = (number * 1e6).round() / 1e6;
        let number = if number.abs() > 1e-3 && number.abs() < 1e9 { rounded } else { number };
        let _a_vec_takes_all = write!(self.bytes, "{}", number + 0.0);
    }

    fn count(&mut self, key: &str, count: Option<u64>) {
        if let Some(count) = count {
            self.key(key);
            let _a_vec_takes_all = write!(self.bytes, "{count}");
        }
    }

    /// A string. What would steer a terminal is escaped, also where JSON does not ask for it.
    fn text(&mut self, text: &str) {
        self.comma();
        self.bytes.push(b'"');
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\') {
            self.bytes.extend_from_slice(text.as_bytes());
        } else {
            text.chars().for_each(|c| self.letter(c));
        }
        self.bytes.push(b'"');
    }

    fn letter(&mut self, c: char) {
        let mut buffer = [0; 4];
        match c {
            '"' | '\\' => self.bytes.extend([b'\\', c as u8]),
            '\n' => self.bytes.extend(b"\\n"),
            '\t' => self.bytes.extend(b"\\t"),
            // All that is escaped is in the first plane, so that it is one unit of UTF-16.
            c if super::shown(c.encode_utf8(&mut buffer)).len() > c.len_utf8() => {
                let _a_vec_takes_all = write!(self.bytes, "\\u{:04x}", u32::from(c));
            }
            c => self.bytes.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes()),
        }
    }

    fn list<T>(&mut self, key: &str, all: &[T], object: impl Fn(&mut Self, &T)) {
        if all.is_empty() {
            return;
        }
        self.key(key).open(b'[');
        for one in all {
            self.open(b'{');
            object(self, one);
            self.close(b'}');
        }
        self.close(b']');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::Format;
    use crate::report::fixtures::{failed, golden, host, options, sample, text, wanted};

    #[test]
    fn a_line_for_each_host() {
        let hosts = [host("web01", sample()), failed("web02")];
        let text = text(Format::Json, options(wanted()), &hosts);
        golden("hosts.jsonl", &text);
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["cpu_percent"], 18.0);
        assert_eq!(lines[0]["disk_mount"], "/");
        assert_eq!(lines[0]["tags"]["group"], serde_json::json!(["a", "b"]));
        assert_eq!(lines[0]["filesystems"][1]["mountpoint"], "/srv/a \"b\\c");
        assert_eq!(lines[1]["error"]["class"], "timeout");
        assert!(lines[1]["error"]["message"].as_str().unwrap().contains("\n\u{1b}[31m"));
    }

    #[test]
    fn numbers_that_json_has_not_are_null() {
        let check = |number: f64, want: &str| {
            let mut json = Json::default();
            json.number(number);
            assert_eq!(String::from_utf8(json.bytes).unwrap(), want);
        };
        check(f64::NAN, "null");
        check(f64::INFINITY, "null");
        check(0.1 + 0.2, "0.3");
        check(1e-7, "0.0000001");
        check(-0.0, "0");
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_and_harmless(text in any::<String>()) {
            let mut json = Json::default();
            json.text(&text);
            let line = String::from_utf8(json.bytes).unwrap();
            prop_assert_eq!(common::log::escape(&line), line.clone());
            prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        }
    }
}
