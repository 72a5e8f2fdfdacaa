"""many.py --fleet DIR --count-file FILE --mock PROGRAM [--rtt MS]: simulated hosts, so many as no machine has.

Reads the commands from stdin as scripts/bench hands them over. What the hosts answer to hostpoll is what it was
answered by a real one right before; to others it is the text of the files they ask for.
"""

import argparse
import random
import re
import subprocess
from pathlib import Path

import once
import polled

MARK = re.compile(rb"^@@ (\w+) begin$", re.MULTILINE)
FILES = ["/proc/stat", "/proc/meminfo", "/proc/loadavg"]


class Mock:
    """The server of all simulated hosts, with the keys of a fleet."""

    def __init__(self, fleet, program, rtt, hosts):
        self.folder, self.program, self.rtt = fleet.folder, program, rtt
        self.hosts = [f"127.{100 + at // 62500}.{at // 250 % 250}.{at % 250 + 1}" for at in range(hosts)]
        self.process, self.pids = None, set()

    def __enter__(self):
        keys = self.folder / "keys"
        # The kernel gives ports from 32768 on to the clients.
        for port in random.sample(range(20000, 32000), 20):
            command = [self.program, f"0.0.0.0:{port}", str(self.rtt), keys / "host_ed25519",
                       self.folder / "authorized_keys", self.folder / "template"]
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            if self.process.stdout.readline().startswith("listening"):
                self.pids = {self.process.pid}
                self.point_to(port)
                return self
            self.process.wait()
        raise SystemExit(f"{self.program} does not listen at any port")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def cpu(self):
        return polled.seconds_of(self.process.pid)

    def point_to(self, port):
        """Lets the files of the fleet that clients read tell of these hosts."""
        key = " ".join((self.folder / "keys/host_ed25519.pub").read_text(encoding="ascii").split()[:2])
        known = "".join(f"[{host}]:{port} {key}\n" for host in self.hosts)
        (self.folder / "known_hosts").write_text(known, encoding="ascii")
        (self.folder / "home/.ssh/known_hosts").write_text(known, encoding="ascii")
        (self.folder / "hosts").write_text("".join(f"{host}\n" for host in self.hosts), encoding="ascii")
        (self.folder / "port").write_text(f"{port}\n", encoding="ascii")
        for name in ("ssh_config", "ssh_config.curve25519"):
            path = self.folder / name
            text = path.read_text(encoding="ascii")
            path.write_text(re.sub(r"Port \d+", f"Port {port}", text), encoding="ascii")


def record(runs, fleet):
    """Writes the template: what the first client is answered by a host that keeps it."""
    recorder = next(line.split()[0] for line in fleet.ask("list").splitlines() if " recorder " in line)
    fleet.write_hosts([recorder])
    polled.Client(runs[0], fleet).run(60)
    said = fleet.folder / "said" / "answer"
    answer = said.read_bytes() if said.exists() else b""
    word = MARK.search(answer)
    if word is None:
        polled.say(f"{runs[0]['name']} marks no answer: {polled.Client(runs[0], fleet).complaint()}")
        answer = b"".join(Path(name).read_bytes() for name in FILES)
    else:
        answer = answer.replace(word.group(1), b"MARK")
    (fleet.folder / "template").write_bytes(answer)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fleet", type=Path, required=True, help="the folder that the commands name")
    parser.add_argument("--count-file", type=Path, required=True, help="holds the number of hosts")
    parser.add_argument("--mock", type=Path, required=True, help="the program that plays them")
    parser.add_argument("--rtt", type=int, default=50, help="milliseconds of a round trip")
    args = parser.parse_args()
    runs, hosts = polled.commands(), max(int(args.count_file.read_text()), 1)
    with polled.Fleet(args.fleet, 1, "--faults") as fleet:
        polled.adopt()
        record(runs, fleet)
    with Mock(fleet, args.mock, args.rtt, hosts) as mock:
        once.measured(runs, mock, hosts)


if __name__ == "__main__":
    main()
