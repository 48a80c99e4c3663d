"""Read replicas that lag, stop, freeze and are somebody else's: lists come from them while they are well, and from the
primary as soon as they are not, and nothing but lists ever does.

Each of the two engines has a primary and a replica of its own. Negative controls: a server that was told to bear any
lag does answer with what is out of date, and clients do see it when the primary is gone.
"""

import concurrent.futures
import http.client
import json
import os
import re
import subprocess
import threading
import time
import urllib.parse

from checks import Checks, expect, expect_answer, until
from client import Client
from databases import Database
from server import NO_LIMITS, Server

PASSWORD = "a long and uncommon sentence"
ADMIN = "root@example.org"
LISTS = ["/api/admin/users", "/api/admin/audit", "/api/admin/stats"]
MAX_LAG = 2

# What may be asked of a replica: looks at it, what a connection is set to, lists and figures.
WELCOME = [
    r"SELECT CASE WHEN pg_is_in_recovery",
    r"SELECT tablename::text AS value FROM pg_tables",
    r'SELECT .* FROM "meta" WHERE "meta"\."name" = \$1',
    r"SELECT version, applied_at FROM vestibule_migrations",
    r"SET ",
    r"SELECT set_config\(\$1, \$2, \$3\) WHERE current_setting\(\$4\) = \$5",
    r'SELECT "users"\..* FROM "users" WHERE .* ORDER BY "users"\."created_at" DESC',
    r'SELECT "user_roles"\..* FROM "user_roles" WHERE "user_roles"\."user_id" IN',
    r'SELECT "audit_events"\..* FROM "audit_events" .*ORDER BY "audit_events"\."at" DESC',
    r"SELECT COUNT\(\*\) AS num_items FROM",
]


