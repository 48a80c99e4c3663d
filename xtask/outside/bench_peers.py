"""Measures other programs on the same work, side by side in the same run; for orientation, as we have set them up.

Each has one core for itself. What is compared is requests a second there, and the CPU time of each. Which programs
these are stands in `peers.py`; the first run installs what they stand on.

    bench_peers.py [--rounds N] [--seconds S] [--warm-up S]
"""

import argparse
import contextlib
import statistics

import provenance
from figures import spread
from measures import Load, cpu_microseconds, in_turn, requests_per_second, step_aside
from peers import programs
from provenance import FIGURES
from speed_writes import SESSIONS, refresh_load

REMARK = (
    "Requests a second with one core for the server, and the CPU time of each, in the same run; for orientation alone. "
    "All store on SQLite with durable commits and have no limits, or have them off. They hash by Argon2id with the same "
    "parameters, each by its own library. The others have no audit log, and sign what they sign with a shared key."
)
HAS_NONE = "has none"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    # Who waits for SQLite's lock may do so when all others are done, which counts for less in a longer time.
    parser.add_argument("--seconds", type=float, default=3)
    # Node compiles what is used often, and is some seconds about it.
    parser.add_argument("--warm-up", type=float, default=10)
    arguments = parser.parse_args()
    taken = provenance.now()
    compared = programs(FIGURES / "peers")
    step_aside()
    with contextlib.ExitStack() as stack:
        for program in compared:
            stack.enter_context(program.server)
            program.sign_up()
        rotating = [program for program in compared if program.api.rotates]
        columns = {
            "`me`": measured(compared, me, arguments),
            f"refresh, {SESSIONS} sessions": measured(rotating, lambda one: refresh_load(one.server), arguments),
            "login, 16 at once": measured(compared, logins, arguments),
        }
    figures = lambda one: [column.get(one.name, HAS_NONE) for column in columns.values()]
    peers = [{"name": one.name, "about": one.about, "figures": figures(one)} for one in compared]
    for peer in peers:
        print(peer["name"], *peer["figures"], sep="\n    ", flush=True)
    provenance.keep("peers", taken, {"works": list(columns), "remark": REMARK, "peers": peers})


def me(program):
    return Load(program.server.listen, program.api.me, program.bearer)


def logins(program):
    api = program.api
    return Load(
        program.server.listen,
        api.login,
        method="POST",
        body=api.credentials,
        body_type=api.credentials_type,
        connections=16,
    )


def measured(compared, load, arguments):
    """What each does of one work, as words, by its name."""
    for program in compared:
        requests_per_second(load(program), arguments.warm_up)
    names = [program.name for program in compared]
    rates = in_turn(arguments.rounds, **{one.name: rate_of(one, load, arguments) for one in compared})
    costs = in_turn(arguments.rounds, **{one.name: cost_of(one, load, arguments) for one in compared})
    return {
        name: f"{spread(rate)} /s, {statistics.median(cost):,.0f} us" for name, rate, cost in zip(names, rates, costs)
    }


def rate_of(program, load, arguments):
    return lambda: requests_per_second(load(program), arguments.seconds)


def cost_of(program, load, arguments):
    return lambda: cpu_microseconds(load(program), program.pids(), arguments.seconds)


main()
