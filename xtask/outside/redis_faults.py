"""Two nodes on one PostgreSQL that share a Redis: limits hold over both and revocations arrive sooner; and while Redis is
killed, emptied, hung, slow, locked or full, logins go on, no limit opens, and it is told once.

    redis_faults.py [--rounds N] [--briefly]

With --briefly Redis is hung alone.

Logins are of names that nobody has, whose failures count as any others; those that have to succeed are of one account.
"""

import argparse
import collections
import contextlib
import ipaddress
import itertools
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from cryptography import x509

from certificates import Authority
from checks import Checks, expect, expect_answer
from client import Client
from databases import Database
from load import PASSWORD
from pair import pair
from redis import Redis, SlowRoad

LIMIT = 10
LIMITS = [
    f"--limits-login-per-account={LIMIT}/15m",
    "--limits-login-per-ip=off",
    "--limits-register-per-ip=off",
    "--limits-refresh-per-ip=off",
]

# What is promised: what one node takes away, the other does within so many seconds while there is a Redis.
PROMISED_SECONDS = 1
# So long may a login take when Redis does not answer, on a machine with other work.
LONGEST_LOGIN = 5
PATIENCE = 60
# Longer than any answer of Redis may take.
SLOW_SECONDS = 0.6

# Whether the disk of a busy machine keeps up is not the question here.
NO_DISK = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]

LOST, FOUND = "cannot be used", "answers: limits are counted"


class Installation:
    """Two nodes, their Redis, and somebody who has an account."""

    names = itertools.count(1)

    def __init__(self, nodes, redis, road):
        self.nodes, self.redis, self.road = nodes, redis, road
        for node in nodes:
            # Lines are counted, so that all of them are kept.
            node.log = collections.deque(node.log)
        self.email = "somebody@example.org"
        expect_answer(nodes[0].client().register(self.email, PASSWORD), 201)

    def new_name(self):
        return f"nobody-{next(self.names)}@example.org"

    def log_in(self, node):
        began = time.monotonic()
        answer = node.client().login(self.email, PASSWORD)
        seconds = time.monotonic() - began
        expect_answer(answer, 200)
        assert seconds < LONGEST_LOGIN, f"a login took {seconds:.1f} s"
        return answer

    def wait_until_used(self, used):
        """Until both nodes count with Redis, or both without it."""
        deadline = time.monotonic() + PATIENCE
        while any(figure(node, "vestibule_redis_up") != used for node in self.nodes):
            assert time.monotonic() < deadline, f"Redis is {'not ' * used}used still"
            time.sleep(0.05)

    def losses(self):
        """How often each node has given Redis up."""
        return [figure(node, "vestibule_redis_lost_total") for node in self.nodes]

    def lines(self, text):
        """How many lines of its log each node has had with this text."""
        return [sum(text in line and "Redis" in line for line in node.log) for node in self.nodes]


def figure(node, name):
    metrics = Client(node.ready["metrics"]).get("/metrics").bytes.decode()
    return sum(float(line.split()[1]) for line in metrics.splitlines() if line.startswith((f"{name} ", f"{name}{{")))


def guess(node, name):
    return node.client().login(name, "a wrong password")


def use_up(node, name):
    """As many failures as are allowed, at one node."""
    for _ in range(LIMIT):
        expect_answer(guess(node, name), 401)
    expect_answer(guess(node, name), 429, "rate_limited")


def undisturbed(installation, attempt):
    """Tries again where a busy machine took Redis for hung meanwhile, as it is right to do."""
    for _ in range(5):
        installation.wait_until_used(True)
        before = installation.losses()
        failure = None
        try:
            attempt()
        except AssertionError as failed:
            failure = failed
        if before == installation.losses():
            if failure:
                raise failure
            return
    raise AssertionError("this machine is too busy to judge")


# What is shared.


def failures_at_either_node_count_at_both(installation):
    def attempt():
        name = installation.new_name()
        for number in range(LIMIT):
            expect_answer(guess(installation.nodes[number % 2], name), 401)
        for node in installation.nodes:
            refused = guess(node, name)
            expect_answer(refused, 429, "rate_limited")
            assert int(refused.headers["Retry-After"]) > 0, refused.headers

    undisturbed(installation, attempt)


def of_twenty_guesses_at_once_over_both_nodes_ten_are_judged(installation, rounds):
    def attempt():
        name = installation.new_name()
        nodes = installation.nodes * LIMIT
        with ThreadPoolExecutor(len(nodes)) as threads:
            statuses = [answer.status for answer in threads.map(lambda node: guess(node, name), nodes)]
        expect(sorted(statuses), [401] * LIMIT + [429] * LIMIT)

    for _ in range(rounds):
        undisturbed(installation, attempt)


