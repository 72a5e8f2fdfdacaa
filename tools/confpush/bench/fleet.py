"""fleet.py --count-file FILE --folder DIR: a file put on all hosts, beside one small command on all of them.

The hosts are addresses of the loopback, 16 for each sshd; each has its file in a folder of its own. Before each run the
source gets other bytes, so that every host has to change; after it every host has to have them, with the mode that was
asked for, or the run does not count and the bench ends.
"""

import argparse
import json
import os
import random
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

EACH = 16
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
ssh_args = -F {folder}/ssh_config.ansible -o ControlMaster=auto -o ControlPersist=5s
control_path_dir = {folder}/sockets
"""
SERVER = """HostKey {folder}/host
AuthorizedKeysFile {folder}/id.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
UseDNS no
MaxStartups 4000
PidFile none
SetEnv HOME={folder}/home SHLVL=1
"""
CLIENT = """Host *
 Port {port}
 IdentityFile {folder}/id
 IdentitiesOnly yes
 IdentityAgent none
 UserKnownHostsFile {folder}/known_hosts
"""


class Fleet:
    """The servers, for as long as they are needed."""

    def __init__(self, folder, count):
        self.folder, self.servers, self.changes = folder, [], 0
        self.hosts = [f"127.0.{77 + at // 250}.{at % 250 + 1}" for at in range(count)]

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        for host in self.hosts:
            (self.folder / "hosts.d" / host).mkdir(parents=True)
        for name in ("home", "sockets"):
            (self.folder / name).mkdir(mode=0o700)
        Path("/run/sshd").mkdir(exist_ok=True)
        for name in ("host", "id"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name], check=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.write(port)
        self.change()
        for file in self.files():
            shutil.copy(self.folder / "source.conf", file)
        for at in range(0, len(self.hosts), EACH):
            self.serve(port, self.hosts[at:at + EACH])
        for host in self.hosts:
            self.wait(host, port)
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.terminate()
        for server in self.servers:
            server.wait()

    def files(self):
        return [self.folder / "hosts.d" / host / "app.conf" for host in self.hosts]

    def write(self, port):
        folder = self.folder
        key = " ".join((folder / "host.pub").read_text(encoding="ascii").split()[:2])
        client = CLIENT.format(folder=folder, port=port)
        lines = "".join(f"{host}\n" for host in self.hosts)
        texts = {
            "known_hosts": "".join(f"[{host}]:{port} {key}\n" for host in self.hosts),
            "hosts": lines,
            "inventory": lines,
            "ssh_config": client,
            "ssh_config.ansible": client + " KexAlgorithms curve25519-sha256\n",
            "spec.toml": SPEC.format(folder=folder, hosts=", ".join(f'"{host}"' for host in self.hosts)),
            "playbook.yml": PLAYBOOK.format(folder=folder),
            "ansible.cfg": ANSIBLE.format(folder=folder, python=sys.executable),
        }
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="ascii")

    def serve(self, port, hosts):
        text = SERVER.format(folder=self.folder) + "".join(f"ListenAddress {host}:{port}\n" for host in hosts)
        path = self.folder / f"sshd-{hosts[0]}"
        path.write_text(text, encoding="ascii")
        command = ["/usr/sbin/sshd", "-D", "-f", path, "-E", f"{path}.log"]
        self.servers.append(subprocess.Popen(command, stdin=subprocess.DEVNULL))

    @staticmethod
    def wait(host, port):
        for _ in range(200):
            try:
                socket.create_connection((host, port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"no sshd listens at {host}")

    def change(self):
        """Gives the source other bytes."""
        self.changes += 1
        body = f"change = {self.changes}\n" + "key = value\n" * 340 + "end\n"
        (self.folder / "source.conf").write_text(body, encoding="ascii")

    def is_everywhere(self):
        """Whether every host has the bytes of the source, and the mode."""
        want = (self.folder / "source.conf").read_bytes()
        return all(file.read_bytes() == want and file.stat().st_mode & 0o7777 == 0o640 for file in self.files())


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
