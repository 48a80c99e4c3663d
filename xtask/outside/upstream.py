"""Puts apps that nobody wrote for us behind the gate: one on uvicorn, files on nginx, and the Flask app of the guide.

Their servers speak HTTP and WebSocket by their own rules, and a WebSocket client that is not ours talks to them.
"""

import concurrent.futures
import contextlib
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

import websockets.exceptions
import websockets.sync.client

from checks import Checks, expect, expect_answer
from client import Client
from console import Console, commands
from nginx import Nginx
from ports import free_port
from server import NO_LIMITS, ROOT, SETTINGS, Server

GUIDE = ROOT / "docs/guides/an-app-behind-the-gate.md"
PASSWORD = "a long and uncommon sentence"
# Longer than anything here takes; reached only when what is waited for never comes, in seconds.
PATIENCE = 30

MIB = 1024 * 1024
LARGE = 100 * MIB
# What buffers may take more than before, for bodies many times as large.
MORE_MEMORY_KIB = 32 * 1024

USERS = 10
REQUESTS = 60


@contextlib.contextmanager
def program(*command, port, folder):
    """A server as a child process, from the moment in which it accepts connections."""
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        # Its first line may come before it listens, and nobody reads the later ones.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        end = time.monotonic() + PATIENCE
        while True:
            assert process.poll() is None, f"{command[0]} has ended with {process.returncode}"
            assert time.monotonic() < end, f"{command[0]} does not listen on {port}"
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


class Visitor(Client):
    """Somebody with a session in a browser, which keeps the cookie and says where its requests come from."""

    def __init__(self, server, name):
        super().__init__(server.url)
        answer = self.register(f"{name}@example.org", PASSWORD, mode="cookie")
        expect_answer(answer, 201)
        self.id = answer["user"]["id"]
        self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        self.headers = {"Cookie": self.cookie, "Origin": server.url}

    def log_out(self):
        expect_answer(self.ask("POST", "/api/auth/logout", self.headers), 204)


def told(answer, name):
    """The values of a header that the app was told."""
    expect_answer(answer, 200)
    return [value for header, value in answer["headers"] if header == name]


def the_app_knows_each_of_many_users_at_once(server):
    """None is ever taken for another, however requests share connections."""

    def ask_often(visitor):
        for number in range(REQUESTS):
            method = ("GET", "POST", "REPORT")[number % 3]
            path = ("/members/", "/")[number % 2]
            forged = {"Remote-User": "admin", "remote_user": "admin", "Connection": "Remote-User"}
            answer = visitor.ask(method, path, {**visitor.headers, **forged, "Cookie": f"a=1; {visitor.cookie}"})
            expect(told(answer, "remote-user"), [visitor.id])
            expect(told(answer, "remote_user"), [])
            expect(told(answer, "cookie"), ["a=1"])

    def ask_often_as_nobody(client):
        for _ in range(REQUESTS):
            expect(told(client.get("/", headers={"Remote-User": "admin"}), "remote-user"), [])
            expect_answer(client.get("/members/"), 401, "missing_token")

    visitors = [Visitor(server, f"user{number}") for number in range(USERS)]
    with concurrent.futures.ThreadPoolExecutor(USERS + 2) as pool:
        asked = [pool.submit(ask_often, visitor) for visitor in visitors]
        asked += [pool.submit(ask_often_as_nobody, Client(server.url)) for _ in range(2)]
        for each in asked:
            each.result()


def a_websocket(server, visitor, origin=None):
    return websockets.sync.client.connect(
        f"ws://{server.listen}/members/chat",
        additional_headers={"Cookie": visitor.cookie},
        origin=origin or server.url,
        open_timeout=PATIENCE,
        close_timeout=PATIENCE,
    )


def a_websocket_speaks_both_ways_and_says_goodbye(server):
    visitor = Visitor(server, "talker")
    with a_websocket(server, visitor) as chat:
        expect(chat.recv(PATIENCE), visitor.id)
        for size in (0, 1, 125, 70_000, MIB):
            chat.send(bytes(size))
            expect(chat.recv(PATIENCE), bytes(size))
    expect(chat.close_code, 1000)


def a_websocket_of_a_foreign_page_or_of_nobody_is_refused(server):
    visitor = Visitor(server, "lured")
    for origin, status in [("https://evil.example", 403), ("null", 403)]:
        try:
            a_websocket(server, visitor, origin).close()
        except websockets.exceptions.InvalidStatus as refused:
            expect(refused.response.status_code, status)
        else:
            raise AssertionError(f"{origin} was let in")
    visitor.log_out()
    try:
        a_websocket(server, visitor).close()
    except websockets.exceptions.InvalidStatus as refused:
        expect(refused.response.status_code, 401)
    else:
        raise AssertionError("nobody was let in")


