"""Clients that use a server all at once and remember what it has acknowledged, and the promises that follow from that.

What an answer has said must be true from then on; a request that got no answer, or 503, has happened whole or not at
all. What befalls the server in between is up to the scripts.
"""

import contextlib
import http.client
import itertools
import random
import threading

from checks import expect, expect_answer
from client import Client, PatientClient

PASSWORD = "a long and uncommon sentence"
CLIENTS = 6

# A server may say of so many of its answers that there is none now, and once to each client: a machine that does all
# sorts of things may hold it up for seconds. Whoever promises more than that counts for itself.
MOST_REFUSED = 1 / 20

# The server is to be started with this, as a promise is about lost answers, and a slow machine looks late.
LATE_REPEATS = "--token-refresh-grace=10m"

# And with this where sessions are looked at again after many rounds.
LATE_LOOKS = "--token-access-ttl=24h"


class Unanswered(Exception):
    """Whether the request has happened is not known. With the answer, if there was one."""

    @property
    def was_refused(self):
        """For the time being, as opposed to for want of room."""
        return bool(self.args) and self.args[0].status == 503


class Session:
    """A session as its client knows it, from the answers that arrived."""

    def __init__(self, pairs, logout="not asked"):
        self.pairs = pairs
        self.logout = logout
        self.logout_answer = None

    @property
    def access(self):
        return self.pairs[-1]["access_token"]

    @property
    def refresh(self):
        return self.pairs[-1]["refresh_token"]

    @property
    def spent(self):
        return [pair["refresh_token"] for pair in self.pairs[:-1]]

    def renew(self, client):
        self.pairs.append(acknowledged(lambda: client.refresh(self.refresh), 200))

    def end(self, client):
        self.logout = "asked"
        self.logout_answer = acknowledged(lambda: client.post("/api/auth/logout", token=self.access), 204)
        self.logout = "answered"

    def as_of(self, sent):
        """What its client knew when only these answers had been sent; a logout later than that may have begun."""
        logout = self.logout
        if logout == "answered" and _id(self.logout_answer) not in sent:
            logout = "asked"
        return Session([pair for pair in self.pairs if _id(pair) in sent], logout)


class Account:
    """An account that was asked for, and what its client has heard of it."""

    def __init__(self, email):
        self.email = email
        self.registration = None
        self.sessions = []
        self.names_asked = []
        self.names_answered = []
        # Of a browser, beside the sessions that are known by their tokens.
        self.cookie = None
        # Whether its client is done with it.
        self.is_settled = False

    @property
    def exists(self):
        return self.registration is not None

    @property
    def possible_names(self):
        """The one acknowledged last, and those that nobody has acknowledged: their requests may be under way still."""
        answered = [change["name"] for change in self.names_answered]
        latest = answered[-1] if answered else None
        return [latest, *(name for name in self.names_asked if name not in answered)]

    def register(self, client):
        self.registration = acknowledged(lambda: client.register(self.email, PASSWORD), 201)
        self.sessions.append(Session([self.registration]))

    def login(self, client):
        self.sessions.append(Session([acknowledged(lambda: client.login(self.email, PASSWORD), 200)]))

    def login_as_browser(self, client):
        answer = acknowledged(lambda: client.login(self.email, PASSWORD, mode="cookie"), 200)
        self.cookie = answer.headers["Set-Cookie"].split(";")[0]

    def rename(self, client, name, session=None):
        self.names_asked.append(name)
        token = (session or self.sessions[0]).access
        change = acknowledged(lambda: client.patch("/api/user/profile", {"name": name}, token), 200)
        self.names_answered.append(change)

    def as_of(self, sent):
        """What its client knew when only the answers with these ids had been sent."""
        past = Account(self.email)
        if self.exists and _id(self.registration) in sent:
            past.registration = self.registration
        sessions = [session.as_of(sent) for session in self.sessions]
        past.sessions = [session for session in sessions if session.pairs]
        past.names_asked = self.names_asked
        past.names_answered = [change for change in self.names_answered if _id(change) in sent]
        return past


class Load:
    """Clients that register, refresh, change names, log in and log out until something befalls the server."""

    def __init__(self, url, first_number, seed):
        self.url = url
        self.accounts = []
        self.failures = []
        self.answered = self.refused = 0
        self.numbers = iter(range(first_number, 10**9))
        self.changed = threading.Condition()
        self.interrupted = threading.Event()
        self.over = threading.Event()
        self.threads = [
            threading.Thread(target=self._client, args=[random.Random(f"{seed}/{index}")]) for index in range(CLIENTS)
        ]
        for thread in self.threads:
            thread.start()

    def wait_for_answers(self, number):
        """Until so many writes were acknowledged."""
        with self.changed:
            enough = self.changed.wait_for(lambda: self.answered >= number or self.failures, timeout=300)
        assert enough, f"only {self.answered} answers in five minutes"

    def end(self):
        """Returns when every client has finished what it was at."""
        self.over.set()
        for thread in self.threads:
            thread.join()

    def end_by(self, fault):
        """Has something happen to the server, and returns when every client has noticed.

        From here on a request may be left without an answer; before, that is among the failures. So is, at any time,
        any other answer than was wanted, but for 503, whose client goes on with another account.
        """
        self.interrupted.set()
        try:
            fault()
        finally:
            self.end()

    def _client(self, chance):
        client = Client(self.url)
        try:
            while not self.over.is_set():
                try:
                    self._one_account(client, chance)
                except Unanswered as unanswered:
                    if not unanswered.was_refused or self.interrupted.is_set():
                        raise
                    with self.changed:
                        self.refused += 1
        except Exception as failure:
            if not (isinstance(failure, Unanswered) and self.interrupted.is_set()):
                with self.changed:
                    self.failures.append(failure)
                    self.changed.notify()

    def _one_account(self, client, chance):
        with self.changed:
            number = next(self.numbers)
            account = Account(f"user-{number}@example.org")
            self.accounts.append(account)
        self._count(account.register, client)
        for turn in range(chance.randrange(6)):
            self._count(account.sessions[0].renew, client)
            if chance.random() < 0.3:
                self._count(account.rename, client, f"Name {turn} of {number}")
        if chance.random() < 0.4:
            self._count(account.login, client)
        if chance.random() < 0.4:
            self._count(account.sessions[-1].end, client)
        account.is_settled = True

    def _count(self, write, *arguments):
        write(*arguments)
        with self.changed:
            self.answered += 1
            self.changed.notify()


