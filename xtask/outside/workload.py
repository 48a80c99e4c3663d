"""Clients of every kind for a server that is about to have a hard time, and a record of how each of them was answered.

What is done to the server, and what that excuses, is up to the scripts; what clients remember of what they were told,
and whether it is still so, is in `load.py`.
"""

import collections
import itertools
import random
import threading
import time

from checks import expect_answer
from client import Client
from load import Account, Unanswered

# `began` is by the monotonic clock, `seconds` up to the last byte, and `refusal` is `None` for an answer as wished.
Asked = collections.namedtuple("Asked", "began seconds what refusal")

# How often each is asked for among a hundred; hashes are what a server has the fewest of.
MIX = {"register": 4, "log in": 6, "log out": 8, "refresh": 22, "rename": 20, "profile": 15, "me": 15}
MIX |= {"page by token": 5, "page by cookie": 5}
WRITES = {"register", "log in", "log out", "refresh", "rename"}

# Of the site, for members alone.
MEMBERS_PAGE = "/members/handbook.html"


def is_refusal(answer, status, code):
    """Whether it says honestly that there is no answer now, and, where that will pass, when to come again."""
    if answer.status != status or answer.headers["Content-Type"] != "application/problem+json":
        return False
    return answer["code"] == code and (status != 503 or int(answer.headers["Retry-After"] or 0) > 0)


def since(asked, begin):
    return [one for one in asked if one.began > begin]


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
            self.changed.wait_for(lambda: enough(self.asked) or self.failures, timeout)
            return enough(self.asked)

    def wait_for_more(self, number, timeout):
        wanted = len(self.asked) + number
        return self.wait_for(lambda asked: len(asked) >= wanted, timeout)

    def during(self, begin, end):
        """What was under way between the two moments."""
        return [asked for asked in self.asked if asked.began + asked.seconds > begin and asked.began < end]

    def thread(self, name, work, *arguments):
        self.threads.append(threading.Thread(target=self._guarded, args=[work, *arguments], name=name))

    def record(self, what, ask, *arguments):
        """Puts on record how long it took; `ask` raises where it got no answer as wished."""
        began, refusal = time.monotonic(), None
        try:
            ask(*arguments)
        except Unanswered as unanswered:
            if not unanswered.args:
                raise
            [refusal] = unanswered.args
        asked = Asked(began, time.monotonic() - began, what, refusal)
        with self.changed:
            self.asked.append(asked)
            self.changed.notify_all()
        return asked

    def _guarded(self, work, *arguments):
        try:
            work(*arguments)
        except Exception as failure:
            with self.changed:
                self.failures.append(f"{threading.current_thread().name}: {failure!r} {failure.__cause__ or ''}")
                self.changed.notify_all()


class Watch(Recorder):
    """Somebody who asks for one path, again and again, and with a token or a cookie if it is for members alone."""

    PAUSE = 0.05

    def __init__(self, url, path, token=None, cookie=None):
        super().__init__()
        self.thread(path, self._ask, url, path, token, cookie)

    def _ask(self, url, path, token, cookie):
        client = Client(url)
        while not self.over.wait(self.PAUSE):
            self.record(path, get, client, path, token, cookie)


class Workload(Recorder):
    """Clients with accounts of their own, who do all that one does with an account, and go on when they are refused."""

    numbers = itertools.count()

    def __init__(self, url, clients, seed):
        super().__init__()
        self.accounts = []
        for index in range(clients):
            self.thread(f"client {index}", self._act, url, random.Random(f"{seed}/{index}"))

    def _act(self, url, chance):
        client = Client(url)
        account = None
        while not self.over.is_set():
            what = chance.choices(list(MIX), MIX.values())[0]
            if account is None or what == "register":
                account = self._register(client) or account
                continue
            usable = [session for session in account.sessions if session.logout == "not asked"]
            if not usable or what == "log in":
                self.record("log in", account.login, client)
                continue
            if what == "page by cookie" and not account.cookie:
                self.record("log in", account.login_as_browser, client)
                continue
            self._use(client, account, chance.choice(usable), what)

    def _register(self, client):
        """The account, if it is known to exist."""
        with self.changed:
            account = Account(f"user-{next(self.numbers)}@example.org")
            self.accounts.append(account)
        self.record("register", account.register, client)
        return account if account.exists else None

    def _use(self, client, account, session, what):
        match what:
            case "log out":
                self.record(what, session.end, client)
            case "refresh":
                self.record(what, session.renew, client)
            case "rename":
                with self.changed:
                    name = f"Name {next(self.numbers)}"
                self.record(what, account.rename, client, name, session)
            case "profile":
                self.record(what, get, client, "/api/user/profile", session.access)
            case "me":
                self.record(what, get, client, "/api/auth/me", session.access)
            case "page by token":
                self.record(what, get, client, MEMBERS_PAGE, session.access)
            case "page by cookie":
                self.record(what, get, client, MEMBERS_PAGE, None, account.cookie)


def get(client, path, token=None, cookie=None):
    answer = client.get(path, token, {"Cookie": cookie} if cookie else None)
    if answer.status == 503:
        raise Unanswered(answer)
    expect_answer(answer, 200)
