"""safe.py FILE: adds 1 to `counter` in FILE the way a careful Python script does it.

Under a lock of its own, written beside and synced, put in place, the folder synced.
"""

import fcntl
import json
import os
import sys


def main():
    path = sys.argv[1]
    beside = f"{path}.tmp"
    with open(f"{path}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
            mode = os.fstat(file.fileno()).st_mode & 0o7777
        value["counter"] += 1
        with open(beside, "w", encoding="utf-8") as file:
            json.dump(value, file, indent=2)
            file.write("\n")
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(beside, path)
        folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(folder)
        os.close(folder)


if __name__ == "__main__":
    main()
