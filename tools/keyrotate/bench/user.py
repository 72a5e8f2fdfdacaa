"""user.py: whole rotations of the password of a user of Redis.

Reads the commands from stdin as scripts/bench hands them over, and runs them in turn on one server: wall and CPU time
with all children, without the server's.
"""

import json
import os
import random
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SPEC = """
name = "svc"
state = "{folder}/state"
[provider]
kind = "redis-acl"
address = "127.0.0.1:{port}"
user = "svc"
[[consumers]]
name = "one"
kind = "file"
path = "{folder}/held"
attest = "file"
[gates]
checks = 1
window = "0s"
soak = "0s"
watch = "0s"
"""


def cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(argv, folder):
    begun, before = time.monotonic(), cpu()
    subprocess.run(argv, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begun, cpu() - before


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def main():
    runs = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        users = "user default on nopass ~* &* +@all\nuser svc on >first-password ~* &* +@all\n"
        (folder / "users.acl").write_text(users, encoding="ascii")
        (folder / "port").write_text(str(port), encoding="ascii")
        (folder / "held").write_text("first-password\n", encoding="ascii")
        (folder / "held").chmod(0o600)
        (folder / "spec.toml").write_text(SPEC.format(folder=folder, port=port), encoding="ascii")
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--aclfile", "users.acl"]
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as server:
            try:
                while not answers(port):
                    time.sleep(0.05)
                measure(runs, folder)
            finally:
                server.terminate()


def measure(runs, folder):
    took = {run["name"]: [] for run in runs}
    for _ in range(max(run["rounds"] for run in runs)):
        for run in random.sample(runs, len(runs)):
            took[run["name"]].append(timed(run["argv"], folder))
    reference = took[runs[0]["name"]]
    print("| one rotation | wall ms | least | CPU ms | x the CPU |\n|---|---|---|---|---|")
    for run in runs:
        own = took[run["name"]]
        walls = [wall * 1000 for wall, _ in own]
        spent = statistics.median(spent for _, spent in own) * 1000
        ratio = statistics.median(a[1] / b[1] for a, b in zip(own, reference))
        print(f"| {run['name']} | {statistics.median(walls):.1f} | {min(walls):.1f} | {spent:.1f} | {ratio:.2f} |")


if __name__ == "__main__":
    os.environ.pop("REDISCLI_AUTH", None)
    main()
