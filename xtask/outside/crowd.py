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

# Of those who stayed: `seconds` is counted from the last byte of the request to the last of the answer.
Heard = collections.namedtuple("Heard", "seconds answer")


class Answer:
    """Status, headers and decoded body of one response, as `client.Answer` has them."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.bytes = body

    def __getitem__(self, name):
        return json.loads(self.bytes)[name]

    def __repr__(self):
        return f"{self.status} {self.bytes[:300]!r}"


class Visitor:
    """A client with one request, who leaves after so many seconds; `None` stays."""

    def __init__(self, method, path, body=None, token=None, patience=None):
        body = json.dumps(body).encode() if body is not None else b""
        head = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", f"Content-Length: {len(body)}"]
        head += ["Content-Type: application/json"] if body else []
        head += [f"Authorization: Bearer {token}"] if token else []
        self.request = "\r\n".join([*head, "", ""]).encode() + body
        self.patience = patience
        self.heard = None
        # The server has closed the connection without an answer, or was not there.
        self.failure = None

    async def visit(self, host, port):
        try:
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(self.request)
                await writer.drain()
                began = time.monotonic()
                async with asyncio.timeout(self.patience):
                    answer = await _answer(reader)
                self.heard = Heard(time.monotonic() - began, answer)
            finally:
                # Leaves as a client does whose machine has crashed.
                connection = writer.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
        except TimeoutError:
            pass
        except (OSError, EOFError, ValueError) as failure:
            self.failure = repr(failure)


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
