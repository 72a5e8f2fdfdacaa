"""once.py --fleet DIR --count-file FILE: what it takes to ask every host once.

Reads the commands from stdin as scripts/bench hands them over. CPU is user + system of the client with all that it
starts, for each host; × is the median of the ratios to the first within a round. Memory is the largest sum of what
its processes have, in a run of its own. The servers' CPU is theirs: on one machine they are what takes the time.
"""

import polled


def row(name, results, base, hosts, peak):
    def middle(key, factor=1.0):
        return polled.median(getattr(one, key) for one in results) * factor

    ms = 1000 / hosts
    ratio = polled.median(one.cpu / other.cpu for one, other in zip(results, base))
    answered = sorted({one.answered for one in results})
    statuses = sorted({str(one.status) for one in results})
    return (f"| {polled.shown(name)} | {'-'.join(map(str, answered))} | {','.join(statuses)} "
            f"| {middle('cpu', ms):.2f} | {middle('user', ms):.2f} + {middle('system', ms):.2f} | {ratio:.2f} "
            f"| {middle('wall'):.2f} | {min(one.wall for one in results):.2f} | {peak:.1f} | {middle('server', ms):.2f} |")


def measured(runs, servers, hosts):
    """The table of these clients."""
    def ask(run):
        return polled.Client(run, servers).run()

    def each(run, result):
        polled.say(f"{run['name']}: {result.answered} of {hosts} in {result.wall:.2f} s, {result.cpu / hosts * 1000:.2f} ms")

    peaks = {run["name"]: polled.Client(run, servers).run(is_watched=True).peak for run in runs}
    results = polled.rounds(runs, ask, each)
    base = results[runs[0]["name"]]
    print(f"| {hosts} hosts | answered | status | CPU ms/host | user + system | × | wall s | least | peak MiB "
          "| server CPU ms/host |")
    print("|---" * 10 + "|")
    for run in runs:
        print(row(run["name"], results[run["name"]], base, hosts, peaks[run["name"]]), flush=True)


def main():
    hosts, fleet = polled.asked(__doc__)
    runs = polled.commands()
    with polled.Fleet(fleet, hosts) as servers:
        polled.adopt()
        measured(runs, servers, hosts)


if __name__ == "__main__":
    main()