def right_passwords_count_nowhere(installation):
    for number in range(3 * LIMIT):
        installation.log_in(installation.nodes[number % 2])


def revocations_arrive_sooner_than_without(installation, rounds):
    with_redis = times_of_revocations(installation, rounds)
    assert max(with_redis) <= PROMISED_SECONDS, with_redis
    with hung(installation):
        installation.wait_until_used(False)
        without = times_of_revocations(installation, rounds)
    installation.wait_until_used(True)
    sooner, later = statistics.median(with_redis), statistics.median(without)
    print(f"-- a logout reached the other node within {sooner:.3f} s with Redis, {later:.3f} s without", flush=True)
    assert sooner < later, (with_redis, without)


def times_of_revocations(installation, rounds):
    """How long the other node went on after a log-out, in seconds."""
    one, other = installation.nodes
    times = []
    for _ in range(rounds):
        token = installation.log_in(one)["access_token"]
        clients = [one.client(), other.client()]
        for client in clients * 2:
            expect_answer(client.me(token), 200)
        expect_answer(clients[0].post("/api/auth/logout", token=token), 204)
        ended = time.monotonic()
        while clients[1].me(token).status == 200:
            assert time.monotonic() - ended < PATIENCE, "it is accepted still"
        times.append(time.monotonic() - ended)
    return times


def whoever_announces_revocations_without_end_does_no_harm(installation):
    one, other = installation.nodes
    token = installation.log_in(one)["access_token"]
    (channel,) = installation.redis.ask("pubsub", "channels").split()
    for _ in range(20):
        installation.redis.ask("eval", f"for i = 1, 5000 do redis.call('publish', '{channel}', '') end return 1", "0")
    for node in (one, other):
        expect_answer(node.client().me(token), 200)


# What befalls Redis. Each ends as it began, with a Redis that answers.


@contextlib.contextmanager
def killed(installation):
    installation.redis.kill()
    try:
        yield
    finally:
        installation.redis.start()


@contextlib.contextmanager
def hung(installation):
    installation.redis.pause()
    try:
        yield
    finally:
        installation.redis.resume()


@contextlib.contextmanager
def slow(installation):
    installation.road.delay = SLOW_SECONDS
    try:
        yield
    finally:
        installation.road.delay = 0


@contextlib.contextmanager
def locked(installation):
    """Its password is another one."""
    installation.redis.change_password("another-one")
    try:
        yield
    finally:
        installation.redis.change_password(installation.redis.password)


@contextlib.contextmanager
def full(installation):
    installation.redis.ask("config", "set", "maxmemory", "1")
    try:
        yield
    finally:
        installation.redis.ask("config", "set", "maxmemory", "0")


FAULTS = [hung, killed, slow, locked, full]


def logins_go_on_and_no_limit_opens(installation, fault):
    """Each node is asked at once, before it has noticed by itself."""
    one, other = installation.nodes
    name = installation.new_name()
    installation.wait_until_used(True)
    use_up(one, name)
    before = installation.losses()

    with fault(installation):
        for node in (one, other):
            installation.log_in(node)
        installation.wait_until_used(False)
        for node in (one, other):
            installation.log_in(node)
            expect_answer(node.client().get("/readyz"), 200)
        expect_answer(guess(one, name), 429, "rate_limited")
        # Each for itself: had both counted with anybody else, the second would have been refused sooner.
        nobody = installation.new_name()
        for node in (one, other):
            use_up(node, nobody)
    installation.wait_until_used(True)
    # A busy machine may lose it more often than we take it away; each time is told once, and so is its end.
    losses = installation.losses()
    assert all(now > then for now, then in zip(losses, before)), (before, losses)
    expect(installation.lines(LOST), losses)
    expect(installation.lines(FOUND), losses)
    failures_at_either_node_count_at_both(installation)


def right_passwords_while_it_hangs_count_nowhere(installation):
    """Redis counts them when it goes on: what it was asked for waits in the connection that the node has given up."""
    one, other = installation.nodes
    installation.wait_until_used(True)
    with hung(installation), ThreadPoolExecutor(LIMIT) as threads:
        list(threads.map(installation.log_in, [one] * LIMIT))
        installation.wait_until_used(False)
    installation.wait_until_used(True)
    deadline = time.monotonic() + PATIENCE
    while other.client().login(installation.email, PASSWORD).status != 200:
        assert time.monotonic() < deadline, "they stand as failures"
        time.sleep(0.05)