class Postgres:
    """A primary and a standby that can be told to stand still."""

    HOLD_AUDIT = "BEGIN; LOCK TABLE audit_events; SELECT pg_sleep({seconds}); COMMIT"
    IS_HELD = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(%' AND state = 'active'"

    def __init__(self):
        self.primary = Database("postgres", "shared_preload_libraries=pg_stat_statements")
        self.primary.ask("CREATE EXTENSION pg_stat_statements", self.primary.url_of("/postgres"))
        self.replica = self.primary.standby("shared_preload_libraries=pg_stat_statements")

    def ask_replica(self, sql):
        """In another database than the program's, so that it is seen what that one asks."""
        return self.replica.ask(sql, self.replica.url_of("/postgres"))

    def hold(self):
        self.ask_replica("SELECT pg_wal_replay_pause()")

    def go_on(self):
        self.ask_replica("SELECT pg_wal_replay_resume()")

    def statements(self):
        """Everything that was ever asked of the replica in our database."""
        rows = self.ask_replica(
            "SELECT query FROM pg_stat_statements JOIN pg_database ON pg_database.oid = dbid "
            "WHERE datname = 'vestibule'"
        )
        return [" ".join(row) for row in rows]


class MariaDb:
    """The same with two servers, the second of which is told to follow the first."""

    HOLD_AUDIT = "LOCK TABLES audit_events WRITE; SELECT SLEEP({seconds}); UNLOCK TABLES"
    IS_HELD = "SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP(%'"

    def __init__(self):
        self.primary = Database("mariadb", "log-bin=binlog", "server-id=1")
        self.replica = Database("mariadb", "server-id=2", "read-only=1")
        self.replica.ask("DROP DATABASE vestibule")
        self.replica.url = self.replica.url_of("/")
        primary = urllib.parse.urlsplit(self.primary.url)
        self.replica.ask(
            f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={primary.port}, MASTER_USER='{primary.username}', "
            f"MASTER_PASSWORD='{primary.password}', MASTER_USE_GTID=slave_pos; START SLAVE"
        )
        self.replica.url = self.replica.url_of("/vestibule")

    def hold(self):
        """Everything arrives, and nothing is applied for an hour: the replica is at work and lags."""
        self._delay(3600)

    def go_on(self):
        self._delay(0)

    def _delay(self, seconds):
        server = self.replica.url_of("/")
        self.replica.ask(f"STOP SLAVE; CHANGE MASTER TO MASTER_DELAY={seconds}; START SLAVE", server)


class Node:
    """A server that has the replica, and its admin."""

    def __init__(self, pair, *flags, replicas=None):
        urls = replicas or [pair.replica.url]
        self.server = Server(
            *NO_LIMITS,
            "--metrics-listen=127.0.0.1:0",
            *flags,
            database=pair.primary.url,
            variables={"VESTIBULE_DATABASE_REPLICA_URLS": ",".join(urls)},
        )
        self.token = None

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *failure):
        self.server.__exit__(*failure)

    def become_admin(self):
        folder = self.server.data
        (folder / "password").write_text(PASSWORD)
        self.server.command("user", "add", ADMIN, "--role", "admin", "--password-file", str(folder / "password"))
        self.log_in()

    def own_key(self):
        """The flag by which another server gets the same key."""
        return f"--secret-key-file={self.server.data / 'secret.key'}"

    def log_in(self):
        answer = Client(self.server.url).login(ADMIN, PASSWORD)
        expect_answer(answer, 200)
        self.token = answer["access_token"]

    def ask(self, path):
        return Client(self.server.url).get(path, self.token)

    def emails(self):
        answer = self.ask("/api/admin/users?limit=100")
        expect_answer(answer, 200)
        return {user["email"] for user in answer["items"]}

    def register(self, email):
        expect_answer(Client(self.server.url).register(email, PASSWORD), 201)

    def metric(self, name):
        """The value of each replica, by its place."""
        url = urllib.parse.urlsplit(self.server.ready["metrics"])
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
        connection.request("GET", url.path)
        text = connection.getresponse().read().decode()
        found = re.findall(rf'^vestibule_database_replica_{name}{{replica="(.*)"}} (.*)$', text, re.MULTILINE)
        assert found, text
        return {place: float(value) for place, value in found}

    def lag(self):
        return max(self.metric("lag_seconds").values())

    def is_using_it(self):
        return max(self.metric("used").values()) == 1

    def doctor(self):
        """The findings about replicas, each with its verdict."""
        ended = subprocess.run(
            [
                os.environ["VESTIBULE_BINARY"],
                "doctor",
                "--json",
                "--data-dir",
                str(self.server.data),
                *self.server.flags,
            ],
            env=self.server.environment,
            cwd=self.server.folder.name,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ended.returncode in (0, 1), ended.stderr
        findings = json.loads(ended.stdout)
        return [finding for finding in findings if finding["check"] == "replica"]


class Readers:
    """Admins who look through their lists, and keep what they were answered."""

    def __init__(self, node, count=6):
        self.node = node
        self.answers = 0
        self.refusals = []
        self.slowest = 0.0
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._read, args=[index]) for index in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def answered(self):
        with self.lock:
            return self.answers

    def refused(self):
        with self.lock:
            return list(self.refusals)

    def await_more(self, count=100):
        enough = self.answered() + count
        until(lambda: self.answered() >= enough, "the lists are answered")

    def _read(self, index):
        client = Client(self.node.server.url)
        while not self.over.is_set():
            begun = time.monotonic()
            answer = client.get(LISTS[index % len(LISTS)], self.node.token)
            took = time.monotonic() - begun
            with self.lock:
                self.answers += 1
                if answer.status != 200:
                    self.refusals.append(answer)
                self.slowest = max(self.slowest, took)


def until_used(node):
    try:
        until(node.is_using_it, "the replica is used")
    except AssertionError:
        node.server.print_log()
        raise


def until_left_alone(node):
    until(lambda: not node.is_using_it(), "the replica is left alone")


def negative_control_a_server_that_bears_any_lag_lists_what_is_out_of_date(pair, _strict, patient):
    until_used(patient)
    pair.hold()
    until_used(patient)
    patient.register("late@example.org")
    for _ in range(5):
        assert "late@example.org" not in patient.emails()
    pair.go_on()
    until(lambda: "late@example.org" in patient.emails(), "the replica catches up")


