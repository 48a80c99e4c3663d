"""Brings over the users of other programs, from rows that these programs wrote, beside a running server.

Each source is looked at, brought over and brought over again; then every user logs in with the password they had, and
has a hash of this server. A long import is killed on its way and run again; the servers of databases are a source
and a target. The rows are in `xtask/fixtures/users`, where a script makes them anew.
"""

import csv
import json
import os
import pathlib
import re
import sqlite3
import tempfile
import time

from checks import Checks, expect, expect_answer, the_database_is_sound
from console import Console, commands
from databases import Another, Database
from installation import Installation
from server import ROOT, SETTINGS

GUIDE = ROOT / "docs/guides/import.md"
USERS = ROOT / "xtask/fixtures/users"
ADDED, LEFT_OUT, REFUSED, DELETED = "added", "left_out", "refused", "deleted_there"

# What comes of each source: flags, counts, who cannot log in although they came, and who has which roles.
SOURCES = {
    "flask": (["--role-map", "true=editor"], {ADDED: 4, LEFT_OUT: 1}, ["cleo"]),
    "django": (["--role-map", "true=admin", "--unfit-names", "drop"], {ADDED: 9, LEFT_OUT: 1, REFUSED: 3}, ["gone"]),
    "fastapi-users": ([], {ADDED: 3}, ["flo"]),
    "pocketbase": ([], {ADDED: 2}, []),
    "better-auth": ([], {ADDED: 2, LEFT_OUT: 1}, []),
    "firebase": (["--firebase-hash-config", str(USERS / "firebase-hash-config.txt")], {ADDED: 2, LEFT_OUT: 1}, []),
    "csv": ([], {ADDED: 8, LEFT_OUT: 1}, []),
    "supabase": (["--map", "name=raw_user_meta_data.name"], {ADDED: 3, DELETED: 1}, ["sid"]),
    "wordpress": ([], {ADDED: 3}, []),
}
FILES = {"firebase": "firebase.json", "csv": "passlib.csv"}
SERVERS = {"supabase": "postgres", "wordpress": "mariadb"}
MANY = 3000


def password(name):
    """What all of them log in with."""
    return f"{name}'s old pässword"


def write(path, name):
    """Makes the database of a program again."""
    with sqlite3.connect(path) as database:
        database.executescript((USERS / f"{name}.sql").read_text())
    database.close()


class Newcomers:
    """A server in a file, and the sources that users come from."""

    def __init__(self, home, server, servers):
        self.home, self.servers = home, servers
        self.client = home.client(server)

    def source(self, name):
        """Where the rows of a program are, as its operator would name it."""
        if name in FILES:
            return str(USERS / FILES[name])
        if name in SERVERS:
            database = self.servers[SERVERS[name]]
            url = database.add(name)
            database.ask((USERS / f"{name}.sql").read_text(), url)
            return url
        path = self.home.path / f"{name}.db"
        if not path.exists():
            write(path, name)
        return str(path)

    def run(self, source, *flags):
        """Runs an import, and returns its exit code and its report."""
        # With a password in it, a URL stands in a file.
        from_ = ["--from", source]
        if "://" in source:
            file = self.home.path / "source-url"
            file.write_text(source)
            from_ = ["--from-file", str(file)]
        status, said = self.home.run("import", *from_, "--json", *flags)
        lines = said[said.index("{\n") : said.rindex("\n}") + 2] if "{\n" in said else said
        assert lines.startswith("{"), said
        return status, json.loads(lines)

    def ask(self, sql):
        return self.home.source.ask(sql)

    def count(self):
        return int(self.ask("SELECT count(*) FROM users")[0][0])

    def come_from(self, name):
        """The whole way of one program's users."""
        source = self.source(name)
        flags, counts, _ = SOURCES[name]
        before = self.count()
        failed = 1 if counts.get(REFUSED) else 0
        status, rehearsed = self.run(source, "--dry-run", *flags)
        expect((status, self.count()), (failed, before))
        expect(rehearsed["format"], name)
        expect(rehearsed["rows"], sum(counts.values()))
        expect({key: rehearsed[key] for key in counts}, counts)
        status, brought = self.run(source, *flags)
        expect(status, failed)
        expect(brought, {**rehearsed, "dry_run": False})
        expect(self.count(), before + counts[ADDED])
        status, again = self.run(source, *flags)
        expect(again, {**brought, ADDED: 0, "came_before": counts[ADDED]})
        expect(self.count(), before + counts[ADDED])
        self.log_in(name, brought)

    def log_in(self, name, report):
        """Everybody who has come logs in as they did before, and has a hash of this server behind them."""
        domain = {"better-auth": "better", "fastapi-users": "fastapi"}.get(name, name)
        users = self.ask(f"SELECT email, password_hash FROM users WHERE email LIKE '%@{domain}.example'")
        expect(len(users), report[ADDED])
        for email, stored in users:
            user = email.split("@")[0]
            expect_answer(self.client.login(email, password(user) + "!"), 401)
            came = self.client.login(email, password(user))
            if user in SOURCES[name][2]:
                expect_answer(came, 401, "invalid_credentials")
                continue
            expect_answer(came, 200)
            (now,) = self.ask(f"SELECT password_hash FROM users WHERE email = '{email}'")
            assert now[0].startswith("$argon2id$v=19$m=19456,t=2,p=1$") or now[0] == stored, now

    def of(self, email):
        """What is known of somebody."""
        status, said = self.home.run("user", "show", email, "--json")
        expect(status, 0)
        return json.loads(said)[0]


