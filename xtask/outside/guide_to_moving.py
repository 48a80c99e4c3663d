"""Does what the guide to moving from SQLite to a server shows, once for each server.

The SQL is run by the server's own program, the lines that begin with `$ ` by a shell, and the lines below them are
compared with what is printed, where `…` stands for anything. `vestibule serve` is left running until the text says
Ctrl-C. A user who was logged in before the first step must be so after the last.
"""

import re
import tempfile
import urllib.parse

from checks import Checks, expect_answer
from client import Client
from console import Console, commands, environment_with_program
from databases import Database
from server import ROOT

GUIDE = ROOT / "docs/guides/from-sqlite-to-a-server.md"
SHOWN_PORTS = {"postgres": "localhost:5432", "mariadb": "localhost:3306"}
# The blocks for one server alone say so.
ONLY_FOR = {"-- postgres": "postgres", "postgres://": "postgres", "-- mariadb": "mariadb", "mysql://": "mariadb"}
PASSWORD = "a long and uncommon sentence"


class Reader(Console):
    """Somebody in a folder, with a shell and a database server."""

    def __init__(self, folder, database):
        self.database = database
        super().__init__(folder, environment_with_program(folder))

    def sql(self, text):
        self.database.ask(text, self.database.server_url)

    def shell(self, command, output):
        server = urllib.parse.urlsplit(self.database.server_url)
        command = command.replace(SHOWN_PORTS[self.database.engine], f"localhost:{server.port}")
        self.run(command, output)


def steps(text, engine):
    """What the guide asks for, in its order: pairs of a kind and a text."""
    for part in re.split(r"^(```(?:sql|console)\n.*?^```)$", text, flags=re.MULTILINE | re.DOTALL):
        kind, _, block = part.removesuffix("```").partition("\n") if part.startswith("```") else ("", "", part)
        if any(word in block and other != engine for word, other in ONLY_FOR.items() if kind):
            continue
        if kind == "```sql":
            yield "sql", block, None
        elif kind == "```console":
            for command, output in commands(block):
                yield "shell", command, output
        elif re.search(r"\bwith Ctrl-C\b", re.sub(r"\s+", " ", block)):
            yield "ctrl-c", "Ctrl-C", None


def follow(checks, database):
    engine = database.engine
    with tempfile.TemporaryDirectory(prefix="vestibule-") as folder:
        reader = Reader(folder, database)
        try:
            reader.serve("vestibule serve")
            session = Client(reader.url).register("ada@example.org", PASSWORD)
            expect_answer(session, 201)
            for kind, text, output in steps(GUIDE.read_text(), engine):
                name = f"{engine}: {text.strip().splitlines()[-1]}"
                if kind == "sql":
                    checks.run(name, reader.sql, text)
                elif kind == "ctrl-c":
                    checks.run(name, reader.ctrl_c)
                else:
                    checks.run(name, reader.shell, text, output)
            checks.run(f"{engine}: nobody was logged out", still_logged_in, reader, session)
        finally:
            reader.close()


def still_logged_in(reader, session):
    """On the way back, too, which is where the guide ends."""
    reader.serve("vestibule serve --database-url sqlite://back.db")
    client = Client(reader.url)
    expect_answer(client.me(session["access_token"]), 200)
    expect_answer(client.refresh(session["refresh_token"]), 200)
    reader.ctrl_c()


def main():
    checks = Checks()
    for engine in SHOWN_PORTS:
        follow(checks, Database(engine))
    checks.finish()


main()
