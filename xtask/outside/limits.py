"""Guesses passwords of one account from 120 addresses without pause, while its owner logs in from addresses of their own.

Then what counts as one client: a network of IPv6, and an address behind a proxy, but only a trusted one. Clients have
addresses of 127.0.0.0/8, all of which a Linux machine takes for its own.

    limits.py [--tries N] [--promptly]

Half of the owner's tries come from addresses where they have logged in before. With --promptly the tries
have to be answered in time too, which a machine that is busy with other work may not do.
"""

import argparse
import collections
import contextlib
import http.client
import itertools
import multiprocessing
import sqlite3
import threading
import time

from checks import Checks, expect, expect_answer
from client import Client
from server import Server

PASSWORD = "a long and uncommon sentence"
ATTACKERS = [f"127.1.0.{number}" for number in range(1, 121)]

# What is promised: so much of the owner's tries is answered within so many seconds.
PROMISED_SHARE = 0.99
PROMISED_SECONDS = 2

# Beyond so many failures of an account within an hour, a strange network has one try in 15 minutes.
UNDER_ATTACK = 100


class Attack:
    """Guesses from every address at once, in a process of its own so that the owner does not wait for this one."""

    def __init__(self, url, login):
        # Forking would copy the threads' locks without the threads.
        spawning = multiprocessing.get_context("spawn")
        self.begun = spawning.Event()
        self.refused_everywhere = spawning.Event()
        self.over = spawning.Event()
        self.outcome, outcome = spawning.Pipe(duplex=False)
        arguments = (url, login, self.begun, self.refused_everywhere, self.over, outcome)
        self.process = spawning.Process(target=guess_until_over, args=arguments)

    def __enter__(self):
        """Returns at the first answer, when the other guesses stand in the queue for hashing."""
        self.process.start()
        assert self.begun.wait(timeout=120), "no guess was answered within two minutes"
        return self

    def wait_until_refused_everywhere(self):
        """From there on the account is under attack for sure."""
        assert self.refused_everywhere.wait(timeout=120), "some addresses may still guess after two minutes"

    def __exit__(self, *_):
        self.over.set()

    def statuses(self):
        """How often each status was the answer, once the attack is over; failures of the connection by their name."""
        statuses = self.outcome.recv()
        self.process.join()
        return statuses


