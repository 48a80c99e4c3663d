"""Measures the program with other allocators than its own: CPU time of its requests, and its memory.

One is that of the system, with which the program is built for this; another is a library that is loaded before those of
that program. All are asked in turn, in the same run.

    bench_allocators.py [--rounds N]
"""

import argparse
import contextlib
import os
import pathlib
import statistics

import provenance
from figures import amount_of, spread
from measures import (
    SERVER_CORE,
    Load,
    bearer,
    cpu_microseconds,
    in_turn,
    on_cores,
    pinned_server,
    signed_up,
    step_aside,
    with_program,
)
from speed_writes import LOGIN, refresh_load

OURS = "mimalloc"


def programs():
    """The program and what it is started with, by the name of the allocator, ours first."""
    yield OURS, os.environ["VESTIBULE_BINARY"], []
    without = os.environ["VESTIBULE_WITHOUT_ALLOCATOR"]
    yield "glibc", without, []
    found = sorted(pathlib.Path("/usr/lib").glob("*/libjemalloc.so.*"))
    assert found, "libjemalloc is not there (Debian: libjemalloc2)"
    yield "jemalloc", without, ["env", f"LD_PRELOAD={found[0]}"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    taken = provenance.now()
    step_aside()
    with contextlib.ExitStack() as stack:
        servers = {name: stack.enter_context(server_of(*started)) for name, *started in programs()}
        started = {name: [server.memory_kib() / 1024] for name, server in servers.items()}
        tables = {"idle after the start, MiB": started, **dict(costs(servers, rounds))}
        burst = {name: memory_after_logins(server) for name, server in servers.items()}
        tables["after three bursts of 64 logins, MiB"] = burst
    rows = [
        {"work": work, **{name: spread(values) for name, values in table.items()}, "against": against(table)}
        for work, table in tables.items()
    ]
    for row in rows:
        print("  ".join(map(str, row.values())), flush=True)
    provenance.keep("allocators", taken, {"names": list(servers), "rows": rows})


@contextlib.contextmanager
def server_of(program, under):
    with with_program(program), pinned_server(under=[*on_cores([SERVER_CORE]), *under]) as server:
        yield server


def costs(servers, rounds):
    """The CPU time of requests with each allocator."""
    sessions = {name: signed_up(server)[1] for name, server in servers.items()}
    me = lambda name, server: lambda: Load(server.listen, "/api/auth/me", bearer(sessions[name]))
    refresh = lambda name, server: lambda: refresh_load(server)
    page = lambda name, server: lambda: Load(server.listen, "/")
    for work, request in (
        ("`me`, us of CPU", me),
        ("refresh, us of CPU", refresh),
        ("a page of the site, us of CPU", page),
    ):
        measured = {name: asked(server, request(name, server)) for name, server in servers.items()}
        yield work, dict(zip(servers, in_turn(rounds, **measured)))


def asked(server, request):
    return lambda: cpu_microseconds(request(), [server.process.pid], 1)


def memory_after_logins(server):
    """What the process holds at rest after each burst."""
    logins = Load(server.listen, "/api/auth/login", method="POST", body=LOGIN, connections=64)
    held = []
    for _ in range(3):
        logins.run("--seconds", 60, "--requests", 192)
        held.append(server.memory_kib() / 1024)
    return held


def against(table):
    """What each takes of ours, by the medians."""
    ours = statistics.median(table[OURS])
    others = {name: statistics.median(values) / ours for name, values in table.items() if name != OURS}
    return ", ".join(f"{name} {amount_of(ratio, 'x')}" for name, ratio in others.items())


main()
