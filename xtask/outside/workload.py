"""Clients of every kind for a server that is about to have a hard time, and a record of how each of them was answered.

What was done to the server, and what that excuses, is up to the scripts; what the clients were told is kept in
`ledger.py`.
"""

import collections
import http.client
import itertools
import random
import threading
import time

from client import Client
from ledger import Account

# `began` by the monotonic clock, `seconds` to the last byte of the answer.
Asked = collections.namedtuple("Asked", "began seconds what answer")

SUCCESS = {"register": 201, "log out": 204}

# How often each is asked for among a hundred; hashes are what a server has the fewest of.
MIX = {"register": 4, "log in": 6, "log out": 8, "refresh": 22, "rename": 20, "profile": 20, "me": 20}


def is_success(asked):
    return asked.answer.status == SUCCESS.get(asked.what, 200)


def is_refusal(answer, status, code):
    """Whether it says honestly that there is no answer now, and, where that will pass, when to come again."""
    if answer.status != status or answer.headers["Content-Type"] != "application/problem+json":
        return False
    return answer["code"] == code and (status != 503 or int(answer.headers["Retry-After"] or 0) > 0)


class Recorder:
    """Threads that ask until they are told to end, and the list of what they asked."""

    def __init__(self):
        self.asked = []
        self.failures = []
        self.changed = threading.Condition()
        self.over = threading.Event()
        self.threads = []

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def wait_for(self, enough, timeout):
        """Waits until `enough` of those asked; whether it came to that."""
        with self.changed:
            return self.changed.wait_for(lambda: enough(self.asked) or self.failures, timeout)

    def since(self, moment, until=float("inf")):
        return [asked for asked in self.asked if moment <= asked.began < until]

    def record(self, what, ask, *arguments):
        began = time.monotonic()
        answer = ask(*arguments)
        asked = Asked(began, time.monotonic() - began, what, answer)
        with self.changed:
            self.asked.append(asked)
            self.changed.notify_all()
        return asked

    def guarded(self, work, *arguments):
        try:
            work(*arguments)
        except (OSError, http.client.HTTPException, ValueError, KeyError) as failure:
            with self.changed:
                self.failures.append(f"{threading.current_thread().name}: {failure!r}")
                self.changed.notify_all()


class Watch(Recorder):
    """Somebody who asks for one path, again and again."""

    PAUSE = 0.05

    def __init__(self, url, path):
        super().__init__()
        self.threads = [threading.Thread(target=self.guarded, args=[self._ask, url, path], name=path)]

    def _ask(self, url, path):
        client = Client(url)
        while not self.over.wait(self.PAUSE):
            self.record(path, client.get, path)


class Workload(Recorder):
    """Clients with accounts of their own, who do all that one does with an account, but do not take no for an end."""

    numbers = itertools.count()

    def __init__(self, url, clients, seed):
        super().__init__()
        self.url = url
        self.accounts = []
        self.threads = [
            threading.Thread(
                target=self.guarded, args=[self._act, random.Random(f"{seed}/{index}")], name=f"client {index}"
            )
            for index in range(clients)
        ]

    def _act(self, chance):
        client = Client(self.url)
        account = None
        while not self.over.is_set():
            what = chance.choices(list(MIX), MIX.values())[0]
            if account is None or what == "register":
                account = self._register(client)
                continue
            sessions = account.usable()
            if not sessions or what == "log in":
                self.record("log in", account.log_in, client)
                continue
            self._use(client, account, chance.choice(sessions), what)

    def _register(self, client):
        """The account, once somebody knows that it exists."""
        with self.changed:
            account = Account(f"user-{next(self.numbers)}@example.org")
            self.accounts.append(account)
        registered = self.record("register", account.register, client)
        return account if is_success(registered) else None

    def _use(self, client, account, session, what):
        match what:
            case "log out":
                self.record(what, session.end, client)
            case "refresh":
                self.record(what, session.renew, client)
            case "rename":
                with self.changed:
                    name = f"Name {next(self.numbers)}"
                self.record(what, account.rename, client, session, name)
            case "profile":
                self.record(what, client.get, "/api/user/profile", session.access)
            case "me":
                self.record(what, client.me, session.access)
