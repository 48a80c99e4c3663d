"""Takes the database away from the released program in every way in which databases go, while clients are at work.

Every answer has to come within 5 s and be a success or say 503; the process has to live, and say that it is not ready;
once the database has been out of reach for 5 s nobody is let in; within 5 s after it is back all has to be well again,
without a restart; and what was acknowledged has to be so. That a database which loses what was acknowledged would be
found is tried in `crash.py --kill database`, by the same promises.

    faults.py [--engine E]... [--long] [--seed N]
"""

import argparse
import concurrent.futures
import random
import threading
import time
import urllib.parse

from checks import Checks, expect
from client import Client
from crowd import Visitor, visit
from databases import Database
from load import LATE_REPEATS, PASSWORD, Account, a_broken_promise_is_found, nothing_acknowledged_is_lost
from server import NO_LIMITS, Server
from workload import MEMBERS_PAGE, MIX, WRITES, Asked, Watch, Workload, is_refusal, since

CLIENTS = 8
CROWD = 500
# The connections that the database server lets in; the program takes twelve.
CONNECTIONS = 24

# What is promised, in seconds: for an answer, for the time after the database is back, and how long a session is
# believed in that was not heard of.
ANSWERED_WITHIN = 5.0
WELL_WITHIN = 5.0
BELIEVED_FOR = 5.0
# What of this is forgiven to a slow machine, at the most.
MOST_NOISE = 0.5
# How much slower the process may be to say that it lives, on a machine that does all of this at once.
ALIVE_WITHIN = 2.0
# For what takes a moment on any machine.
PATIENCE = 60

# Two at the same time would be about the clients, who are all in one process.
ONE_CROWD = threading.Lock()