def guess_until_over(url, login, begun, refused_everywhere, over, outcome):
    """The attacking process."""
    statuses = collections.Counter()
    refused = set()
    lock = threading.Lock()

    def guess_from(address):
        client = Client(url, address)
        for number in itertools.count():
            if over.is_set():
                return
            try:
                status = client.login(login, f"guess {number} of {address}").status
            except (OSError, http.client.HTTPException) as failure:
                status = type(failure).__name__
                client = Client(url, address)
            with lock:
                statuses[status] += 1
                begun.set()
                if status == 429:
                    refused.add(address)
                if len(refused) == len(ATTACKERS):
                    refused_everywhere.set()

    threads = [threading.Thread(target=guess_from, args=[address]) for address in ATTACKERS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcome.send(dict(statuses))


class Owner:
    """Whoever knows the password; every try is a new connection."""

    def __init__(self, url, email):
        self.url = url
        self.email = email
        self.seconds = []

    def log_in(self, address, password=PASSWORD):
        return Client(self.url, address).login(self.email, password)

    def gets_in(self, address):
        started = time.monotonic()
        answer = self.log_in(address)
        self.seconds.append(time.monotonic() - started)
        expect_answer(answer, 200)


def the_owner_gets_in_at_known_addresses_while_the_attack_begins(owner, addresses):
    """A fresh one could be another attacker's, and would wait its turn among the first guesses of all of them."""
    for address in addresses:
        owner.gets_in(address)


def the_owner_gets_in_while_everybody_else_is_refused(owner, attack, addresses):
    attack.wait_until_refused_everywhere()
    for address in addresses:
        owner.gets_in(address)


def the_owner_may_mistype_at_a_known_address_and_still_get_in(owner, known):
    for address in known[:3]:
        expect_answer(owner.log_in(address, "mistyped"), 401, "invalid_credentials")
        expect_answer(owner.log_in(address), 200)


def a_fresh_address_has_one_try(owner):
    expect_answer(owner.log_in("127.4.0.1", "mistyped"), 401, "invalid_credentials")
    refused = owner.log_in("127.4.0.1")
    expect_answer(refused, 429, "rate_limited")
    assert int(refused.headers["Retry-After"]) > 0, refused.headers


def another_account_is_not_under_attack(client):
    for _ in range(5):
        expect_answer(client.login("bob@example.org", "mistyped"), 401)
    expect_answer(client.login("bob@example.org", PASSWORD), 200)


def a_guess_is_refused_or_wrong_and_never_a_failure(statuses):
    assert set(statuses) <= {401, 429, 503}, statuses


def few_of_the_guesses_are_judged_at_all(statuses):
    """Those that make it an attack, and one from each address that had none before."""
    assert statuses[401] <= UNDER_ATTACK + len(ATTACKERS), statuses
    assert statuses[429] > statuses[401], statuses


def nearly_every_try_of_the_owner_is_answered_in_time(owner, tries):
    prompt = sum(seconds <= PROMISED_SECONDS for seconds in owner.seconds)
    assert prompt >= PROMISED_SHARE * tries, f"{prompt} of {tries} within {PROMISED_SECONDS} s"


def under_attack(checks, tries, promptly):
    with Server() as server:
        client = Client(server.url)
        for name in ("ada", "bob"):
            expect_answer(client.register(f"{name}@example.org", PASSWORD), 201)
        owner = Owner(server.url, "ada@example.org")
        known = [f"127.2.0.{number}" for number in range(tries // 2)]
        fresh = [f"127.3.0.{number}" for number in range(tries // 2)]
        for address in known:
            expect_answer(owner.log_in(address), 200)
        first = known[: tries // 10]
        rest = list(itertools.chain.from_iterable(itertools.zip_longest(fresh, known[len(first) :])))
        rest = [address for address in rest if address]
        with Attack(server.url, "ada@example.org") as attack:
            checks.run_all([the_owner_gets_in_at_known_addresses_while_the_attack_begins], owner, first)
            checks.run_all([the_owner_gets_in_while_everybody_else_is_refused], owner, attack, rest)
            checks.run_all([the_owner_may_mistype_at_a_known_address_and_still_get_in], owner, known)
            checks.run_all([a_fresh_address_has_one_try], owner)
            checks.run_all([another_account_is_not_under_attack], client)
        statuses = attack.statuses()
        checks.run_all(
            [a_guess_is_refused_or_wrong_and_never_a_failure, few_of_the_guesses_are_judged_at_all], statuses
        )
    seconds = sorted(owner.seconds)
    prompt = sum(each <= PROMISED_SECONDS for each in seconds)
    print(f"-- {sum(statuses.values()):,} guesses: {statuses}")
    print(
        f"-- the owner: {prompt} of {len(seconds)} tries within {PROMISED_SECONDS} s, "
        f"half of them within {seconds[len(seconds) // 2]:.3f} s, the slowest {seconds[-1]:.3f} s"
    )
    if promptly:
        checks.run_all([nearly_every_try_of_the_owner_is_answered_in_time], owner, tries)


class Forwarded:
    """A client behind proxies, as the last of these tells it; each login is a failed one."""

    def __init__(self, url):
        self.client = Client(url)

    def fails(self, login, *hops):
        answer = self.try_once(login, *hops)
        expect_answer(answer, 401, "invalid_credentials")

    def is_refused(self, limit, login, *hops):
        answer = self.try_once(login, *hops)
        expect_answer(answer, 429, "rate_limited")
        assert answer.headers["RateLimit-Policy"].startswith(f'"{limit}"'), answer.headers

    def try_once(self, login, *hops):
        headers = {"X-Forwarded-For": ", ".join(hops)} if hops else None
        return self.client.post("/api/auth/login", {"login": login, "password": "wrong"}, headers=headers)


def a_64_of_ipv6_is_one_network(client):
    for number in range(1, 11):
        client.fails("cleo", f"2001:db8:1:2:{number}::{number}")
    client.is_refused("login_per_account", "cleo", "2001:db8:1:2:ffff:ffff:ffff:ffff")
    client.fails("cleo", "2001:db8:1:3::1")


def names_tried_from_a_64_add_up(client):
    for number in range(1, 31):
        client.fails(f"name-{number}", f"2001:db8:2:2::{number:x}")
    client.is_refused("login_per_ip", "name-31", "2001:db8:2:2:ffff::")
    client.fails("name-31", "2001:db8:2:3::1")


def an_ipv4_address_written_as_ipv6_is_the_same_client(client):
    for number in range(10):
        client.fails("dora", "198.51.100.9" if number % 2 else "::ffff:198.51.100.9")
    client.is_refused("login_per_account", "dora", "198.51.100.9")
    client.fails("dora", "198.51.100.10")


def hops_before_the_one_that_the_proxy_has_seen_are_not_believed(client):
    for number in range(1, 11):
        client.fails("emil", f"203.0.113.{number}", "198.51.100.7")
    client.is_refused("login_per_account", "emil", "203.0.113.11", "198.51.100.7")
    client.is_refused("login_per_account", "emil", "198.51.100.7", "127.0.0.9")


def without_a_trusted_proxy_the_header_is_ignored(client):
    for number in range(1, 11):
        client.fails("ada", f"2001:db8:{number}::1")
    client.is_refused("login_per_account", "ada", "2001:db8:11::1")
    client.is_refused("login_per_account", "ada")


def guesses_count_that_cannot_be_recorded(server):
    """As where the disk is full: or who waits for that would have as many as they like."""
    client = Client(server.url)
    with contextlib.closing(sqlite3.connect(server.data / "vestibule.db", isolation_level=None)) as database:
        database.execute(
            "CREATE TRIGGER refusal BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'no record'); END"
        )
        statuses = [client.login("fay@example.org", "wrong").status for _ in range(12)]
        database.execute("DROP TRIGGER refusal")
    # That the limit is reached is to be recorded, too.
    expect(statuses, [503] * 11 + [429])


BEHIND_A_PROXY = [
    a_64_of_ipv6_is_one_network,
    names_tried_from_a_64_add_up,
    an_ipv4_address_written_as_ipv6_is_the_same_client,
    hops_before_the_one_that_the_proxy_has_seen_are_not_believed,
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tries", type=int, default=100)
    parser.add_argument("--promptly", action="store_true")
    arguments = parser.parse_args()

    checks = Checks()
    with Server("--trusted-proxies=127.0.0.0/8") as server:
        checks.run_all(BEHIND_A_PROXY, Forwarded(server.url))
    with Server() as server:
        checks.run_all([without_a_trusted_proxy_the_header_is_ignored], Forwarded(server.url))
        checks.run_all([guesses_count_that_cannot_be_recorded], server)
    under_attack(checks, arguments.tries, arguments.promptly)
    checks.finish()


# The attacking process reads this file too.
if __name__ == "__main__":
    main()
