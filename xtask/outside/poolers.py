"""A PgBouncer that hands out a connection for each transaction, in front of PostgreSQL: what works behind it, and what
is refused there because locks and prepared statements would end up with somebody else.

Each check has a database of its own. Negative control: a lock that is taken through such a pooler is shown to outlive
whoever took it.
"""

import os
import re
import subprocess
import threading
import time

from checks import Checks, expect, expect_answer
from client import Client
from databases import Database
from server import NO_LIMITS, ROOT, Server

PASSWORD = "a long and uncommon sentence"
USERS = ROOT / "xtask/fixtures/users"
CLIENTS = 4
ROUNDS = 10
UNPREPARED = "?statement-cache-capacity=0"
# For what takes a moment on any machine.
PATIENCE = 60


class Behind:
    """A database of this name, the ways to it, and servers on it that share a secret key."""

    def __init__(self, postgres, pooler, name):
        self.postgres = postgres
        self.name = name
        self.direct = postgres.add(name)
        self.pooled = pooler.url_of(f"/{name}")
        self.key = []

    def server(self, *flags):
        """One whose statements go through the pooler, and its locks around it."""
        around = {"VESTIBULE_DATABASE_DIRECT_URL": self.direct}
        server = Server(*NO_LIMITS, *self.key, *flags, database=self.pooled + UNPREPARED, variables=around)
        self.key = self.key or [f"--secret-key-file={server.data / 'secret.key'}"]
        return server

    def locks(self):
        """Those that programs hold to show that they are at work, and whatever else is like them."""
        [[count]] = self.postgres.ask(
            "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database "
            f"WHERE locktype = 'advisory' AND datname = '{self.name}'"
        )
        return int(count)

    def expect_locks(self, wanted):
        """Waits for them: a server process may still be at its end when that of the program has ended."""
        deadline = time.monotonic() + PATIENCE
        while (found := self.locks()) != wanted:
            assert time.monotonic() < deadline, f"{found} instead of {wanted}"


def run(server, *arguments):
    """A command of the program with the settings of the server."""
    command = [os.environ["VESTIBULE_BINARY"], *arguments, "--data-dir", str(server.data)]
    return subprocess.run(command, env=server.environment, capture_output=True, text=True, timeout=60)


def refusal(server):
    """What a start that is refused ends with."""
    ended = run(server, "serve", "--listen=127.0.0.1:0")
    server.folder.cleanup()
    expect(ended.returncode, 2)
    return ended.stderr


