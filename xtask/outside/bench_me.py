"""Measures what it costs to recognise a caller: `GET /api/auth/me` with what the server remembers, and without.

A session that is remembered needs neither a signature nor the database. Without memory is measured by sessions that are
used for the first time, one for each request. `/livez`, which recognises nobody, is what both are compared with, in the
same run.

    bench_me.py [--requests N] [--sessions N]
"""

import argparse
import time

from checks import expect
from client import Client
from measures import cpu_seconds
from server import NO_LIMITS, Server
from wire import Wire

# Requests that are sent before their answers are read, so that this program is not what is measured.
AT_ONCE = 16

LOGIN = "ada@example.org"
PASSWORD = "correct horse battery staple"


def request(path, token=None):
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: a\r\n{authorization}\r\n".encode()


def tokens(url, number):
    """Access tokens of that many sessions, none of which has been used."""
    client = Client(url)
    expect(client.register(LOGIN, PASSWORD).status, 201)
    for _ in range(number):
        opened = client.login(LOGIN, PASSWORD)
        expect(opened.status, 200)
        yield opened["access_token"]


def measured(server, requests):
    """Requests per second, and microseconds of the server's CPU for each."""
    with Wire(server.url) as wire:
        cpu, start = cpu_seconds(server.process.pid), time.perf_counter()
        for first in range(0, len(requests), AT_ONCE):
            batch = requests[first : first + AT_ONCE]
            wire.send(b"".join(batch))
            for _ in batch:
                expect(wire.answer().status, 200)
        seconds = time.perf_counter() - start
        used = cpu_seconds(server.process.pid) - cpu
    return len(requests) / seconds, used / len(requests) * 1e6


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--sessions", type=int, default=900)
    arguments = parser.parse_args()
    number = arguments.requests

    with Server(*NO_LIMITS) as server:
        fresh = list(tokens(server.url, arguments.sessions))
        warm = request("/api/auth/me", fresh[-1])
        measured(server, [request("/livez")] * 2_000)
        runs = {
            "livez: nobody is recognised": [request("/livez")] * number,
            "me: each session for the first time": [request("/api/auth/me", token) for token in fresh],
            "me: a session that is remembered": [warm] * number,
        }
        results = {name: measured(server, requests) for name, requests in runs.items()}

    (_, nobody), (_, first), (_, remembered) = results.values()
    for name, (rate, cpu) in results.items():
        print(f"{name:36} {rate:8,.0f} /s {cpu:7.1f} us of CPU each, {cpu / nobody:5.2f} times livez")
    print(f"to recognise a caller takes {remembered - nobody:.1f} us where it took {first - nobody:.1f}")


main()