def everything_but_lists_is_read_on_the_primary(pair, _strict, patient):
    until_used(patient)
    pair.hold()
    until_used(patient)
    client = Client(patient.server.url)
    registered = client.register("ada@example.org", PASSWORD)
    expect_answer(registered, 201)
    ada = registered["user"]["id"]
    expect_answer(client.login("ada@example.org", PASSWORD), 200)
    expect_answer(client.me(registered["access_token"]), 200)
    expect_answer(client.get("/api/auth/sessions", registered["access_token"]), 200)
    expect_answer(client.refresh(registered["refresh_token"]), 200)
    expect_answer(client.get(f"/api/admin/users/{ada}", patient.token), 200)
    change = {"name": "Ada"}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {patient.token}"}
    changed = client.ask("PATCH", f"/api/admin/users/{ada}", headers, json.dumps(change))
    expect_answer(changed, 200)
    expect(client.get(f"/api/admin/users/{ada}", patient.token)["name"], "Ada")
    assert "ada@example.org" in patient.server.command("user", "list"), "the command line reads the primary"
    assert "ada@example.org" not in patient.emails(), "the list does not"
    pair.go_on()


def a_replica_that_lags_is_not_asked_until_it_has_caught_up(pair, strict, _patient):
    until_used(strict)
    pair.hold()
    strict.register("grace@example.org")
    registered = time.monotonic()
    # Before, a look that took its time may seem a lag that ends with the next look.
    until(lambda: time.monotonic() > registered + MAX_LAG and strict.lag() > MAX_LAG, "the replica lags")
    expect(strict.is_using_it(), False)
    before = strict.lag()
    for _ in range(5):
        assert "grace@example.org" in strict.emails()
    until(lambda: strict.lag() > before + 1, "the lag grows")
    expect([finding["verdict"] for finding in strict.doctor()], ["warn"])
    pair.go_on()
    until_used(strict)
    assert strict.lag() <= MAX_LAG
    expect([finding["verdict"] for finding in strict.doctor()], ["ok"])


def a_replica_that_lost_its_primary_is_not_asked_once_it_misses_something(pair, strict, _patient):
    until_used(strict)
    [[connection]] = pair.ask_replica("SELECT current_setting('primary_conninfo')")
    follow = "ALTER SYSTEM SET primary_conninfo = '{}'; SELECT pg_reload_conf()"
    pair.ask_replica(follow.format(""))
    until(lambda: not pair.ask_replica("SELECT 1 FROM pg_stat_wal_receiver"), "the standby is cut off")
    strict.register("mary@example.org")
    until_left_alone(strict)
    assert "mary@example.org" in strict.emails()
    pair.ask_replica(follow.format(connection.replace("'", "''")))
    until_used(strict)


def a_replica_of_an_idle_primary_does_not_lag(pair, strict, _patient):
    until_used(strict)
    naive = "SELECT extract(epoch FROM now() - pg_last_xact_replay_timestamp())"

    def seems_late():
        assert strict.is_using_it()
        return float(pair.ask_replica(naive)[0][0]) > 2 * MAX_LAG

    until(seems_late, "nothing was written for a while")


def a_killed_replica_is_an_error_to_nobody(pair, strict, _patient):
    until_used(strict)
    with Readers(strict) as readers:
        readers.await_more()
        pair.replica.kill()
        readers.await_more()
        until_left_alone(strict)
        expect([finding["verdict"] for finding in strict.doctor()], ["fail"])
        pair.replica.start()
        until_used(strict)
        readers.await_more()
    expect(readers.refused(), [])
    assert readers.slowest < 5, readers.slowest


def behind_a_killed_replica_the_primary_has_the_time_of_a_call(pair, strict, _patient):
    """It needs 3.3 s, which is more than is left behind a replica that hangs."""
    until_used(strict)
    with concurrent.futures.ThreadPoolExecutor() as thread:
        held = thread.submit(pair.primary.ask, pair.HOLD_AUDIT.format(seconds=3.3))
        until(lambda: pair.primary.ask(pair.IS_HELD), "the table is locked")
        pair.replica.kill()
        try:
            expect_answer(strict.ask("/api/admin/audit"), 200)
        finally:
            pair.replica.start()
        held.result()


def a_frozen_replica_is_an_error_to_nobody(pair, strict, _patient):
    until_used(strict)
    with Readers(strict) as readers:
        readers.await_more()
        pair.replica.pause()
        until_left_alone(strict)
        readers.await_more()
        pair.replica.resume()
        until_used(strict)
        readers.await_more()
    expect(readers.refused(), [])
    assert readers.slowest < 5, readers.slowest


