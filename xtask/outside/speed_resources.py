"""Rows of the table of speed: memory, the time of a start, the move to another database, and the size of the program.

The promises come from the table, the measuring from `measures.py`; connections and moves are measured by the scripts
that are also there for them alone.
"""

import collections
import os
import pathlib
import subprocess
import time

from bench_copy import loading_by_psql, measured, rows_in
from bench_idle import memory_of_connections
from checks import expect, until
from crowd import Visitor, visit
from databases import Database
from installation import Installation, figures
from measures import (
    CORES,
    PASSWORD,
    Load,
    amount,
    bearer,
    cpu_seconds,
    difference,
    measuring,
    on_cores,
    ratio,
    signed_up,
)
from server import NO_LIMITS, SETTINGS, Server
from speed_writes import EMAIL, LOGIN, refreshes_per_second

MIB = 1024
# What one hash needs, and how many are computed at once.
HASH_MIB = 19
SLOTS = len(CORES)

# Memory under load is the most of so many looks at the end of it.
LAST = 10

# Logins at once, of whom every other leaves that is not answered within so many seconds.
CROWD = 500
PATIENCE = 0.02


def crowd(length):
    """Memory at the most while 500 log in at once and every other one leaves who is not answered soon."""
    peaks, left, refused = [], [], []
    for _ in range(length.rounds):
        with Server(*NO_LIMITS, under=on_cores(CORES)) as server:
            # Before the first hash, whose memory is kept.
            before = server.memory_kib()
            signed_up(server)
            body = {"login": EMAIL, "password": PASSWORD}
            visitors = [
                Visitor("POST", "/api/auth/login", body, patience=PATIENCE if index % 2 else None)
                for index in range(CROWD)
            ]
            visit(server.url, visitors, at_a_time=CROWD)
            # A server that is too busy for all may say so, but none is left without an answer.
            failures = [visitor.failure for visitor in visitors if visitor.failure]
            assert not failures, f"{len(failures)} were left without an answer: {failures[0]}"
            statuses = collections.Counter(visitor.heard.answer.status for visitor in visitors if visitor.heard)
            assert statuses.keys() <= {200, 503}, statuses
            # Who has been answered before their patience was over has not left.
            left.append(CROWD - statuses.total())
            refused.append(statuses[503])
            # Without those who leave, and without hashes, it would be no crowd.
            assert left[-1] >= CROWD / 4, f"only {left[-1]} have left without an answer"
            assert statuses[200] >= 4 * SLOTS, statuses
            peaks.append(server.memory_kib("VmHWM") / MIB - before / MIB - SLOTS * HASH_MIB)
    yield amount(
        f"memory of {CROWD} logins at once, half of which leave unless answered within {PATIENCE:g} s",
        "MiB",
        peaks,
        at_most=50,
        remark=f"beyond that before, and {SLOTS} hashes of {HASH_MIB} MiB; {min(left)} to {max(left)} have left"
        f" without an answer, {min(refused)} to {max(refused)} were answered 503",
    )


def idle(length):
    """Memory after the start, and after load of every kind."""
    started, private, more = [], [], []
    for _ in range(length.rounds):
        with Server(*NO_LIMITS, under=on_cores(CORES)) as server:
            until(lambda: is_at_rest(server), "the server has done what it does after its start")
            started.append(server.memory_kib() / MIB)
            private.append(server.memory_kib("RssAnon") / MIB)
    with Server(*NO_LIMITS, "--token-access-ttl", "1d", under=on_cores(CORES)) as server:
        # Another than who logs in so often that the first of their sessions end.
        _, session = signed_up(server, "user-000002@example.org")
        signed_up(server)
        # The gate of hashes keeps the memory of each slot for those to come: it is of its making, not of the load.
        login = Load(server.listen, "/api/auth/login", method="POST", body=LOGIN, connections=4 * SLOTS)
        login.run("--seconds", 600, "--requests", 16 * SLOTS)
        before = server.memory_kib() / MIB
        me = Load(server.listen, "/api/auth/me", bearer(session))
        pages = Load(server.listen, "/")
        began = time.monotonic()
        while time.monotonic() < began + length.load_seconds:
            me.run("--seconds", 1)
            pages.run("--seconds", 1)
            refreshes_per_second(server, 1)
            more.append(server.memory_kib() / MIB)
    yield amount("idle memory after the start", "MiB", started, at_most=15)
    yield amount("of that its own, and not pages of the program's file that the kernel could drop", "MiB", private)
    yield difference(
        "memory after load",
        "MiB",
        [max(more[-LAST:])],
        "after the first hashes",
        [before],
        at_most=10,
        remark=f"{length.load_seconds:.0f} s of `me`, pages, refreshes and logins; both have the {HASH_MIB} MiB that"
        f" each of the {SLOTS} slots for hashes keeps",
    )


def is_at_rest(server):
    """Whether it uses no more processor time than one that waits does, for a moment."""
    before = cpu_seconds(server.process.pid)
    time.sleep(0.5)
    return cpu_seconds(server.process.pid) - before < 0.005


def start(length):
    """From the start of the process to its ready line, on a database with many users, against the least there can be."""
    program = os.environ["VESTIBULE_BINARY"]
    ours, theirs = [], []
    with Installation() as home:
        home.fill(length.users)
        command = [*on_cores(CORES), program, "serve", "--listen", "127.0.0.1:0", "--data-dir", str(home.data)]
        for _ in range(4 * length.rounds):
            ours.append(seconds_to_ready(command, home.path) * 1000)
            theirs.append(seconds_to_ready([*on_cores(CORES), measuring("hello")], home.path) * 1000)
    yield difference(f"start to ready, {length.users:,} users", "ms", ours, "a hello of axum", theirs, at_most=40)


def seconds_to_ready(command, folder):
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        for line in process.stdout:
            if '"event":"ready"' in line:
                return time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(timeout=60)
        process.stdout.close()
    raise RuntimeError(f"{command[0]} printed no ready line")


def connections(length):
    """Memory of connections that say nothing."""
    number, before, with_them = memory_of_connections(length.connections)
    # Of fewer, as many as this system allows, nothing was promised.
    promise = {"at_most": 100 * number / 10_000} if number == length.connections else {}
    yield amount(f"{number:,} idle connections", "MiB", [(with_them - before) / MIB], **promise)


def copy(length):
    """Rows a second from SQLite to PostgreSQL, digest included, against psql's COPY of the same rows."""
    database = Database("postgres")
    with Installation() as home:
        home.fill(length.moved)
        rows, before = rows_in(home.source), figures(home.source)
        seconds, memory = measured(home, home.source, database)
        expect(figures(database), before)
        loading = loading_by_psql(home, database)
    yield ratio(
        f"`copy` from SQLite to PostgreSQL, {length.moved:,} users",
        "rows per second",
        [rows / seconds],
        "`COPY` of the same rows by psql",
        [rows / loading],
        at_least=0.1,
        remark=f"{rows:,} rows; {memory:.0f} MiB of memory",
    )


def binary(length):
    """The stripped program, with pages and Swagger inside."""
    program = pathlib.Path(os.environ["VESTIBULE_BINARY"])
    yield amount(
        "the program as a file",
        "MiB",
        [program.stat().st_size / 2**20],
        at_most=30,
        remark=f"profile {os.environ['VESTIBULE_PROFILE']}",
    )
