"""Measures what connections cost that are kept alive and say nothing: memory of the released program, with and without.

The program's own memory before the first of them is what they are compared with, in the same run.

    bench_idle.py [--connections N]
"""

import argparse
import resource
import sys

from checks import expect
from server import Server
from wire import Wire

# What is promised for 10,000 of them.
PROMISED_KIB_EACH = 100 * 1024 / 10_000

# Files of the program, and of this one, that are no such connections.
OTHER_FILES = 300

REQUEST = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"


def open_files_allowed(wanted):
    """Raises the limit for this process and its children as far as they may, and returns it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    for hard in (max(most, wanted), most):
        allowed = min(wanted, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        except (PermissionError, ValueError):
            continue
        return allowed
    raise RuntimeError("the limit on open files cannot be set")


def use_once(wire):
    """One request and its answer: from here on the connection is an idle one."""
    wire.send(REQUEST)
    expect(wire.answer().status, 200)
    return wire


def memory_of_connections(wanted):
    """How many idle connections there were, and the memory of the program before the first and with all, in KiB."""
    number = min(wanted, open_files_allowed(wanted + OTHER_FILES) - OTHER_FILES)
    if number < wanted:
        print(f"only {number} connections: this system allows no more open files")
    with Server() as server:
        for _ in range(100):
            with Wire(server.url) as wire:
                use_once(wire)
        before = server.memory_kib()
        wires = [use_once(Wire(server.url)) for _ in range(number)]
        with_them = server.memory_kib()
        # Those that the server had let go would not count; the first has waited longest.
        use_once(wires[0])
        for wire in wires:
            wire.reset()
    return number, before, with_them


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--connections", type=int, default=10_000)
    number, before, with_them = memory_of_connections(parser.parse_args().connections)
    each = (with_them - before) / number
    print(f"before the first     {before / 1024:8.1f} MiB")
    print(f"with {number:,} idle    {with_them / 1024:8.1f} MiB, {with_them / before:.1f} times as much")
    print(f"the connections      {(with_them - before) / 1024:8.1f} MiB in all, {each:.2f} KiB each")
    if each > PROMISED_KIB_EACH:
        sys.exit(f"promised are {PROMISED_KIB_EACH:.2f} KiB each at the most")


if __name__ == "__main__":
    main()
