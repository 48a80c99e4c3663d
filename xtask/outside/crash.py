"""Kills the released program under load, starts it again, and compares what it knows with what it said.

Every answer a client received must still be true after the restart; a request that got no answer has
either happened whole or not at all; and sessions and keys go on.

    crash.py [--cycles N] [--seed N]
"""

import argparse
import http.client
import json
import random
import sqlite3
import threading

from checks import Checks, expect, expect_answer
from client import Client
from server import NO_LIMITS, Server

PASSWORD = "a long and uncommon sentence"
CLIENTS = 6
CONNECTION_LOST = (OSError, http.client.HTTPException)


class Session:
    """A session as its client knows it, from the answers that arrived."""

    def __init__(self, answer):
        self.access = answer["access_token"]
        self.refresh = answer["refresh_token"]
        self.spent = []
        self.logout = "not asked"

    def renew(self, client):
        answer = client.refresh(self.refresh)
        expect_answer(answer, 200)
        self.spent.append(self.refresh)
        self.access, self.refresh = answer["access_token"], answer["refresh_token"]

    def end(self, client):
        self.logout = "asked"
        expect_answer(client.post("/api/auth/logout", token=self.access), 204)
        self.logout = "answered"


class Account:
    """An account that was asked for; `exists` once its registration was answered."""

    def __init__(self, number):
        self.email = f"user-{number}@example.org"
        self.exists = False
        self.sessions = []


class Load:
    """Clients that register, refresh, log in and log out until the server is gone."""

    def __init__(self, url, first_number, seed):
        self.url = url
        self.accounts = []
        self.failures = []
        self.answered = 0
        self.numbers = iter(range(first_number, 10**9))
        self.changed = threading.Condition()
        self.gone = threading.Event()
        self.threads = [
            threading.Thread(target=self._client, args=[random.Random(f"{seed}/{index}")])
            for index in range(CLIENTS)
        ]
        for thread in self.threads:
            thread.start()

    def wait_for_answers(self, number):
        with self.changed:
            enough = self.changed.wait_for(lambda: self.answered >= number or self.failures, timeout=120)
        assert enough, f"only {self.answered} answers in two minutes"

    def end(self):
        """To be called when the server is gone."""
        self.gone.set()
        for thread in self.threads:
            thread.join()

    def _client(self, chance):
        client = Client(self.url)
        try:
            while not self.gone.is_set():
                self._one_account(client, chance)
        except CONNECTION_LOST:
            pass
        except Exception as failure:
            with self.changed:
                self.failures.append(failure)
                self.changed.notify()

    def _one_account(self, client, chance):
        with self.changed:
            account = Account(next(self.numbers))
            self.accounts.append(account)
        answer = client.register(account.email, PASSWORD)
        expect_answer(answer, 201)
        account.exists = True
        account.sessions.append(Session(answer))
        self._count()
        for _ in range(chance.randrange(6)):
            account.sessions[0].renew(client)
            self._count()
        if chance.random() < 0.4:
            answer = client.login(account.email, PASSWORD)
            expect_answer(answer, 200)
            account.sessions.append(Session(answer))
            self._count()
        if chance.random() < 0.4:
            account.sessions[-1].end(client)
            self._count()

    def _count(self):
        with self.changed:
            self.answered += 1
            self.changed.notify()


def published_key_ids(client):
    return {key["kid"] for key in json.loads(client.get("/.well-known/jwks.json").bytes)["keys"]}


def no_answer_was_a_failure(load):
    if load.failures:
        raise load.failures[0]


def every_answered_registration_is_there(client, accounts):
    for account in accounts:
        if account.exists:
            expect_answer(client.login(account.email, PASSWORD), 200)


def an_unanswered_registration_is_there_whole_or_not_at_all(client, accounts):
    for account in accounts:
        if not account.exists:
            again = client.register(account.email, PASSWORD)
            expect(again.status, 201, 409)
            expect_answer(client.login(account.email, PASSWORD), 200)
            account.exists = True


def every_answered_logout_still_holds(client, sessions):
    for session in sessions:
        if session.logout == "answered":
            expect_answer(client.me(session.access), 401)
            expect_answer(client.refresh(session.refresh), 401)


def an_unanswered_logout_has_ended_all_of_a_session_or_nothing(client, sessions):
    for session in sessions:
        if session.logout == "asked":
            status = client.me(session.access).status
            expect(status, 200, 401)
            expect_answer(client.refresh(session.refresh), status)


def open_sessions_go_on_where_their_clients_left_off(client, sessions):
    """Also those whose last refresh got no answer: the token is unspent, or gives its successor again."""
    for session in sessions:
        if session.logout == "not asked":
            expect_answer(client.me(session.access), 200)
            session.renew(client)
            expect_answer(client.me(session.access), 200)
            session.renew(client)


def a_token_spent_before_the_crash_is_still_known_as_spent(client, sessions):
    """Ends the sessions it looks at, and so looks at few."""
    renewed = [session for session in sessions if session.logout == "not asked" and len(session.spent) > 2]
    for session in renewed[:5]:
        expect_answer(client.refresh(session.spent[0]), 401, "refresh_token_reused")
        expect_answer(client.me(session.access), 401)
        session.logout = "answered"


def known_keys_are_still_published(client, before):
    missing = before - published_key_ids(client)
    assert not missing, missing


def the_database_is_sound(path):
    with sqlite3.connect(path) as database:
        expect(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        expect(database.execute("PRAGMA foreign_key_check").fetchall(), [])


def cycle(checks, server, number, chance, older):
    """One crash: load, SIGKILL after a random number of answers, restart, comparison."""
    keys = published_key_ids(Client(server.url))
    load = Load(server.url, number * 10**6, chance.random())
    load.wait_for_answers(chance.randrange(20, 250))
    server.kill()
    load.end()
    server.start()

    client = Client(server.url)
    accounts = load.accounts + chance.sample(older, min(len(older), 10))
    sessions = [session for account in accounts for session in account.sessions]
    print(f"-- crash {number}: {load.answered} answers, {len(load.accounts)} accounts", flush=True)
    # Logged-in sessions first: a lost refresh is repeated within its grace.
    checks.run_all([open_sessions_go_on_where_their_clients_left_off], client, sessions)
    checks.run_all([every_answered_registration_is_there], client, accounts)
    checks.run_all([an_unanswered_registration_is_there_whole_or_not_at_all], client, accounts)
    checks.run_all([every_answered_logout_still_holds], client, sessions)
    checks.run_all([an_unanswered_logout_has_ended_all_of_a_session_or_nothing], client, sessions)
    checks.run_all([a_token_spent_before_the_crash_is_still_known_as_spent], client, sessions)
    checks.run_all([known_keys_are_still_published], client, keys)
    checks.run_all([no_answer_was_a_failure], load)
    settled = [account for account in load.accounts if all(s.logout != "asked" for s in account.sessions)]
    older.extend(settled)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cycles", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")

    checks = Checks()
    chance = random.Random(arguments.seed)
    older = []
    with Server(*NO_LIMITS) as server:
        for number in range(1, arguments.cycles + 1):
            cycle(checks, server, number, chance, older)
        expect(server.stop(), 0)
        checks.run("the database is sound", the_database_is_sound, server.data / "vestibule.db")
    checks.finish()


main()
