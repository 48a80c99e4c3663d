"""Keeps documents by the script that docs/guides/user-data.md shows, and exports what is held about a user.

Node runs the script as two tabs of a browser would; Python's own JSON judges the export, bare sockets read it slowly.
"""

import http.client
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import urllib.parse

from checks import Checks, expect, expect_answer
from client import Client
from server import NO_LIMITS, ROOT, Server

PASSWORD = "a long and uncommon sentence"
LARGEST = 65_536
CHANGES = 25

# What a browser adds by itself, and a count of the changes that this tab has made.
TAB = """
const plain = globalThis.fetch
globalThis.fetch = (place, options = {}) =>
  plain(new URL(place, process.env.SITE), {
    ...options,
    headers: { ...options.headers, Cookie: process.env.COOKIE, 'Sec-Fetch-Site': 'same-origin' },
  })
const { change } = await import('./guide.mjs')
for (let made = 0; made < Number(process.env.CHANGES); made++) {
  await change((settings) => { settings.changes = (settings.changes ?? 0) + 1 })
}
"""


class Context:
    """The server, and users of it."""

    def __init__(self, server):
        self.server = server
        self.url = server.url
        self.users = 0

    def user(self):
        """Somebody who has just registered: a client, and the header that says who they are."""
        self.users += 1
        client = Client(self.url)
        opened = client.register(f"user{self.users}@example.org", PASSWORD)
        expect_answer(opened, 201)
        return client, {"Authorization": f"Bearer {opened['access_token']}"}

    def cookie(self):
        client = Client(self.url)
        form = json.dumps({"email": "tabs@example.org", "password": PASSWORD, "mode": "cookie"})
        headers = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
        opened = client.ask("POST", "/api/auth/register", headers, form)
        expect_answer(opened, 201)
        return opened.headers["Set-Cookie"].split(";")[0]

    def reader(self, user, buffer):
        """A socket that has asked for the user's export, and takes so much at a time."""
        address = urllib.parse.urlsplit(self.url)
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        reader.settimeout(30)
        reader.connect((address.hostname, address.port))
        head = (
            f"GET /api/user/export HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: {user['Authorization']}\r\n\r\n"
        )
        reader.sendall(head.encode())
        return reader


def put(client, user, key, content):
    return client.ask("PUT", f"/api/user/data/{key}", {**user, "Content-Type": "application/json"}, content)


def fill(client, user):
    """As many documents as there may be, each as large as it may be."""
    documents = {f"k{number:02}": f'"{number:02}{"x" * (LARGEST - 4)}"' for number in range(100)}
    for key, content in documents.items():
        expect_answer(put(client, user, key, content), 201)
    return documents


