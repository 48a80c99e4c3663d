"""Backs up the database under load and restores it elsewhere: whatever was acknowledged before the start is there.

A file is backed up by `vestibule backup` and restored by `vestibule restore`; the servers by their own tools, with the
very commands that docs/guides/backups.md shows. Sessions go on after the move, as the secret key moves along.

An account that was made after the backup has to be missing in what was restored, and be found to be; and so has a copy
of the file alone, which is no backup as the newest writes are beside it, to be found wanting.

    backups.py [--engine sqlite | postgres | mariadb] [--rounds N]
"""

import argparse
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile
import urllib.parse

from checks import Checks, expect, unsound
from client import Client, PatientClient
from databases import Database
from load import LATE_REPEATS, Account, Load, broken_promises, no_answer_was_a_failure
from server import NO_LIMITS, ROOT, DidNotStart, Server

GUIDE = ROOT / "docs/guides/backups.md"

# The tokens of one server are for the one that is restored, on another port.
FLAGS = [*NO_LIMITS, LATE_REPEATS, "--token-issuer=backups", "--token-audience=backups"]

# Answers to the load before each backup, so that there is something new in it, and behind it.
MORE = 40

# So many copies of the file alone, each right behind a write, must suffice for one that lacks it.
COPIES = 5


class Files:
    """A database in a file, and what the program itself does for its backups."""

    url = None

    def back_up(self, server, folder):
        server.command("backup", str(folder / "copy.db"))

    def restore(self, folder, server):
        """Into the place that the server, not started yet, is going to use."""
        server.command("restore", str(folder / "copy.db"))

    restore_again = restore

    def forget(self):
        """Every restore has a place of its own."""


class Tools:
    """A database on a server, and what the guide says about it."""

    def __init__(self, engine):
        self.database = Database(engine)
        self.url = self.database.url
        heading = {"postgres": "## PostgreSQL", "mariadb": "## MariaDB"}[engine]
        section = GUIDE.read_text().partition(f"\n{heading}\n")[2].partition("\n## ")[0]
        blocks = re.findall(r"^```sh\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
        self.back_up_commands, self.restore_commands = blocks

    def back_up(self, _, folder):
        self._run(self.back_up_commands, folder)

    def restore(self, folder, server):
        """Into a new database, of the name that the guide has chosen."""
        self._run(self.restore_commands, folder)
        url = urllib.parse.urlsplit(self.url)
        server.environment["VESTIBULE_DATABASE_URL"] = url._replace(path="/vestibule_restored").geturl()

    def restore_again(self, folder, _):
        """Without the first line, which makes the database."""
        self._run(self.restore_commands.partition("\n")[2], folder)

    def forget(self):
        """Makes room for the next restore."""
        self.database.ask("DROP DATABASE vestibule_restored")

    def _run(self, commands, folder):
        """As an operator would, who has told the tools beforehand where the server is."""
        url = urllib.parse.urlsplit(self.url)
        address = {"host": url.hostname, "port": str(url.port), "user": url.username, "password": url.password}
        for_postgres = {f"PG{name.upper()}": value for name, value in address.items()}
        settings = "".join(f"{name}={value}\n" for name, value in address.items())
        (folder / "server.cnf").write_text(f"[client]\n{settings}")
        path = f"{self.database.programs}:{os.environ['PATH']}"
        environment = {**os.environ, **for_postgres, "PATH": path}
        ended = subprocess.run(
            ["sh", "-eu"], input=commands, cwd=folder, env=environment, capture_output=True, text=True, timeout=120
        )
        assert ended.returncode == 0, ended.stderr


def settled_write(url, number):
    """An account on which every kind of write was acknowledged, and none is under way."""
    client = Client(url)
    account = Account(f"last-{number}@example.org")
    account.register(client)
    account.rename(client, f"Last before backup {number}")
    for _ in range(3):
        account.sessions[0].renew(client)
    account.login(client)
    account.sessions[-1].end(client)
    account.login(client)
    return account


def accounts_to_look_for(load):
    """Those whose clients were done with them."""
    return [account for account in list(load.accounts) if account.is_settled]


def restored_elsewhere(server, database, folder):
    """A server that is not started yet, on what was restored, with the secret key of the first one."""
    restored = Server(*FLAGS)
    restored.data.mkdir(mode=0o700)
    shutil.copy(server.data / "secret.key", restored.data)
    database.restore(folder, restored)
    return restored


def everything_acknowledged_before_the_start_is_in_it(url, accounts):
    expect(broken_promises(PatientClient(url), accounts), [])


def what_came_after_the_end_is_found_lacking(url, account):
    """A negative control."""
    assert broken_promises(PatientClient(url), [account]), f"{account.email} is there"


def lacking(restored, accounts):
    """Lines that say what the restored server does not know."""
    with restored:
        return broken_promises(PatientClient(restored.url), accounts)


def the_backup_is_sound_and_for_its_owner_alone(folder):
    expect(stat.S_IMODE((folder / "copy.db").stat().st_mode), 0o600)
    expect(unsound(folder / "copy.db"), [])


def a_second_restore_is_refused(server, database, folder):
    try:
        database.restore_again(folder, server)
    except AssertionError as refusal:
        assert "is not empty" in str(refusal) or "already exists" in str(refusal), refusal
    else:
        raise AssertionError("it was let in")


def a_round(checks, server, database, number):
    """A backup under load, a restore elsewhere, and the comparison."""
    with tempfile.TemporaryDirectory(prefix="vestibule-") as place:
        folder = pathlib.Path(place)
        load = Load(server.url, number * 10**6, number)
        load.wait_for_answers(MORE)
        accounts = [*accounts_to_look_for(load), settled_write(server.url, number)]
        before = load.answered
        database.back_up(server, folder)
        meanwhile = load.answered - before
        later = settled_write(server.url, f"{number}-but-later")
        load.wait_for_answers(load.answered + MORE)
        load.end()
        print(f"-- backup {number}: {before} answers before, {meanwhile} meanwhile", flush=True)
        checks.run_all([no_answer_was_a_failure], load)
        if isinstance(database, Files):
            checks.run_all([the_backup_is_sound_and_for_its_owner_alone], folder)
        restored = restored_elsewhere(server, database, folder)
        checks.run_all([a_second_restore_is_refused], restored, database, folder)
        with restored:
            checks.run_all([everything_acknowledged_before_the_start_is_in_it], restored.url, accounts)
            checks.run_all([what_came_after_the_end_is_found_lacking], restored.url, later)
        database.forget()


def a_copy_of_the_file_alone_lacks_acknowledged_writes(server):
    for number in range(COPIES):
        account = settled_write(server.url, f"copy-{number}")
        restored = Server(*FLAGS)
        restored.data.mkdir(mode=0o700)
        for name in ["secret.key", "vestibule.db"]:
            shutil.copy(server.data / name, restored.data)
        try:
            lost = lacking(restored, [account])
        except DidNotStart:
            continue
        if lost:
            print("-- lost, as it had to be:", *lost, sep="\n   ", flush=True)
            return
    raise AssertionError(f"{COPIES} copies have lacked nothing")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", choices=["sqlite", "postgres", "mariadb"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()

    checks = Checks()
    database = Files() if arguments.engine == "sqlite" else Tools(arguments.engine)
    with Server(*FLAGS, database=database.url) as server:
        for number in range(1, arguments.rounds + 1):
            a_round(checks, server, database, number)
        if isinstance(database, Files):
            checks.run_all([a_copy_of_the_file_alone_lacks_acknowledged_writes], server)
    checks.finish()


main()
