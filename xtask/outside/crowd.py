"""Very many clients at once, each on a connection of its own for one request, some of whom leave before the answer.

One thread drives them all, so that what they wait for is the server. What they ask for, and what should come of it, is
up to the scripts.
"""

import asyncio
import collections
import http.client
import io
import json
import socket
import struct
import time
import urllib.parse

from client import Answer

# Of those who stayed: `seconds` is counted from the wish for a connection to the last byte of the answer.
Heard = collections.namedtuple("Heard", "seconds answer")

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

    async def visit(self, host, port):
        try:
            async with asyncio.timeout(LONGEST):
                await self._visit(host, port)
        except Exception as failure:
            self.failure = repr(failure)

    async def _visit(self, host, port):
        began = time.monotonic()
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(self.request)
            await writer.drain()
            async with asyncio.timeout(self.patience) as stay:
                answer = await _answer(reader)
            self.heard = Heard(time.monotonic() - began, answer)
        except TimeoutError:
            # The system has time limits, too, and those are no wish to leave.
            if not stay.expired():
                raise
        finally:
            # Leaves as a client does whose machine has crashed.
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


def visit(url, visitors, at_a_time):
    """Has all of them visit, so many at a time, and returns when the last has been answered or has left."""
    asyncio.run(_visit(urllib.parse.urlsplit(url), iter(visitors), at_a_time))


async def _visit(server, visitors, at_a_time):
    async def one_after_the_other():
        for visitor in visitors:
            await visitor.visit(server.hostname, server.port)

    await asyncio.gather(*(one_after_the_other() for _ in range(at_a_time)))


async def _answer(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    line, _, fields = head.partition(b"\r\n")
    headers = http.client.parse_headers(io.BytesIO(fields))
    body = await reader.readexactly(int(headers["Content-Length"] or 0))
    return Answer(int(line.split()[1]), headers, body)
