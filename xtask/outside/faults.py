"""Takes the database away from the released program in every way in which databases go, while clients are at work.

Every answer has to come within 5 s and be a success or say 503; the process has to live, and say that it is not ready;
within 5 s after the database is back all has to be well again, without a restart; and what was acknowledged has to be
so.

    faults.py [--engine E]... [--long] [--seed N]
"""

import argparse
import random
import threading
import time
import urllib.parse

from checks import Checks, expect
from client import Client
from crowd import Visitor, visit
from databases import Database
from load import LATE_REPEATS, PASSWORD, Account, a_broken_promise_is_found, broken_promises
from server import NO_LIMITS, Server
from workload import MIX, WRITES, Asked, Watch, Workload, is_refusal

CLIENTS = 8
CROWD = 500
# The connections that the database server lets in; the program takes twelve.
CONNECTIONS = 24

# What is promised, in seconds, for an answer and for the time after the database is back.
ANSWERED_WITHIN = 5.0
WELL_WITHIN = 5.0
# How much slower the process may be to say that it lives, on a machine that does all of this at once.
ALIVE_WITHIN = 1.0
# For what takes a moment on any machine.
PATIENCE = 60


class Postgres:
    """What somebody does to a PostgreSQL who may do everything there. The program is somebody else."""

    # Those that are left for whoever may do everything.
    RESERVED = 3
    MAKE_PROGRAM = "CREATE ROLE program LOGIN PASSWORD 'secret'; ALTER DATABASE vestibule OWNER TO program"
    REFUSE_PROGRAM = "ALTER ROLE program NOLOGIN"
    ADMIT_PROGRAM = "ALTER ROLE program LOGIN"
    OF_USER = "SELECT pid FROM pg_stat_activity WHERE usename = '{user}' AND pid <> pg_backend_pid()"
    END = "SELECT pg_terminate_backend({id})"
    HOLD_TABLES = "BEGIN; LOCK TABLE users, sessions; SELECT pg_sleep({seconds}); COMMIT"
    SLEEP = "SELECT pg_sleep({seconds})"


class MariaDb:
    """The same on a MariaDB, which lets in one more of those who may do everything."""

    RESERVED = 0
    MAKE_PROGRAM = (
        "CREATE USER program@'127.0.0.1' IDENTIFIED BY 'secret'; "
        "GRANT ALL PRIVILEGES ON vestibule.* TO program@'127.0.0.1'"
    )
    REFUSE_PROGRAM = "ALTER USER program@'127.0.0.1' ACCOUNT LOCK"
    ADMIT_PROGRAM = "ALTER USER program@'127.0.0.1' ACCOUNT UNLOCK"
    OF_USER = "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '{user}' AND ID <> CONNECTION_ID()"
    END = "KILL CONNECTION {id}"
    HOLD_TABLES = "LOCK TABLES users WRITE, sessions WRITE; SELECT SLEEP({seconds}); UNLOCK TABLES"
    SLEEP = "SELECT SLEEP({seconds})"


class Place:
    """A database on a server of its own, with an account for the program that may not do everything."""

    ADMINISTRATOR, PROGRAM = "vestibule", "program"

    def __init__(self, engine):
        self.words = {"postgres": Postgres, "mariadb": MariaDb}[engine]
        self.server = Database(engine, f"max_connections={CONNECTIONS}")
        self.server.ask(self.words.MAKE_PROGRAM)
        address = urllib.parse.urlsplit(self.server.url)
        self.url = address._replace(netloc=f"{self.PROGRAM}:secret@127.0.0.1:{address.port}").geturl()

    def connections_of(self, user):
        return [row[0] for row in self.server.ask(self.words.OF_USER.format(user=user))]

    def end_connections_of(self, user):
        """How many there were; some may end by themselves in between."""
        found = self.connections_of(user)
        for connection in found:
            try:
                self.server.ask(self.words.END.format(id=connection))
            except AssertionError as failure:
                assert "Unknown thread id" in str(failure), failure
        return len(found)


class Long:
    """Something that is asked of the database server meanwhile, and ends when it is over or is ended."""

    def __init__(self, place, sql):
        self.thread = threading.Thread(target=self._ask, args=[place, sql])
        self.failure = None

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.thread.join()

    def _ask(self, place, sql):
        try:
            place.server.ask(sql)
        except AssertionError as failure:
            self.failure = failure


def stopped(place, _server, seconds):
    place.server.stop()
    time.sleep(seconds)
    place.server.start()


