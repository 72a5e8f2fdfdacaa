"""fleet.py --count-file FILE --folder DIR: a file put on all hosts, beside one small command on all of them.

The hosts are those of scripts/fleet; each has its file in a folder of its own. Before each run the source gets other
bytes, so that every host has to change; after it every host has to have them, with the mode that was asked for, or the
run does not count and the bench ends.
"""

import argparse
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

FLEET = Path(__file__).resolve().parents[3] / "scripts" / "fleet"
SPEC = """
name = "app"
source = "{folder}/source.conf"
path = "{folder}/hosts.d/{{{{ host }}}}/app.conf"
mode = "0640"
store = "{folder}/store"
[validate]
remote = "grep -q ^end {{}}"
[ssh]
config = "{folder}/ssh_config"
agent = false
[[environments]]
name = "all"
hosts = [{hosts}]
"""
PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - copy:
        src: {folder}/source.conf
        dest: "{folder}/hosts.d/{{{{ inventory_hostname }}}}/app.conf"
        mode: "0640"
        validate: grep -q ^end %s
        backup: true
"""
ANSIBLE = """
[defaults]
interpreter_python = {python}
retry_files_enabled = false
local_tmp = {folder}/ansible
remote_tmp = {folder}/ansible-remote
[ssh_connection]
pipelining = true
ssh_args = -F {folder}/ssh_config.curve25519 -o ControlMaster=auto -o ControlPersist=5s
control_path_dir = {folder}/sockets
"""


class Fleet:
    """The servers, for as long as they are needed."""

    def __init__(self, folder, count):
        self.folder, self.count, self.changes = folder, count, 0
        self.files = []

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.ask("up", str(self.count))
        hosts = (self.folder / "hosts").read_text(encoding="ascii").split()
        self.files = [self.folder / "hosts.d" / host / "app.conf" for host in hosts]
        (self.folder / "sockets").mkdir(mode=0o700)
        texts = {
            "spec.toml": SPEC.format(folder=self.folder, hosts=", ".join(f'"{host}"' for host in hosts)),
            "playbook.yml": PLAYBOOK.format(folder=self.folder),
            "ansible.cfg": ANSIBLE.format(folder=self.folder, python=sys.executable),
        }
        for name, text in texts.items():
            (self.folder / name).write_text(text, encoding="ascii")
        self.change()
        for file in self.files:
            file.parent.mkdir(parents=True)
            shutil.copy(self.folder / "source.conf", file)
        return self

    def __exit__(self, *_):
        self.ask("down")

    def ask(self, *words):
        subprocess.run([FLEET, *words, "--dir", self.folder], check=True, stdout=subprocess.DEVNULL)

    def change(self):
        """Gives the source other bytes."""
        self.changes += 1
        body = f"change = {self.changes}\n" + "key = value\n" * 340 + "end\n"
        (self.folder / "source.conf").write_text(body, encoding="ascii")

    def is_everywhere(self):
        """Whether every host has the bytes of the source, and the mode."""
        want = (self.folder / "source.conf").read_bytes()
        return all(file.read_bytes() == want and file.stat().st_mode & 0o7777 == 0o640 for file in self.files)


def cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(run, fleet, changes):
    fleet.change()
    begun, before = time.monotonic(), cpu()
    ended = subprocess.run(run["argv"], cwd=fleet.folder, check=False, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    took = time.monotonic() - begun, cpu() - before
    if ended.returncode != 0:
        raise SystemExit(f"{run['name']} ended with {ended.returncode}: {ended.stdout.decode()[:2000]}")
    if changes and not fleet.is_everywhere():
        raise SystemExit(f"{run['name']}: not every host has the file")
    return took


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count-file", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    runs = json.load(sys.stdin)
    count = int(given.count_file.read_text(encoding="ascii"))
    took = {run["name"]: [] for run in runs}
    with Fleet(given.folder.absolute(), count) as fleet:
        for number in range(max(run["rounds"] for run in runs)):
            for run in random.sample(runs, len(runs)):
                if number < run["rounds"]:
                    took[run["name"]].append(timed(run, fleet, run is not runs[0]))
    reference = took[runs[0]["name"]]
    print(f"| {count} hosts | wall s | least | x | CPU s of the client |\n|---|---|---|---|---|")
    for run in runs:
        own = took[run["name"]]
        ratio = statistics.median(a[0] / b[0] for a, b in zip(own, reference))
        wall, spent = (statistics.median(one[at] for one in own) for at in (0, 1))
        print(f"| {run['name']} | {wall:.2f} | {min(one[0] for one in own):.2f} | {ratio:.2f} | {spent:.2f} |")


if __name__ == "__main__":
    # ansible begins in no other locale.
    os.environ.update(ANSIBLE_NOCOLOR="1", LC_ALL="C.UTF-8")
    main()
