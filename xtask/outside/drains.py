"""Ends the server with SIGTERM while it is busy, and starts it again, over and over: in plain HTTP, with TLS, and in
HTTP/2. Every request whose head had reached the server's socket before the signal is answered.

Negative control: SIGKILL fails some.

    drains.py [--rounds N]
"""

import argparse
import json
import math
import pathlib
import random
import socket
import ssl
import tempfile
import time

import hpack
from cryptography import x509
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from certificates import Authority
from checks import Checks, expect
from load import Busy
from server import NO_LIMITS, Server

# Clients of each kind, and the answers between a start and the next end.
CLIENTS = 6
BETWEEN_ENDS = 60
PATIENCE = 60

# Longer than the time that a body is held back, in seconds.
LONGEST_PAUSE = 0.2

LOGIN = json.dumps({"login": "nobody@example.org", "password": "correct horse battery"}).encode()

# What is asked for, and the status of its answer: something cheap, something that is hashed for, and a list.
ASKED = [("GET", "/livez", b"", 200), ("POST", "/api/auth/login", LOGIN, 401), ("GET", "/api/auth/me", b"", 401)]


class Gone(Exception):
    """The server has closed the connection before the answer was whole."""


class Http1:
    """One request after the other, whose body is sent some time after its head."""

    def __init__(self, connection):
        self.connection = connection

    def ask(self, method, path, body, sent):
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        kind = "Content-Type: application/json\r\n" if body else ""
        self.connection.sendall(f"{head}{kind}\r\n".encode())
        sent()
        if body:
            time.sleep(random.random() * LONGEST_PAUSE)
            self.connection.sendall(body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._receive()
        head, _, rest = answer.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        while len(rest) < int(fields[b"content-length"]):
            rest += self._receive()
        return int(head.split()[1]), rest, fields.get(b"connection") != b"close"

    def _receive(self):
        part = self.connection.recv(65536)
        if not part:
            raise Gone
        return part


class Http2:
    """The same in HTTP/2, by its frames: client libraries take a farewell (GOAWAY) for the end, and it is not yet."""

    PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    HEADER = 9

    def __init__(self, connection):
        self.connection = connection
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.stream = -1
        self.is_leaving = False
        self.connection.sendall(self.PREFACE + SettingsFrame(0).serialize())

    def ask(self, method, path, body, sent):
        self.stream += 2
        fields = [(":method", method), (":path", path), (":scheme", "https"), (":authority", "localhost")]
        fields += [("content-type", "application/json")] if body else []
        head = HeadersFrame(self.stream, self.encoder.encode(fields), flags=["END_HEADERS"])
        if not body:
            head.flags.add("END_STREAM")
        self._send(head)
        sent()
        if body:
            time.sleep(random.random() * LONGEST_PAUSE)
            self._send(DataFrame(self.stream, body, flags=["END_STREAM"]))
        status, answer = None, b""
        while True:
            frame = self._receive()
            if isinstance(frame, HeadersFrame):
                status = int(dict(self.decoder.decode(frame.data))[":status"])
            if isinstance(frame, DataFrame):
                answer += frame.data
            if isinstance(frame, (HeadersFrame, DataFrame)) and "END_STREAM" in frame.flags:
                return status, answer, not self.is_leaving

    def _receive(self):
        frame, length = Frame.parse_frame_header(memoryview(self._read(self.HEADER)))
        frame.parse_body(memoryview(self._read(length)))
        if isinstance(frame, (SettingsFrame, PingFrame)) and "ACK" not in frame.flags:
            is_ping = isinstance(frame, PingFrame)
            self._send(PingFrame(0, frame.opaque_data, flags=["ACK"]) if is_ping else SettingsFrame(0, flags=["ACK"]))
        elif isinstance(frame, DataFrame) and frame.data:
            self._send(WindowUpdateFrame(0, window_increment=len(frame.data)))
        elif isinstance(frame, GoAwayFrame):
            self.is_leaving = True
        elif isinstance(frame, RstStreamFrame):
            raise Gone
        return frame

    def _read(self, length):
        data = b""
        while len(data) < length:
            part = self.connection.recv(length - len(data))
            if not part:
                raise Gone
            data += part
        return data

    def _send(self, frame):
        self.connection.sendall(frame.serialize())


class Load(Busy):
    """Clients that never pause, each with a connection that it keeps for as long as the server does."""

    def __init__(self, connect):
        self.connect = connect
        # When the server was told to end for the last time, and when it was there again.
        self.ended_at, self.back_at = math.inf, math.inf
        self.answered = 0
        self.lost = []
        self.wrong = []
        super().__init__(CLIENTS)

    def wait_for_more(self):
        wanted, until = self.answered + BETWEEN_ENDS, time.monotonic() + PATIENCE
        while self.answered < wanted:
            assert time.monotonic() < until, f"fewer than {BETWEEN_ENDS} answers in {PATIENCE} s; {self.wrong[:3]}"
            time.sleep(0.01)

    def end(self, server, how):
        """Ends the server, and starts it again. What was sent before this moment has arrived, as the kernel hands it
        over by itself."""
        self.ended_at, self.back_at = time.monotonic(), math.inf
        status = how(server)
        server.start()
        self.back_at = time.monotonic()
        return status

    def work(self, number):
        client = None
        while not self.over.is_set():
            method, path, body, wanted = random.choice(ASKED)
            sent_at = []
            try:
                client = client or self.connect()
                status, answer, goes_on = client.ask(method, path, body, lambda: sent_at.append(time.monotonic()))
            except (OSError, Gone) as failure:
                client = None
                # Neither who was refused, nor who has sent something to a server that was told to end, has lost anything.
                if sent_at and not self.ended_at <= sent_at[0] < self.back_at:
                    self.lost.append(f"{method} {path}: {failure!r}")
                time.sleep(0.01)
                continue
            except Exception as failure:
                self.wrong.append(f"{method} {path}: {failure!r}")
                client = None
                continue
            self.answered += 1
            if status != wanted:
                self.wrong.append(f"{method} {path}: {status} {answer}")
            if not goes_on:
                client = None


def drained(server, connect, rounds):
    with Load(connect) as load:
        for _ in range(rounds):
            load.wait_for_more()
            expect(load.end(server, Server.stop), 0)
        load.wait_for_more()
    print(f"-- {rounds} ends, {load.answered} answers", flush=True)
    expect(load.lost[:3] + load.wrong[:3], [])


def killed(server, connect):
    """Up to ten tries, as a server may be killed while it happens to have nothing to do."""
    with Load(connect) as load:
        for _ in range(10):
            load.wait_for_more()
            load.end(server, Server.kill)
            if load.lost:
                break
    assert load.lost, "kill -9 under load lost no request, so nothing can be said about SIGTERM either"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="vestibule-drains-") as folder:
        authority = Authority(pathlib.Path(folder), "authority")
        certificate, key = authority.issue("server", x509.DNSName("localhost"))
        with (
            Server(*NO_LIMITS) as plain,
            Server("--tls-cert", str(certificate), "--tls-key", str(key), *NO_LIMITS) as encrypted,
        ):
            connect = {
                "plain HTTP": (plain, lambda: Http1(tcp(plain))),
                "TLS": (encrypted, lambda: Http1(tls(encrypted, authority, "http/1.1"))),
                "HTTP/2": (encrypted, lambda: Http2(tls(encrypted, authority, "h2"))),
            }
            for name, (server, connected) in connect.items():
                checks.run(f"no request is lost when the server is ended ({name})", drained, server, connected, rounds)
            checks.run("a killed server loses requests", killed, *connect["HTTP/2"])
    checks.finish()


def tcp(server):
    host, _, port = server.listen.rpartition(":")
    connection = socket.create_connection((host, int(port)), timeout=PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def tls(server, authority, protocol):
    context = ssl.create_default_context(cafile=authority.file)
    context.set_alpn_protocols([protocol])
    return context.wrap_socket(tcp(server), server_hostname="localhost")


main()
