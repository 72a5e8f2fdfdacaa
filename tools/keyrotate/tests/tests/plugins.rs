//! Plug-ins: the samples, through the whole of a rotation.

use std::path::Path;
use std::process::Command;

use testkit::Case;

/// The spec of a rotation from a target to a consumer that are both plug-ins.
fn spec(folder: &Path, provider: &str, consumer: &str) -> String {
    format!(
        "name = \"orders\"\ntimeout = \"10s\"\nstate = \"{}/state\"\n\
         [provider]\n{provider}\n[[consumers]]\nname = \"ci\"\nkind = \"exec\"\n{consumer}\n\
         [gates]\nchecks = 2\nwindow = \"1s\"\nsoak = \"0s\"\nwatch = \"0s\"\n",
        folder.display()
    )
}

/// What `command` prints when it is run by a shell in `folder`, without the newline.
fn sh(folder: &Path, command: &str) -> String {
    let output = Command::new("sh").arg("-ec").arg(command).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[test]
fn the_samples_rotate_a_token() {
    let case = Case::new(env!("CARGO_BIN_EXE_keyrotate"));
    let (folder, plugins) = (case.path(""), concat!(env!("CARGO_MANIFEST_DIR"), "/plugins"));
    let here = folder.display();
    let old = "an-old-token-of-forty-characters-or-more";
    sh(&folder, &format!("printf %s {old} | sha256sum | cut -d' ' -f1 | sed 's/$/ on/' >tokens"));
    sh(&folder, &format!("echo https://ci:{old}@git.example.org >store && chmod 600 store"));
    let provider = format!(
        "kind = \"exec\"\ncommand = [\"{plugins}/token-file\"]\nparams = {{ file = \"{here}/tokens\" }}"
    );
    let consumer = format!(
        "command = [\"{plugins}/git-credentials\"]\n\
         params = {{ file = \"{here}/store\", url = \"https://git.example.org\", user = \"ci\" }}"
    );
    let spec = spec(&folder, &provider, &consumer);
    let done = case.file("spec.toml", spec).args(["run", "--now", "-vvv", "spec.toml"]);
    let done = done.stdout_has("rotated").stderr_has("CANARY").run();
    let new = sh(&folder, "sed -n 's,https://ci:\\(.*\\)@git.example.org,\\1,p' store");
    assert_eq!(new.len(), 44, "{new}");
    let hash = sh(&folder, &format!("printf %s {new} | sha256sum | cut -d' ' -f1"));
    assert_eq!(sh(&folder, "cat tokens"), format!("{hash} on"));
    for secret in [old, &new] {
        assert!(!String::from_utf8_lossy(&done.stderr).contains(secret));
        assert!(!String::from_utf8_lossy(&done.stdout).contains(secret));
    }
}