def a_logout_ends_a_websocket(server):
    visitor = Visitor(server, "leaver")
    with a_websocket(server, visitor) as chat:
        expect(chat.recv(PATIENCE), visitor.id)
        visitor.log_out()
        try:
            chat.recv(PATIENCE)
        except websockets.exceptions.ConnectionClosedError:
            return
        raise AssertionError("the WebSocket goes on")


def events_come_one_by_one_as_they_are_sent(server):
    """Each is read before the next is sent, so none waits for another."""
    visitor = Visitor(server, "reader")
    visitor.connection.request("GET", "/members/events", headers=visitor.headers)
    stream = visitor.connection.getresponse()
    expect(stream.headers["Content-Type"], "text/event-stream; charset=utf-8")
    sender = Client(server.url)
    for number in range(20):
        expect_answer(sender.ask("POST", "/send", {}, str(number)), 200)
        expect(stream.readline(), f"data: {number}\n".encode())
        expect(stream.readline(), b"\n")
    visitor.connection.close()


def a_large_upload_flows_through(server):
    visitor = Visitor(server, "uploader")
    before = server.memory_kib("VmHWM")
    for headers in ({}, {"Transfer-Encoding": "chunked"}, {"Expect": "100-continue"}):
        size = LARGE if not headers else MIB
        chunks = (bytes(256 * 1024) for _ in range(size // (256 * 1024)))
        length = {} if "Transfer-Encoding" in headers else {"Content-Length": str(size)}
        visitor.connection.request(
            "POST",
            "/upload",
            chunks,
            {**visitor.headers, **headers, **length},
            encode_chunked="Transfer-Encoding" in headers,
        )
        answer = visitor.connection.getresponse()
        expect(answer.status, 200)
        answer = answer.read()
        assert f'"size":{size}'.encode() in answer and visitor.id.encode() in answer, answer
    expect_flat_memory(server, before)


def an_answer_before_the_end_of_an_upload_arrives(server):
    with socket.create_connection(("127.0.0.1", int(server.listen.rpartition(":")[2])), PATIENCE) as client:
        head = f"POST /too-large HTTP/1.1\r\nHost: {server.listen}\r\nContent-Length: {LARGE}\r\n\r\n"
        client.sendall(head.encode() + bytes(1000))
        answer = client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413 "), answer


def a_large_file_of_nginx_flows_through(server):
    """As fast as it is read: nothing is kept of what a slow reader leaves."""
    visitor = Visitor(server, "downloader")
    before = server.memory_kib("VmHWM")
    visitor.connection.request("GET", "/members/large", headers=visitor.headers)
    answer = visitor.connection.getresponse()
    expect((answer.status, answer.headers["Content-Length"]), (200, str(LARGE)))
    size = 0
    while chunk := answer.read(MIB):
        size += len(chunk)
        if size == 10 * MIB:
            expect_flat_memory(server, before)
    expect(size, LARGE)
    expect_flat_memory(server, before)


def parts_and_versions_of_a_file_are_nginxs_matter(server):
    visitor = Visitor(server, "careful")
    part = visitor.get("/members/large", headers={**visitor.headers, "Range": "bytes=5-9"})
    expect((part.status, part.bytes, part.headers["Content-Range"]), (206, bytes(5), f"bytes 5-9/{LARGE}"))
    tagged = {**visitor.headers, "If-None-Match": part.headers["ETag"]}
    expect_answer(visitor.get("/members/large", headers=tagged), 304)
    head = visitor.ask("HEAD", "/members/large", visitor.headers)
    expect((head.status, head.headers["Content-Length"], head.bytes), (200, str(LARGE), b""))


def expect_flat_memory(server, before):
    more = server.memory_kib("VmHWM") - before
    assert more < MORE_MEMORY_KIB, f"{more} KiB more"


def an_app_that_is_gone_takes_nothing_down(server, visitor):
    """The connections that were kept to the one before it are of no use to the next."""
    answer = visitor.get("/members/", headers={**visitor.headers, "Sec-Fetch-Mode": "cors"})
    expect_answer(answer, 502, "bad_gateway")
    page = visitor.get("/members/", headers={**visitor.headers, "Sec-Fetch-Mode": "navigate"})
    expect((page.status, page.headers["Content-Type"]), (502, "text/plain; charset=utf-8"))
    expect_answer(visitor.get("/login"), 200)
    expect_answer(visitor.get("/api/auth/me", headers=visitor.headers), 200)


def nothing_is_smuggled_past_the_gate(server):
    """A request inside of another's body, by each of the ways in which two servers might disagree about its end."""
    inner = f"GET /members/ HTTP/1.1\r\nHost: {server.listen}\r\n\r\n"
    heads = [
        f"Content-Length: {len(inner)}\r\nTransfer-Encoding: chunked",
        f"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\nContent-Length: {len(inner)}",
        f"Content-Length: 0\r\nContent-Length: {len(inner)}",
        f"Transfer-Encoding : chunked\r\nContent-Length: {len(inner)}",
        f"Content-Length: {len(inner)}\r\nConnection: close, Content-Length",
        f"Content-Length: {len(inner)}\r\nExpect: 100-continue\r\nConnection: close",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
    ]
    for head in heads:
        with socket.create_connection(("127.0.0.1", int(server.listen.rpartition(":")[2])), PATIENCE) as client:
            request = f"POST /upload HTTP/1.1\r\nHost: {server.listen}\r\n{head}\r\n\r\n{inner}"
            client.sendall(request.encode())
            client.shutdown(socket.SHUT_WR)
            answers = b"".join(iter(lambda: client.recv(65536), b""))
        assert b'"path":"/members/"' not in answers, (head, answers)
        assert answers.count(b"HTTP/1.1 200 OK") <= 1, (head, answers)


def the_guide_is_true(folder):
    """The app is the guide's own, on the server that it names."""
    text = GUIDE.read_text()
    (app,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (pathlib.Path(folder) / "app.py").write_text(app)
    port = free_port()
    programs = pathlib.Path(folder) / "programs"
    programs.mkdir()
    (programs / "vestibule").symlink_to(pathlib.Path(os.environ["VESTIBULE_BINARY"]).resolve())
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    console = Console(folder, {**kept, "PATH": f"{programs}:{os.environ['PATH']}"})
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    shown = [pair for block in blocks for pair in commands(block.replace("5000", str(port)))]
    (flask, _), *rest = shown
    try:
        with program(sys.executable, "-m", *flask.split(), port=port, folder=folder):
            for command, output in rest:
                console.run(command, output)
    finally:
        if console.server:
            console.ctrl_c()


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="vestibule-") as folder:
        port = free_port()
        uvicorn = [sys.executable, "-m", "uvicorn", "upstream_app:app", "--port", str(port), "--log-level", "error"]
        with Server("--upstream", f"http://127.0.0.1:{port}", *NO_LIMITS, site=None) as server:
            checks.run("the ready line names the app", expect, server.ready["upstream"], f"http://127.0.0.1:{port}")
            with program(*uvicorn, port=port, folder=ROOT / "xtask/outside"):
                checks.run_all(
                    [
                        the_app_knows_each_of_many_users_at_once,
                        a_websocket_speaks_both_ways_and_says_goodbye,
                        a_websocket_of_a_foreign_page_or_of_nobody_is_refused,
                        a_logout_ends_a_websocket,
                        events_come_one_by_one_as_they_are_sent,
                        a_large_upload_flows_through,
                        an_answer_before_the_end_of_an_upload_arrives,
                        nothing_is_smuggled_past_the_gate,
                    ],
                    server,
                )
                visitor = Visitor(server, "patient")
                expect(told(visitor.get("/members/", headers=visitor.headers), "remote-user"), [visitor.id])
            checks.run_all([an_app_that_is_gone_takes_nothing_down], server, visitor)
            with program(*uvicorn, port=port, folder=ROOT / "xtask/outside"):
                checks.run("an app that is back is served", expect_answer, visitor.get("/"), 200)

        with (
            files_on_nginx() as address,
            Server("--upstream", f"http://{address}", *NO_LIMITS, site=None) as server,
        ):
            checks.run_all(
                [a_large_file_of_nginx_flows_through, parts_and_versions_of_a_file_are_nginxs_matter], server
            )
        checks.run_all([the_guide_is_true], folder)
    checks.finish()


@contextlib.contextmanager
def files_on_nginx():
    """nginx with one large file, which takes no room on the disk."""
    address = f"127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory(prefix="vestibule-files-") as files:
        os.chmod(files, 0o755)
        (pathlib.Path(files) / "members").mkdir(mode=0o755)
        with open(pathlib.Path(files) / "members/large", "wb") as large:
            large.truncate(LARGE)
        with Nginx(f"server {{ listen {address}; root {files}; }}"):
            yield address


main()
