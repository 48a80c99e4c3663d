"""Database servers that a script may stop, kill and freeze: its own, made when it asks, gone with `cargo xtask`.

They are started by `xtask/src/engines`, which is asked on a socket; what is tried on them is up to the scripts.
"""

import os
import pathlib
import socket
import subprocess
import urllib.parse


class Database:
    """A database of its own on a server of its own, empty at first; `url` is for the program under test."""

    def __init__(self, engine, *settings):
        """`engine` is `postgres` or `mariadb`; settings are those of the server, as `name=value`."""
        self._find(engine, "new", engine, *settings)
        self.url = self.add("vestibule")

    def standby(self, *settings):
        """A PostgreSQL that follows this one, with all that it has now and will have."""
        return self._beside("standby", *settings)

    def pooler(self, *settings):
        """A PgBouncer in front of this PostgreSQL that hands out a connection for each transaction."""
        return self._beside("pooler", *settings)

    def _beside(self, kind, *settings):
        other = Database.__new__(Database)
        other._find(self.engine, kind, self.name, *settings)
        other.url = other.url_of(urllib.parse.urlsplit(self.url).path)
        return other

    def _find(self, engine, *request):
        self.engine = engine
        self.name, self.server_url, programs = _ask(*request)
        self.programs = pathlib.Path(programs)

    def url_of(self, path):
        """The URL of another database on the server; `path` begins with a slash."""
        return urllib.parse.urlsplit(self.server_url)._replace(path=path).geturl()

    @classmethod
    def at(cls, engine, url):
        """A new database on a server that others have made, whose client program is on PATH."""
        database = cls.__new__(cls)
        database.engine, database.name, database.server_url, database.programs = engine, None, url, pathlib.Path()
        database.url = database.add(f"vestibule_{os.urandom(4).hex()}")
        return database

    def add(self, name):
        """Makes one more database on the server, and returns its URL."""
        self.ask(f"CREATE DATABASE {name}", self.server_url)
        return self.url_of(f"/{name}")

    def ask(self, sql, url=None):
        """Runs SQL by the client program of the server and returns the rows, as lists of texts."""
        ended = subprocess.run(
            self.client(url), input=sql, env=self.environment(url), capture_output=True, text=True, timeout=120
        )
        assert ended.returncode == 0, f"{sql}: {ended.stderr}"
        return [line.split("\t") for line in ended.stdout.splitlines()]

    def client(self, url=None):
        """The command line of the client program, which reads SQL; the password is in its environment."""
        server = urllib.parse.urlsplit(url or self.url)
        database = server.path.lstrip("/")
        if self.engine == "postgres":
            command = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--field-separator=\t"]
            command += ["--set=ON_ERROR_STOP=1", f"--host={server.hostname}", f"--port={server.port}"]
            command += [f"--username={server.username}", f"--dbname={database or 'postgres'}"]
        else:
            command = ["mariadb", "--no-defaults", "--batch", "--skip-column-names", "--default-character-set=utf8mb4"]
            command += [f"--host={server.hostname}", f"--port={server.port}", "--protocol=tcp"]
            command += [f"--user={server.username}", f"--database={database}"]
        return [str(self.programs / command[0]), *command[1:]]

    def environment(self, url=None):
        """What the client programs of the server need to know beside their arguments."""
        password = urllib.parse.urlsplit(url or self.url).password
        return {**os.environ, "PGPASSWORD": password, "MYSQL_PWD": password, "LC_ALL": "C.UTF-8"}

    def stop(self):
        """Ends the server cleanly, whatever its clients are doing."""
        _ask("stop", self.name)

    def start(self):
        """Starts it again, on its data and its port, and returns when it answers."""
        _ask("start", self.name)

    def kill(self):
        """SIGKILL for all its processes: what it has not given to the operating system is lost."""
        _ask("kill", self.name)

    def pause(self):
        """SIGSTOP for all its processes: connections stay open, and nothing answers on them."""
        _ask("pause", self.name)

    def resume(self):
        """Lets it go on after a pause."""
        _ask("resume", self.name)


class Another:
    """One more database on a server."""

    def __init__(self, server, name):
        self.server, self.engine, self.url = server, server.engine, server.add(name)
        self.kill, self.start = server.kill, server.start

    def ask(self, sql):
        return self.server.ask(sql, self.url)


def _ask(*words):
    with socket.socket(socket.AF_UNIX) as asked:
        asked.connect(os.environ["VESTIBULE_TEST_SERVERS"])
        asked.sendall("\t".join(words).encode() + b"\n")
        asked.shutdown(socket.SHUT_WR)
        answer = asked.makefile(encoding="utf-8").read()
    outcome, *found = answer.split("\t")
    assert outcome == "ok", f"{' '.join(words)}: {answer}"
    return found
