"""Bare sockets against the released program: what no library sends, clients that leave, and clients that dawdle.

After each check the server must still answer, and nothing may have been answered with a server error.
"""

import json
import random
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

from checks import Checks, expect, expect_answer
from client import Client
from server import NO_LIMITS, Server
from wire import PATIENCE, Wire

PASSWORD = "a long and uncommon sentence"
LIVEZ = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
LAST_LIVEZ = b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
JSON = "Host: a\r\nContent-Type: application/json\r\n"
LOGIN = f"POST /api/auth/login HTTP/1.1\r\n{JSON}"
CHUNKED = f"{LOGIN}Transfer-Encoding: chunked\r\n\r\n"

LEAVERS = 200
DAWDLERS = 300

# Two servers in a row could disagree about where such a request ends.
SMUGGLING = [
    "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
    "Content-Length: 2, 2\r\n\r\n{}",
    "Content-Length: +2\r\n\r\n{}",
    "Content-Length: -2\r\n\r\n{}",
    "Content-Length: 0x2\r\n\r\n{}",
    "Content-Length: 2 2\r\n\r\n{}",
    "Content-Length: 2e0\r\n\r\n{}",
    "Content-Length:\r\n\r\n{}",
    "Content-Length: 18446744073709551618\r\n\r\n{}",
    "Content-Length : 2\r\n\r\n{}",
    "Content-Length\t: 2\r\n\r\n{}",
    " Content-Length: 2\r\n\r\n{}",
    "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    " Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "X: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "X: a\r\n\tb\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n",
    'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\x00\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "X: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "X: a\r\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "X: a\x00b\r\nContent-Length: 2\r\n\r\n{}",
    "X\r\nContent-Length: 2\r\n\r\n{}",
    ": a\r\nContent-Length: 2\r\n\r\n{}",
    "X Y: a\r\nContent-Length: 2\r\n\r\n{}",
    "Content-Length: 2\n\n{}",
    "Content-Length: 2\r\n\n{}",
]

BROKEN_CHUNKS = [
    "0x2\r\n{}\r\n0\r\n\r\n",
    "-2\r\n{}\r\n0\r\n\r\n",
    "+2\r\n{}\r\n0\r\n\r\n",
    " 2\r\n{}\r\n0\r\n\r\n",
    "2\n{}\n0\n\n",
    "2;a\nb\r\n{}\r\n0\r\n\r\n",
    "2\r\n{}\n0\r\n\r\n",
    "2\r\n{}more\r\n0\r\n\r\n",
    "2\r{}\r\n0\r\n\r\n",
    "\r\n{}\r\n0\r\n\r\n",
    "fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "2\r\n{}\r\n0\r\na: b\nc: d\r\n\r\n",
    "g\r\n{}\r\n0\r\n\r\n",
    "2;" + "a" * 70_000 + "\r\n{}\r\n0\r\n\r\n",
    "2\r\n{}\r\n0\r\n" + "a: b\r\n" * 5_000 + "\r\n",
]

BROKEN_HEADS = [
    b"GET /livez\r\n\r\n",
    b"GET /livez HTTP/1.2\r\nHost: a\r\n\r\n",
    b"GET /livez HTTP/9.9\r\nHost: a\r\n\r\n",
    b"GET /livez HTTP/1.1 \r\nHost: a\r\n\r\n",
    b"GET  /livez HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET\t/livez HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /li vez HTTP/1.1\r\nHost: a\r\n\r\n",
    b" GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET livez HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /#a HTTP/1.1\r\nHost: a\r\n\r\n",
    b"G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /livez http/1.1\r\nHost: a\r\n\r\n",
    b"GET /livez HTTP/1.1\nHost: a\n\n",
    b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"\x00" * 64,
    b"\n\n\n\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x12\x04\x00\x00\x00\x00\x00",
    b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
    b"EHLO there\r\n\r\n",
    b"{}\r\n\r\n",
]

HOSTS = [
    "",
    "Host: a\r\nHost: a\r\n",
    "Host: a\r\nHost: b\r\n",
    "Host:\r\n",
    "Host: a b\r\n",
    "Host: a/b\r\n",
    "Host: u@a\r\n",
    "Host: a, b\r\n",
    "Host: a\r\nhost: b\r\n",
    "Host : a\r\n",
    "Host: a?b\r\n",
    "Host: \xff\r\n",
]

