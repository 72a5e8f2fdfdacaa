"""fleet.py --count-file FILE --folder DIR: a key added on all hosts, beside one small command on all of them.

The hosts are addresses of the loopback, 16 for each sshd, each with a home of its own. The first command is timed as a
whole. What the second one takes for the addition stands in its audit log, between the records STAGED and CREATED; it
logs in with the key that is rotated, whose file is the one consumer.
"""

import argparse
import datetime
import json
import random
import shutil
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

EACH = 16
SPEC = """
name = "deploy"
state = "{folder}/state"
timeout = "60s"
[provider]
kind = "ssh-ed25519"
hosts = [{hosts}]
[ssh]
config = "{folder}/ssh_config"
agent = false
[[consumers]]
name = "operator"
kind = "file"
path = "{folder}/id"
attest = "file"
[gates]
checks = 1
tries = 1
window = "0s"
soak = "0s"
watch = "0s"
"""
COMMON = """HostKey {folder}/host
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
UseDNS no
MaxStartups 4000
PidFile none
AuthorizedKeysFile none
"""


class Fleet:
    """The servers, for as long as they are needed."""

    def __init__(self, folder, count):
        self.folder, self.servers = folder, []
        self.hosts = [f"127.0.{77 + at // 250}.{at % 250 + 1}" for at in range(count)]

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        Path("/run/sshd").mkdir(exist_ok=True)
        for name in ("host", "id"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name], check=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.write(port)
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

    def write(self, port):
        folder = self.folder
        key = " ".join((folder / "host.pub").read_text(encoding="ascii").split()[:2])
        own = (folder / "id.pub").read_text(encoding="ascii")
        # ssh(1) would offer it also when the private key is another one.
        (folder / "id.pub").unlink()
        for host in self.hosts:
            home = folder / "homes" / host / ".ssh"
            home.mkdir(parents=True, mode=0o700)
            (home / "authorized_keys").write_text(f"# {host}\n{own}", encoding="ascii")
        known = "".join(f"[{host}]:{port} {key}\n" for host in self.hosts)
        (folder / "known_hosts").write_text(known, encoding="ascii")
        (folder / "hosts").write_text("".join(f"{host}\n" for host in self.hosts), encoding="ascii")
        config = f"Host *\n Port {port}\n UserKnownHostsFile {folder}/known_hosts\n IdentityAgent none\n"
        (folder / "ssh_config").write_text(config, encoding="ascii")
        hosts = ", ".join(f'"{host}"' for host in self.hosts)
        (folder / "spec.toml").write_text(SPEC.format(folder=folder, hosts=hosts), encoding="ascii")

    def serve(self, port, hosts):
        text = COMMON.format(folder=self.folder) + "".join(f"ListenAddress {host}:{port}\n" for host in hosts)
        for host in hosts:
            home = self.folder / "homes" / host
            keys = home / ".ssh/authorized_keys"
            text += f"Match LocalAddress {host}\n AuthorizedKeysFile {keys}\n SetEnv HOME={home}\n"
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


def seconds(record):
    return datetime.datetime.fromisoformat(record["time"]).timestamp()


def addition(folder):
    """The time between the last STAGED and the CREATED behind it."""
    log = (folder / "state/deploy/audit.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in log]
    at = {record["step"]: seconds(record) for record in records}
    return at["CREATED"] - at["STAGED"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count-file", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    runs = json.load(sys.stdin)
    count = int(given.count_file.read_text(encoding="ascii"))
    took = {run["name"]: [] for run in runs}
    with Fleet(given.folder.absolute(), count) as fleet:
        for _ in range(max(run["rounds"] for run in runs)):
            # The rotation changes the key that the other one logs in with.
            shutil.copy(fleet.folder / "id", fleet.folder / "id.old")
            for run in random.sample(runs, len(runs)):
                took[run["name"]].append(timed(run, runs[0], fleet.folder))
                shutil.copy(fleet.folder / "id", fleet.folder / "id.old")
    reference = took[runs[0]["name"]]
    print(f"| {count} hosts | wall s | least | x |\n|---|---|---|---|")
    for run in runs:
        own = took[run["name"]]
        ratio = statistics.median(a / b for a, b in zip(own, reference))
        print(f"| {run['name']} | {statistics.median(own):.2f} | {min(own):.2f} | {ratio:.2f} |")


def timed(run, reference, folder):
    begun = time.monotonic()
    ended = subprocess.run(run["argv"], cwd=folder, check=False, stdout=subprocess.PIPE)
    took = time.monotonic() - begun
    if ended.returncode != 0:
        raise SystemExit(f"{run['name']} ended with {ended.returncode}: {ended.stdout.decode()[:500]}")
    return took if run is reference else addition(folder)


if __name__ == "__main__":
    main()
