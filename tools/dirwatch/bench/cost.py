"""cost.py --count-file FILE [--rate N]: CPU time for each file, and the wait from its close to its command.

Reads the commands from stdin as scripts/bench hands them over. CPU is user + system of the watcher with all its
children, divided by the commands that were run; what the same watcher takes to start, to run one command
and to end is measured beside each run and taken off. × is the median of the ratios to the first within
a round; waits are medians over the rounds.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

import watched


def idle(run):
    """CPU seconds without any files."""
    with watched.Watcher(run) as watcher:
        watcher.ready()
        return watcher.stop()


def loaded(run, count, flags):
    """CPU seconds with the files, and what became of them."""
    with watched.Watcher(run) as watcher:
        watcher.ready()
        watched.finished(watcher.arrive("burst", count, *flags))
        watcher.wait(count)
        done = watcher.count()
        return watcher.stop(), done, watcher.judge()


def once(run, count, flags):
    taken, done, verdict = loaded(run, count, flags)
    if done == 0:
        raise SystemExit(f"{run['name']} ran nothing")
    return {"cpu": (taken - idle(run)) / done * 1e6, **verdict}


def report(run, rounds, base):
    def median(key):
        return statistics.median(one[key] for one in rounds)

    ratios = [one["cpu"] / other["cpu"] for one, other in zip(rounds, base)]
    lost, arrived = (sum(one[key] for one in rounds) for key in ("lost", "arrived"))
    print(f"| {watched.shown(run['name'])} | {median('cpu'):.0f} | {statistics.median(ratios):.2f} "
          f"| {min(ratios):.2f}-{max(ratios):.2f} | {median('p50'):.2f} | {median('p99'):.2f} | {lost} of {arrived} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count-file", type=Path, required=True, help="holds the number of files")
    parser.add_argument("--part", type=float, default=1.0, help="of that number")
    parser.add_argument("--rate", type=int, default=0, help="files a second; without it as fast as they can be made")
    args = parser.parse_args()
    watched.adopt()
    count = max(int(int(args.count_file.read_text()) * args.part), 100)
    flags = ["--rate", str(args.rate)] if args.rate else []
    runs = json.load(sys.stdin)
    results = {run["name"]: [] for run in runs}
    for number in range(runs[0]["rounds"]):
        for run in watched.in_a_new_order(runs):
            results[run["name"]].append(once(run, count, flags))
            print(f"round {number}: {run['name']}: {results[run['name']][-1]}", file=sys.stderr)
    base = results[runs[0]["name"]]
    print(f"| {count} files | CPU µs/file | × {watched.shown(runs[0]['name'])} | from-to | p50 ms | p99 ms | lost |")
    print("|---|---|---|---|---|---|---|")
    for run in runs:
        report(run, results[run["name"]], base)


if __name__ == "__main__":
    main()
