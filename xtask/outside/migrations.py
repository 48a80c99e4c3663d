"""Migrations from outside: the printed SQL applied by each engine's own client program, several programs that start at
once, and SIGKILL in the middle. Schemas are compared by the engines' own dumps.

    migrations.py [--kills N] [--partly] [--seed N]
"""

import argparse
import concurrent.futures
import difflib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse

from checks import Checks, expect, expect_answer
from client import Client
from databases import Database
from server import SETTINGS, Server

# By how much the moment of the next kill is moved away from one that has cut nothing.
TOO_EARLY = 1.1

# For each kill so many may have ended before it: how fast the program is may change from one to the next.
MOST_OUTRUN = 5


class File:
    """Databases in files of one folder."""

    engine = "sqlite"

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def add(self, name):
        return f"sqlite://{self.folder / name}.db"

    def client(self, url):
        return ["sqlite3", "-bail", url.removeprefix("sqlite://")]

    def environment(self, _):
        return os.environ

    def dump(self, url):
        """Statement by statement, as they were given, but for their line ends.

        Of a copy, since whoever opens the file itself repairs what a kill has left.
        """
        name = self.client(url)[-1]
        with tempfile.TemporaryDirectory(prefix="vestibule-") as folder:
            for suffix in ["", "-wal"]:
                if os.path.exists(name + suffix):
                    shutil.copy(name + suffix, f"{folder}/copy.db{suffix}")
            dumped = subprocess.check_output(["sqlite3", "-bail", f"{folder}/copy.db", ".schema"], text=True)
        return [" ".join(statement.split()) for statement in dumped.split(";\n")]


class Service:
    """Databases on a server of our own."""

    def __init__(self, engine):
        self.engine = "mysql" if engine == "mariadb" else engine
        self.server = Database(engine)
        self.ask = self.server.ask
        self.client = self.server.client
        self.environment = self.server.environment
        self.add = self.server.add

    def dump(self, url):
        client = self.client(url)
        if self.engine == "postgres":
            command = [client[0].replace("psql", "pg_dump"), "--schema-only", *client[-4:]]
        else:
            command = [f"{client[0]}-dump", "--no-defaults", "--no-data", "--compact", *client[5:-1]]
            command.append(client[-1].removeprefix("--database="))
        dumped = subprocess.check_output(command, env=self.environment(url), text=True)
        # Newer releases of pg_dump begin with a random word.
        return [line for line in dumped.splitlines() if not line.startswith("\\")]


