"""A program that writes with SQLite and acknowledges each row after its commit, as durably as it is told to.

It stands in for a careless one in `durability.py`.

    sqlite_writer.py FILE SYNCHRONOUS ROWS
"""

import os
import sqlite3
import sys


def main():
    file, synchronous, rows = sys.argv[1:]
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute(f"PRAGMA synchronous = {synchronous}")
    # Often enough that a short run sees several.
    database.execute("PRAGMA wal_autocheckpoint = 50")
    database.execute("CREATE TABLE facts (number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)")
    for number in range(1, int(rows) + 1):
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT INTO facts VALUES (?, ?)", (number, f"fact {number} " * 100))
        database.execute("COMMIT")
        os.write(1, f"acknowledged {number}\n".encode())


main()
