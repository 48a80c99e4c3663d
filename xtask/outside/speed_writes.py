"""Rows of the table of speed: refreshes and logins, each against the bare work of the same machine.

A refresh is compared with transactions of the same two statements by the database's own means, a login with the hash
alone. The promises come from the table, the measuring from `measures.py`.
"""

import collections
import json
import os
import pathlib
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

from databases import Database
from measures import (
    CORES,
    LOAD_CORES,
    PASSWORD,
    SERVER_CORE,
    Load,
    amount,
    bearer,
    in_turn,
    measuring,
    on_cores,
    pinned_server,
    ratio,
    requests_per_second,
    signed_up,
)
from server import NO_LIMITS, Server

HERE = pathlib.Path(__file__).parent

SESSIONS = 16
EMAIL = "user-000001@example.org"
LOGIN = json.dumps({"login": EMAIL, "password": PASSWORD})
REFRESH = json.dumps({"refresh_token": "{}"})
REFRESHES = "refreshes per second"

# What a server has to be set to for a commit to be kept when the power goes.
DURABLE = ["fsync=on", "synchronous_commit=on", "full_page_writes=on"]

# What the store reads of each table, in the order of its statement.
READ = ", ".join(
    f"{table}.{column}"
    for table, columns in {
        "sessions": "id user_id kind generation created_at last_used_at idle_expires_at expires_at address user_agent",
        "users": "id email username name email_verified disabled_at deleted_at created_at updated_at",
        "user_roles": "role",
    }.items()
    for column in columns.split()
)

# What consuming a refresh token consists of: CONSUMPTION of crates/store/src/sessions/rotation.rs and SIGNED_IN. A token's hash
# stays as it is here, which costs the same.
ROTATION = [
    (
        "UPDATE sessions SET generation = {generation} + 1, token_hash = {hash}, nonce = {hash}, rotated_at = {now},"
        " last_used_at = {now}, idle_expires_at = {later} WHERE id = {session} AND generation = {generation}"
        " AND token_hash = {hash} AND idle_expires_at > {now} AND expires_at > {now}"
    ),
    (
        f"SELECT {READ} FROM sessions INNER JOIN users ON sessions.user_id = users.id"
        " LEFT JOIN user_roles ON users.id = user_roles.user_id"
        " WHERE sessions.id = {session} AND users.deleted_at IS NULL"
    ),
]
# The same as one statement: EXCHANGE there.
EXCHANGE = (
    f"WITH sessions AS ({ROTATION[0]} AND clock_timestamp() < to_timestamp({{now}}::float8 / 1000000) + make_interval(secs => 3600)"
    f" RETURNING *) {ROTATION[1]}"
)
HOUR = 3_600_000_000


# How long a disk of the second row takes to confirm that something is written, in milliseconds: that of many a SSD that
# nothing protects against a cut of the power, and of a volume that is elsewhere in a network.
SLOW = 2


def refresh(length):
    """16 sessions that refresh one after the other on SQLite, against one durable commit for each.

    How much is won by sharing commits depends on how long the disk is about one. So the same is measured once more where
    it is held up, for both alike.
    """
    work = f"refresh on SQLite, {SESSIONS} sessions"
    yield refresh_on_disk(length, work, at_least=4)
    strace = "strace --seccomp-bpf --follow-forks --daemonize --quiet=all --output=/dev/null"
    held_up = f"--trace=fsync,fdatasync --inject=fsync,fdatasync:delay_exit={SLOW}ms"
    yield refresh_on_disk(
        length, f"{work}, where the disk is held up for {SLOW} ms", [*strace.split(), *held_up.split()]
    )


def refresh_on_disk(length, work, held_up=(), **promise):
    under = [*on_cores([SERVER_CORE]), *held_up]
    with pinned_server(under=under) as server, BareCommits(server, under) as bare:
        ours, theirs = in_turn(
            length.rounds,
            ours=lambda: refreshes_per_second(server, length.seconds),
            theirs=lambda: bare.per_second(length.seconds),
        )
    return ratio(
        work,
        REFRESHES,
        ours,
        "a loop of transactions in SQLite with the same UPDATE and the same SELECT, each committed durably",
        theirs,
        remark=f"{bare.committing / bare.busy:.0%} of the loop's time is inside COMMIT",
        **promise,
    )


def refreshes_per_second(server, seconds):
    return requests_per_second(refresh_load(server), seconds)


