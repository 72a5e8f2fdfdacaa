"""records.py BYTES OUT: writes a JSON object of about that size, the same one every time.

A counter stands first, in the middle (`counter`) and last, between two long lists of records: names
with escapes, nested objects, numbers, a line for each record.
"""

import json
import random
import sys

WORDS = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hôtel", 'in"dia', "tab\there"]


def records(chance, first, size):
    """Numbered records, one a line, until `size` bytes of them are there."""
    lines = []
    number = first
    while size > 0:
        record = {
            "id": number,
            "name": f"{chance.choice(WORDS)}-{chance.choice(WORDS)}-{number}",
            "enabled": chance.random() < 0.5,
            "weight": round(chance.random() * 1000, 3),
            "tags": chance.sample(WORDS, 3),
            "limits": {"cpu": chance.randrange(64), "memory": chance.randrange(1 << 36), "parent": None},
        }
        lines.append("    " + json.dumps(record))
        size -= len(lines[-1]) + 2
        number += 1
    return ",\n".join(lines), number


def main():
    size, out = int(float(sys.argv[1])), sys.argv[2]
    chance = random.Random(7)
    left, after = records(chance, 0, size // 2)
    right, _ = records(chance, after, size // 2)
    with open(out, "w", encoding="utf-8") as file:
        file.write(f'{{\n  "first": 0,\n  "left": [\n{left}\n  ],\n  "counter": 0,\n')
        file.write(f'  "right": [\n{right}\n  ],\n  "last": 0\n}}\n')


if __name__ == "__main__":
    main()
