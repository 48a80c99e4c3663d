"""Sends the API what strangers make of its description, and holds every answer against that; schemathesis is the stranger.

On SQLite and on PostgreSQL, as a user and as an admin, in rounds until there are as many cases as were asked for.
How schemathesis goes about it stands in `schemathesis.toml`, what it has to know beside the description in
`api_accounts.py`.
"""

import argparse
import copy
import json
import os
import pathlib
import secrets
import subprocess
import sys
import tempfile
import threading

from checks import Checks, expect
from client import Client
from databases import Database
from server import NO_LIMITS, Server

HERE = pathlib.Path(__file__).resolve().parent
SCHEMATHESIS = pathlib.Path(sys.executable).with_name("schemathesis")
PASSWORD = "a long and uncommon sentence"
# What each may ask for; that nobody else may is held by tests of every route and every credential.
OPERATIONS = {"user": ["--exclude-tag", "Administration"], "admin": ["--include-tag", "Administration"]}
# They are refused to everybody who does not know what is in a file of the server's.
FOR_NOBODY = {"POST /api/auth/setup"}


class Stranger:
    """Somebody with schemathesis and a description of the API of a server."""

    def __init__(self, server, folder):
        self.server, self.folder = server, pathlib.Path(folder)
        self.password = self.folder / "password"
        self.password.write_text(PASSWORD)
        self.document = json.loads(Client(server.url).get("/api/openapi.json").bytes)

    def tries(self, role, seed, *arguments, document=None):
        """One run of schemathesis: its exit code, what it printed, and its report."""
        described, report = self.folder / "openapi.json", self.folder / "report.json"
        described.write_text(json.dumps(document or self.document))
        report.unlink(missing_ok=True)
        command = [SCHEMATHESIS, "--config-file", HERE / "schemathesis.toml", "run", described]
        command += ["--url", self.server.url, "--seed", str(seed), "--report-json-path", report, *arguments]
        ran = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(role),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=3600,
        )
        assert report.exists(), ran.stdout
        return ran.returncode, ran.stdout, json.loads(report.read_text())

    def environment(self, role):
        add_admin = []
        if role == "admin":
            add_admin = [os.environ["VESTIBULE_BINARY"], "user", "add", "--role", "admin", "--data-dir"]
            add_admin += [str(self.server.data), "--password-file", str(self.password)]
        return self.server.environment | {
            "PYTHONPATH": str(HERE),
            "API_URL": self.server.url,
            "API_PASSWORD": PASSWORD,
            "API_ADD_ADMIN": json.dumps(add_admin),
        }


def every_answer_is_described(stranger, role, wanted, seed):
    """As many cases as are wanted and more, in rounds of which each has the seed after that of the one before."""
    cases = 0
    examples = min(max(wanted // 100, 3), 100)
    while cases < wanted:
        code, said, report = stranger.tries(role, seed, *OPERATIONS[role], "--max-examples", str(examples))
        assert code == 0, said
        expect(report["errors"], [])
        refused = set(report["warnings"]["missing_auth"])
        assert refused <= FOR_NOBODY, f"refused in every case: {refused}"
        round_of = report["test_cases"]["generated"] - report["test_cases"]["without_checks"]
        assert round_of > 0, said
        cases += round_of
        seed += 1
    print(f"      {cases} cases as {role}, {stranger.server.environment.get('VESTIBULE_DATABASE_URL', 'SQLite')}")
    assert cases >= wanted


def is_found(stranger, document, operation, failure):
    """What finds nothing in the description finds this fault in it."""
    code, said, report = stranger.tries(
        "user", 1, "--include-operation-id", operation, "--phases", "examples,coverage", document=document
    )
    expect(code, 1)
    types = {failure["type"] for failure in report["failures"]}
    assert failure in types, f"{types} instead of {failure}: {said}"


def without_a_status(document):
    doctored = copy.deepcopy(document)
    del doctored["paths"]["/api/auth/register"]["post"]["responses"]["422"]
    return doctored


def without_a_field(document, shape, field):
    doctored = copy.deepcopy(document)
    described = doctored["components"]["schemas"][shape]
    del described["properties"][field]
    described["required"].remove(field)
    return doctored


def on(engine, arguments, checks):
    database = None if engine == "SQLite" else Database("postgres").url
    with Server(*NO_LIMITS, database=database) as server, tempfile.TemporaryDirectory() as folder:
        stranger = Stranger(server, folder)
        for role in OPERATIONS:
            name = f"every answer to a stranger is described, on {engine} as {role}"
            checks.run(name, every_answer_is_described, stranger, role, arguments.cases // 2, arguments.seed)
        if engine == "SQLite":
            document = without_a_status(stranger.document)
            checks.run("a missing status is found", is_found, stranger, document, "register", "UndefinedStatusCode")
            document = without_a_field(stranger.document, "User", "email_verified")
            checks.run("a missing field is found", is_found, stranger, document, "me", "JsonSchemaError")
            document = without_a_field(stranger.document, "TokenSession", "refresh_expires_in")
            name = "a missing field of a session that was refreshed is found"
            checks.run(name, is_found, stranger, document, "refresh", "JsonSchemaError")


options = argparse.ArgumentParser(description=__doc__)
options.add_argument("--cases", type=int, default=300, help="on each engine, at the least")
options.add_argument("--seed", type=int, default=secrets.randbelow(2**31), help="to make the same cases again")
arguments = options.parse_args()
print(f"seed {arguments.seed}", flush=True)
checks = Checks()
engines = [threading.Thread(target=on, args=[engine, arguments, checks]) for engine in ("SQLite", "PostgreSQL")]
for engine in engines:
    engine.start()
for engine in engines:
    engine.join()
checks.finish()