MALFORMED_JSON = [
    "",
    " ",
    "{",
    "}",
    "[",
    '{"login": ' + "9" * 60_000 + "}",
    "nul",
    "null",
    "true",
    "7",
    '"a"',
    "[]",
    "{}{}",
    "{} x",
    "{'login': 'a'}",
    '{"login": "a",}',
    '{"a" 1}',
    '{"login": NaN}',
    '{"login": Infinity}',
    '{"login": -}',
    '{"login": 01}',
    '{"login": 1.}',
    '{"login": .5}',
    '{"login": 0x1}',
    '{"login": 1e400}',
    '{"login": "\\ud800"}',
    '{"login": "\\udc00\\ud800"}',
    '{"login": "\\ud800\\u0041"}',
    '{"\\ud800": 1}',
    '{"login": "\\x41"}',
    '{"login": "a\tb"}',
    '{"login": "a\x00"}',
    '{"login": "a',
    "\ufeff{}",
    "/**/{}",
    '{"login": "a", "login": "b"}',
    '{"password": "a", "\\u0070assword": "b"}',
    '{"login": {"a": 1, "a": 2}}',
    "{" * 65_536,
    "[" * 65_536,
    '{"a":' * 13_000,
    '{"login":' + "[" * 32 + "]" * 32 + "}",
    '{"login":' + "[" * 30_000 + "]" * 30_000 + "}",
    '"' * 65_536,
    "\\" * 65_536,
    b'{"login": "\xff"}',
    b'{"login": "\xc0\xaf"}',
    b'{"login": "\xed\xa0\x80"}',
    b"\xff\xfe{\x00}\x00",
    bytes(range(256)) * 256,
]

UNACCEPTABLE_JSON = [
    "{}",
    '{"login": null, "password": null}',
    '{"login": 1, "password": 2}',
    '{"login": [], "password": {}}',
    '{"login": true, "password": false}',
    '{"login": "a", "password": "b", "role": "admin"}',
    '{"login": "a", "password": "b", "__proto__": {}}',
    '{"LOGIN": "a", "PASSWORD": "b"}',
    '{"login": ' + "[" * 31 + "]" * 31 + "}",
    '{"a": 1, "b": 2}',
    "{" + ",".join(f'"{number}":0' for number in range(6_000)) + "}",
]


class Context:
    """The server, one signed-in user, and the clients that dawdle while everything else is tried."""

    def __init__(self, url):
        self.url = url
        self.client = Client(url)
        answer = self.client.register("ada@example.org", PASSWORD)
        expect_answer(answer, 201)
        self.access = answer["access_token"]
        # Their bounds take seconds to pass, so they begin first and are looked at last.
        self.regular = Regular(url)
        self.silent = [Wire(url) for _ in range(10)]
        self.without_body = Wire(url)
        self.without_body.send(f"{LOGIN}Content-Length: 100\r\n\r\n{{".encode())
        self.dawdlers = Dawdlers(url)

    def statuses(self, data):
        """The statuses that these bytes get on a connection of their own, which the server has to close."""
        with Wire(self.url) as wire:
            wire.send(data if isinstance(data, bytes) else data.encode("latin-1"))
            return [answer.status for answer in wire.answers()]

    def are_refused(self, heads, *statuses):
        """One refusal, and then the end: whatever stands behind it is no request."""
        for head in heads:
            head = head if isinstance(head, bytes) else head.encode("latin-1")
            expect((head[:200], self.statuses(head + LIVEZ)), *((head[:200], [status]) for status in statuses))

    def post(self, path, body):
        body = body if isinstance(body, bytes) else body.encode()
        return self.client.ask("POST", path, {"Content-Type": "application/json"}, body)


class Dawdlers:
    """Clients that send one byte a second, all of them at once, until the server has had enough."""

    def __init__(self, url):
        self.wires = [Wire(url) for _ in range(DAWDLERS)]
        self.all_told = threading.Event()
        self._send(b"G")
        self.thread = threading.Thread(target=self._dawdle, daemon=True)
        self.thread.start()

    def statuses(self):
        """How each of them was told to leave."""
        try:
            return [[answer.status for answer in wire.answers()] for wire in self.wires]
        finally:
            self.all_told.set()
            self.thread.join()

    def _dawdle(self):
        rest = f"ET /livez HTTP/1.1\r\nHost: a\r\nX: {'a' * 1000}"
        for letter in rest:
            if self.all_told.wait(1):
                break
            self._send(letter.encode())

    def _send(self, byte):
        for wire in self.wires:
            wire.send(byte)


