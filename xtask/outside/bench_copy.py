"""Measures `vestibule copy` in each of the six directions: the memory of the program, and rows a second.

The speed is compared with a plain read of the same source by the engine's own program, in the same run: a copy reads
each row of the source twice, and writes and reads it once in the target.

    bench_copy.py [--users N]
"""

import argparse
import itertools
import os
import sqlite3
import subprocess
import sys
import time

from checks import expect
from databases import Database
from installation import Installation, figures

PROMISED_MIB = 200
TABLES = [
    "users",
    "user_roles",
    "sessions",
    "signing_keys",
    "audit_events",
    "todos",
    "documents",
    "revocations",
    "meta",
]


def measured(home, source, target):
    """Copies, and returns the seconds that took and the most memory that it had, in MiB."""
    began = time.monotonic()
    process = home.begin(*home.copy(source, target))
    said = process.stdout.read()
    # The figures of this one child; those of all would be the largest of them.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said
    return time.monotonic() - began, usage.ru_maxrss / 1024


def plain_read(database):
    """Seconds in which the engine's own program reads all rows and throws them away."""
    queries = [f"SELECT * FROM {table};" for table in TABLES]
    began = time.monotonic()
    if isinstance(database, Database):
        subprocess.run(
            database.client(),
            input="\n".join(queries),
            env=database.environment(),
            stdout=subprocess.DEVNULL,
            text=True,
            check=True,
        )
    else:
        with sqlite3.connect(database.path) as connection:
            for query in queries:
                for _ in connection.execute(query):
                    pass
    return time.monotonic() - began


def rows_in(database):
    """All rows that are moved."""
    return sum(int(database.ask(f"SELECT count(*) FROM {table}")[0][0]) for table in TABLES)


def loading_by_psql(home, filled):
    """Seconds in which psql loads the rows of a PostgreSQL into an empty one with the same tables, by COPY."""
    empty = Database("postgres")
    status, said = home.run("migrate", "up", "--database-url", empty.url)
    assert status == 0, said
    empty.ask(f"TRUNCATE {', '.join(TABLES)}")
    every = lambda way: "\n".join(f"\\copy {table} {way} '{home.path / table}.copy'" for table in TABLES)
    run = lambda database, words: subprocess.run(
        database.client(), input=words, env=database.environment(), text=True, check=True
    )
    run(filled, every("TO"))
    # What was written before is written out, and in nobody's way.
    for database in (filled, empty):
        database.ask("CHECKPOINT")
    began = time.monotonic()
    run(empty, every("FROM"))
    return time.monotonic() - began


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, default=1_000_000)
    users = parser.parse_args().users
    too_much = []
    with Installation() as home:
        home.fill(users)
        rows = rows_in(home.source)
        print(f"{users:,} users, {rows:,} rows in all")
        print(f"{'':24} {'memory':>10} {'time':>9} {'rows/s':>9} {'plain read':>11} {'copy : read':>12}")
        # Each station is the target of one copy and the source of the next.
        stations = [
            ("SQLite", home.source),
            ("PostgreSQL", Database("postgres")),
            ("MariaDB", Database("mariadb")),
            ("SQLite", home.file("second.db")),
            ("MariaDB", Database("mariadb")),
            ("PostgreSQL", Database("postgres")),
            ("SQLite", home.file("third.db")),
        ]
        before = figures(home.source)
        for (one, source), (other, target) in itertools.pairwise(stations):
            seconds, memory = measured(home, source, target)
            read = plain_read(source)
            print(
                f"{one + ' to ' + other:24} {memory:6.0f} MiB {seconds:7.1f} s {rows / seconds:9,.0f}"
                f" {read:9.1f} s {seconds / read:12.1f}",
                flush=True,
            )
            expect(figures(target), before)
            if memory > PROMISED_MIB:
                too_much.append(f"{one} to {other}: {memory:.0f} MiB, promised are {PROMISED_MIB} at the most")
    if too_much:
        sys.exit("\n".join(too_much))


if __name__ == "__main__":
    main()