def refresh_load(server, sessions=SESSIONS):
    """Refreshes of new sessions of one user: a load uses up what its sessions began with."""
    logins = Load(server.listen, "/api/auth/login", method="POST", body=LOGIN, connections=4)
    tokens = server.data / "refresh-tokens"
    logins.run("--seconds", 600, "--requests", sessions, "--keep", "refresh_token", "--kept", tokens)
    chain = ["--chain", "refresh_token", "--values", str(tokens)]
    return Load(server.listen, "/api/auth/refresh", method="POST", body=REFRESH, connections=sessions, more=chain)


class BareCommits:
    """Rotations of one session by SQLite alone, in a copy of a server's database on the same disk."""

    def __init__(self, server, under):
        signed_up(server)
        self.folder = tempfile.TemporaryDirectory(prefix="vestibule-", dir=server.data)
        copy = pathlib.Path(self.folder.name) / "bare.db"
        source, target = sqlite3.connect(server.data / "vestibule.db"), sqlite3.connect(copy)
        source.backup(target)
        source.close()
        target.close()
        self.command = [*under, sys.executable, str(HERE / "bare_commits.py"), str(copy)]
        self.committing = self.busy = 0

    def __enter__(self):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(self.command, stdin=pipe, stdout=pipe, text=True)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.folder.cleanup()

    def per_second(self, seconds):
        """Rotations a second. How much of the time COMMIT has taken adds up, too."""
        print(seconds, file=self.process.stdin, flush=True)
        seen = json.loads(self.process.stdout.readline())
        self.committing += seen["committing"]
        self.busy += seen["seconds"]
        return seen["rotated"] / seen["seconds"]


def named(statement):
    """With places for values as SQLite and pgbench both have them."""
    return re.sub(r"\{(\w+)\}", r":\1", statement)


def refresh_postgres(length):
    """The same on PostgreSQL, against its own pgbench in the place of the server: with the statements in one transaction,
    and as one statement."""
    database = Database("postgres", *DURABLE)
    step_aside_with(database)
    with pinned_server(f"--database-max-connections={SESSIONS}", database=database.url) as server:
        signed_up(server)
        # Those of pgbench, which are the oldest and are not refreshed by anybody else.
        login = Load(server.listen, "/api/auth/login", method="POST", body=LOGIN, connections=4)
        login.run("--seconds", 600, "--requests", SESSIONS)
        ours, transactions, statements = in_turn(
            length.rounds,
            ours=lambda: refreshes_per_second(server, length.seconds),
            transactions=lambda: pgbench(database, length.seconds, ["BEGIN", *ROTATION, "COMMIT"]),
            statements=lambda: pgbench(database, length.seconds, [EXCHANGE]),
        )
    work = f"refresh on PostgreSQL, {SESSIONS} sessions"
    remark = "PostgreSQL has the cores of the load each time, and who asks it the one of the server"
    yield ratio(
        work,
        REFRESHES,
        ours,
        f"pgbench, transactions of the same UPDATE and the same SELECT, {SESSIONS} clients",
        transactions,
        at_least=0.7,
        remark=remark,
    )
    yield ratio(
        work,
        REFRESHES,
        ours,
        f"pgbench, both in one statement, as the server has them, {SESSIONS} clients",
        statements,
        remark=remark,
    )


def step_aside_with(database):
    """Keeps PostgreSQL off the core of the server, where its processes would wait for each other's turn."""
    own = database.ask("SELECT pid FROM pg_stat_activity WHERE backend_type <> 'client backend'")
    helpers = [int(pid) for (pid,) in own]
    first = re.search(r"^PPid:\s*(\d+)", pathlib.Path(f"/proc/{helpers[0]}/status").read_text(), re.MULTILINE)[1]
    # Those that it starts from now on, each for a connection, are where it is.
    for process in [int(first), *helpers]:
        os.sched_setaffinity(process, LOAD_CORES)


# What each client of pgbench finds out first is whose session it rotates.
BEFORE = r"""\if :known = 0
SELECT id AS session, generation, token_hash AS hash
    FROM sessions ORDER BY created_at, id OFFSET :client_id LIMIT 1 \gset
\set known 1
\endif
"""
# A time that has moved on has the row moved in its indexes, too, as the server's times do.
BEHIND = r"""\set generation :generation + 1
\set now :now + 1
\set later :later + 1
"""