def two_tabs_with_the_script_of_the_guide_lose_no_change(context):
    guide = (ROOT / "docs/guides/user-data.md").read_text()
    (script,) = re.findall(r"^```js\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    cookie = context.cookie()
    environment = {**os.environ, "SITE": context.url, "COOKIE": cookie, "CHANGES": str(CHANGES)}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in [("guide.mjs", script), ("tab.mjs", TAB)]:
            with open(f"{folder}/{name}", "w") as file:
                file.write(text)
        tabs = [
            subprocess.Popen(
                ["node", "tab.mjs"], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            for _ in range(2)
        ]
        for tab in tabs:
            said, _ = tab.communicate(timeout=120)
            assert tab.returncode == 0, said
    kept = Client(context.url).ask("GET", "/api/user/data/settings", {"Cookie": cookie})
    expect(json.loads(kept.bytes), {"changes": 2 * CHANGES})


def whatever_python_writes_comes_back_and_is_in_the_export(context):
    client, user = context.user()
    # Half a surrogate pair, more digits than a float has, and numbers that are none to Python's floats.
    contents = [
        '"\\ud83e"',
        "1e400",
        "-0",
        "0.1000000000000000000001",
        "12345678901234567890",
        ' [1.0,\t{"é": null}]\n',
    ]
    for number, content in enumerate(contents):
        expect_answer(put(client, user, f"k{number}", content.encode()), 201)
        expect(client.ask("GET", f"/api/user/data/k{number}", user).bytes, content.encode())
    answer = client.ask("GET", "/api/user/export", user)
    expect_answer(answer, 200)
    assert answer.headers["Content-Disposition"].startswith("attachment; filename="), answer.headers
    export = json.loads(answer.bytes, parse_float=str, parse_int=str)
    expect(
        [document["content"] for document in export["documents"]],
        [json.loads(content, parse_float=str, parse_int=str) for content in contents],
    )
    expect(export["user"]["email"], f"user{context.users}@example.org")
    expect([event["event"] for event in export["audit_events"]], ["registered"])
    expect(len(export["sessions"]), 1)


def twenty_exports_at_once_that_nobody_reads_cost_no_more_than_a_page_each(context):
    readers = []
    users = []
    for _ in range(5):
        client, user = context.user()
        documents = fill(client, user)
        users.append((client, user))
    before = context.server.memory_kib()
    for _, user in users:
        readers += [context.reader(user, 4096) for _ in range(4)]
    for reader in readers:
        assert reader.recv(1), "it has begun"
    # Somebody else is served meanwhile, and the server has had time to write all that it will.
    for client, user in users:
        expect_answer(client.ask("GET", "/api/user/data", user), 200)
    more = (context.server.memory_kib() - before) / 1024
    print(f"      {len(readers)} exports of {len(documents) * LARGEST >> 20} MiB hold {more:.0f} MiB")
    assert more < 5 * len(readers), f"{more} MiB more"
    for reader in readers:
        reader.close()


def an_export_that_is_read_to_its_end_is_whole_however_slowly(context):
    client, user = context.user()
    documents = fill(client, user)
    reader = context.reader(user, 4096)
    answer = http.client.HTTPResponse(reader)
    answer.begin()
    whole = bytearray()
    while piece := answer.read(50_000):
        whole += piece
    export = json.loads(whole)
    expect({document["key"]: json.dumps(document["content"]) for document in export["documents"]}, documents)


def an_export_whose_session_ends_in_the_middle_breaks_off(context):
    client, user = context.user()
    fill(client, user)
    reader = context.reader(user, 4096)
    answer = http.client.HTTPResponse(reader)
    answer.begin()
    part = answer.read(1000)
    expect_answer(client.ask("POST", "/api/auth/logout", user), 204)
    try:
        while piece := answer.read(50_000):
            part += piece
        raise AssertionError(f"it came to an end, with {part[-100:]!r}")
    except http.client.IncompleteRead as cut:
        part += cut.partial
    assert not part.rstrip().endswith(b"]}"), part[-100:]


def a_hundred_documents_are_all_there_is_room_for_however_many_come_at_once(context):
    client, user = context.user()
    for number in range(95):
        expect_answer(put(client, user, f"k{number}", "0"), 201)
    made = []

    def write(number):
        made.append(put(Client(context.url), user, f"new{number}", "0").status)

    writers = [threading.Thread(target=write, args=[number]) for number in range(20)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    expect(sorted(made), [201] * 5 + [422] * 15)
    expect(len(client.ask("GET", "/api/user/data", user)["items"]), 100)


CHECKS = [
    two_tabs_with_the_script_of_the_guide_lose_no_change,
    whatever_python_writes_comes_back_and_is_in_the_export,
    twenty_exports_at_once_that_nobody_reads_cost_no_more_than_a_page_each,
    an_export_that_is_read_to_its_end_is_whole_however_slowly,
    an_export_whose_session_ends_in_the_middle_breaks_off,
    a_hundred_documents_are_all_there_is_room_for_however_many_come_at_once,
]

checks = Checks()
with Server(*NO_LIMITS) as server:
    checks.run_all(CHECKS, Context(server))
checks.finish()