class Postgres:
    """What somebody does to a PostgreSQL who may do everything there. The program is somebody else."""

    # Those that are left for whoever may do everything.
    RESERVED = 3
    MAKE_PROGRAM = "CREATE ROLE program LOGIN PASSWORD 'secret'; ALTER DATABASE vestibule OWNER TO program"
    REFUSE_PROGRAM = "ALTER ROLE program NOLOGIN"
    ADMIT_PROGRAM = "ALTER ROLE program LOGIN"
    OF_USER = "SELECT pid FROM pg_stat_activity WHERE usename = '{user}' AND pid <> pg_backend_pid()"
    END = "SELECT pg_terminate_backend({id})"
    HOLD_TABLE = "BEGIN; LOCK TABLE users; SELECT pg_sleep({seconds}); COMMIT"
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
    HOLD_TABLE = "LOCK TABLES users WRITE; SELECT SLEEP({seconds}); UNLOCK TABLES"
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

    def ask(self, sql):
        """Asks until there is a connection to ask on, as the program may have the last ones for a moment."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self.server.ask(sql)
            except AssertionError as failure:
                if "too many" not in str(failure).lower() or time.monotonic() > deadline:
                    raise

    def connections_of(self, user):
        return [row[0] for row in self.ask(self.words.OF_USER.format(user=user))]

    def end_connections_of(self, user):
        """How many there were; some may end by themselves in between."""
        found = self.connections_of(user)
        for connection in found:
            try:
                self.ask(self.words.END.format(id=connection))
            except AssertionError as failure:
                assert "Unknown thread id" in str(failure), failure
        return len(found)


class Statement:
    """Something long that somebody else asks of the database server meanwhile. It may be ended from without."""

    def __init__(self, place, sql):
        self.failure = None
        self.thread = threading.Thread(target=self._ask, args=[place, sql])
        self.thread.start()

    def _ask(self, place, sql):
        try:
            place.ask(sql)
        except AssertionError as failure:
            self.failure = failure


def stopped(trial):
    trial.place.server.stop()
    trial.hold()
    trial.place.server.start()


def frozen(trial):
    trial.place.server.pause()
    trial.hold()
    trial.place.server.resume()


def restarted(trial):
    """Again and again, without a pause."""
    over = time.monotonic() + trial.seconds
    while True:
        trial.place.server.stop()
        trial.place.server.start()
        if time.monotonic() > over:
            return


def robbed_of_its_connections(trial):
    """Each second all of them, whatever they are doing."""
    ended = 0
    for _ in range(trial.seconds):
        ended += trial.place.end_connections_of(Place.PROGRAM)
        time.sleep(1)
    assert ended >= trial.seconds, f"only {ended} connections were there to be ended"


def locked_before_a_crowd(trial):
    """No write comes to its end, and 500 clients want one of ten connections each."""
    account = Account("somebody-in-the-crowd@example.org")
    account.register(Client(trial.server.url))
    token = account.sessions[0].access
    kinds = [
        ("PATCH", "/api/user/profile", {"name": "Somebody"}, token),
        ("GET", "/api/auth/sessions", None, token),
        ("POST", "/api/auth/login", {"login": account.email, "password": PASSWORD}),
        ("POST", "/api/auth/refresh", {"refresh_token": account.sessions[0].refresh}),
    ]
    crowd = [Visitor(*kinds[number % len(kinds)]) for number in range(CROWD)]
    before = [Visitor("GET", "/livez") for _ in range(CROWD)]
    with ONE_CROWD:
        visit(trial.server.url, before, CROWD)
        lock = Statement(trial.place, trial.place.words.HOLD_TABLE.format(seconds=trial.seconds))
        visit(trial.server.url, crowd, CROWD)
        lock.thread.join()
    assert lock.failure is None, lock.failure
    expect([visitor.failure for visitor in before + crowd if visitor.failure], [])
    trial.noise = max(visitor.heard.seconds for visitor in before)
    heard = [(visitor.heard.seconds, visitor.heard.answer) for visitor in crowd]
    trial.crowd = [Asked(0, seconds, "crowd", None if answer.status == 200 else answer) for seconds, answer in heard]


def out_of_connections(trial):
    """Others have all of them. They come while the program is kept out, as it would hold on to its own."""
    place, others = trial.place, CONNECTIONS - trial.place.words.RESERVED
    place.ask(place.words.REFUSE_PROGRAM)
    place.end_connections_of(Place.PROGRAM)
    sleepers = [Statement(place, place.words.SLEEP.format(seconds=2 * PATIENCE)) for _ in range(others)]
    deadline = time.monotonic() + PATIENCE
    while len(place.connections_of(Place.ADMINISTRATOR)) < others:
        assert time.monotonic() < deadline, "the others do not get their connections"
    place.ask(place.words.ADMIT_PROGRAM)
    trial.hold()
    place.end_connections_of(Place.ADMINISTRATOR)
    for sleeper in sleepers:
        sleeper.thread.join()


# Who is sure to hear of a fault: of connections that are all in use, each is free for a moment when its statement is cut
# off, and whoever asks whether the program is ready may be the one who gets it.
NOBODY, CLIENTS_ALONE, EVERYBODY = range(3)

# Each with the seconds that it takes in a short run and in a long one, and who is sure to hear of it: whoever asks may be
# kept waiting for as long as the program waits for a connection, and then be answered as if nothing had been.
FAULTS = [
    (stopped, 8, 20, EVERYBODY),
    (frozen, 5, 60, EVERYBODY),
    (restarted, 0, 60, NOBODY),
    (robbed_of_its_connections, 3, 30, NOBODY),
    (locked_before_a_crowd, 6, 12, CLIENTS_ALONE),
    (out_of_connections, 5, 20, EVERYBODY),
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", action="append", choices=["postgres", "mariadb"])
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")

    checks = Checks()
    checks.run_all([answers_that_are_not_good_enough_are_found])
    # Most of it is waiting, so both are tried at the same time.
    engines = arguments.engine or ["postgres", "mariadb"]
    with concurrent.futures.ThreadPoolExecutor(len(engines)) as threads:
        tried = [threads.submit(try_engine, checks, engine, arguments.long, arguments.seed) for engine in engines]
    for outcome in tried:
        outcome.result()
    checks.finish()


def try_engine(checks, engine, is_long, seed):
    chance = random.Random(f"{seed}/{engine}")
    place = Place(engine)
    with Server(*NO_LIMITS, LATE_REPEATS, database=place.url) as server:
        for fault, short, long, heard_by in FAULTS:
            trial = Trial(checks, place, server, long if is_long else short, heard_by)
            trial.run(fault, chance.random())
        trial.check(a_broken_promise_is_found, server.url, "example.net")
        trial.check(expect, server.process.poll(), None, name="it was one process all the time")


class Trial:
    """One fault: clients before it, while it lasts, and after it."""

    def __init__(self, checks, place, server, seconds, heard_by):
        self.checks = checks
        self.place = place
        self.server = server
        self.seconds = seconds
        self.heard_by = heard_by
        self.crowd = []
        # What so many at once take, at the worst, for an answer that asks nobody.
        self.noise = 0
        # What was answered when the database had been out of reach for so long that nobody may be let in.
        self.unheard_of = None

    def hold(self):
        """Lasts for so long, until the program knows of it, and until it was asked for what it must not give."""
        began = time.monotonic()
        time.sleep(self.seconds)
        self.ready.wait_for(lambda asked: any(one.refusal for one in asked), PATIENCE)
        if self.seconds > BELIEVED_FOR:
            later = began + BELIEVED_FOR + MOST_NOISE
            for members in (self.by_token, self.by_cookie):
                members.wait_for(lambda asked: since(asked, later), PATIENCE)
            self.unheard_of = since(self.by_token.asked + self.by_cookie.asked + self.load.asked, later)

    def run(self, fault, seed):
        url = self.server.url
        member = Account(f"member-while-{fault.__name__.replace('_', '-')}@example.org")
        member.register(Client(url))
        member.login_as_browser(Client(url))
        with (
            Watch(url, "/livez") as self.alive,
            Watch(url, "/readyz") as self.ready,
            Watch(url, MEMBERS_PAGE, token=member.sessions[0].access) as self.by_token,
            Watch(url, MEMBERS_PAGE, cookie=member.cookie) as self.by_cookie,
            Workload(url, CLIENTS, seed) as self.load,
        ):
            self.load.wait_for(lambda asked: kinds(asked) == set(MIX), PATIENCE)
            self.broke = time.monotonic()
            self.check(fault, self)
            self.mended = time.monotonic()
            self.load.wait_for(lambda asked: writes(asked, self.mended), PATIENCE)
            self.well = time.monotonic()
            self.load.wait_for(lambda asked: kinds(asked, self.well) == set(MIX), PATIENCE)
        self.judge()

    def judge(self):
        load, everybody = self.load, [self.load, self.alive, self.ready, self.by_token, self.by_cookie]
        members = load.asked + self.by_token.asked + self.by_cookie.asked
        asked = members + self.ready.asked + self.crowd
        sign_of_life = max(one.seconds for one in self.alive.asked)
        after = self.well - self.mended
        self.print_summary(asked, sign_of_life, after)
        check = self.check
        failures = [failure for recorder in everybody for failure in recorder.failures]
        check(expect, failures, [], name="nobody is left without an answer")
        check(expect, kinds(load.during(0, self.broke)), set(MIX), name="all is well before")
        check(every_refusal_is_honest, asked)
        check(every_answer_comes_in_time, asked, min(max(sign_of_life, self.noise), MOST_NOISE))
        check(the_process_lives_all_the_time, self.alive.asked)
        check(what_is_said_is_about_the_database, self.ready.asked)
        if self.heard_by >= CLIENTS_ALONE:
            check(clients_were_refused, load.during(self.broke, self.mended) + self.crowd)
        if self.heard_by >= EVERYBODY:
            check(it_was_said_that_the_program_is_not_ready, self.ready.during(self.broke, self.mended))
        if self.unheard_of is not None:
            check(nobody_is_let_in_without_the_database, self.unheard_of)
        check(all_is_well_again_in_time, after, members + self.ready.asked, self.mended)
        check(expect, kinds(load.asked, self.well), set(MIX), name="all is well afterwards")
        check(nothing_acknowledged_is_lost, self.server.url, load.accounts)

    def check(self, check, *arguments, name=None):
        name = name or check.__name__.replace("_", " ")
        self.checks.run(f"{self.place.server.engine}: {name}", check, *arguments)

    def print_summary(self, asked, sign_of_life, after):
        slowest = max(one.seconds for one in asked)
        refused = sum(one.refusal is not None for one in asked)
        print(
            f"-- {self.place.server.engine}: {len(asked)} answers, {refused} of them refusals, the slowest after "
            f"{slowest:.2f} s; /livez within {sign_of_life * 1000:.0f} ms; well again {after:.2f} s after the end",
            flush=True,
        )


def writes(asked, begin):
    return [one for one in asked if one.what in WRITES and one.began + one.seconds > begin and not one.refusal]


def kinds(asked, begin=0):
    return {one.what for one in since(asked, begin) if not one.refusal}


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


def what_is_said_is_about_the_database(asked):
    said = [one.refusal["detail"] for one in asked if one.refusal]
    expect([detail for detail in said if not detail.startswith("database:")], [])


def it_was_said_that_the_program_is_not_ready(asked):
    assert any(one.refusal for one in asked), f"{len(asked)} answers, and ready in all of them"


def nobody_is_let_in_without_the_database(asked):
    """Of those who asked when no session was believed in any more, and were answered before the database was back."""
    pages = [one for one in asked if one.what == MEMBERS_PAGE]
    assert len(pages) >= 2, "nobody has asked for a page of the members, with a token or a cookie"
    expect([one for one in asked if not one.refusal], [])


def all_is_well_again_in_time(after, asked, mended):
    """Something is written again, and whoever asks from then on is not refused."""
    assert after < WELL_WITHIN, f"{after:.2f} s"
    late = [one for one in asked if one.began > mended + WELL_WITHIN and one.refusal]
    expect(late, [])


def answers_that_are_not_good_enough_are_found():
    """A negative control: each of the judges has to refuse something."""

    class Refusal(dict):
        def __init__(self, status, code, retry_after):
            super().__init__(code=code, detail="the server is shutting down")
            self.status = status
            self.headers = {"Content-Type": "application/problem+json", "Retry-After": retry_after}

    honest = Asked(0, 0.1, "me", Refusal(503, "unavailable", "5"))
    every_refusal_is_honest([honest])
    refused = [honest._replace(what=MEMBERS_PAGE)] * 2
    nobody_is_let_in_without_the_database(refused)
    for judge, *asked in [
        (every_refusal_is_honest, honest._replace(refusal=Refusal(500, "internal_error", None))),
        (every_refusal_is_honest, honest._replace(refusal=Refusal(503, "unavailable", None))),
        (every_refusal_is_honest, honest._replace(refusal=Refusal(503, "storage_full", "5"))),
        (every_answer_comes_in_time, honest._replace(seconds=ANSWERED_WITHIN)),
        (the_process_lives_all_the_time, honest),
        (the_process_lives_all_the_time, Asked(0, ALIVE_WITHIN, "/livez", None)),
        (clients_were_refused, Asked(0, 0.1, "me", None)),
        (what_is_said_is_about_the_database, honest),
        (it_was_said_that_the_program_is_not_ready, Asked(0, 0.1, "/readyz", None)),
        (nobody_is_let_in_without_the_database, *refused, Asked(0, 0.1, MEMBERS_PAGE, None)),
        (nobody_is_let_in_without_the_database, honest, honest),
    ]:
        try:
            judge(asked)
        except AssertionError:
            continue
        raise AssertionError(f"{judge.__name__} lets {asked} pass")


main()
