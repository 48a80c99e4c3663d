"""Which programs are measured side by side, how each is started on its core, and in what words it is asked.

What is measured of them is left to `bench_peers.py`.
"""

import dataclasses
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import typing
import urllib.parse

import peer_packages
from checks import expect_answer, until
from client import Answer, Client
from measures import PASSWORD, SERVER_CORE, on_cores, pinned_server
from peer_packages import output_of
from ports import free_port
from server import Server
from speed_writes import EMAIL, LOGIN

HERE = pathlib.Path(__file__).parent

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

# What every stored password begins with.
COST = b"$argon2id$v=19$m=19456,t=2,p=1$"


@dataclasses.dataclass
class Api:
    """The words for the work, ours unless others are given: paths, what is posted to them, and where the answer to a
    login has its token."""

    register: str = "/api/auth/register"
    registration: str = json.dumps({"email": EMAIL, "password": PASSWORD})
    login: str = "/api/auth/login"
    credentials: str = LOGIN
    credentials_type: str = JSON
    token: typing.Callable[[Answer], str] = lambda answer: answer["access_token"]
    me: str = "/api/auth/me"
    # Whether each refresh token is exchanged for the next one, which all that do so are asked for in our words.
    rotates: bool = True


FASTAPI_USERS = Api(
    register="/auth/register",
    login="/auth/jwt/login",
    credentials=urllib.parse.urlencode({"username": EMAIL, "password": PASSWORD}),
    credentials_type=FORM,
    me="/users/me",
    rotates=False,
)
BETTER_AUTH = Api(
    register="/api/auth/sign-up/email",
    registration=json.dumps({"email": EMAIL, "password": PASSWORD, "name": "Ada"}),
    login="/api/auth/sign-in/email",
    credentials=json.dumps({"email": EMAIL, "password": PASSWORD}),
    token=lambda answer: answer.headers["set-auth-token"],
    me="/api/auth/get-session",
    rotates=False,
)


class Peer:
    """Another program on a core of its own, with as much of a `Server` as a load needs to know."""

    def __init__(self, *command):
        self.command = [str(word) for word in command]

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="vestibule-")
        self.data = pathlib.Path(self.folder.name)
        self.port = free_port()
        self.listen = f"127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [*on_cores([SERVER_CORE]), *self.command, str(self.port), self.folder.name],
            # This tells programs on Node that they are not being developed.
            env={**os.environ, "NODE_ENV": "production"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            until(self.answers, f"{self.command} answers")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=60)
        finally:
            self.process.kill()
            self.folder.cleanup()

    def answers(self):
        """Whether it listens; where it has ended it never will."""
        assert self.process.poll() is None, f"{self.command} has ended with {self.process.returncode}"
        with socket.socket() as attempt:
            return attempt.connect_ex(("127.0.0.1", self.port)) == 0


@dataclasses.dataclass
class Program:
    """One of those that are compared."""

    name: str
    # What it is, and of which versions.
    about: str
    server: Server | Peer
    api: Api = dataclasses.field(default_factory=Api)
    # The header of somebody who is logged in.
    bearer: str = ""

    def sign_up(self):
        """Registers the user who does everything, and fails where it is not the work that is to be compared."""
        client = Client(f"http://{self.server.listen}")
        post = lambda path, kind, body: client.ask("POST", path, {"Content-Type": kind}, body)
        registered = post(self.api.register, JSON, self.api.registration)
        assert registered.status in (200, 201), registered
        login = post(self.api.login, self.api.credentials_type, self.api.credentials)
        expect_answer(login, 200)
        self.bearer = f"Authorization: Bearer {self.api.token(login)}"
        me = client.ask("GET", self.api.me, dict([self.bearer.split(": ")]))
        expect_answer(me, 200)
        # Some answer 200 to nobody as well.
        assert EMAIL.encode() in me.bytes, me
        files = [file for file in self.server.data.rglob("*") if file.is_file()]
        assert any(COST in file.read_bytes() for file in files), f"{self.name} hashes at another cost"

    def pids(self):
        """Its process, and those that it has started, as a master does its workers."""
        return list(family(self.server.process.pid))


def family(pid):
    yield pid
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from family(int(child))


def programs(folder):
    """All of them, to be started one by one; what they stand on is installed into the folder."""
    python = peer_packages.Python(HERE / "requirements-peers.txt", folder / "python")
    of_users = peer_packages.Python(HERE / "requirements-fastapi-users.txt", folder / "fastapi-users")
    better_auth = peer_packages.Node(HERE / "peer_better_auth", folder / "better-auth")
    fastapi = "fastapi", "SQLAlchemy", "uvicorn", "uvloop", "argon2-cffi"
    flask = "Flask", "Flask-SQLAlchemy", "SQLAlchemy", "gunicorn", "argon2-cffi"
    fastapi_users = "fastapi-users", "fastapi-users-db-sqlalchemy", *fastapi, "aiosqlite"
    ours = output_of(os.environ["VESTIBULE_BINARY"], "--version")
    return [
        Program(
            "Vestibule",
            f"this program, which answers `me` out of its memory; {ours}",
            pinned_server(),
        ),
        Program(
            "FastAPI and SQLAlchemy",
            "`xtask/outside/peer_fastapi.py`, the same routes as its framework's tutorial would have them, without"
            f" revocation; {python.versions(*fastapi)}",
            Peer(python.program, HERE / "peer_fastapi.py"),
        ),
        Program(
            "Flask and SQLAlchemy",
            "`xtask/outside/peer_flask.py`, the same in Flask, behind one worker of gunicorn with several threads;"
            f" {python.versions(*flask)}",
            Peer(python.program, HERE / "peer_flask.py"),
        ),
        Program(
            "FastAPI Users",
            "`xtask/outside/peer_fastapi_users.py`, its own routes with JWTs, which nothing revokes; its login stores"
            f" nothing; {of_users.versions(*fastapi_users)}",
            Peer(of_users.program, HERE / "peer_fastapi_users.py"),
            FASTAPI_USERS,
        ),
        Program(
            "Better Auth",
            "`xtask/outside/peer_better_auth`, its own routes on Node's HTTP server; `me` is `get-session`, which reads"
            f" the session and its user; {better_auth.versions('better-auth', 'better-sqlite3', '@node-rs/argon2')}",
            Peer("node", better_auth.folder / "server.mjs"),
            BETTER_AUTH,
        ),
    ]
