"""Thousands of clients of whom half leave at a moment of chance: what they began must leave nothing open behind.

No connection to the database may be left in a transaction, no acknowledged change may be missing, and every connection
of the pool has to be good for whoever comes next.

    leavers.py [--engine E]... [--clients N] [--seed N]
"""

import argparse
import concurrent.futures
import contextlib
import itertools
import random
import sqlite3
import statistics
import subprocess
import time

from checks import Checks, expect, expect_answer
from crowd import Visitor, visit
from databases import Database
from load import (
    LATE_REPEATS,
    PASSWORD,
    Account,
    Session,
    a_broken_promise_is_found,
    nothing_acknowledged_is_lost,
)
from server import NO_LIMITS, Server
from workload import is_refusal

# So many have an account, each with a session that one client at a time uses.
ACCOUNTS = 100
# Who leaves does so within the time that half of the answers have taken lately; within so many seconds at first.
FIRST_STAY = 0.03
# How often each is asked for among a hundred; hashes are what a server has the fewest of.
MIX = {"register": 2, "log out": 2, "refresh": 48, "rename": 48}
# For what takes a moment on any machine.
PATIENCE = 60
# A call goes on without its client, for 4.5 s; and PostgreSQL ends by itself what is left in a transaction for 10 s, as
# each connection of the program tells it to. Whatever is over between the two was ended by the program.
OVER_WITHIN = 6
SERVER_ENDS_IT = "SET idle_in_transaction_session_timeout = '10s';\n"

# What the database server knows of transactions that are open, but for that of the question. MariaDB looks anew only
# when it was not asked within the last 100 ms.
OPEN_TRANSACTIONS = {
    "postgres": "SELECT pid, state, query FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
    "AND backend_type = 'client backend' AND xact_start IS NOT NULL",
    "mariadb": "DO SLEEP(0.15); SELECT trx_mysql_thread_id, trx_state, trx_query FROM information_schema.INNODB_TRX "
    "WHERE trx_mysql_thread_id <> CONNECTION_ID()",
}


class File:
    """The database of SQLite, which tells nobody who is in a transaction, but lets nobody else begin one."""

    url = None

    def __init__(self, server):
        self.path = server.data / "vestibule.db"

    def open_transactions(self):
        with contextlib.closing(sqlite3.connect(self.path, timeout=0, isolation_level=None)) as database:
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as refused:
                return [str(refused)]
            return []

    @contextlib.contextmanager
    def somebody_in_a_transaction(self):
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            yield


class OnServer:
    """A database on a server of its own."""

    def __init__(self, engine):
        self.database = Database(engine)
        self.url = self.database.url

    def open_transactions(self):
        return self.database.ask(OPEN_TRANSACTIONS[self.database.engine])

    @contextlib.contextmanager
    def somebody_in_a_transaction(self):
        """Told the server the same about itself as the program does, which is to make no difference."""
        command, environment = self.database.client(), self.database.environment()
        with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, text=True) as client:
            client.stdin.write(SERVER_ENDS_IT if self.database.engine == "postgres" else "")
            client.stdin.write("BEGIN;\nUPDATE meta SET value = value;\n")
            client.stdin.flush()
            yield


class Someone:
    """A client with an account, who asks for one thing at a time and may not stay to hear the answer."""

    numbers = itertools.count()

    def __init__(self):
        self.account = Account(f"user-{next(self.numbers)}@example.org")
        self.heard = lambda answer: None
        # Told that there is no answer now, which leaves open what has happened, as to leave does.
        self.was_refused = False

    @property
    def session(self):
        return self.account.sessions[-1]

    def ask(self, what, patience):
        """The request; what its answer says is remembered by `take`."""
        self.was_refused = False
        match what:
            case "register":
                self.wanted, self.heard = 201, self._registered
                body = {"email": self.account.email, "password": PASSWORD}
                self.visitor = Visitor("POST", "/api/auth/register", body, patience=patience)
            case "log out":
                self.wanted, self.heard = 204, self._logged_out
                self.session.logout = "asked"
                self.visitor = Visitor("POST", "/api/auth/logout", token=self.session.access, patience=patience)
            case "refresh":
                self.wanted, self.heard = 200, self.session.pairs.append
                body = {"refresh_token": self.session.refresh}
                self.visitor = Visitor("POST", "/api/auth/refresh", body, patience=patience)
            case "rename":
                self.wanted, self.heard = 200, self.account.names_answered.append
                name = f"Name {next(self.numbers)}"
                self.account.names_asked.append(name)
                token = self.session.access
                self.visitor = Visitor("PATCH", "/api/user/profile", {"name": name}, token, patience)
        return self.visitor

    def can_go_on(self):
        """With a session that is known, and that nobody has asked to end."""
        return bool(self.account.sessions) and self.session.logout == "not asked"

    def take(self):
        """Whether there was an answer."""
        expect(self.visitor.failure, None)
        if self.visitor.heard is None:
            return False
        answer = self.visitor.heard.answer
        self.was_refused = is_refusal(answer, 503, "unavailable")
        if not self.was_refused:
            expect_answer(answer, self.wanted)
            self.heard(answer)
        return True

    def _registered(self, answer):
        self.account.registration = answer
        self.account.sessions.append(Session([answer]))

    def _logged_out(self, _answer):
        self.session.logout = "answered"


