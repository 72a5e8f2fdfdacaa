//! Telling a person or a pager what a run came to: `--on-event CMD`.

use std::time::Duration;

use secrets::conceal;
use serde::Serialize;

use crate::child::Call;

/// Whoever tells a pager has this long.
const LIMIT: Duration = Duration::from_secs(30);

/// Has `sh -c command` read `event` as one line of JSON, for 30 seconds at most. That it failed is a warning
/// that begins with `name`: what was done is done.
pub fn tell(name: &str, command: &str, event: &impl Serialize) {
    let argv = ["sh", "-c", command].map(str::to_owned);
    let mut line = serde_json::to_vec(event).unwrap_or_default();
    line.push(b'\n');
    let ended = Call { stdin: &line, ..Call::new(&argv, LIMIT) }.run();
    match ended.map(|ended| (ended.answer().is_yes(), ended.why())) {
        Ok((true, _)) => {}
        Ok((false, why)) | Err(why) => log::warn!("{name}: --on-event `{command}`: {}", conceal::hide(&why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_reads_one_object() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("told");
        tell("orders", &format!("cat >{}", path.display()), &serde_json::json!({ "event": "done" }));
        assert_eq!(std::fs::read_to_string(path).unwrap(), "{\"event\":\"done\"}\n");
    }
}
