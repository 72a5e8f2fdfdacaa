//! Many files at once.

use std::fmt::Write as _;

use super::desk::Desk;

#[test]
fn large_batches_run_beside_each_other() {
    let desk = Desk::new();
    for number in 0..3000 {
        desk.put(format!("in/a_rather_usual_name_of_a_file_{number}.csv"), "");
    }
    // Each waits until all three have begun.
    let script = "echo $# >>begun; until [ $(wc -l <begun) -ge 3 ]; do sleep 0.05; done";
    desk.once(&["--batch=1000", "--jobs=3"], &["sh", "-c", script, "sh", "{}"]).run();
    assert_eq!(desk.read("begun"), "1000\n1000\n1000\n");
}

#[test]
fn the_first_pass_is_no_rescan() {
    let desk = Desk::with(&["in/a", "in/b"]);
    desk.once(&["--metrics=numbers"], &["true"]).run();
    let mut numbers = String::new();
    for line in desk.read("numbers").lines().filter(|line| line.starts_with("dirwatch_rescans_total")) {
        write!(numbers, "{}", line.rsplit(' ').next().unwrap()).unwrap();
    }
    assert_eq!(numbers, "0");
}
