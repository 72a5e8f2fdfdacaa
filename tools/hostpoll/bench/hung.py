"""hung.py --fleet DIR: 50 hosts, of which five hang, each in another way.

Reads the commands from stdin as scripts/bench hands them over. A client that has not ended after 60 s is killed.
"""

import argparse
from pathlib import Path

import polled

LIMIT = 60
HEALTHY = 45
HANG = ["mute", "version-stall", "kex-stall", "hang", "trickle"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fleet", type=Path, required=True, help="the folder that the commands name")
    args = parser.parse_args()
    runs = polled.commands()
    with polled.Fleet(args.fleet, HEALTHY, "--faults") as servers:
        polled.adopt()
        words = [line.split()[:2] for line in servers.ask("list").splitlines()]
        places = {name: address for address, name in (pair for pair in words if len(pair) == 2)}
        healthy = (args.fleet / "hosts").read_text(encoding="ascii").split()
        step = HEALTHY // len(HANG)
        # Among the others, as in a list that knows nothing of it.
        groups = [[places[name], *healthy[at * step:(at + 1) * step]] for at, name in enumerate(HANG)]
        servers.write_hosts(host for group in groups for host in group)
        results = polled.rounds(runs, lambda run: polled.Client(run, servers).run(LIMIT),
                                lambda run, one: polled.say(f"{run['name']}: {one.answered} in {one.wall:.1f} s"))
    print(f"| {HEALTHY} healthy hosts, and {', '.join(HANG)} | ends after s | answers | exit status | CPU s |")
    print("|---" * 5 + "|")
    for run in runs:
        some = results[run["name"]]
        ends = "**never**" if any(one.status is None for one in some) else f"{polled.median(one.wall for one in some):.1f}"
        statuses = sorted({"killed" if one.status is None else str(one.status) for one in some})
        print(f"| {polled.shown(run['name'])} | {ends} | {min(one.answered for one in some)} | {', '.join(statuses)} "
              f"| {polled.median(one.cpu for one in some):.2f} |")


if __name__ == "__main__":
    main()