class Crowd:
    """Clients who come in waves, since each of them has to have heard, or not, before the next one uses its session."""

    def __init__(self, url, chance):
        self.url = url
        self.chance = chance
        self.people = [Someone() for _ in range(ACCOUNTS)]
        self.gone = []
        self.longest_stay = FIRST_STAY
        self.came = self.left = self.refused = 0

    def begin(self):
        """Everybody has an account, but for who was refused."""
        for someone in self.people:
            someone.ask("register", None)
        # Few at a time, as nobody is let wait for a hash for long.
        expect(self._visit(self.people, 4), 0)
        self._stay(self.people)

    def wave(self):
        visiting, resting = [], []
        for someone in self.people:
            what = self.chance.choices(list(MIX), MIX.values())[0]
            if what == "register":
                resting.append(someone)
                someone = Someone()
            someone.ask(what, self.chance.choice([None, self.chance.uniform(0, self.longest_stay)]))
            visiting.append(someone)
        self.left += self._visit(visiting)
        self.came += len(visiting)
        stayed = [someone.visitor for someone in visiting if someone.visitor.patience is None]
        self.longest_stay = statistics.median(visitor.heard.seconds for visitor in stayed)
        self.refused += sum(someone.was_refused for someone in visiting)
        self._stay(visiting + resting)

    def everybody_renames(self):
        """Who is refused comes again."""
        waiting, deadline = self.people, time.monotonic() + PATIENCE
        while waiting:
            assert time.monotonic() < deadline, f"{len(waiting)} cannot"
            for someone in waiting:
                someone.ask("rename", None)
            expect(self._visit(waiting), 0)
            waiting = [someone for someone in waiting if someone.was_refused]

    def _stay(self, everybody):
        self.people = [someone for someone in everybody if someone.can_go_on()]
        self.gone += [someone.account for someone in everybody if not someone.can_go_on()]

    def accounts(self):
        return self.gone + [someone.account for someone in self.people]

    def _visit(self, people, at_a_time=ACCOUNTS):
        """How many have left before their answer."""
        visit(self.url, [someone.visitor for someone in people], at_a_time)
        return sum(not someone.take() for someone in people)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", action="append", choices=["sqlite", "postgres", "mariadb"])
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")

    checks = Checks()
    engines = arguments.engine or ["sqlite", "postgres", "mariadb"]
    # Much of it is waiting, so all are tried at the same time.
    with concurrent.futures.ThreadPoolExecutor(len(engines)) as threads:
        tried = [threads.submit(try_engine, checks, engine, arguments.clients, arguments.seed) for engine in engines]
    for outcome in tried:
        outcome.result()
    checks.finish()


def try_engine(checks, engine, clients, seed):
    place = None if engine == "sqlite" else OnServer(engine)
    with Server(*NO_LIMITS, LATE_REPEATS, database=place and place.url) as server:
        try_server(checks, engine, place or File(server), server.url, clients, random.Random(f"{seed}/{engine}"))


def try_server(checks, engine, place, url, clients, chance):
    def check(judge, *arguments):
        checks.run(f"{engine}: {judge.__name__.replace('_', ' ')}", judge, *arguments)

    crowd = Crowd(url, chance)
    crowd.begin()
    while crowd.came < clients:
        crowd.wave()
    came = f"{crowd.came} clients came, {crowd.left} left before their answer, {crowd.refused} were refused"
    print(f"-- {engine}: {came}", flush=True)
    check(many_have_left, crowd.came, crowd.left)
    check(most_who_stayed_were_answered, crowd.came - crowd.left, crowd.refused)
    check(no_transaction_is_left_open, place)
    check(everybody_can_write, crowd)
    check(nothing_acknowledged_is_lost, url, crowd.accounts())
    check(a_transaction_that_is_left_open_is_found, place)
    check(a_broken_promise_is_found, url, "example.net")


def many_have_left(came, left):
    assert came / 4 < left < came * 3 / 4, f"{left} of {came}"


def most_who_stayed_were_answered(stayed, refused):
    """A machine that does all sorts of things may hold up a server for seconds, but not for all of the time."""
    assert refused < stayed / 2, f"{refused} of {stayed} were refused"


def no_transaction_is_left_open(place):
    """Later than a call may outlive its client, and before anything but the program ends it."""
    deadline = time.monotonic() + OVER_WITHIN
    while found := place.open_transactions():
        assert time.monotonic() < deadline, found


def everybody_can_write(crowd):
    """All at once, which needs every connection of the pool."""
    crowd.everybody_renames()


def a_transaction_that_is_left_open_is_found(place):
    """A negative control."""
    with place.somebody_in_a_transaction():
        deadline = time.monotonic() + PATIENCE
        while not place.open_transactions():
            assert time.monotonic() < deadline, "it has not begun"
        try:
            no_transaction_is_left_open(place)
        except AssertionError:
            return
    raise AssertionError("it is let pass")


main()
