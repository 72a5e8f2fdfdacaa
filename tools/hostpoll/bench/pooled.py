"""pooled.py FLEET WIDTH COMMAND: the hosts of a fleet through parallel-ssh, which looks at no host key."""

import sys
from pathlib import Path

from pssh.clients import ParallelSSHClient

folder, width, command = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
words = (folder / "ssh_config").read_text(encoding="ascii").split()
hosts = (folder / "hosts").read_text(encoding="ascii").split()
client = ParallelSSHClient(hosts, user=words[words.index("User") + 1], port=int((folder / "port").read_text()),
                           pkey=str(folder / "keys/id_ed25519"), pool_size=width, num_retries=1, timeout=10)
failed = 0
for host in client.run_command(command, read_timeout=10, stop_on_errors=False):
    if host.exception is not None:
        failed += 1
        print(f"{host.host}: {host.exception}", file=sys.stderr)
        continue
    try:
        for line in host.stdout:
            print(line)
    except Exception as error:  # whatever one host does is its own affair
        failed += 1
        print(f"{host.host}: {error}", file=sys.stderr)
sys.exit(1 if failed else 0)