def frozen(place, _server, seconds):
    place.server.pause()
    time.sleep(seconds)
    place.server.resume()


def restarted(place, _server, seconds):
    for _ in range(max(2, seconds // 10)):
        place.server.stop()
        place.server.start()


def robbed_of_its_connections(place, _server, seconds):
    """Each second all of them, whatever they are doing."""
    ended = 0
    for _ in range(seconds):
        ended += place.end_connections_of(place.PROGRAM)
        time.sleep(1)
    assert ended >= seconds, f"only {ended} connections were there to be ended"


def locked_before_a_crowd(place, server, seconds):
    """No call ends by itself, and 500 clients want one of ten connections each."""
    account = Account("somebody-in-the-crowd@example.org")
    account.register(Client(server.url))
    token = account.sessions[0].access
    with Long(place, place.words.HOLD_TABLES.format(seconds=seconds)) as held:
        kinds = [
            ("PATCH", "/api/user/profile", {"name": "Somebody"}, token),
            ("GET", "/api/auth/sessions", None, token),
            ("POST", "/api/auth/login", {"login": "nobody@example.org", "password": PASSWORD}),
            ("POST", "/api/auth/refresh", {"refresh_token": account.sessions[0].refresh}),
        ]
        crowd = [Visitor(*kinds[number % len(kinds)]) for number in range(CROWD)]
        visit(server.url, crowd, CROWD)
    assert held.failure is None, held.failure
    for visitor in crowd:
        assert visitor.heard, visitor.failure
        refused = visitor.heard.answer.status in (200, 401) or is_refusal(visitor.heard.answer, 503, "unavailable")
        assert refused, visitor.heard
    slowest = max(visitor.heard.seconds for visitor in crowd)
    # On a machine that also has the crowd to carry.
    assert slowest < ANSWERED_WITHIN + ALIVE_WITHIN, f"{slowest:.2f} s"
    refused = sum(visitor.heard.answer.status == 503 for visitor in crowd)
    print(f"-- of a crowd of {CROWD} {refused} were refused, the slowest answer took {slowest:.2f} s")
    assert refused, "nobody was refused"


def out_of_connections(place, _server, seconds):
    """Others have all of them. They come while the program is kept out, or it would have its own still."""
    others = CONNECTIONS - place.words.RESERVED
    place.server.ask(place.words.REFUSE_PROGRAM)
    place.end_connections_of(place.PROGRAM)
    sleepers = [Long(place, place.words.SLEEP.format(seconds=PATIENCE)) for _ in range(others)]
    for sleeper in sleepers:
        sleeper.thread.start()
    deadline = time.monotonic() + PATIENCE
    while len(place.connections_of(place.ADMINISTRATOR)) < others:
        assert time.monotonic() < deadline, "the others do not get their connections"
    place.server.ask(place.words.ADMIT_PROGRAM)
    time.sleep(seconds)
    place.end_connections_of(place.ADMINISTRATOR)
    for sleeper in sleepers:
        sleeper.thread.join()


# Each with the seconds that it takes in a short run and in a long one, and whether it is sure to be noticed.
FAULTS = [
    (stopped, 4, 20, True),
    (frozen, 6, 60, True),
    (restarted, 0, 60, False),
    (robbed_of_its_connections, 4, 30, False),
    (locked_before_a_crowd, 6, 12, True),
    (out_of_connections, 4, 20, True),
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", action="append", choices=["postgres", "mariadb"])
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")

    checks = Checks()
    chance = random.Random(arguments.seed)
    checks.run_all([answers_that_are_not_good_enough_are_found])
    for engine in arguments.engine or ["postgres", "mariadb"]:
        place = Place(engine)
        with Server(*NO_LIMITS, LATE_REPEATS, database=place.url) as server:
            process = server.process.pid
            for fault, short, long, is_noticed in FAULTS:
                seconds = long if arguments.long else short
                print(f"-- {engine} {fault.__name__.replace('_', ' ')}", flush=True)
                try_once(checks, place, server, chance.random(), fault, seconds, is_noticed)
            checks.run("a broken promise is found", a_broken_promise_is_found, Client(server.url), "example.net")
            checks.run("it was one process all the time", expect, server.process.pid, process)
    checks.finish()


def try_once(checks, place, server, seed, fault, seconds, is_noticed):
    """Load before the fault, while it lasts, and after it."""
    with (
        Watch(server.url, "/livez") as alive,
        Watch(server.url, "/readyz") as ready,
        Workload(server.url, CLIENTS, seed) as load,
    ):
        checks.run("all is well before", expect, load.wait_for(lambda asked: kinds(asked) == set(MIX), PATIENCE), True)
        broke = time.monotonic()
        checks.run("what is done is done", fault, place, server, seconds)
        mended = time.monotonic()
        load.wait_for(lambda asked: writes(asked, mended), PATIENCE)
        well = time.monotonic()
        load.wait_for(lambda asked: kinds(one for one in asked if one.began > well) == set(MIX), PATIENCE)

    noise = max(asked.seconds for asked in alive.asked)
    report(load, noise, mended, well)
    checks.run("nobody is left without an answer", expect, load.failures + alive.failures + ready.failures, [])
    checks.run_all([every_refusal_is_honest], load.asked + ready.asked)
    checks.run_all([every_answer_comes_in_time], load.asked + ready.asked, noise)
    checks.run_all([the_process_lives_all_the_time], alive.asked)
    if is_noticed:
        checks.run_all([clients_were_refused], load.since(broke, mended))
        checks.run_all([it_was_said_that_the_database_is_out_of_reach], ready.since(broke, mended))
    checks.run_all([all_is_well_again_in_time], well - mended, load.asked + ready.asked, mended)
    checks.run_all([nothing_acknowledged_is_lost], server.url, load.accounts)


def report(load, noise, mended, well):
    slowest = max(asked.seconds for asked in load.asked)
    refused = sum(asked.refusal is not None for asked in load.asked)
    print(f"-- {len(load.asked)} answers, {refused} of them 503, the slowest after {slowest:.2f} s; ", end="")
    print(f"/livez within {noise * 1000:.0f} ms; well {well - mended:.2f} s after the end")


def writes(asked, since):
    return [one for one in asked if one.what in WRITES and one.began > since and not one.refusal]


def kinds(asked):
    return {one.what for one in asked if not one.refusal}


def every_refusal_is_honest(asked):
    for one in asked:
        assert not one.refusal or is_refusal(one.refusal, 503, "unavailable"), one


def every_answer_comes_in_time(asked, noise=0):
    """The noise is what this machine takes, at the worst, for an answer that asks nobody."""
    for one in asked:
        assert one.seconds < ANSWERED_WITHIN + noise, one


def the_process_lives_all_the_time(asked):
    for one in asked:
        assert not one.refusal and one.seconds < ALIVE_WITHIN, one


def clients_were_refused(asked):
    assert any(one.refusal for one in asked), f"{len(asked)} answers and not one refusal"


def it_was_said_that_the_database_is_out_of_reach(asked):
    said = [one.refusal["detail"] for one in asked if one.refusal]
    assert said and all(detail.startswith("database:") for detail in said), said


def all_is_well_again_in_time(after, asked, mended):
    """Something is written again, and from then on nothing is refused."""
    assert after < WELL_WITHIN, f"{after:.2f} s"
    late = [one for one in asked if one.began > mended + WELL_WITHIN and one.refusal]
    expect(late, [])


def nothing_acknowledged_is_lost(url, accounts):
    expect(broken_promises(Client(url), accounts), [])


def answers_that_are_not_good_enough_are_found():
    """A negative control: each of the judges has to refuse something."""

    class Refusal(dict):
        def __init__(self, status, code, retry_after):
            super().__init__(code=code, detail="the server is shutting down")
            self.status = status
            self.headers = {"Content-Type": "application/problem+json", "Retry-After": retry_after}

    honest = Asked(0, 0.1, "me", Refusal(503, "unavailable", "5"))
    every_refusal_is_honest([honest])
    for judge, asked in [
        (every_refusal_is_honest, honest._replace(refusal=Refusal(500, "internal_error", None))),
        (every_refusal_is_honest, honest._replace(refusal=Refusal(503, "unavailable", None))),
        (every_refusal_is_honest, honest._replace(refusal=Refusal(503, "storage_full", "5"))),
        (every_answer_comes_in_time, honest._replace(seconds=ANSWERED_WITHIN)),
        (the_process_lives_all_the_time, honest),
        (the_process_lives_all_the_time, Asked(0, ALIVE_WITHIN, "/livez", None)),
        (clients_were_refused, Asked(0, 0.1, "me", None)),
        (it_was_said_that_the_database_is_out_of_reach, honest),
    ]:
        try:
            judge([asked])
        except AssertionError:
            continue
        raise AssertionError(f"{judge.__name__} lets {asked} pass")


main()
