"""contend.py --processes N --each M: lets N processes add 1 to the same counter, M times each.

Reads the commands from stdin as scripts/bench hands them over and prints a table: calls a second, updates
that a call claimed and the file does not have, failed calls, and reads that found no whole JSON, by a reader that
takes no lock and looks every millisecond. Rounds are interleaved; rate and CPU are medians over the
rounds, × is the median of the ratios within a round, and a wait is one call from its start to its end.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import threading
import time


class Reader(threading.Thread):
    """Reads a file until told to stop, and counts what was no whole JSON with a counter."""

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.ended = threading.Event()
        self.reads = 0
        self.torn = 0

    def run(self):
        while not self.ended.wait(0.001):
            self.reads += 1
            self.torn += counter(self.path) is None

    def stop(self):
        self.ended.set()
        self.join()


def counter(path):
    """The counter in the file; None when there is no file or no whole JSON in it."""
    try:
        with open(path, "rb") as file:
            return json.load(file)["counter"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def contend(run, processes, each):
    """One round: all processes at once, until the last has made its last call."""
    subprocess.run(["bash", "-c", run["before"]], check=True)
    reader = Reader(run["own"])
    reader.start()
    start = time.perf_counter()
    workers = [subprocess.Popen(["repeat", str(each), *run["argv"]], stdout=subprocess.PIPE, text=True)
               for _ in range(processes)]
    shown = [worker.communicate()[0] for worker in workers]
    wall = time.perf_counter() - start
    reader.stop()
    if any(worker.returncode for worker in workers):
        raise SystemExit(f"contend: cannot run {run['name']}")
    calls = [tuple(map(int, line.split())) for text in shown for line in text.splitlines()]
    done = sum(status == 0 for _, _, status in calls)
    held = counter(run["own"])
    return {
        "rate": len(calls) / wall,
        "calls": len(calls),
        "lost": done if held is None else done - held,
        "failed": len(calls) - done,
        "reads": reader.reads,
        "torn": reader.torn,
        "cpu_ms": statistics.mean(cpu for _, cpu, _ in calls) / 1000,
        "waits_ms": [wall_us / 1000 for wall_us, _, _ in calls],
    }


def report(name, rounds, base):
    def total(key):
        return sum(one[key] for one in rounds)

    rate, cpu = (statistics.median(one[key] for one in rounds) for key in ("rate", "cpu_ms"))
    ratio = statistics.median(one["rate"] / other["rate"] for one, other in zip(rounds, base))
    waits = sorted(wait for one in rounds for wait in one["waits_ms"])
    shown = name.replace("|", "\\|")
    print(f"| `{shown}` | {rate:.0f} | {ratio:.2f} | {total('lost')} of {total('calls')} | {total('failed')} "
          f"| {total('torn')} of {total('reads')} | {cpu:.2f} | {statistics.median(waits):.1f} "
          f"| {waits[len(waits) * 99 // 100]:.0f} | {waits[-1]:.0f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, required=True)
    parser.add_argument("--each", type=int, required=True)
    args = parser.parse_args()
    runs = json.load(sys.stdin)
    results = {run["name"]: [] for run in runs}
    for number in range(runs[0]["rounds"]):
        for run in random.sample(runs, len(runs)):
            if number < run["rounds"]:
                results[run["name"]].append(contend(run, args.processes, args.each))
    base = runs[0]["name"]
    print(f"| command | calls/s | × `{base}` | lost | failed | torn reads | CPU ms | wait ms | 99 % | longest |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, rounds in results.items():
        report(name, rounds, results[base])


if __name__ == "__main__":
    main()
