"""dog.py created|closed DIR COMMAND ARGUMENT...: runs COMMAND for each file that comes, as a script with watchdog does.

`created` takes a file when it appears, and remembers which it took. `closed` takes it when it was written and
closed, or was renamed within the watched folder; a rename from elsewhere is told as a creation and is not seen.
"""

import subprocess
import sys
import time

from watchdog.events import FileSystemEventHandler
from watchdog.observers import Observer


class Taker(FileSystemEventHandler):
    def __init__(self, command):
        self.command = command
        self.taken = set()

    def take(self, path):
        if path not in self.taken:
            self.taken.add(path)
            subprocess.run([*self.command, path], check=False)


class Created(Taker):
    def on_created(self, event):
        if not event.is_directory:
            self.take(event.src_path)

    def on_moved(self, event):
        if not event.is_directory:
            self.take(event.dest_path)


class Closed(Taker):
    def on_closed(self, event):
        self.take(event.src_path)

    def on_moved(self, event):
        if not event.is_directory:
            self.take(event.dest_path)


def main():
    kind, folder, *command = sys.argv[1:]
    observer = Observer()
    observer.schedule({"created": Created, "closed": Closed}[kind](command), folder, recursive=True)
    observer.start()
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