def pgbench(database, seconds, statements):
    """How often in a second these were executed, which have rotated a session each time."""
    lasting = max(1, round(seconds))
    rotated = lambda: int(database.ask("SELECT sum(generation) FROM sessions")[0][0])
    before = rotated()
    now = time.time_ns() // 1000
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(BEFORE + "".join(named(statement) + ";\n" for statement in statements) + BEHIND)
        script.flush()
        _, *server = database.client()
        where = [flag for flag in server if flag.startswith(("--host", "--port", "--username"))]
        command = [*on_cores([SERVER_CORE]), str(database.programs / "pgbench"), *where]
        command += ["--no-vacuum", "--protocol=prepared", f"--client={SESSIONS}", f"--time={lasting}"]
        command += [f"--file={script.name}", f"--define=now={now}", f"--define=later={now + HOUR}", "--define=known=0"]
        ended = subprocess.run(
            [*command, "vestibule"], env=database.environment(), capture_output=True, text=True, timeout=600
        )
    assert ended.returncode == 0, ended.stderr
    processed = int(re.search(r"transactions actually processed: (\d+)", ended.stdout)[1])
    # Who holds none of the server's rows would be fast as well.
    assert rotated() - before == processed, f"{rotated() - before} rotations in {processed} transactions"
    return processed / lasting


def logins(length):
    """Logins by 16 clients on all cores, against the hash alone on all cores."""
    with Server(*NO_LIMITS, under=on_cores(CORES)) as server:
        signed_up(server)
        load = Load(server.listen, "/api/auth/login", method="POST", body=LOGIN, connections=16)
        ours, theirs = in_turn(
            length.rounds,
            ours=lambda: requests_per_second(load, 2 * length.seconds),
            theirs=lambda: hashes_per_second(2 * length.seconds, CORES),
        )
    yield ratio(
        "logins, 16 at once",
        "per second",
        ours,
        "the hash alone in a loop over all cores",
        theirs,
        at_least=0.95,
        bound=1,
    )


def hashes_per_second(seconds, cores):
    command = [*on_cores(cores), measuring("hashes"), "--seconds", str(seconds)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    seen = json.loads(ended.stdout)
    return seen["hashes"] / seen["seconds"]


# Requests a second of those who are signed in, while others log in: far fewer than the server could answer.
RATE = 400
# Where a server refuses nearly every login, `me` has nobody to wait beside: so much of the hash alone is to go on.
STILL_LOGGED_IN = 0.5


def beside_logins(length):
    """How long `me` is waited for while 64 clients log in without pause, and 16."""
    with pinned_server() as server:
        # Another than who logs in so often that the first of their sessions end.
        _, session = signed_up(server, "user-000002@example.org")
        signed_up(server)
        me = Load(server.listen, "/api/auth/me", bearer(session))
        rest, among_64, among_16, hashes = in_turn(
            length.rounds,
            rest=lambda: slowest_hundredth(me, length.seconds),
            among_64=lambda: among(server, 64, me, length.seconds),
            among_16=lambda: among(server, 16, me, length.seconds),
            hashes=lambda: hashes_per_second(2 * length.seconds, [SERVER_CORE]),
        )
    waits = [[beside.wait for beside in values] for values in (among_64, among_16)]
    work = "99 % of `me`, while {} clients log in without pause"
    yield ratio(work.format(64), "ms", waits[0], "the same at rest", rest, at_most=3, remark=beside_words(among_64))
    yield amount(work.format(16), "ms", waits[1], at_most=7, remark=beside_words(among_16))
    for clients, values in ((64, among_64), (16, among_16)):
        yield ratio(
            f"logins by {clients} clients meanwhile, of those answered 200",
            "per second",
            [beside.logins for beside in values],
            "the hash alone on the same core",
            hashes,
            at_least=STILL_LOGGED_IN,
            bound=1,
            remark=f"beside {RATE} requests of `me` a second",
        )


def beside_words(values):
    refused = statistics.median(beside.refused for beside in values)
    return f"{RATE} requests a second, whatever becomes of those before; {refused:.0%} of the logins are answered 503"


def slowest_hundredth(load, seconds):
    """The wait, in milliseconds, that 99 of 100 requests do not exceed."""
    return load.run("--seconds", 2 * seconds, "--rate", RATE)["wait_us"]["p99"] / 1000


# The wait of others in milliseconds, logins answered 200 a second, and the share of logins answered 503.
Beside = collections.namedtuple("Beside", "wait logins refused")


def among(server, clients, me, seconds):
    # Where many wait for a hash, some may be told that the server is too busy.
    statuses = [200, 503]
    login = Load(server.listen, "/api/auth/login", method="POST", body=LOGIN, statuses=statuses, connections=clients)
    logging_in = login.begin("--seconds", 2 * seconds + 0.5)
    waited = slowest_hundredth(me, seconds)
    seen = login.end(logging_in)
    count = lambda status: seen["statuses"].get(str(status), 0)
    return Beside(waited, count(200) / seen["seconds"], count(503) / seen["requests"])