def a_server_starts_and_ends_beside_a_dead_replica(pair, strict, _patient):
    pair.replica.stop()
    with Node(pair, strict.own_key()) as late:
        expect(late.is_using_it(), False)
        expect(late.lag(), float("inf"))
        pair.replica.start()
        until_used(late)


def what_is_no_replica_of_the_database_is_not_asked(pair, strict, _patient):
    strangers = [pair.primary.url, pair.replica.url_of("/postgres")]
    if pair.primary.engine == "mariadb":
        strangers[1] = pair.replica.url_of("/mysql")
    with Node(pair, strict.own_key(), replicas=strangers) as node:
        node.log_in()
        findings = node.doctor()
        expect([finding["verdict"] for finding in findings], ["fail", "fail"])
        assert "follows no primary" in findings[0]["found"], findings
        assert "another installation" in findings[1]["found"], findings
        until(lambda: sum("left alone" in line for line in node.server.log) >= 2, "the log tells")
        expect(set(node.metric("used").values()), {0.0})
        for path in LISTS:
            expect_answer(node.ask(path), 200)


def nothing_but_lists_was_ever_asked_of_the_replica(pair, strict, _patient):
    until_used(strict)
    for path in LISTS:
        expect_answer(strict.ask(path), 200)
    asked = pair.statements()
    for table in ["users", "audit_events"]:
        assert any(f'FROM "{table}"' in statement for statement in asked), asked
    expect([statement for statement in asked if not is_welcome(statement)], [])


def negative_control_another_statement_would_have_been_found(pair, *_):
    pair.replica.ask("SELECT * FROM signing_keys")
    expect([statement for statement in pair.statements() if not is_welcome(statement)], ["SELECT * FROM signing_keys"])


def is_welcome(statement):
    return any(re.match(pattern, statement) for pattern in WELCOME)


def no_password_of_a_database_is_in_the_log(pair, strict, patient):
    for node in (strict, patient):
        text = "\n".join(node.server.log) + json.dumps(node.server.ready) + json.dumps(node.doctor())
        for database in (pair.primary, pair.replica):
            assert urllib.parse.urlsplit(database.url).password not in text


def negative_control_readers_notice_when_the_primary_is_gone(pair, strict, _patient):
    with Readers(strict) as readers:
        readers.await_more()
        pair.primary.stop()
        until(readers.refused, "somebody is refused")


COMMON = [
    negative_control_a_server_that_bears_any_lag_lists_what_is_out_of_date,
    everything_but_lists_is_read_on_the_primary,
    a_replica_that_lags_is_not_asked_until_it_has_caught_up,
    a_killed_replica_is_an_error_to_nobody,
    behind_a_killed_replica_the_primary_has_the_time_of_a_call,
    a_frozen_replica_is_an_error_to_nobody,
    what_is_no_replica_of_the_database_is_not_asked,
]
OF_POSTGRES = [
    a_replica_that_lost_its_primary_is_not_asked_once_it_misses_something,
    a_replica_of_an_idle_primary_does_not_lag,
    a_server_starts_and_ends_beside_a_dead_replica,
    nothing_but_lists_was_ever_asked_of_the_replica,
    negative_control_another_statement_would_have_been_found,
    no_password_of_a_database_is_in_the_log,
    negative_control_readers_notice_when_the_primary_is_gone,
]


def try_engine(checks, make, own):
    pair = make()
    with Node(pair, f"--database-replica-max-lag={MAX_LAG}s") as strict:
        strict.become_admin()
        with Node(pair, "--database-replica-max-lag=1h", strict.own_key()) as patient:
            patient.log_in()
            for check in COMMON + own:
                name = check.__name__.replace("_", " ")
                checks.run(f"{pair.primary.engine}: {name}", check, pair, strict, patient)


def main():
    checks = Checks()
    # Most of it is waiting, so both are tried at the same time.
    with concurrent.futures.ThreadPoolExecutor() as threads:
        tried = [threads.submit(try_engine, checks, *engine) for engine in [(Postgres, OF_POSTGRES), (MariaDb, [])]]
    for outcome in tried:
        outcome.result()
    checks.finish()


if __name__ == "__main__":
    main()
