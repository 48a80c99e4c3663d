"""How costs grow: each hot request again with ten times the users, sessions, tokens and connections, and ten times
that.

Servers of all sizes are asked in turn, in the same run, so that what differs is their size. Nothing may grow faster
than a logarithm does, from any size to the next and from the first to the last, up to the size of which the server
remembers all; a larger one has no promise.
"""

import contextlib
import itertools
import math
import statistics

from bench_idle import OTHER_FILES, open_files_allowed
from measures import CONNECTIONS, Finding, Load, bearer, cpu_microseconds, in_turn, pinned_server, signed_up
from speed_requests import ME, each_token, many_tokens
from speed_writes import LOGIN, refresh_load

UNIT = "us of CPU each"
# What chance adds to a ratio.
TOLERANCE = 1.1


def growth(length):
    yield from growth_with_users(length)
    yield from growth_with_connections(length)


def growth_with_users(length):
    sizes = [length.users // 100, length.users // 10, length.users]
    # Where the server remembers only some of them, nothing was promised.
    sizes += [length.beyond] if length.beyond else []
    with contextlib.ExitStack() as stack:
        servers = {size: stack.enter_context(many_tokens(size)) for size in sizes}
        for server, _ in servers.values():
            signed_up(server)
        for work, of, request in (
            ("`GET /api/auth/me`, one token", "users and sessions", one_token),
            ("`GET /api/auth/me`, every user in turn", "users, sessions and tokens", by_turns),
            ("`/api/auth/forward`, one token", "users and sessions", forwarded),
            ("refresh on SQLite", "users and sessions", refreshed),
            ("login", "users and sessions", logged_in),
        ):
            measures = {
                str(size): asked(server, request(server, tokens), length) for size, (server, tokens) in servers.items()
            }
            yield grown(work, of, sizes, in_turn(length.rounds, **measures), promised=3)


def growth_with_connections(length):
    sizes = [CONNECTIONS, 10 * CONNECTIONS, 100 * CONNECTIONS]
    open_files_allowed(sizes[-1] + OTHER_FILES)
    with pinned_server() as server:
        _, session = signed_up(server)
        of = lambda size: lambda: (Load(server.listen, ME, bearer(session), connections=size), [])
        measures = {str(size): asked(server, of(size), length) for size in sizes}
        yield grown("`GET /api/auth/me`, one token", "connections", sizes, in_turn(length.rounds, **measures))


def asked(server, request, length):
    """Measures the CPU time of a request, which is made anew each time."""

    def measure():
        load, more = request()
        return cpu_microseconds(load, [server.process.pid], length.seconds, *more)

    return measure


def one_token(server, tokens):
    return lambda: (Load(server.listen, ME, f"Authorization: Bearer {first_of(tokens)}"), [])


def forwarded(server, tokens):
    return lambda: (Load(server.listen, "/api/auth/forward", f"Authorization: Bearer {first_of(tokens)}"), [])


def by_turns(server, tokens):
    load = each_token(server, tokens)
    return lambda: (load, ["--first", load.sent])


def refreshed(server, _):
    return lambda: (refresh_load(server), [])


def logged_in(server, _):
    return lambda: (Load(server.listen, "/api/auth/login", method="POST", body=LOGIN, connections=4), [])


def first_of(tokens):
    with tokens.open() as lines:
        return lines.readline().rstrip()


def grown(work, of, sizes, values, promised=None):
    """A finding about two of the first so many sizes, the pair that is closest to its bound or furthest beyond it, with
    all sizes for a plot."""
    values = list(values)
    last = (promised or len(sizes)) - 1
    bound = lambda small, large: math.log(sizes[large]) / math.log(sizes[small]) * TOLERANCE
    grew = lambda small, large: [one / other for one, other in zip(values[large], values[small], strict=True)]
    result = lambda pair: statistics.median(grew(*pair))
    # A cost that is in proportion to the size hides behind what does not grow until the last step.
    small, large = max([(0, last), *itertools.pairwise(range(last + 1))], key=lambda pair: result(pair) / bound(*pair))
    return Finding(
        f"{work}, {sizes[large]:,} {of}",
        UNIT,
        values[large],
        f"{sizes[small]:,}",
        values[small],
        results=grew(small, large),
        result=result((small, large)),
        result_unit="x",
        at_most=round(bound(small, large), 2),
        growth={"work": work, "of": of, "sizes": sizes, "values": values, "promised": sizes[last]},
    )
