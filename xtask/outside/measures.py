"""What measurements have in common: a server on one core and the load on the others, its CPU time, rounds in turn.

A figure is a list of values, one for each round; what is made of them is their median, shown with the least and the
most. What is measured, and what was promised of it, is up to the scripts.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import threading
import time

from client import Client
from server import NO_LIMITS, Server

PASSWORD = "a long and uncommon sentence"
CONNECTIONS = 32

# Those of this machine, of which one is the server's.
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, *LOAD_CORES = CORES


@dataclasses.dataclass
class Length:
    """How much of everything is measured."""

    # Values of each figure, and the seconds of load behind each.
    rounds: int = 7
    seconds: float = 1.0
    users: int = 100_000
    connections: int = 10_000
    # Users who are moved to another database, and the seconds of load before memory is looked at again.
    moved: int = 1_000_000
    load_seconds: float = 60
    # Users who are more than the server's memories have places for; none where that is not measured.
    beyond: int = 0


# What chance may add to a result that has an upper bound.
CHANCE = 1.1


@dataclasses.dataclass
class Finding:
    """One sentence of what was measured: `ours` against `theirs`, or by itself.

    `result` is what was promised of: a ratio, or an amount of `unit`; where both were taken in turn it is the median of
    the `results` of the rounds. Without a promise it is there to be looked at.
    """

    work: str
    unit: str
    ours: list
    against: str = ""
    theirs: list = dataclasses.field(default_factory=list)
    results: list = dataclasses.field(default_factory=list)
    result: float = None
    result_unit: str = ""
    at_least: float = None
    at_most: float = None
    # What no result can exceed, such as the work alone of which it is a part.
    bound: float = None
    remark: str = ""
    # Of a cost that may grow: the work, what grows (`of`), its `sizes`, and the values at each of them.
    growth: dict = None

    @property
    def is_impossible(self):
        """Whether the result is beyond its bound by more than chance: then something else was measured."""
        return self.bound is not None and self.result > self.bound * CHANCE

    @property
    def held(self):
        """Whether the promise holds; `None` where there is none, or where nothing can be said of it."""
        if self.is_impossible:
            return None
        if self.at_least is not None:
            return self.result >= self.at_least
        if self.at_most is not None:
            return self.result <= self.at_most
        return None

    def to_json(self):
        return {**dataclasses.asdict(self), "held": self.held, "impossible": self.is_impossible}


def ratio(work, unit, ours, against, theirs, **more):
    """A finding whose result is how many times as much of `unit` ours is, round by round."""
    results = [our / their for our, their in zip(ours, theirs, strict=True)]
    result = statistics.median(results)
    return Finding(work, unit, ours, against, theirs, results=results, result=result, result_unit="x", **more)


def difference(work, unit, ours, against, theirs, **more):
    """A finding whose result is how much more of `unit` ours is, round by round."""
    results = [our - their for our, their in zip(ours, theirs, strict=True)]
    result = statistics.median(results)
    return Finding(work, unit, ours, against, theirs, results=results, result=result, result_unit=unit, **more)


def amount(work, unit, ours, **more):
    """A finding whose result is the median itself."""
    return Finding(work, unit, ours, result=statistics.median(ours), result_unit=unit, **more)


def on_cores(cores):
    """What to put before a command line so that the program runs on these cores alone."""
    return ["taskset", "--cpu-list", ",".join(map(str, cores))]


def step_aside():
    """Keeps this program, which reads the servers' logs, off the core of the server that is measured."""
    assert LOAD_CORES, "the load would disturb the server: there is only one core"
    os.sched_setaffinity(0, LOAD_CORES)


def cpu_seconds(pid):
    """What a process has used of all cores, for itself and in the kernel, by the kernel's exact account."""
    # The clock of a process by its id, as clock_getcpuclockid(3) makes it.
    return time.clock_gettime(~pid << 3 | 2)


def measuring(program):
    """One of the programs of xtask/measuring."""
    return str(pathlib.Path(os.environ["VESTIBULE_MEASURING"]) / program)


def pinned_server(*flags, **more):
    """A server on its own core, which counts nobody's requests, to be used by `with`."""
    return Server(*NO_LIMITS, *flags, **{"under": on_cores([SERVER_CORE]), **more})


