"""rows.py [COLUMN LEAST | --jsonl]: the rows of standard input, written anew by Python's csv module.

With COLUMN and LEAST those whose value is at least that number: what a careful script does. Without, or
with --jsonl from JSON Lines, all of them: two outputs that mean the same table become the same bytes.
"""

import csv
import json
import sys


def from_json(lines):
    """Numbers stay as they are written."""
    records = (json.loads(line, parse_int=str, parse_float=str) for line in lines)
    first = next(records)
    yield list(first)
    yield list(first.values())
    yield from (list(record.values()) for record in records)


def main():
    text = {"encoding": "utf-8", "errors": "surrogateescape", "newline": ""}
    with open(0, **text) as source, open(1, "w", **text) as target:
        rows = from_json(source) if sys.argv[1:] == ["--jsonl"] else csv.reader(source)
        writer = csv.writer(target, lineterminator="\n")
        header = next(rows)
        writer.writerow(header)
        if len(sys.argv) == 3:
            column, least = header.index(sys.argv[1]), int(sys.argv[2])
            rows = (row for row in rows if int(row[column]) >= least)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
