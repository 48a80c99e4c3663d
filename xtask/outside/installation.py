"""An installation without a server: its folder, its secret key, and databases it may be moved to.

It fills a database with made-up users and reads databases by the engines' own programs; what is moved where is up to
the scripts.
"""

import os
import pathlib
import sqlite3
import subprocess
import tempfile
import time
import uuid

from client import Client
from server import NO_LIMITS, SETTINGS, Server

PASSWORD = "a long and uncommon sentence"
# The issuer of tokens must be the same whatever port a server gets.
AT = ("--public-url", "http://localhost:1")

# What every engine must say the same of, in words that all understand.
FIGURES = [
    "SELECT count(*), sum(created_at % 1000003), count(name), count(username_key) FROM users",
    "SELECT count(DISTINCT email_key), sum(length(email)), sum(length(password_hash)) FROM users",
    "SELECT count(*), count(DISTINCT user_id), count(DISTINCT role) FROM user_roles",
    "SELECT count(*), sum(generation), sum(last_used_at % 1000003), count(nonce) FROM sessions",
    "SELECT sum(length(token_hash)), sum(length(user_agent)) FROM sessions",
    "SELECT count(*), sum(at % 1000003), count(detail) FROM audit_events WHERE event <> 'copied'",
    "SELECT count(*), sum(length(public_key)), sum(length(sealed_private_key)) FROM signing_keys",
    "SELECT count(*), sum(version), sum(due_at % 1000003), sum(deleted_at % 1000003) FROM todos",
    "SELECT count(DISTINCT title), count(DISTINCT title_key), sum(length(description_key)) FROM todos",
    "SELECT count(*), sum(size), sum(length(content)), count(DISTINCT etag) FROM documents",
    "SELECT sum(count) FROM revocations",
    "SELECT count(*), sum(length(value)) FROM meta",
]


class File:
    """A database in a file, with the words of `databases.Database`."""

    def __init__(self, path):
        self.path = path
        self.url = f"sqlite://{path}"

    def ask(self, sql):
        with sqlite3.connect(self.path) as database:
            rows = database.execute(sql).fetchall()
        database.close()
        return [[str(value) for value in row] for row in rows]


def figures(database):
    """What a database holds, by its own word."""
    return [database.ask(sql) for sql in FIGURES]


class Installation:
    """`with Installation() as home:` founds one in a file, with a user who is logged in."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="vestibule-")
        self.path = pathlib.Path(self.folder.name)
        self.data = self.path / "data"
        self.source = File(self.data / "vestibule.db")

    def __enter__(self):
        with self.serve(self.source) as server:
            client = self.client(server)
            self.session = client.register("ada@example.org", PASSWORD)
            answer = client.login("ada@example.org", PASSWORD, mode="cookie")
            self.cookie = answer.headers["Set-Cookie"].split(";")[0]
            self.refresh_token = self.session["refresh_token"]
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def client(self, server):
        """A client of a server of this installation, whose public URL is not where it listens."""
        return Client(f"http://{server.listen}")

    def file(self, name):
        return File(self.path / name)

    def serve(self, database, *flags):
        """A server on a database, to be used by `with`."""
        server = Server(*AT, *NO_LIMITS, "--database-url", database.url, *flags)
        server.data = self.data
        return server

    def begin(self, *arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT):
        """Starts a command and leaves it running."""
        return subprocess.Popen(
            [os.environ["VESTIBULE_BINARY"], *arguments, "--data-dir", str(self.data)],
            cwd=self.path,
            env={name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            text=True,
        )

    def run(self, *arguments):
        """Runs a command to its end and returns its exit code and what it said."""
        process = self.begin(*arguments)
        said, _ = process.communicate(timeout=3600)
        return process.returncode, said

    def copy(self, source, target, *flags):
        """The arguments of a copy; the URLs stand in files, as an operator's would."""
        for name, database in (("from", source), ("to", target)):
            file = self.path / f"{name}-url"
            file.touch(mode=0o600)
            file.write_text(database.url)
        return ["copy", "--from-file", "from-url", "--to-file", "to-url", *flags]

    def fill(self, users, todos_of_each=1):
        """Adds users with roles, sessions, audit events, todos and documents."""
        every = range(users)
        with sqlite3.connect(self.source.path) as database:
            _insert(database, "users", (_user(index) for index in every))
            _insert(database, "user_roles", (_role(index) for index in every[::7]))
            _insert(database, "sessions", (_session(index) for index in every))
            _insert(database, "audit_events", (_audit_event(index) for index in every))
            todos = range(users * todos_of_each)
            _insert(database, "todos", (_todo(index, row_id(USER_ROW, index % users)) for index in todos))
            _insert(database, "documents", (_document(index) for index in every[::11]))
        database.close()

    def fill_todos(self, owner, number):
        """Adds todos of one user who was registered; `owner` is their id."""
        owner = uuid.UUID(owner)
        # Far from those of the others.
        first = (1 + owner.int % 2**31) << 16
        with sqlite3.connect(self.source.path) as database:
            _insert(database, "todos", (_todo(first + index, owner.bytes) for index in range(number)))
        database.close()


