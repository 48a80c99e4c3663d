"""Restarts two nodes one after the other behind nginx, under load, by the recipe of docs/guides/several-nodes.md.

No request may fail, and none that changes something may be sent to two nodes. Then the same is done with SIGKILL, where
requests have to fail: else nobody would have noticed.

    rolling.py [--rounds N]
"""

import argparse
import collections
import http.client
import itertools
import threading
import time

from checks import Checks, expect
from client import Client
from databases import Database
from load import PASSWORD
from nginx import Nginx, block_of
from pair import pair
from ports import free_port
from server import ROOT

GUIDE = ROOT / "docs/guides/several-nodes.md"

# As the guide has it.
DRAIN_DELAY = "5s"

REFRESHING = 4
REGISTERING = 1
READING = 2

# Answers between one kill and the next, and the time that any machine has for so many, in seconds.
BETWEEN_KILLS = 50
PATIENCE = 60

# Answers while a node is down: it starts so soon that nobody might have asked for it in between.
WHILE_DOWN = 200

# Whether the disk of a busy machine keeps up is not the question here.
NO_DISK = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]


class Load:
    """Clients of the proxy that never pause, and every answer that is not the expected one.

    Half of them connect anew for each request, as a balancer sees many clients rather than a few.
    """

    def __init__(self, url, name):
        self.url = url
        self.name = name
        self.answered = collections.Counter()
        self.failures = []
        self.slowest = 0
        self.changed = threading.Condition()
        self.over = threading.Event()
        work = [self._refresh] * REFRESHING + [self._register] * REGISTERING + [self._read] * READING
        self.threads = [threading.Thread(target=self._guarded, args=[each, number]) for number, each in enumerate(work)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
        outcome = f"{dict(self.answered)}, {len(self.failures)} failed, the slowest took {self.slowest:.2f} s"
        print(f"-- {self.name}: {outcome}", *self.failures[:3], sep="\n   ", flush=True)

    def wait_for_more(self, number):
        """Until so many more requests were answered as they should be."""
        with self.changed:
            wanted = self.answered.total() + number
            enough = self.changed.wait_for(lambda: self.answered.total() >= wanted, PATIENCE)
        assert enough, f"fewer than {number} answers in {PATIENCE} s; {self.failures[-3:]}"

    def bad_gateways(self):
        """Failures that the proxy has seen, and not a node."""
        return [failure for failure in self.failures if ": 502 " in failure]

    def _guarded(self, work, number):
        """Nothing that ends a client goes unseen."""
        try:
            self._client(work, number)
        except Exception as failure:
            self.failures.append(f"{work.__name__.strip('_')} ended: {failure!r}")

    def _client(self, work, number):
        connect = lambda: Client(self.url)
        client = connect()
        requests = work(f"{self.name}-{number}")
        answer = None
        while not self.over.is_set():
            request = requests.send(answer)
            if number % 2:
                client.connection.close()
            begun = time.monotonic()
            try:
                answer = request(client)
                self.slowest = max(self.slowest, time.monotonic() - begun)
            except (OSError, http.client.HTTPException) as failure:
                answer, client = failure, connect()
            if getattr(answer, "status", None) in (200, 201):
                with self.changed:
                    self.answered[work.__name__.strip("_")] += 1
                    self.changed.notify_all()
            else:
                self.failures.append(f"{work.__name__.strip('_')}: {answer!r}")
                requests = work(f"{self.name}-{number}-{len(self.failures)}")
                answer = None

    @staticmethod
    def _register(name):
        """A registration that a proxy repeats is answered with 409."""
        for number in itertools.count():
            email = f"{name}-{number}@example.org"
            yield lambda client, email=email: client.register(email, PASSWORD)

    @staticmethod
    def _refresh(name):
        answer = yield lambda client: client.register(f"{name}@example.org", PASSWORD)
        while True:
            token = answer["refresh_token"]
            answer = yield lambda client, token=token: client.refresh(token)

    @staticmethod
    def _read(name):
        answer = yield lambda client: client.register(f"{name}@example.org", PASSWORD)
        token = answer["access_token"]
        while True:
            yield lambda client: client.me(token)


def roll(nodes, load, rounds):
    """As an operator does: the next node when the last one is ready again."""
    for _ in range(rounds):
        for node in nodes:
            expect(node.stop(), 0)
            load.wait_for_more(WHILE_DOWN)
            node.start()


def nothing_fails(load):
    assert load.answered, "there was no load"
    expect(load.failures[:3], [])


def no_request_was_sent_to_a_node_that_did_not_answer_it(errors):
    """A refused connection alone is harmless: nothing was sent."""
    harmful = [line for line in errors if "[error]" in line and "Connection refused" not in line]
    expect(harmful, [])


def both_nodes_had_work(nodes, requests):
    for node in nodes:
        assert any(node.listen in line for line in requests), f"{node.listen} got nothing"


def the_proxy_went_on_to_the_other_node_when_one_was_down(requests):
    assert any("502, 2" in line for line in requests), "no node was ever found down"


def killed_nodes_fail_requests(nodes, url):
    """Up to ten tries, as a node may be killed while it happens to have nothing to do."""
    with Load(url, "killed") as load:
        for node in nodes * 5:
            load.wait_for_more(BETWEEN_KILLS)
            node.kill()
            node.start()
            if load.bad_gateways():
                break
    assert load.bad_gateways(), "kill -9 under load failed no request, so nothing can be said about SIGTERM either"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=1)
    rounds = parser.parse_args().rounds

    assert f'drain_delay = "{DRAIN_DELAY}"' in GUIDE.read_text(), "the guide has another drain_delay"
    checks = Checks()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    flags = [f"--drain-delay={DRAIN_DELAY}", "--trusted-proxies=127.0.0.1/32"]
    database = Database("postgres", *NO_DISK).url
    with pair([database] * 2, *flags, public_url=f"http://localhost:{port}") as nodes:
        replacements = [
            ("10.0.0.11:8080", nodes[0].listen),
            ("10.0.0.12:8080", nodes[1].listen),
            ("listen 443 ssl;", f"listen 127.0.0.1:{port};"),
            ("    ssl_certificate /etc/ssl/id.example.org.pem;\n", ""),
            ("    ssl_certificate_key /etc/ssl/id.example.org.key;\n", ""),
        ]
        with Nginx(block_of(GUIDE, replacements)) as nginx:
            with Load(url, "restarted") as load:
                roll(nodes, load, rounds)
            checks.run_all([nothing_fails], load)
            requests = nginx.requests()
            checks.run_all([both_nodes_had_work], nodes, requests)
            checks.run_all([the_proxy_went_on_to_the_other_node_when_one_was_down], requests)
            checks.run_all([no_request_was_sent_to_a_node_that_did_not_answer_it], list(nginx.errors))
            checks.run_all([killed_nodes_fail_requests], nodes, url)
    checks.finish()


main()
