"""Kills the released program, or the database server under it, starts it again, and compares what it knows with what
it said.

Every answer a client received must still be true after the restart; a request that got no answer has
either happened whole or not at all; and sessions and keys go on.

To kill a process leaves what it has handed to the operating system. A killed program therefore shows that nothing is
half done; a killed database server also shows that it had written what it acknowledged. With a server that is told to
acknowledge before it writes, the same loss has to be found: that is tried, too, each time a server is killed.

    crash.py [--engine sqlite | postgres | mariadb] [--kill program | database] [--cycles N] [--seed N]
"""

import argparse
import json
import random
import time

from checks import Checks, expect, the_database_is_sound
from client import Client, PatientClient
from databases import Database
from load import LATE_LOOKS, LATE_REPEATS, PROMISES, Load, broken_promises, no_answer_was_a_failure
from server import NO_LIMITS, Server

# Settings with which a server acknowledges what it has in its own memory alone, for the second that follows at least.
UNSAFE = {
    "postgres": ["synchronous_commit=off", "wal_writer_delay=10s"],
    "mariadb": ["innodb_flush_log_at_trx_commit=0"],
}

# So many crashes of an unsafe server must suffice to lose something.
UNSAFE_CRASHES = 5


class Program:
    """The program under test is what is killed."""

    def __init__(self, server):
        self.server = server

    def kill(self):
        self.server.kill()

    def recover(self):
        self.server.start()


class DatabaseServer:
    """The database server is what is killed, and thereafter the program: its clients need not wait until it gives the
    database up, and nothing that it remembers answers in place of the database."""

    def __init__(self, database, server):
        self.database = database
        self.server = server

    def kill(self):
        self.database.kill()
        self.server.kill()

    def recover(self):
        self.database.start()
        self.server.start()


def published_key_ids(client):
    return {key["kid"] for key in json.loads(client.get("/.well-known/jwks.json").bytes)["keys"]}


def known_keys_are_still_published(client, before):
    missing = before - published_key_ids(client)
    assert not missing, missing


def crash(url, victim, number, chance):
    """Load, SIGKILL after a random number of answers, restart. The load is returned."""
    load = Load(url, number * 10**6, chance.random())
    load.wait_for_answers(chance.randrange(20, 250))
    load.end_by(victim.kill)
    began = time.monotonic()
    victim.recover()
    ready = f"ready {time.monotonic() - began:.2f} s after it was started again"
    print(f"-- crash {number}: {load.answered} answers, {len(load.accounts)} accounts, {ready}", flush=True)
    return load


def cycle(checks, server, victim, number, chance, older):
    """One crash, and whether everything is still true; returns how many writes were acknowledged."""
    keys = published_key_ids(Client(server.url))
    load = crash(server.url, victim, number, chance)
    client = PatientClient(server.url)
    accounts = load.accounts + chance.sample(older, min(len(older), 10))
    checks.run_all(PROMISES, client, accounts)
    checks.run_all([known_keys_are_still_published], client, keys)
    checks.run_all([no_answer_was_a_failure], load)
    older += [account for account in load.accounts if all(s.logout != "asked" for s in account.sessions)]
    return load.answered


def the_loss_of_acknowledged_writes_is_found_with(engine, settings, chance):
    """The same crashes, of a server that is known to lose: a harness that finds nothing there would find nothing."""
    database = Database(engine, *settings)
    with Server(*NO_LIMITS, LATE_REPEATS, LATE_LOOKS, database=database.url) as server:
        victim = DatabaseServer(database, server)
        for number in range(1, UNSAFE_CRASHES + 1):
            load = crash(server.url, victim, number, chance)
            lost = broken_promises(PatientClient(server.url), load.accounts)
            if lost:
                print("-- lost, as it had to be:", *lost, sep="\n   ", flush=True)
                break
        else:
            raise AssertionError(f"{UNSAFE_CRASHES} crashes have lost nothing")
    database.kill()


def parsed():
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", choices=["sqlite", "postgres", "mariadb"], default="sqlite")
    parser.add_argument("--kill", choices=["program", "database"], default="program")
    parser.add_argument("--cycles", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    if (arguments.engine, arguments.kill) == ("sqlite", "database"):
        parser.error("SQLite is part of the program")
    return arguments


def main():
    arguments = parsed()
    print(f"seed {arguments.seed}")
    checks = Checks()
    chance = random.Random(arguments.seed)
    in_file = arguments.engine == "sqlite"
    database = None if in_file else Database(arguments.engine)
    url = database and database.url
    answered = 0
    older = []
    with Server(*NO_LIMITS, LATE_REPEATS, LATE_LOOKS, database=url) as server:
        victim = Program(server) if arguments.kill == "program" else DatabaseServer(database, server)
        for number in range(1, arguments.cycles + 1):
            answered += cycle(checks, server, victim, number, chance, older)
        expect(server.stop(), 0)
        if in_file:
            checks.run_all([the_database_is_sound], server.data / "vestibule.db")
    print(f"-- {arguments.cycles} crashes, {answered} acknowledged writes", flush=True)
    if arguments.kill == "database":
        settings = UNSAFE[arguments.engine]
        name = f"the loss of acknowledged writes is found with {' and '.join(settings)}"
        unsafe = the_loss_of_acknowledged_writes_is_found_with
        checks.run(name, unsafe, arguments.engine, settings, chance)
    checks.finish()


main()