class Regular:
    """A client who asks for something now and then on one connection, and rests longer in between than a silent one or
    an unfinished head may."""

    REST = 12

    def __init__(self, url):
        self.wire = Wire(url)
        self.statuses = []
        self.rested, self.over = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._ask, daemon=True)
        self.thread.start()

    def end(self):
        """The statuses of all that was asked, after one rest at the least; `None` where the connection was closed."""
        self.rested.wait(PATIENCE)
        self.over.set()
        self.thread.join()
        return self.statuses

    def _ask(self):
        while not self.over.is_set():
            self.wire.send(LIVEZ)
            answer = self.wire.answer()
            self.statuses.append(answer and answer.status)
            if len(self.statuses) > 1:
                self.rested.set()
            self.over.wait(self.REST)


def a_request_that_could_be_read_in_two_ways_is_refused_with_all_that_follows(context):
    context.are_refused([LOGIN + rest for rest in SMUGGLING], 400)
    context.are_refused([f"POST / HTTP/1.0\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"], 400)


def a_body_in_broken_chunks_is_refused_with_all_that_follows(context):
    context.are_refused([CHUNKED + chunks for chunks in BROKEN_CHUNKS], 400)


def chunks_that_keep_the_rules_are_one_body_and_the_last_of_their_connection(context):
    for chunks in ("2\r\n{}\r\n0\r\n\r\n", "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", "02;a=b\r\n{}\r\n000\r\n\r\n"):
        with Wire(context.url) as wire:
            wire.send((CHUNKED + chunks).encode() + LIVEZ)
            answers = [(answer.status, answer.headers["Connection"]) for answer in wire.answers()]
            expect(answers, [(422, "close")])


def a_head_that_is_no_http_is_refused(context):
    context.are_refused(BROKEN_HEADS, 400)


def random_bytes_get_a_refusal_or_nothing(context):
    chance = random.Random(1)
    for _ in range(200):
        head = bytearray(LOGIN.encode() + b"Content-Length: 2\r\n\r\n{}")
        for _ in range(chance.randrange(1, 12)):
            head[chance.randrange(len(head))] = chance.randrange(256)
        with Wire(context.url) as wire:
            wire.send(bytes(head))
            # Says that nothing more will come, so that an unfinished head is not waited for.
            wire.socket.shutdown(socket.SHUT_WR)
            for answer in wire.answers():
                assert answer.status < 500, (bytes(head), answer)


