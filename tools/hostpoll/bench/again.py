"""again.py --fleet DIR --count-file FILE: what one more sample takes where the sessions are kept.

Reads the commands from stdin as scripts/bench hands them over. Each is run with SAMPLES replaced by 1 and by 1 + MORE,
one right after the other; the difference is that of so many further samples.
"""

import polled

MORE = 10


def once(run, servers, hosts):
    """CPU seconds of client and servers for a further sample, and how many answers there were."""
    few, many = (polled.Client(run, servers, samples).run() for samples in (1, 1 + MORE))
    if few.answered == 0:
        raise SystemExit(f"{run['name']} gets no answer; it says: {polled.Client(run, servers).complaint()}")
    return {"cpu": (many.cpu - few.cpu) / MORE / hosts, "server": (many.server - few.server) / MORE / hosts,
            "first": few.cpu / hosts, "answered": many.answered}


def main():
    hosts, fleet = polled.asked(__doc__)
    runs = polled.commands()
    with polled.Fleet(fleet, hosts) as servers:
        polled.adopt()
        results = polled.rounds(runs, lambda run: once(run, servers, hosts),
                                lambda run, one: polled.say(f"{run['name']}: {one}"))
    print(f"| {hosts} hosts | answers of {hosts * (1 + MORE)} | first sample ms/host | each further one ms/host | from-to "
          "| server CPU ms/host |")
    print("|---" * 6 + "|")
    for run in runs:
        some = results[run["name"]]
        further = [one["cpu"] * 1000 for one in some]
        first, server = (polled.median(one[key] * 1000 for one in some) for key in ("first", "server"))
        print(f"| {polled.shown(run['name'])} | {min(one['answered'] for one in some)} | {first:.2f} "
              f"| {polled.median(further):.3f} | {min(further):.3f}-{max(further):.3f} | {server:.2f} |")


if __name__ == "__main__":
    main()