def what_the_rows_say_beside_the_password_has_come_along(all_):
    ada, cleo, root = (all_.of(email) for email in ("ada@flask.example", "cleo@flask.example", "root@django.example"))
    expect((ada["username"], ada["roles"], ada["email_verified"]), ("Ada", ["editor"], True))
    expect((ada["created_at"], cleo["disabled"]), ("2024-03-01T12:30:00.000000Z", True))
    expect((root["roles"], root["email_verified"]), (["admin"], False))
    expect(all_.of("django0@django.example")["name"], "Django pbkdf2_sha256")
    expect(all_.of("mailname@django.example")["username"], None)
    expect(all_.of("bea@better.example")["email_verified"], True)
    expect(all_.of("pbkdf2@csv.example")["name"], 'Pbkdf2, "the user"')
    expect(all_.of("sue@supabase.example")["name"], "Sue S.")
    expect(all_.of("wanda@wordpress.example")["created_at"], "2021-02-03T04:05:06.000000Z")
    expect(all_.of("fay@fastapi.example")["roles"], [])


def nothing_of_the_source_is_printed_that_could_be_a_password(all_):
    for name in ("flask", "django", "csv"):
        _, said = all_.home.run("import", "--from", all_.source(name), "--dry-run")
        for secret in ("$2b$", "scrypt:32768", "pbkdf2_sha256$", "old p"):
            assert secret not in said, said


def each_run_that_brought_somebody_is_on_record_with_how_many(all_):
    rows = all_.ask("SELECT detail FROM audit_events WHERE event = 'imported'")
    counts = [json.loads(detail)["users"] for (detail,) in rows]
    expect(sum(counts), sum(counts_[ADDED] for _, counts_, _ in SOURCES.values()))


def only_those_who_may_not_log_in_are_left_with_their_old_hashes(all_):
    _, said = all_.home.run("doctor")
    # flo of FastAPI Users has one that is as good as those of this server.
    without_login = [name for _, _, names in SOURCES.values() for name in names if name != "flo"]
    assert f" {len(without_login)} by weaker or other means" in said, said


def who_was_deleted_or_changed_since_is_left_alone(all_):
    home = all_.home
    expect(home.run("user", "delete", "bob@flask.example")[0], 0)
    expect(home.run("user", "roles", "ada@flask.example", "--remove", "editor")[0], 0)
    status, again = all_.run(all_.source("flask"), *SOURCES["flask"][0])
    expect((status, again[ADDED], again["came_before"]), (0, 0, 4))
    expect(all_.of("ada@flask.example")["roles"], [])
    expect_answer(all_.client.login("bob@flask.example", password("bob")), 401)


