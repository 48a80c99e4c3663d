"""Very many clients at once, each on a connection of its own for one request, some of whom leave before the answer.

One thread drives them all, so that what they wait for is the server. What they ask for, and what should come of it, is
up to the scripts.
"""

import asyncio
import functools
import http.client
import io
import json
import re
import socket
import struct
import time
import urllib.parse

from client import Answer

END = b"\r\n\r\n"
LENGTH = re.compile(rb"^content-length: *([0-9]+)\r?$", re.IGNORECASE | re.MULTILINE)

# Whoever stays longer than this, in seconds, is kept waiting by a server that hangs.
LONGEST = 60


class Visitor:
    """A client with one request, who leaves so many seconds after it was sent; `None` stays."""

    def __init__(self, method, path, body=None, token=None, patience=None, headers=None):
        body = json.dumps(body).encode() if body is not None else b""
        head = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", f"Content-Length: {len(body)}"]
        head += ["Content-Type: application/json"] if body else []
        head += [f"Authorization: Bearer {token}"] if token else []
        head += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.request = "\r\n".join([*head, "", ""]).encode() + body
        self.patience = patience
        self.heard = None
        # The server was not there, has closed the connection without an answer, or has kept it open without one.
        self.failure = None

    async def visit(self, address):
        try:
            async with asyncio.timeout(LONGEST):
                await self._visit(address)
        except Exception as failure:
            self.failure = repr(failure)

    async def _visit(self, address):
        loop = asyncio.get_running_loop()
        with socket.socket() as connection:
            # Leaves as a client does whose machine has crashed.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.setblocking(False)
            began = time.monotonic()
            await loop.sock_connect(connection, address)
            await loop.sock_sendall(connection, self.request)
            try:
                async with asyncio.timeout(self.patience) as stay:
                    message = await _message(loop, connection)
                self.heard = Heard(time.monotonic() - began, message)
            except TimeoutError:
                # The system has time limits, too, and those are no wish to leave.
                if not stay.expired():
                    raise


class Heard:
    """What a visitor has heard who stayed, and for how many seconds it was waited for: from the wish for a connection to the
    last byte. It is parsed when somebody wants to know, as the others' time would go by meanwhile."""

    def __init__(self, seconds, message):
        self.seconds = seconds
        self.message = message

    @functools.cached_property
    def answer(self):
        head, _, body = self.message.partition(END)
        line, _, fields = head.partition(b"\r\n")
        headers = http.client.parse_headers(io.BytesIO(fields))
        return Answer(int(line.split()[1]), headers, body)


def visit(url, visitors, at_a_time):
    """Has all of them visit, so many at a time, and returns when the last has been answered or has left."""
    server = urllib.parse.urlsplit(url)
    asyncio.run(_visit((server.hostname, server.port), iter(visitors), at_a_time))


async def _visit(address, visitors, at_a_time):
    async def one_after_the_other():
        for visitor in visitors:
            await visitor.visit(address)

    await asyncio.gather(*(one_after_the_other() for _ in range(at_a_time)))


async def _message(loop, connection):
    message = b""
    while not _is_whole(message):
        part = await loop.sock_recv(connection, 65536)
        assert part, f"the connection was closed after {message[:300]}"
        message += part
    return message


def _is_whole(message):
    head, end, body = message.partition(END)
    length = LENGTH.search(head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)