def a_head_that_is_too_large_is_refused_before_it_ends(context):
    start = "GET /livez HTTP/1.1\r\nHost: a\r\n"
    context.are_refused(
        [
            f"GET /{'a' * 17_000} HTTP/1.1\r\nHost: a\r\n\r\n",
            f"{start}X: {'a' * 17_000}\r\n\r\n",
            start + "X: y\r\n" * 100 + "\r\n",
            start + "X: y\r\n" * 150_000,
            f"{start}Cookie: {'a=b; ' * 200_000}",
            f"{start}Authorization: Bearer {'a' * 900_000}",
            "G" * 900_000,
        ],
        431,
    )
    expect(context.statuses(f"GET /{'a' * 15_000} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), [404])


def a_body_that_is_too_large_is_refused_whether_it_names_its_size_or_not(context):
    for size in (65_537, 900_000, 2**63):
        length = f"Content-Length: {size}\r\n"
        context.are_refused([f"{LOGIN}{length}\r\n", f"{LOGIN}{length}Expect: 100-continue\r\n\r\n"], 413)
    for size in (65_537, 900_000):
        context.are_refused([f"{LOGIN}Content-Length: {size}\r\n\r\n{' ' * size}"], 413)
        context.are_refused([f"{CHUNKED}{size:x}\r\n{' ' * size}\r\n0\r\n\r\n"], 413)
    context.are_refused([CHUNKED + "1\r\n \r\n" * 65_537 + "0\r\n\r\n"], 413)
    largest = json.dumps({"login": "nobody", "password": "x" * 8}).ljust(65_536)
    expect_answer(context.post("/api/auth/login", largest), 401, "invalid_credentials")


def a_request_names_one_host(context):
    context.are_refused([f"GET /livez HTTP/1.1\r\n{host}\r\n" for host in HOSTS], 400)
    expect(context.statuses("GET /livez HTTP/1.0\r\n\r\n"), [200])


def the_absolute_form_names_the_same_host_and_opens_nothing_else(context):
    last = "Host: a\r\nConnection: close\r\n\r\n"
    expect(context.statuses(f"GET http://a/livez HTTP/1.1\r\n{last}"), [200])
    targets = [
        "http://b/livez",
        "http://a@b/livez",
        "http://a:80/livez",
        "ftp://a/livez",
        "a:80",
        "http:///livez",
        "//a /livez",
    ]
    context.are_refused([f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n" for target in targets], 400)


def connect_and_trace_are_not_served(context):
    for line in ("CONNECT a:443", "CONNECT /livez", "TRACE /", "TRACE /livez"):
        context.are_refused([f"{line} HTTP/1.1\r\nHost: a\r\n\r\n"], 405)


def pipelined_requests_are_answered_in_their_order(context):
    with Wire(context.url) as wire:
        wire.send((LIVEZ + LIVEZ.replace(b"livez", b"absent") + LIVEZ) * 30 + LAST_LIVEZ)
        expect([answer.status for answer in wire.answers()], [200, 404, 200] * 30 + [200])
    body = '{"login": "ada@example.org", "password": "wrong password"}'
    login = f"{LOGIN}Content-Length: {len(body)}\r\n\r\n{body}".encode()
    expect(context.statuses(LIVEZ + login + LIVEZ + login + LAST_LIVEZ), [200, 401, 200, 401, 200])


def json_that_is_none_is_malformed(context):
    for body in MALFORMED_JSON:
        for path in ("/api/auth/login", "/api/auth/register", "/api/auth/refresh"):
            answer = context.post(path, body)
            # Without a body it asks for the session of a cookie, and there is none.
            nothing_to_refresh = path == "/api/auth/refresh" and body == ""
            wanted = (401, "missing_token") if nothing_to_refresh else (400, "malformed_request")
            expect((path, body[:80], answer.status, answer["code"]), (path, body[:80], *wanted))


def json_of_the_wrong_shape_is_unacceptable(context):
    for body in UNACCEPTABLE_JSON:
        for path in ("/api/auth/login", "/api/auth/register"):
            answer = context.post(path, body)
            expect((path, body[:80], answer.status, answer["code"]), (path, body[:80], 422, "validation_failed"))


def two_hundred_bent_access_tokens_are_refused(context):
    chance = random.Random(2)
    for _ in range(200):
        token = bent(context.access, chance)
        answer = context.client.ask("GET", "/api/auth/me", {"Authorization": b"Bearer " + token})
        expect((token, answer.status), (token, 401))
        assert answer.headers["WWW-Authenticate"].startswith("Bearer"), token
    expect_answer(context.client.me(context.access), 200)


def credentials_of_no_known_form_are_refused(context):
    fields = [
        "",
        "Bearer",
        "Bearer ",
        "Bearer  ",
        "bearer x",
        "Bearer x y",
        "Bearer x, Bearer y",
        "Basic eDp5",
        "Negotiate",
        "\xff",
        f"Bearer {context.access}, Bearer {context.access}",
        f"Basic {context.access}",
        f"Bearer {'.' * 15_000}",
    ]
    for field in fields:
        head = f"GET /api/auth/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: {field}\r\n\r\n"
        expect((field, context.statuses(head)), (field, [401]), (field, [400]))
    both = f"Authorization: Bearer {context.access}\r\nAuthorization: Bearer x\r\n"
    statuses = context.statuses(f"GET /api/auth/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{both}\r\n")
    expect(statuses, [400], [401])


def two_hundred_clients_leave_in_the_middle_of_a_registration(context):
    """Each account is afterwards there whole or not at all."""

    def leave(number):
        chance = random.Random(number)
        body = json.dumps({"email": f"leaver-{number}@example.org", "password": PASSWORD})
        data = f"POST /api/auth/register HTTP/1.1\r\n{JSON}Content-Length: {len(body)}\r\n\r\n{body}".encode()
        wire = Wire(context.url)
        if number % 2:
            wire.send(data[: chance.randrange(1, len(data))])
        else:
            wire.send(data)
            wire.socket.settimeout(chance.uniform(0.001, 0.1))
            try:
                # The answer may come before patience ends; it is not read.
                wire.socket.recv(1, socket.MSG_PEEK)
            except TimeoutError:
                pass
        wire.reset()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(leave, range(LEAVERS)))
    for number in range(0, LEAVERS, 10):
        email = f"leaver-{number}@example.org"
        expect(context.client.register(email, PASSWORD).status, 201, 409)
        answer = context.client.login(email, PASSWORD)
        expect_answer(answer, 200)
        expect_answer(context.client.me(answer["access_token"]), 200)


def others_are_served_while_three_hundred_clients_dawdle(context):
    assert context.dawdlers.thread.is_alive()
    for number in range(20):
        client = Client(context.url)
        answer = client.register(f"quick-{number}@example.org", PASSWORD)
        expect_answer(answer, 201)
        expect_answer(client.me(answer["access_token"]), 200)


def whoever_dawdles_over_a_head_is_told_and_let_go(context):
    expect(context.dawdlers.statuses(), [[408]] * DAWDLERS)


def whoever_never_says_a_word_is_let_go(context):
    for wire in context.silent:
        expect(wire.answers(), [])


def whoever_never_ends_a_body_is_told_and_let_go(context):
    expect([answer.status for answer in context.without_body.answers()], [408])


def a_connection_that_has_been_of_use_outlives_them(context):
    statuses = context.regular.end()
    assert len(statuses) > 1, statuses
    expect(set(statuses), {200})


def the_server_ends_as_it_is_told_and_has_not_panicked(server):
    expect(server.stop(), 0)
    expect(server.panics, [])


def bent(token, chance):
    """The token with a few bytes changed, lost or doubled; never the token itself."""
    # Visible ASCII and obs-text (RFC 9110, section 5.5): what may stand in a header.
    letters = [*range(0x21, 0x7F), *range(0x80, 0x100)]
    changed = bytearray(token.encode())
    while changed == token.encode():
        for _ in range(chance.choice((1, 1, 1, 3, 20))):
            position = chance.randrange(len(changed))
            kind = chance.randrange(4)
            if kind == 0:
                del changed[position]
            elif kind == 1:
                changed.insert(position, chance.choice(letters))
            else:
                changed[position] = chance.choice(letters)
        if chance.random() < 0.1:
            del changed[chance.randrange(1, len(changed)) :]
    return bytes(changed)


CHECKS = [
    others_are_served_while_three_hundred_clients_dawdle,
    a_request_that_could_be_read_in_two_ways_is_refused_with_all_that_follows,
    a_body_in_broken_chunks_is_refused_with_all_that_follows,
    chunks_that_keep_the_rules_are_one_body_and_the_last_of_their_connection,
    a_head_that_is_no_http_is_refused,
    random_bytes_get_a_refusal_or_nothing,
    a_head_that_is_too_large_is_refused_before_it_ends,
    a_body_that_is_too_large_is_refused_whether_it_names_its_size_or_not,
    a_request_names_one_host,
    the_absolute_form_names_the_same_host_and_opens_nothing_else,
    connect_and_trace_are_not_served,
    pipelined_requests_are_answered_in_their_order,
    json_that_is_none_is_malformed,
    json_of_the_wrong_shape_is_unacceptable,
    two_hundred_bent_access_tokens_are_refused,
    credentials_of_no_known_form_are_refused,
    two_hundred_clients_leave_in_the_middle_of_a_registration,
    whoever_dawdles_over_a_head_is_told_and_let_go,
    whoever_never_says_a_word_is_let_go,
    whoever_never_ends_a_body_is_told_and_let_go,
    a_connection_that_has_been_of_use_outlives_them,
]


def and_the_server_lives(check, context):
    check(context)
    expect_answer(Client(context.url).get("/livez"), 200)
    expect_answer(Client(context.url).me(context.access), 200)


checks = Checks()
with Server(*NO_LIMITS) as server:
    context = Context(server.url)
    for check in CHECKS:
        checks.run(check.__name__.replace("_", " "), and_the_server_lives, check, context)
    checks.run_all([the_server_ends_as_it_is_told_and_has_not_panicked], server)
checks.finish()
