"""Measures whether answers take longer where there is more: a thousand users against a million, five todos for each.

Both installations are asked in turn, in the same run, so that the ratio is about nothing but their size. A login is one
that fails, of an account whose hash costs nothing: what is left of it is the look-up and the audit event. `me` is asked
by sessions that the server has not seen since its start. The first page of todos and the thousandth are those of users
who have that many in both installations.

    bench_scale.py [--users N] [--engine E]...
"""

import argparse
import collections
import contextlib
import itertools
import json
import statistics
import sys
import time

from checks import expect
from databases import Database
from installation import PASSWORD, Installation
from wire import Wire

FEW_USERS = 1_000
TODOS_OF_EACH = 5
# Who asks, and how often the server is started anew so that it has not seen their sessions.
CALLERS = 40
ROUNDS = 5
# Users with so many todos that there is a thousandth page.
PAGE = 20
THOUSANDTH = 999 * PAGE
BUSY_CALLERS = 4
# How often each of the busy ones asks for a page in a round.
REPEATS = 10

PROMISED = 1.5

# One round of PBKDF2: Django's form, as somebody might have taken it over.
FREE_HASH = "pbkdf2_sha256$1$salt$" + "A" * 43 + "="


class Place:
    """An installation of some size on one engine, whose answers are timed."""

    def __init__(self, home, database, users):
        self.home = home
        self.database = database
        self.users = users
        self.seconds = collections.defaultdict(list)

    def log_in(self):
        """Access tokens of all callers, made by a server that will not be asked for anything else."""
        with self.home.serve(self.database) as server:
            client = self.home.client(server)
            opened = [client.login(caller(index), PASSWORD) for index in range(CALLERS)]
        self.tokens = [answer["access_token"] for answer in opened]

    def asked(self, stack):
        """A connection to a server that was just started."""
        server = stack.enter_context(self.home.serve(self.database))
        return Wire(f"http://{server.listen}")

    def requests(self):
        """Each with what it is a case of and how it is to be answered, in an order that is the same for every size."""
        for index, token in enumerate(self.tokens):
            yield "me, not remembered", get("/api/auth/me", token), 200
            login = {"login": stranger(index, self.users), "password": "wrong"}
            yield "login that fails", post("/api/auth/login", login), 401
        busy = itertools.cycle(self.tokens[:BUSY_CALLERS])
        for token in itertools.islice(busy, BUSY_CALLERS * REPEATS):
            yield "todos, page 1", get(f"/api/todos?limit={PAGE}", token), 200
            yield "todos, page 1,000", get(f"/api/todos?limit={PAGE}&offset={THOUSANDTH}", token), 200
            yield "todos by due date", get(f"/api/todos?limit={PAGE}&sort=due_at&completed=false", token), 200


def caller(index):
    return f"caller-{index}@example.net"


def stranger(index, users):
    """One of those who were added as rows, anywhere among them."""
    return f"User-{index * 7919 % users}@example.org"


def get(path, token):
    return f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def post(path, body):
    body = json.dumps(body)
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


def founded(home, users):
    """Fills an installation: callers who are registered as anybody is, and the others as rows."""
    with home.serve(home.source) as server:
        client = home.client(server)
        busy = [client.register(caller(index), PASSWORD)["user"]["id"] for index in range(CALLERS)][:BUSY_CALLERS]
    home.fill(users, TODOS_OF_EACH)
    for owner in busy:
        home.fill_todos(owner, 2 * (THOUSANDTH + PAGE))
    known = ", ".join(f"'{stranger(index, users).lower()}'" for index in range(CALLERS))
    home.source.ask(f"UPDATE users SET password_hash = '{FREE_HASH}' WHERE email_key IN ({known})")


def measure(few, many):
    """Asks both in turn, so that whatever else the machine does is shared by them."""
    for place in (few, many):
        place.log_in()
    for _ in range(ROUNDS):
        with contextlib.ExitStack() as stack:
            wires = [stack.enter_context(place.asked(stack)) for place in (few, many)]
            for pair in zip(few.requests(), many.requests()):
                for place, wire, (case, request, status) in zip((few, many), wires, pair):
                    began = time.perf_counter()
                    wire.send(request)
                    answer = wire.answer()
                    place.seconds[case].append(time.perf_counter() - began)
                    expect(answer.status, status)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--engine", action="append", choices=["sqlite", "postgres", "mariadb"])
    arguments = parser.parse_args()
    too_slow = []
    with Installation() as small, Installation() as large:
        for home, users in ((small, FEW_USERS), (large, arguments.users)):
            founded(home, users)
        for engine in arguments.engine or ["sqlite", "postgres"]:
            few, many = (
                Place(small, moved(small, engine), FEW_USERS),
                Place(large, moved(large, engine), arguments.users),
            )
            measure(few, many)
            too_slow += [f"{engine}: {case}" for case in printed(engine, few, many)]
    if too_slow:
        sys.exit(f"more than {PROMISED} times as slow: {', '.join(too_slow)}")


def moved(home, engine):
    """The installation's database on that engine."""
    if engine == "sqlite":
        return home.source
    target = Database(engine)
    status, said = home.run(*home.copy(home.source, target))
    assert status == 0, said
    # What the server would do by itself some minutes after so many rows were added. Until then PostgreSQL looks up in the
    # table whether what it counts in an index is there.
    tables = "users, sessions, todos, audit_events"
    target.ask("VACUUM ANALYZE" if engine == "postgres" else f"ANALYZE TABLE {tables}")
    return target


def printed(engine, few, many):
    """Prints a row for each case, and returns those that are too slow."""
    print(f"{engine + ':':24} {few.users:>11,} {many.users:>11,} users {'ratio':>7}")
    for case, seconds in few.seconds.items():
        before, after = (statistics.median(seconds) * 1e6 for seconds in (seconds, many.seconds[case]))
        print(f"{case:24} {before:8,.0f} us {after:8,.0f} us {after / before:13.2f}", flush=True)
        if after > PROMISED * before:
            yield case


main()
