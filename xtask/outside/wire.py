"""HTTP by hand: bytes leave as they are given, and answers are read as they come.

For requests that no library would send; what their answers should be is up to the scripts.
"""

import http.client
import socket
import struct
import urllib.parse

# Longer than every bound of the server that the scripts wait for.
PATIENCE = 60


class RawAnswer:
    """Status, headers and body of one answer, the body as it was sent but for its chunks."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def __repr__(self):
        return f"{self.status} {self.body[:200]!r}"


class Wire:
    """One connection."""

    def __init__(self, url):
        address = urllib.parse.urlsplit(url)
        self.socket = socket.create_connection((address.hostname, address.port), timeout=PATIENCE)
        self.received = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.received.close()
        self.socket.close()

    def send(self, data):
        """Sends what the server takes: it may have answered and left before the last byte."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def answer(self, method="GET"):
        """The next answer; `None` where the server has closed the connection instead."""
        try:
            line = self.received.readline()
        except ConnectionResetError:
            return None
        if not line:
            return None
        version, status = line.split(maxsplit=2)[:2]
        assert version in (b"HTTP/1.0", b"HTTP/1.1"), line
        headers = http.client.parse_headers(self.received)
        has_body = method != "HEAD" and status not in (b"100", b"101", b"204", b"304")
        return RawAnswer(int(status), headers, self._body(headers) if has_body else b"")

    def answers(self):
        """All answers up to the moment in which the server closes the connection."""
        return list(iter(self.answer, None))

    def reset(self):
        """Leaves as a client does whose machine has crashed: with RST, and without reading."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.received.close()
        self.socket.close()

    def _body(self, headers):
        if headers["Transfer-Encoding"] != "chunked":
            return self.received.read(int(headers["Content-Length"]))
        body = b""
        while size := int(self.received.readline(), 16):
            body += self.received.read(size)
            self.received.readline()
        self.received.readline()
        return body