def an_address_that_somebody_registered_here_is_theirs(all_):
    rows = [
        ["id", "email", "password"],
        ["7", "ADA@example.org", "$2b$04$" + "a" * 53],
        ["8", "x@example.org", "hunter2"],
    ]
    path = all_.home.path / "taken.csv"
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows(rows)
    for flags in (["--dry-run"], []):
        status, report = all_.run(str(path), *flags)
        expect((status, report[ADDED], report[LEFT_OUT]), (1, 0, 1))
        (refused,) = report["refusals"]
        expect((refused["row"], refused["problems"][0]["code"]), ("7", "email_taken"))
    status, report = all_.run(str(path), "--without-password", "import")
    expect(report[ADDED], 1)
    expect_answer(all_.client.login("x@example.org", "hunter2"), 401)


def wrong_calls_say_what_is_there(all_):
    flask = all_.source("flask")
    for flags, words in [
        (["--table", "users"], "there are: post, user"),
        (["--map", "email=address"], "there is no column"),
        (["--map", "mail=email"], "there is no field"),
        (["--role-map", "1=Not A Role"], "--role-map"),
        (["--format", "django"], "no table looks like one of users"),
    ]:
        status, said = all_.home.run("import", "--from", flask, *flags)
        expect(status, 2)
        assert words in said, said
    status, said = all_.home.run("import", "--from", str(USERS / "firebase.json"))
    assert status == 2 and "--firebase-hash-config" in said, said
    status, said = all_.home.run("import", "--from", str(all_.home.path / "nothing.csv"))
    expect(status, 1)


def many(path):
    """A large file, whose users share a hash: it is not their passwords that are tried."""
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "email", "password", "username"])
        for number in range(MANY):
            rows.writerow([number, f"many{number}@example.org", "$2b$04$" + "a" * 53, f"many{number}"])


def an_import_that_is_killed_goes_on_and_brings_everybody_once(all_):
    path = all_.home.path / "many.csv"
    many(path)
    before = all_.count()
    process = all_.home.begin("import", "--from", str(path))
    deadline = time.monotonic() + 60
    while all_.count() == before and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    process.communicate()
    brought = all_.count() - before
    assert 0 < brought, "it was killed before the first rows"
    status, report = all_.run(str(path))
    expect((status, report["came_before"], report[ADDED]), (0, brought, MANY - brought))
    expect(all_.count(), before + MANY)
    the_database_is_sound(all_.home.source.path)


def users_come_to_a_database_server(servers, engine):
    """From a program's file, beside a server that others are logged in at."""
    with Installation() as home:
        target = Another(servers[engine], "target")
        with home.serve(target) as server:
            all_ = Newcomers(home, server, servers)
            home.source = target
            run = home.run
            home.run = lambda *arguments: run(*arguments, "--database-url", target.url)
            all_.come_from("csv")


def the_guide_does_what_it_shows():
    """In an empty folder with somebody's database, by the program on PATH."""
    with tempfile.TemporaryDirectory(prefix="vestibule-") as folder:
        write(pathlib.Path(folder) / "site.db", "flask")
        programs = pathlib.Path(folder) / "programs"
        programs.mkdir()
        (programs / "vestibule").symlink_to(pathlib.Path(os.environ["VESTIBULE_BINARY"]).resolve())
        kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
        reader = Console(folder, {**kept, "PATH": f"{programs}:{os.environ['PATH']}"})
        shown = re.findall(r"^```console\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
        for command, output in commands("".join(shown)):
            reader.run(command, output)


def main():
    checks = Checks()
    servers = {engine: Database(engine) for engine in ("postgres", "mariadb")}
    with Installation() as home, home.serve(home.source) as server:
        all_ = Newcomers(home, server, servers)
        for name in SOURCES:
            checks.run(f"users of {name} come over once, and log in as they did", all_.come_from, name)
        checks.run_all(
            [
                what_the_rows_say_beside_the_password_has_come_along,
                nothing_of_the_source_is_printed_that_could_be_a_password,
                each_run_that_brought_somebody_is_on_record_with_how_many,
                only_those_who_may_not_log_in_are_left_with_their_old_hashes,
                who_was_deleted_or_changed_since_is_left_alone,
                an_address_that_somebody_registered_here_is_theirs,
                wrong_calls_say_what_is_there,
                an_import_that_is_killed_goes_on_and_brings_everybody_once,
            ],
            all_,
        )
    checks.run_all([the_guide_does_what_it_shows])
    for engine in servers:
        checks.run(f"users come to {engine}, and log in", users_come_to_a_database_server, servers, engine)
    checks.finish()


main()