def emptied(installation):
    """What a node has counted itself it goes on to refuse, and nobody takes the Redis for lost."""
    one, _other = installation.nodes
    name = installation.new_name()
    use_up(one, name)

    def attempt():
        before = installation.losses()
        installation.redis.ask("flushall")
        expect_answer(guess(one, name), 429, "rate_limited")
        expect(installation.losses(), before)

    undisturbed(installation, attempt)
    failures_at_either_node_count_at_both(installation)


def a_node_starts_without_it_says_so_and_finds_it_later(installation):
    node = installation.nodes[0]
    installation.redis.kill()
    expect(node.stop(), 0)
    node.log.clear()
    node.start()
    warnings = [warning for warning in node.ready["warnings"] if warning.startswith("redis.url")]
    expect(len(warnings), 1)
    expect(installation.redis.password in json.dumps(node.ready), False)
    installation.log_in(node)
    expect_answer(node.client().get("/readyz"), 200)
    installation.redis.start()
    failures_at_either_node_count_at_both(installation)


def its_password_is_shown_to_nobody(installation):
    shown = installation.nodes[0].command("config", "show")
    assert "redis.url" in shown and installation.redis.password not in shown, shown
    for node in installation.nodes:
        assert not any(installation.redis.password in line for line in node.log), node.log


def an_encrypted_one_is_used_if_its_certificate_is_trusted(installation):
    node = installation.nodes[0]
    with tempfile.TemporaryDirectory(prefix="vestibule-") as folder:
        authority = Authority(pathlib.Path(folder), "authority")
        files = authority.issue("redis", x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        with Redis((*files, authority.file)) as redis:
            environment = node.environment | {"VESTIBULE_REDIS_URL": f"rediss://{redis.login()}"}
            expect(verdict(environment), "fail")
            expect(verdict(environment | {"SSL_CERT_FILE": str(authority.file)}), "ok")


def verdict(environment):
    """What the doctor says of Redis."""
    command = [os.environ["VESTIBULE_BINARY"], "doctor", "--json"]
    with tempfile.TemporaryDirectory(prefix="vestibule-") as folder:
        ended = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=PATIENCE)
    (redis,) = [finding for finding in json.loads(ended.stdout) if finding["check"] == "redis"]
    return redis["verdict"]


def what_it_holds_goes_by_itself_and_names_nobody(installation):
    keys = installation.redis.ask("--scan").split()
    assert keys, "nothing was counted"
    for key in keys:
        assert "nobody" not in key and "example" not in key, key
        assert int(installation.redis.ask("pttl", key)) != -1, f"{key} stays for ever"


def try_all(checks, installation, rounds, faults):
    for check in [failures_at_either_node_count_at_both, right_passwords_count_nowhere]:
        checks.run_all([check], installation)
    checks.run_all([of_twenty_guesses_at_once_over_both_nodes_ten_are_judged], installation, rounds)
    checks.run_all([revocations_arrive_sooner_than_without], installation, 5 + 2 * rounds)
    checks.run_all([right_passwords_while_it_hangs_count_nowhere], installation)
    checks.run_all([whoever_announces_revocations_without_end_does_no_harm, emptied], installation)
    for fault in faults:
        sentence = f"while Redis is {fault.__name__}, logins go on and no limit opens"
        checks.run(sentence, logins_go_on_and_no_limit_opens, installation, fault)
    checks.run_all(
        [
            a_node_starts_without_it_says_so_and_finds_it_later,
            its_password_is_shown_to_nobody,
            an_encrypted_one_is_used_if_its_certificate_is_trusted,
            what_it_holds_goes_by_itself_and_names_nobody,
        ],
        installation,
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--briefly", action="store_true")
    arguments = parser.parse_args()
    faults = FAULTS[:1] if arguments.briefly else FAULTS
    checks = Checks()
    database = Database("postgres", *NO_DISK)
    with Redis() as redis, SlowRoad(redis.port) as road:
        variables = {"VESTIBULE_REDIS_URL": f"redis://{redis.login(road.port)}"}
        flags = ["--metrics-listen=127.0.0.1:0"]
        with pair([database.url] * 2, *flags, limits=LIMITS, variables=variables) as nodes:
            try_all(checks, Installation(nodes, redis, road), arguments.rounds, faults)
    checks.finish()


main()