class Engine:
    """Databases of one engine, each new one empty, and the program at work on them."""

    def __init__(self, place, folder):
        self.place = place
        self.folder = folder
        self.count = 0
        self.started = []
        self.key = pathlib.Path(folder) / "secret.key"
        self.key.write_bytes(bytes(range(32)))
        self.key.chmod(0o600)
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
        self.environment |= {"VESTIBULE_DATA_DIR": f"{folder}/data", "VESTIBULE_SECRET_KEY_FILE": str(self.key)}
        self.migrated = self.empty()
        self.migrate(self.migrated, "up")

    def empty(self):
        self.count += 1
        return self.place.add(f"database_{self.count}")

    def old(self, to="1"):
        url = self.empty()
        self.migrate(url, "up", "--to", to)
        return url

    def start(self, url, *arguments):
        """Starts a command of the program, on this database."""
        process = subprocess.Popen(
            [os.environ["VESTIBULE_BINARY"], *arguments],
            cwd=self.folder,
            env=self.environment | {"VESTIBULE_DATABASE_URL": url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def end_what_was_started(self):
        """Of that, a check that fails leaves some behind."""
        for process in self.started:
            process.kill()
            process.communicate()
        self.started.clear()

    def migrate(self, url, *arguments):
        return said(self.start(url, "migrate", *arguments))

    def script(self, *flags):
        """The SQL for an empty database. The program is told of none, and is given no folder to write to."""
        command = [os.environ["VESTIBULE_BINARY"], "migrate", "up", "--print-sql", "--engine", self.place.engine]
        with tempfile.TemporaryDirectory(prefix="vestibule-") as folder:
            script = subprocess.check_output([*command, *flags], cwd=folder, env={}, text=True)
            expect(os.listdir(folder), [])
        return script

    def what_the_doctor_says_of_the_schema(self, url):
        output, _ = self.start(url, "doctor", "--json").communicate(timeout=120)
        return next(finding for finding in json.loads(output) if finding["check"] == "schema")

    def apply(self, script, url):
        """Feeds SQL to the client program and returns its exit code."""
        client = subprocess.run(
            self.place.client(url),
            env=self.place.environment(url),
            input=script,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=120,
        )
        return client.returncode

    def expect_migrated(self, url):
        """The schema that `migrate up` makes, and every migration recorded."""
        wanted = self.place.dump(self.migrated)
        differences = difflib.unified_diff(wanted, self.place.dump(url), "migrated", "found", n=0, lineterm="")
        assert wanted and not (found := list(differences)), "\n".join(found)
        steps = json.loads(self.migrate(url, "status", "--json"))
        assert steps and all(step["applied_at"] for step in steps), steps

    def server(self, url):
        return Server(database=url, variables={"VESTIBULE_SECRET_KEY_FILE": str(self.key)})


def said(process):
    """What it printed, once it has ended well."""
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return output


def the_printed_sql_makes_the_schema_that_the_program_makes(engine):
    url = engine.empty()
    expect(engine.apply(engine.script(), url), 0)
    engine.expect_migrated(url)
    expect(engine.what_the_doctor_says_of_the_schema(url)["verdict"], "ok")
    with engine.server(url) as server:
        expect_answer(Client(server.url).get("/readyz"), 200)


def the_program_goes_on_where_printed_sql_has_stopped(engine):
    url = engine.empty()
    expect(engine.apply(engine.script("--to", "2"), url), 0)
    applied = engine.migrate(url, "up").split()
    assert applied[1].startswith("m0003"), applied
    engine.expect_migrated(url)


def printed_sql_goes_on_where_the_program_has_stopped(engine):
    url = engine.old("2")
    expect(engine.apply(engine.migrate(url, "up", "--print-sql"), url), 0)
    engine.expect_migrated(url)
    assert "Nothing is missing" in engine.migrate(url, "up", "--print-sql")


def a_script_for_another_database_is_refused_and_changes_nothing(engine):
    url = engine.old()
    before = engine.place.dump(url)
    assert engine.apply(engine.script(), url) != 0
    expect(engine.place.dump(url), before)


def of_programs_that_migrate_at_once_one_does(engine):
    for url in [engine.empty(), engine.old()]:
        processes = [engine.start(url, "migrate", "up") for _ in range(4)]
        answers = [said(process) for process in processes]
        migrated = [answer for answer in answers if answer.startswith("applied")]
        assert len(migrated) == 1, answers
        engine.expect_migrated(url)


def servers_that_start_at_once_all_become_ready(engine):
    for url in [engine.empty(), engine.old()]:
        servers = [engine.server(url) for _ in range(2)]
        with concurrent.futures.ThreadPoolExecutor() as threads:
            starts = [threads.submit(server.__enter__) for server in servers]
        failures = [start.exception() for start in starts]
        for server, failure in zip(servers, failures, strict=True):
            if failure is None:
                server.__exit__(None)
        expect(failures, [None, None])
        engine.expect_migrated(url)


def a_program_that_may_not_change_tables_serves_what_somebody_else_has_migrated(engine):
    url = engine.empty()
    expect(engine.apply(engine.script(), url), 0)
    server = urllib.parse.urlsplit(url)
    user, tables = {
        "postgres": ("ROLE app LOGIN PASSWORD 'app'", "ALL TABLES IN SCHEMA public"),
        "mysql": ("USER app IDENTIFIED BY 'app'", f"{server.path.lstrip('/')}.*"),
    }[engine.place.engine]
    engine.place.ask(f"CREATE {user}", url)
    engine.place.ask(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO app", url)
    url = server._replace(netloc=f"app:app@{server.hostname}:{server.port}").geturl()
    expect(engine.start(url, "migrate", "down", "--yes").wait(), 1)
    with engine.server(url) as served:
        expect_answer(Client(served.url).register("ada@example.org", "a long and uncommon sentence"), 201)
    expect(engine.what_the_doctor_says_of_the_schema(url)["verdict"], "ok")


def the_doctor_finds_what_somebody_else_has_changed(engine):
    url = engine.empty()
    engine.migrate(url, "up")
    expect(engine.apply("ALTER TABLE users ADD COLUMN shoe_size integer;", url), 0)
    finding = engine.what_the_doctor_says_of_the_schema(url)
    expect((finding["verdict"], finding["found"]), ("warn", "the column users.shoe_size is not of this release"))
    expect(engine.apply("ALTER TABLE users DROP COLUMN name;", url), 0)
    finding = engine.what_the_doctor_says_of_the_schema(url)
    expect(finding["verdict"], "fail")
    assert "users.name" in finding["found"] and "--print-sql" in finding["fix"], finding


def a_migration_that_was_killed_is_finished_by_the_next(engine, kills, dice, has_to_be_partly_made):
    nothing, all_of_it = engine.place.dump(engine.empty()), engine.place.dump(engine.migrated)
    started = time.monotonic()
    engine.migrate(engine.empty(), "up")
    # Wanders to where kills leave a part, as most of the time is gone before the first change.
    moment = time.monotonic() - started
    inside = partly_made = outrun = 0
    while inside < kills:
        url = engine.empty()
        process = engine.start(url, "migrate", "up")
        started = time.monotonic()
        try:
            process.wait(timeout=moment * dice.uniform(0.5, 1.5))
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        took = time.monotonic() - started
        expect(process.returncode, 0, -signal.SIGKILL)
        found = engine.place.dump(url)
        if process.returncode == 0:
            # The one that the moment was taken from may have been a slow one.
            moment = min(moment / TOO_EARLY, took)
            outrun += 1
            assert outrun <= MOST_OUTRUN * kills, f"{outrun} had ended before they were killed"
        elif found == nothing:
            moment *= TOO_EARLY
        elif found == all_of_it:
            moment /= TOO_EARLY
        else:
            partly_made += 1
        inside += process.returncode != 0
        engine.migrate(url, "up")
        engine.expect_migrated(url)
    print(
        f"      {inside} killed before their end, of which {partly_made} left a part of the schema; {outrun} were faster"
    )
    assert partly_made or not has_to_be_partly_made, "each has left all of the schema, or nothing"


def a_way_that_is_neither_a_transaction_nor_looks_first_is_not_finished_by_the_next(engine):
    """The check above could not fail if a migration that was cut could be repeated anyway."""
    unsafe = [line for line in engine.script().splitlines() if not line.startswith(("BEGIN", "COMMIT"))]
    halfway = unsafe.index("-- m0002_revocations")
    url = engine.empty()
    expect(engine.apply("\n".join(unsafe[:halfway]), url), 0)
    assert engine.apply("\n".join(unsafe), url) != 0
    before = engine.place.dump(url)
    assert before != engine.place.dump(engine.migrated), "and the comparison tells"


CHECKS = [
    the_printed_sql_makes_the_schema_that_the_program_makes,
    the_program_goes_on_where_printed_sql_has_stopped,
    printed_sql_goes_on_where_the_program_has_stopped,
    a_script_for_another_database_is_refused_and_changes_nothing,
    of_programs_that_migrate_at_once_one_does,
    servers_that_start_at_once_all_become_ready,
    the_doctor_finds_what_somebody_else_has_changed,
    a_way_that_is_neither_a_transaction_nor_looks_first_is_not_finished_by_the_next,
]

CHECKS_ON_SERVERS = [
    *CHECKS,
    a_program_that_may_not_change_tables_serves_what_somebody_else_has_migrated,
]


def run(checks, engine, check, *arguments):
    checks.run(f"{engine.place.engine}: {check.__name__.replace('_', ' ')}", check, engine, *arguments)
    engine.end_what_was_started()


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--kills", type=int, default=5)
    arguments.add_argument("--partly", action="store_true", help="at least one has to leave a part of the schema")
    arguments.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    arguments = arguments.parse_args()
    print(f"seed {arguments.seed}")
    dice = random.Random(arguments.seed)
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="vestibule-") as folder:
        for place in [File(folder), Service("postgres"), Service("mariadb")]:
            engine = Engine(place, folder)
            for check in CHECKS_ON_SERVERS if isinstance(place, Service) else CHECKS:
                run(checks, engine, check)
            killed = a_migration_that_was_killed_is_finished_by_the_next
            run(checks, engine, killed, arguments.kills, dice, arguments.partly)
    checks.finish()


main()