def visit(server, name):
    """Many clients register, refresh, look and log out at once."""
    failures = []

    def client_of(index):
        client = Client(server.url)
        try:
            for number in range(ROUNDS):
                registered = client.register(f"{name}-{index}-{number}@example.org", PASSWORD)
                expect_answer(registered, 201)
                renewed = client.refresh(registered["refresh_token"])
                expect_answer(renewed, 200)
                token = renewed["access_token"]
                expect_answer(client.me(token), 200)
                expect_answer(client.get("/api/auth/sessions", token), 200)
                expect_answer(client.post("/api/auth/logout", token=token), 204)
        except Exception as failure:
            failures.append(repr(failure))

    threads = [threading.Thread(target=client_of, args=[index]) for index in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(failures, [])


def many_clients_share_few_connections(postgres, pooler):
    behind = Behind(postgres, pooler, "many")
    with behind.server() as server:
        visit(server, "many")
        [[connections]] = postgres.ask("SELECT count(*) FROM pg_stat_activity WHERE datname = 'many'")
        # Two of the pooler, and the one that shows that the server is at work.
        assert int(connections) <= 3, connections


def a_node_that_only_reads_leaves_nothing_behind_for_the_others(postgres, pooler):
    behind = Behind(postgres, pooler, "readers")
    with behind.server() as server, behind.server("--read-only") as reading:
        for _ in range(20):
            expect_answer(Client(reading.url).get("/readyz"), 200)
        visit(server, "beside")


def an_import_through_it_leaves_nothing_behind_for_the_program_it_reads_from(postgres, _pooler):
    pooler = postgres.pooler("default_pool_size = 1")
    behind = Behind(postgres, pooler, "source")
    postgres.ask((USERS / "supabase.sql").read_text(), behind.direct)
    settings = ["statement_timeout", "default_transaction_read_only", "TimeZone", "DateStyle"]
    told = [pooler.ask(f"SHOW {name}", behind.pooled) for name in settings]
    with Server() as server:
        for _ in range(2):
            ended = run(server, "import", "--from", behind.pooled, "--dry-run")
            expect((ended.returncode, "3 would be added" in ended.stdout), (0, True))
    expect([pooler.ask(f"SHOW {name}", behind.pooled) for name in settings], told)
    expect(pooler.ask("SELECT name FROM pg_prepared_statements", behind.pooled), [])
    pooler.ask("DELETE FROM auth.users", behind.pooled)


def locks_go_around_the_pooler(postgres, pooler):
    behind = Behind(postgres, pooler, "locks")
    with behind.server() as server:
        behind.expect_locks(1)
        refused = run(server, "migrate", "down", "--yes")
        assert refused.returncode == 1 and "in use" in refused.stderr, refused
        with behind.server():
            behind.expect_locks(2)
    behind.expect_locks(0)


def without_a_way_around_it_nothing_starts_and_nothing_is_left(postgres, pooler):
    behind = Behind(postgres, pooler, "empty")
    for query in ["", UNPREPARED]:
        said = refusal(Server(database=behind.pooled + query))
        assert "pooler" in said and "database.direct_url" in said, said
    tables = postgres.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", behind.direct)
    expect(tables, [])
    behind.expect_locks(0)


def with_prepared_statements_that_it_does_not_know_nothing_starts(postgres, pooler):
    behind = Behind(postgres, pooler, "prepared")
    around = {"VESTIBULE_DATABASE_DIRECT_URL": behind.direct}
    said = refusal(Server(database=behind.pooled, variables=around))
    assert "pooler" in said and "statement-cache-capacity=0" in said, said


def one_that_hands_out_connections_for_a_session_needs_no_way_around_it(postgres, _pooler):
    behind = Behind(postgres, postgres.pooler("pool_mode = session"), "sessions")
    with Server(*NO_LIMITS, database=behind.pooled) as server:
        visit(server, "session")
        behind.expect_locks(1)


def the_doctor_asks_for_bounds_on_the_role_and_sees_them(postgres, pooler):
    postgres.ask("ALTER ROLE CURRENT_USER SET default_transaction_isolation = 'repeatable read'")
    with Behind(postgres, pooler, "bounds").server() as server:
        advice = run(server, "doctor").stdout
        found = re.search(r"warn  pooler: not set on the role: (.*)\n.*: (ALTER ROLE .*)", advice)
        assert found, advice
        bounds = "statement_timeout, lock_timeout, idle_in_transaction_session_timeout, default_transaction_isolation"
        expect(found[1], bounds)
        postgres.ask(found[2])
        # It keeps the connections that it has, with what they began with.
        pooler.stop()
        pooler.start()
        advice = run(server, "doctor").stdout
        assert "ok    pooler: the bounds" in advice, advice
        expect(postgres.ask("SHOW statement_timeout"), [["4s"]])
        expect(postgres.ask("SHOW default_transaction_isolation"), [["read committed"]])


def negative_control_a_lock_taken_through_it_outlives_its_owner(postgres, pooler):
    behind = Behind(postgres, pooler, "control")
    pooler.ask("SELECT pg_advisory_lock(1)", behind.pooled)
    behind.expect_locks(1)


def main():
    postgres = Database("postgres")
    # So few that connections are handed round all the time.
    pooler = postgres.pooler("default_pool_size = 2")
    checks = Checks()
    checks.run_all(
        [
            many_clients_share_few_connections,
            a_node_that_only_reads_leaves_nothing_behind_for_the_others,
            an_import_through_it_leaves_nothing_behind_for_the_program_it_reads_from,
            locks_go_around_the_pooler,
            without_a_way_around_it_nothing_starts_and_nothing_is_left,
            with_prepared_statements_that_it_does_not_know_nothing_starts,
            one_that_hands_out_connections_for_a_session_needs_no_way_around_it,
            negative_control_a_lock_taken_through_it_outlives_its_owner,
            the_doctor_asks_for_bounds_on_the_role_and_sees_them,
        ],
        postgres,
        pooler,
    )
    checks.finish()


if __name__ == "__main__":
    main()