# The first byte of the ids of users and sessions that are added as rows.
USER_ROW, SESSION_ROW = 1, 2

# Yesterday, in microseconds: sessions of that time are good for days to come.
DAY = 86_400_000_000
NOON = (time.time_ns() // 1000 // DAY - 1) * DAY + DAY // 2
NAMES = [None, "", "Zoë 🦀", "e\u0301\u202e", "x" * 200]


def _insert(database, table, rows):
    rows = iter(rows)
    first = next(rows)
    values = ", ".join(f":{column}" for column in first)
    insert = f"INSERT INTO {table} ({', '.join(first)}) VALUES ({values})"
    database.execute(insert, first)
    database.executemany(insert, rows)


def row_id(kind, index):
    return (kind << 120 | 7 << 76 | index).to_bytes(16, "big")


def _user(index):
    return {
        "id": row_id(USER_ROW, index),
        "email": f"User-{index}@example.org",
        "email_key": f"user-{index}@example.org",
        "username": f"User{index}" if index % 3 else None,
        "username_key": f"user{index}" if index % 3 else None,
        "name": NAMES[index % len(NAMES)],
        "password_hash": f"$argon2id$v=19$m=19456,t=2,p=1${index:022}${index:043}",
        "email_verified": index % 2,
        "disabled_at": None if index % 50 else NOON,
        "deleted_at": None,
        "created_at": NOON + index,
        "updated_at": NOON + index * 7919,
    }


def _role(index):
    return {"user_id": row_id(USER_ROW, index), "role": "editor"}


def _session(index):
    is_rotated = index % 2
    return {
        "id": row_id(SESSION_ROW, index),
        "user_id": row_id(USER_ROW, index),
        "kind": "token",
        "generation": index % 90,
        "token_hash": index.to_bytes(32, "little"),
        "nonce": index.to_bytes(32, "big") if is_rotated else None,
        "rotated_at": NOON if is_rotated else None,
        "created_at": NOON,
        "last_used_at": NOON + index,
        "idle_expires_at": NOON + 10**12,
        "expires_at": NOON + 10**13,
        "address": "2001:db8::1",
        "user_agent": "Mozilla/5.0 " + "x" * 80,
    }


def _document(index):
    # Some of them are as large as one may be.
    content = b'"%s"' % (b"\xc3\xa9" * (32_767 if index % 550 == 0 else index % 90))
    return {
        "user_id": row_id(USER_ROW, index),
        "key": f"Settings.{index % 3}",
        "etag": f"of-{index}",
        "size": len(content),
        "created_at": NOON + index,
        "updated_at": NOON + index * 7,
        "content": content,
    }


def _audit_event(index):
    return {
        "id": row_id(3, index),
        "at": NOON + index,
        "event": "login",
        "actor_kind": "user",
        "actor_id": row_id(USER_ROW, index),
        "subject_id": row_id(USER_ROW, index),
        "address": "192.0.2.1",
        "user_agent": None if index % 4 else "curl/8",
        "request_id": f"{index:036}",
        "detail": None if index % 9 else "{}",
    }


def _todo(index, owner):
    title = f"{index} {NAMES[index % len(NAMES)] or 'Tests'}"[:200]
    return {
        "id": row_id(4, index),
        "user_id": owner,
        "title": title,
        "title_key": title.lower(),
        "description": "One line\n\tand another" if index % 3 else "",
        "description_key": "one line\n\tand another" if index % 3 else "",
        "completed": index % 2,
        "due_at": NOON + index if index % 4 else 2**63 - 1,
        "created_at": NOON + index,
        "updated_at": NOON + index,
        "deleted_at": 2**63 - 1 if index % 5 else NOON,
        "version": 1 + index % 7,
    }
