"""What the drivers share: servers, a client that polls them, and what both took.

A client is a command as scripts/bench hands it over. It finds the hosts and all it needs to reach them in the folder
of the fleet; hosts that answered are counted in what it printed.
"""

import argparse
import ctypes
import json
import os
import random
import re
import resource
import select
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

FLEET = Path(__file__).resolve().parents[3] / "scripts" / "fleet"
PR_SET_CHILD_SUBREAPER = 36
# A line that only a host that was asked can have said: of /proc/meminfo, or of what hostpoll makes of it.
ANSWER = re.compile(rb'^.*(?:MemTotal:|"mem_percent": ?[0-9]|"node_memory_MemTotal_bytes").*$', re.MULTILINE)
# Sessions end a little after their client, and count when they have ended.
SETTLE = 0.5


def adopt():
    """Makes orphans ours: what ssh leaves in the background is in no other account."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot become the reaper of orphans")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def children(pid):
    found = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text(encoding="ascii").split())
    except OSError:
        # It, or one of its threads, has ended meanwhile.
        pass
    return found


def below(pids):
    """These processes and all their descendants."""
    return [one for pid in pids for one in (pid, *below(children(pid)))]


def seconds_of(pid):
    """User and system time of a process that runs."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


class Fleet:
    """Real servers: scripts/fleet in a folder of the benchmark."""

    def __init__(self, folder, hosts, *flags):
        self.folder, self.count, self.flags = Path(folder), hosts, flags
        self.pids = set()

    def __enter__(self):
        before = set(children(os.getpid()))
        self.ask("up", str(self.count), *self.flags)
        # They are children of ours when orphans are, and none of a client.
        self.pids = set(children(os.getpid())) - before
        return self

    def __exit__(self, *_):
        self.ask("down")

    def ask(self, *words):
        command = [FLEET, *words, "--dir", self.folder]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    def cpu(self):
        time.sleep(SETTLE)
        return float(self.ask("cpu"))

    def write_hosts(self, hosts):
        (self.folder / "hosts").write_text("".join(f"{host}\n" for host in hosts), encoding="ascii")


class Result:
    """One run of a client."""

    def __init__(self, wall, status, usages, output):
        self.wall, self.status = wall, status
        self.user, self.system = (sum(getattr(usage, key) for usage in usages) for key in ("ru_utime", "ru_stime"))
        self.answered = len(ANSWER.findall(output))
        self.server = self.peak = 0.0

    @property
    def cpu(self):
        return self.user + self.system


class Client:
    """A command that asks all hosts, with whatever it starts."""

    def __init__(self, run, servers, samples=1):
        self.name, self.own, self.servers = run["name"], Path(run["own"]), servers
        self.argv = [word.replace("SAMPLES", str(samples)) for word in run["argv"]]
        self.peak, self.is_watched = 0.0, False

    def run(self, limit=600, is_watched=False):
        """Runs it to its end, or so many seconds. The CPU time is that of all that it has left behind, too."""
        shutil.rmtree(self.own, ignore_errors=True)
        self.own.mkdir(parents=True)
        outputs = [os.open(self.own / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) for name in ("out", "err")]
        actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                   *((os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(outputs, 1))]
        # Where clients that know no flag for it look for known_hosts, and leave what they leave.
        environment = {**os.environ, "HOME": str(self.servers.folder / "home")}
        before = self.servers.cpu()
        start = time.perf_counter()
        pid = os.posix_spawnp(self.argv[0], self.argv, environment, file_actions=actions)
        for fd in outputs:
            os.close(fd)
        watcher = threading.Thread(target=self.watch, args=(is_watched,))
        watcher.start()
        is_late = not ended(pid, limit)
        wall = time.perf_counter() - start
        if is_late:
            send(self.processes(), signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
        self.is_watched = False
        watcher.join()
        usages = [usage, *self.bury()]
        how = None if is_late else os.waitstatus_to_exitcode(status)
        result = Result(wall, how, usages, (self.own / "out").read_bytes())
        result.server, result.peak = self.servers.cpu() - before, self.peak
        return result

    def processes(self):
        return below(set(children(os.getpid())) - self.servers.pids)

    def watch(self, is_watched):
        """The largest sum over all processes of what each has of memory, what is common in equal shares."""
        self.peak, self.is_watched = 0.0, is_watched
        while self.is_watched:
            self.peak = max(self.peak, sum(map(share_of, self.processes())))
            time.sleep(0.01)

    def bury(self):
        """Ends what is left in the background, and what it took."""
        usages, how, turn = [], signal.SIGTERM, time.monotonic() + 5
        while left := self.processes():
            if time.monotonic() > turn:
                how = signal.SIGKILL
            send(left, how)
            for pid in set(children(os.getpid())) - self.servers.pids:
                try:
                    gone, _, usage = os.wait4(pid, os.WNOHANG)
                except ChildProcessError:
                    continue
                if gone:
                    usages.append(usage)
            time.sleep(0.01)
        return usages

    def complaint(self):
        """What it said last on its standard error."""
        lines = (self.own / "err").read_text(errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else ""


def ended(pid, limit):
    """Whether the process ends before the time is over."""
    fd = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        return bool(poll.poll(limit * 1000))
    finally:
        os.close(fd)


def send(pids, how):
    for pid in pids:
        try:
            os.kill(pid, how)
        except ProcessLookupError:
            pass


def share_of(pid):
    """MiB of a process (Pss); 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
            return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:")) / 1024
    except (OSError, StopIteration):
        return 0.0


def rounds(runs, ask, each=None):
    """Results by name: every run once in each round, in a new order. `each` is called with every one."""
    results = {run["name"]: [] for run in runs}
    for number in range(max(run["rounds"] for run in runs)):
        for run in random.sample(runs, len(runs)):
            if number >= run["rounds"]:
                continue
            result = ask(run)
            results[run["name"]].append(result)
            if each:
                each(run, result)
    return results


def median(values):
    return statistics.median(values)


def asked(doc):
    """How many hosts there are to be, and the folder of their fleet, as the command line of a driver tells."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--fleet", type=Path, required=True, help="the folder that the commands name")
    parser.add_argument("--count-file", type=Path, required=True, help="holds the number of hosts")
    args = parser.parse_args()
    return max(int(args.count_file.read_text()), 1), args.fleet


def commands():
    """What scripts/bench hands over."""
    return json.load(sys.stdin)


def shown(name):
    """The name of a command in a table."""
    return "`" + name.replace("|", "\\|") + "`"


def say(words):
    print(words, file=sys.stderr, flush=True)
