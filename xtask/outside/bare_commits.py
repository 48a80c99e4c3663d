"""Rotates the session of a database by SQLite alone, for as long as it is told; `speed_writes.py` compares the server with it.

Each line that it reads is a number of seconds, for which it answers with a line of JSON: how many rotations it has
committed, each by itself and durably, in how many seconds, and how many of those were inside COMMIT.

    bare_commits.py DATABASE
"""

import json
import sqlite3
import sys
import time

from speed_writes import HOUR, ROTATION, named


class Session:
    """The one that is rotated."""

    def __init__(self, database):
        self.database = database
        columns = ["session", "generation", "hash"]
        row = database.execute("SELECT id, generation, token_hash FROM sessions LIMIT 1").fetchone()
        self.values = dict(zip(columns, row))
        self.statements = [named(statement) for statement in ROTATION]

    def rotate(self):
        now = time.time_ns() // 1000
        values = {**self.values, "now": now, "later": now + HOUR}
        self.database.execute("BEGIN IMMEDIATE")
        update, select = self.statements
        assert self.database.execute(update, values).rowcount == 1
        assert self.database.execute(select, values).fetchall()
        self.values["generation"] += 1


def main():
    database = sqlite3.connect(sys.argv[1], isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    session = Session(database)
    for line in sys.stdin:
        print(json.dumps(rotated_for(float(line), session)), flush=True)
    database.close()


def rotated_for(seconds, session):
    rotated, committing, began = 0, 0, time.perf_counter()
    while (now := time.perf_counter()) < began + seconds:
        session.rotate()
        commit = time.perf_counter()
        session.database.execute("COMMIT")
        committing += time.perf_counter() - commit
        rotated += 1
    return {"rotated": rotated, "committing": committing, "seconds": now - began}


main()