def acknowledged(ask, status):
    """The answer, which has to be this one. None at all, 503 and 507 leave open what has happened."""
    try:
        answer = ask()
    except (OSError, http.client.HTTPException) as lost:
        raise Unanswered from lost
    if answer.status in (503, 507):
        raise Unanswered(answer)
    expect_answer(answer, status)
    return answer


def no_answer_was_a_failure(load):
    if load.failures:
        raise load.failures[0]
    most = CLIENTS + load.answered * MOST_REFUSED
    assert load.refused <= most, f"{load.refused} refusals, {load.answered} answers"


def sessions_of(accounts):
    return [session for account in accounts for session in account.sessions]


def open_sessions_go_on_where_their_clients_left_off(client, accounts):
    """Also those whose last refresh got no answer: the token is unspent, or gives its successor again."""
    for session in sessions_of(accounts):
        if session.logout == "not asked":
            expect_answer(client.me(session.access), 200)
            for _ in range(2):
                renewed = client.refresh(session.refresh)
                expect_answer(renewed, 200)
                session.pairs.append(renewed)
                expect_answer(client.me(session.access), 200)


def every_answered_change_of_a_name_is_there(client, accounts):
    for account in accounts:
        for session in account.sessions:
            if session.logout == "not asked":
                me = client.me(session.access)
                expect_answer(me, 200)
                expect(me["name"], *account.possible_names)


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
            account.registration = again


def every_answered_logout_still_holds(client, accounts):
    for session in sessions_of(accounts):
        if session.logout == "answered":
            expect_answer(client.me(session.access), 401)
            expect_answer(client.refresh(session.refresh), 401)


def an_unanswered_logout_has_ended_all_of_a_session_or_nothing(client, accounts):
    for session in sessions_of(accounts):
        if session.logout == "asked":
            status = client.me(session.access).status
            expect(status, 200, 401)
            expect_answer(client.refresh(session.refresh), status)


def a_token_spent_before_is_still_known_as_spent(client, accounts):
    """Ends the sessions it looks at, and so looks at few."""
    renewed = [session for session in sessions_of(accounts) if session.logout == "not asked" and len(session.spent) > 2]
    for session in renewed[:5]:
        expect_answer(client.refresh(session.spent[0]), 401, "refresh_token_reused")
        expect_answer(client.me(session.access), 401)
        session.logout = "answered"


# In this order: the last one ends sessions. Each takes a client and the accounts it looks at.
PROMISES = [
    open_sessions_go_on_where_their_clients_left_off,
    every_answered_change_of_a_name_is_there,
    every_answered_registration_is_there,
    an_unanswered_registration_is_there_whole_or_not_at_all,
    every_answered_logout_still_holds,
    an_unanswered_logout_has_ended_all_of_a_session_or_nothing,
    a_token_spent_before_is_still_known_as_spent,
]


def broken_promises(client, accounts):
    """A line for each promise that does not hold, with what came instead. Anything but that is raised."""
    broken = []
    for promise in PROMISES:
        try:
            promise(client, accounts)
        except AssertionError as instead:
            broken.append(f"{promise.__name__.replace('_', ' ')}: {instead}")
    # A server that is out of order would look forgetful.
    expect_answer(client.get("/readyz"), 200)
    return broken


def nothing_acknowledged_is_lost(url, accounts):
    expect(broken_promises(PatientClient(url), accounts), [])


def a_broken_promise_is_found(url, domain):
    """A negative control: accounts of which something is remembered that was never asked for."""
    client = Client(url)
    emails = (f"somebody-{number}@{domain}" for number in itertools.count())
    renamed = somebody(client, emails)
    still_open = somebody(client, emails)
    ended = somebody(client, emails, lambda account: account.sessions[0].end(client))
    never_registered = Account(next(emails))
    never_registered.registration = renamed.registration
    renamed.names_asked.append("a name that nobody has asked for")
    renamed.names_answered.append({"name": renamed.names_asked[0]})
    still_open.sessions[0].logout = "answered"
    ended.sessions[0].logout = "not asked"
    for account, promise in [
        (never_registered, every_answered_registration_is_there),
        (renamed, every_answered_change_of_a_name_is_there),
        (still_open, every_answered_logout_still_holds),
        (ended, open_sessions_go_on_where_their_clients_left_off),
    ]:
        broken = broken_promises(PatientClient(url), [account])
        assert any(line.startswith(promise.__name__.replace("_", " ")) for line in broken), (promise, broken)


def somebody(client, emails, *writes):
    """The first account for which all of that was acknowledged."""
    for email in emails:
        account = Account(email)
        with contextlib.suppress(Unanswered):
            for write in (lambda new: new.register(client), *writes):
                write(account)
            return account


def _id(answer):
    return answer.headers["X-Request-Id"]


class Busy:
    """Threads that work for as long as the block lasts: `work` is called with the number of its thread, and looks at
    `over` from time to time."""

    def __init__(self, threads):
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.work, args=[number]) for number in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def work(self, number):
        raise NotImplementedError