def with_ceiling():
    """Servers that are started meanwhile have the routes of `http/ceiling.rs`."""
    return with_program(os.environ["VESTIBULE_CEILING"])


@contextlib.contextmanager
def with_program(program):
    """Servers that are started meanwhile are this program."""
    released = os.environ["VESTIBULE_BINARY"]
    os.environ["VESTIBULE_BINARY"] = program
    try:
        yield
    finally:
        os.environ["VESTIBULE_BINARY"] = released


class Load:
    """Requests of one kind to whoever listens at an address: what xtask/measuring/src/bin/load is told."""

    def __init__(
        self,
        address,
        path,
        *headers,
        method="GET",
        body=None,
        body_type="application/json",
        statuses=(200,),
        connections=CONNECTIONS,
        more=(),
    ):
        self.path = path
        # How many requests were sent so far, for a load that goes on where it has ended.
        self.sent = 0
        self.statuses = {str(status) for status in statuses}
        self.arguments = ["--address", address, "--method", method, "--path", path]
        self.arguments += ["--connections", str(connections), *more]
        for header in headers:
            self.arguments += ["--header", header]
        if body is not None:
            self.arguments += ["--header", f"Content-Type: {body_type}", "--body", body]

    def connect(self, *more):
        """Starts it, and returns when it has connected and waits; for `go`."""
        command = [*on_cores(LOAD_CORES), measuring("load"), *self.arguments, *map(str, more)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if process.stdout.readline() != "connected\n":
            process.communicate(timeout=60)
            raise RuntimeError(f"the load has not connected: {self.path}")
        return process

    def go(self, process):
        """Has it send; for `end`."""
        process.stdin.write("go\n")
        process.stdin.close()
        return process

    def begin(self, *more):
        """Starts it, and returns when it has connected and sends; for `end`."""
        return self.go(self.connect(*more))

    def end(self, process):
        """What the load has seen, once it is over; any other status than the expected ones is a failure."""
        overdue = threading.Timer(7200, process.kill)
        overdue.start()
        # By the same reader as the first line: what that has read ahead is lost to `communicate`.
        with process.stdout:
            said = process.stdout.read()
        status = process.wait()
        overdue.cancel()
        assert status == 0, f"the load has failed with {status}: {self.path}"
        seen = json.loads(said)
        assert seen["statuses"].keys() <= self.statuses, f"{seen['statuses']} from {self.path}"
        self.sent += seen["requests"]
        return seen

    def run(self, *more):
        return self.end(self.begin(*more))


def cpu_microseconds(load, pids, seconds, *more):
    """The CPU time of each request, of all the processes together."""
    connected = load.connect("--seconds", seconds, *more)
    before = sum(map(cpu_seconds, pids))
    seen = load.end(load.go(connected))
    return (sum(map(cpu_seconds, pids)) - before) / seen["requests"] * 1e6


def requests_per_cpu_second(load, pids, seconds, *more):
    """How many requests the processes answer with a second of CPU time between them."""
    return 1e6 / cpu_microseconds(load, pids, seconds, *more)


def requests_per_second(load, seconds, *more):
    seen = load.run("--seconds", seconds, *more)
    return seen["requests"] / seen["seconds"]


def in_turn(rounds, **measured):
    """The values of each, which are taken in turn, so that whatever else the machine does is shared by them."""
    for measure in measured.values():
        measure()
    values = {name: [] for name in measured}
    for _ in range(rounds):
        for name, measure in measured.items():
            values[name].append(measure())
    return values.values()


def signed_up(server, email="user-000001@example.org"):
    """A client of the server and the session of a new user."""
    client = Client(f"http://{server.listen}")
    session = client.register(email, PASSWORD)
    assert session.status == 201, session
    return client, session


def bearer(session):
    return f"Authorization: Bearer {session['access_token']}"


def alike(client, one, other, headers):
    """Fails where two paths are not answered with the same headers and about as many bytes: the one is to stand for the
    other."""
    ours, theirs = (client.ask("GET", path, headers) for path in (one, other))
    names = [sorted(name.lower() for name in answer.headers) for answer in (ours, theirs)]
    assert ours.status == theirs.status == 200 and names[0] == names[1], (ours, theirs, names)
    sizes = len(ours.bytes), len(theirs.bytes)
    assert max(sizes) - min(sizes) <= 8, f"{one} has {sizes[0]} bytes and {other} {sizes[1]}"
