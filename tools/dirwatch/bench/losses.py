"""losses.py --count-file FILE --modes MODE...: what becomes of the files, for each watcher and each way to come.

Reads the commands from stdin as scripts/bench hands them over. Each cell says how many of the files no command
was run for, for how many more than once, and for how many before they were complete; with several rounds it
is the sum. `kill` is a burst of 2,000 files a second, while which the watcher is killed with SIGKILL after
three tenths of the files, and started again after two more.
"""

import argparse
import json
import signal
import sys
import time
from pathlib import Path

import watched

KILL_RATE = 2000
TITLES = {
    "burst": "burst",
    "rename-in": "renamed in",
    "nested": "new folders, 3 deep",
    "slow": "halves, 3 ms apart",
    "reopen": "closed, opened again after 50 ms",
    "kill": "SIGKILL, started again",
}
# A watcher that is behind sees no half of a file: these come slowly enough for all of them.
FLAGS = {"slow": ["--rate", "500"], "reopen": ["--rate", "500", "--gap", "50"], "kill": ["--rate", str(KILL_RATE)]}


def trial(run, mode, count):
    """One watcher and one way to come: the verdict and the files a second that came."""
    with watched.Watcher(run) as watcher:
        watcher.ready()
        maker = watcher.arrive("burst" if mode == "kill" else mode, count, *FLAGS.get(mode, []))
        if mode == "kill":
            time.sleep(count / KILL_RATE * 0.3)
            watcher.stop(signal.SIGKILL)
            time.sleep(count / KILL_RATE * 0.2)
            watcher.start()
        rate = watched.finished(maker)
        watcher.wait(count)
        watcher.stop()
        return watcher.judge(), rate


def cell(verdicts):
    def total(key):
        return sum(one[key] for one in verdicts)

    words = []
    if total("lost"):
        words.append(f"**{total('lost')}** lost ({100 * total('lost') / total('arrived'):.1f} %)")
    if total("more"):
        words.append(f"{total('more')} more than once")
    if total("partial"):
        words.append(f"{total('partial')} not complete")
    if total("strange"):
        words.append(f"{total('strange')} for other things")
    return ", ".join(words) or "0"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count-file", type=Path, required=True, help="holds the number of files")
    parser.add_argument("--modes", nargs="+", choices=TITLES, required=True)
    args = parser.parse_args()
    watched.adopt()
    count = max(int(args.count_file.read_text()), 100)
    # At 500 a second these would take longer than all others together.
    counts = {mode: max(count * 3 // 20, 100) if mode in ("slow", "reopen") else count for mode in args.modes}
    runs = json.load(sys.stdin)
    cells, rates = {}, {mode: [] for mode in args.modes}
    for _ in range(runs[0]["rounds"]):
        for mode in args.modes:
            for run in watched.in_a_new_order(runs):
                verdict, rate = trial(run, mode, counts[mode])
                print(f"{mode}: {run['name']}: {verdict}", file=sys.stderr)
                cells.setdefault((run["name"], mode), []).append(verdict)
                rates[mode].append(rate)
    print("| watcher | " + " | ".join(TITLES[mode] for mode in args.modes) + " |")
    print("|---" * (len(args.modes) + 1) + "|")
    made = [f"{counts[mode]} at {min(rates[mode]):.0f}-{max(rates[mode]):.0f}/s" for mode in args.modes]
    print("| files | " + " | ".join(made) + " |")
    for run in runs:
        row = (cell(cells[run["name"], mode]) for mode in args.modes)
        print(f"| {watched.shown(run['name'])} | " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
