"""Measures other programs on the same work, side by side in the same run: for orientation, as their harness is not theirs.

Each has one core for itself. What is compared is requests a second there, and the CPU time of each.

    bench_peers.py [--rounds N] [--seconds S]
"""

import argparse
import contextlib
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile

from checks import until
from figures import spread
from measures import (
    SERVER_CORE,
    Load,
    bearer,
    cpu_microseconds,
    in_turn,
    on_cores,
    pinned_server,
    requests_per_second,
    signed_up,
    step_aside,
)
from ports import free_port
from speed_writes import LOGIN, refresh_load

FIGURES = pathlib.Path(os.environ["VESTIBULE_FIGURES"])
HERE = pathlib.Path(__file__).parent

REMARK = (
    "Requests a second with one core for the server, and the CPU time of each, in the same run; for orientation alone. "
    "The other program is `xtask/outside/peer_fastapi.py`: the same routes as its framework's tutorial would have them, "
    "on SQLite with durable commits and the same cost of a hash, but without revocation, limits or an audit log."
)


class Peer:
    """Another program, with as much of a `Server` as a load needs to know."""

    def __init__(self, script):
        self.script = script

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="vestibule-")
        self.data = pathlib.Path(self.folder.name)
        self.port = free_port()
        self.listen = f"127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [*on_cores([SERVER_CORE]), sys.executable, str(HERE / self.script), str(self.port), self.folder.name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self.answers, f"{self.script} answers")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.folder.cleanup()

    def answers(self):
        """Whether it listens; where it has ended it never will."""
        assert self.process.poll() is None, f"{self.script} has ended with {self.process.returncode}"
        with socket.socket() as attempt:
            return attempt.connect_ex(("127.0.0.1", self.port)) == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1)
    arguments = parser.parse_args()
    step_aside()
    with contextlib.ExitStack() as stack:
        servers = {
            "Vestibule": stack.enter_context(pinned_server()),
            "FastAPI and SQLAlchemy": stack.enter_context(Peer("peer_fastapi.py")),
        }
        sessions = {name: signed_up(server)[1] for name, server in servers.items()}
        works = {
            "`me`": lambda name, server: Load(server.listen, "/api/auth/me", bearer(sessions[name])),
            "refresh, 16 sessions": lambda _, server: refresh_load(server),
            "login, 16 at once": lambda _, server: Load(
                server.listen, "/api/auth/login", method="POST", body=LOGIN, connections=16
            ),
        }
        columns = [measured(servers, request, arguments) for request in works.values()]
    peers = [{"name": name, "figures": [column[name] for column in columns]} for name in servers]
    for peer in peers:
        print(peer["name"], *peer["figures"], sep="\n    ", flush=True)
    written = {"works": list(works), "remark": REMARK, "peers": peers}
    (FIGURES / "peers.json").write_text(json.dumps(written, indent=1) + "\n")


def measured(servers, request, arguments):
    """What each does of one work, as words."""
    rates = {name: rate_of(name, server, request, arguments) for name, server in servers.items()}
    costs = {name: cost_of(name, server, request, arguments) for name, server in servers.items()}
    rates = dict(zip(servers, in_turn(arguments.rounds, **rates)))
    costs = dict(zip(servers, in_turn(arguments.rounds, **costs)))
    return {name: f"{spread(rates[name])} /s, {statistics.median(costs[name]):,.0f} us" for name in servers}


def rate_of(name, server, request, arguments):
    return lambda: requests_per_second(request(name, server), arguments.seconds)


def cost_of(name, server, request, arguments):
    return lambda: cpu_microseconds(request(name, server), [server.process.pid], arguments.seconds)


main()
