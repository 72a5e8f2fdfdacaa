"""What the drivers share: a watcher in a folder of its own, files that come into it, and what became of them.

A watcher is a command as scripts/bench hands it over, for the folder `in` below the run's own, whose command
is note_file with the file `notes` beside that folder.
"""

import ctypes
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
# A watcher that has not run a command for so long has lost what is missing: seconds.
STILL = 5
# So long is waited for commands that are run twice.
AFTER = 1


def adopt():
    """Makes orphans ours: the CPU time of a pipeline whose shell was ended is in no other account."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot become the reaper of orphans")


class Watcher:
    """One watcher, its folder, and the notes of its commands."""

    def __init__(self, run):
        self.name, self.argv = run["name"], run["argv"]
        self.own = Path(run["own"])
        self.notes, self.manifest = self.own / "notes", self.own / "manifest"
        # This one watches nothing and is told each path on its standard input.
        self.is_told = self.argv[0] == "spawn_told"
        self.group, self.tell = 0, None

    def __enter__(self):
        """An empty folder, and what is to be written of earlier ones on the disk: it is not to be paid now."""
        shutil.rmtree(self.own, ignore_errors=True)
        (self.own / "in").mkdir(parents=True)
        self.notes.touch()
        subprocess.run(["sync", "-f", self.own], check=True)
        self.start()
        return self

    def __exit__(self, *_):
        """Leaves nothing behind, and buries orphans: what ran when their watcher was killed."""
        if self.group:
            self.stop(signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        shutil.rmtree(self.own, ignore_errors=True)

    def start(self):
        source = os.open(os.devnull, os.O_RDONLY)
        if self.is_told:
            os.close(source)
            source, self.tell = os.pipe()
        errors = os.open(self.own / "errors", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_WRONLY)
        actions = [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate((source, nothing, errors))]
        environment = {**os.environ, "XDG_STATE_HOME": str(self.own)}
        self.group = os.posix_spawnp(self.argv[0], self.argv, environment, file_actions=actions, setpgroup=0)
        for fd in (source, errors, nothing):
            os.close(fd)

    def ready(self):
        """Waits until a command was run for a first file, and forgets that."""
        if self.is_told:
            return
        for number in range(20):
            (self.own / "in" / f"probe-{number}").write_bytes(b"probe\n")
            if self.grown_to(1, 1):
                time.sleep(0.3)
                os.truncate(self.notes, 0)
                return
        raise SystemExit(f"{self.name} runs nothing; it says: {(self.own / 'errors').read_text(errors='replace')[-2000:]}")

    def count(self):
        """How many notes there are."""
        return self.notes.read_bytes().count(b"\n")

    def grown_to(self, wanted, seconds):
        """Whether there are so many notes before the time is over."""
        end = time.monotonic() + seconds
        while (enough := self.count() >= wanted) is False and time.monotonic() < end:
            time.sleep(0.02)
        return enough

    def wait(self, wanted):
        """Waits until all commands were run, or no more will be."""
        size, since = -1, time.monotonic()
        while True:
            now = self.notes.stat().st_size
            if now != size:
                size, since = now, time.monotonic()
            still = time.monotonic() - since
            if still > STILL or (still > AFTER and self.count() >= wanted):
                return
            time.sleep(0.05)

    def stop(self, how=signal.SIGTERM):
        """Ends it, and returns the CPU seconds of its process group with all children it waited for."""
        if self.tell is not None:
            os.close(self.tell)
            self.tell = None
        else:
            os.killpg(self.group, how)
        total, end = 0.0, time.monotonic() + 30
        while True:
            try:
                ended, _, usage = os.wait4(-self.group, os.WNOHANG)
            except ChildProcessError:
                self.group = 0
                return total
            if ended:
                total += usage.ru_utime + usage.ru_stime
            elif time.monotonic() > end:
                print(f"{self.name} does not end, and is killed", file=sys.stderr)
                os.killpg(self.group, signal.SIGKILL)
                end += 30
            else:
                time.sleep(0.01)

    def arrive(self, mode, count, *flags):
        """Lets files come, in the background."""
        command = ["make_files", mode, self.own / "in", "--count", str(count), "--manifest", self.manifest, *flags]
        out = subprocess.DEVNULL
        if self.is_told:
            command, out = [*command, "--tell"], self.tell
        return subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True)

    def judge(self):
        """What became of the files that came."""
        shown = subprocess.run(["judge_notes", self.manifest, self.notes], stdout=subprocess.PIPE, check=True)
        return json.loads(shown.stdout)


def finished(maker):
    """Waits for the files to have come; how many a second did."""
    said = maker.communicate()[1]
    if maker.returncode != 0:
        raise SystemExit(f"make_files: {said}")
    count, _, _, seconds, _ = said.split()
    return int(count) / max(float(seconds), 1e-6)


def in_a_new_order(runs):
    return random.sample(runs, len(runs))


def shown(name):
    """The name of a command in a table."""
    return "`" + name.replace("|", "\\|") + "`"
