"""evented.py FLEET WIDTH SAMPLES COMMAND: the hosts of a fleet through asyncssh, their keys verified."""

import asyncio
import sys
from pathlib import Path

import asyncssh

FOLDER, WIDTH, SAMPLES, COMMAND = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
# For all that one host may take.
DEADLINE = 10


async def ask(host, port, options, gate):
    async with gate, asyncio.timeout(DEADLINE + SAMPLES):
        async with asyncssh.connect(host, port, options=options) as connection:
            for _ in range(SAMPLES):
                print((await connection.run(COMMAND, check=True)).stdout)


async def main():
    words = (FOLDER / "ssh_config").read_text(encoding="ascii").split()
    hosts = (FOLDER / "hosts").read_text(encoding="ascii").split()
    port = int((FOLDER / "port").read_text())
    options = asyncssh.SSHClientConnectionOptions(
        username=words[words.index("User") + 1], client_keys=[str(FOLDER / "keys/id_ed25519")], config=None,
        known_hosts=asyncssh.read_known_hosts(str(FOLDER / "known_hosts")), agent_path=None)
    gate = asyncio.Semaphore(WIDTH)
    results = await asyncio.gather(*(ask(host, port, options, gate) for host in hosts), return_exceptions=True)
    failures = [f"{host}: {error!r}" for host, error in zip(hosts, results) if error is not None]
    sys.stderr.writelines(f"{failure}\n" for failure in failures)
    sys.exit(1 if failures else 0)


asyncio.run(main())
