"""Measures whether the time of a failed login tells why it failed: wrong password, or unknown, deleted or disabled user.

In each round all four are tried once, in random order, over one connection. What is compared with the wrong password
is therefore the difference within a round, which a machine that grows slower or faster does not change.

    bench_timing.py [--rounds N] [--seed N]
"""

import argparse
import math
import random
import statistics
import sys
import time

from checks import expect_answer
from client import Client
from server import NO_LIMITS, Server

PASSWORD = "a long and uncommon sentence"
# Of the same length, so that not even the request differs.
WRONG, UNKNOWN, DELETED, DISABLED = "wrong", "unkno", "delet", "disab"
NAMES = {WRONG: "wrong password", UNKNOWN: "unknown user", DELETED: "deleted user", DISABLED: "disabled user"}

WARM_UP = 30

# The two-sided 99 % quantile of the normal distribution, which a mean of hundreds has.
QUANTILE = statistics.NormalDist().inv_cdf(0.995)


def email(name):
    return f"{name}@example.org"


def prepare(server):
    """Three accounts, of which one stays as it is."""
    client = Client(server.url)
    for name in (WRONG, DELETED, DISABLED):
        expect_answer(client.register(email(name), PASSWORD), 201)
    server.command("user", "delete", email(DELETED))
    server.command("user", "disable", email(DISABLED))


def failed_login(client, name):
    """The seconds until the answer."""
    # Whoever is no longer let in may even know the password.
    password = PASSWORD if name in (DELETED, DISABLED) else PASSWORD[::-1]
    started = time.perf_counter()
    answer = client.login(email(name), password)
    seconds = time.perf_counter() - started
    expect_answer(answer, 401, "invalid_credentials")
    return seconds


def measure(url, rounds, chance):
    """The seconds of each round by name, once the server is warm."""
    client = Client(url)
    seconds = {name: [] for name in NAMES}
    for number in range(-WARM_UP, rounds):
        for name in chance.sample(list(NAMES), len(NAMES)):
            one = failed_login(client, name)
            if number >= 0:
                seconds[name].append(one)
    return seconds


def report(seconds):
    """Prints the table; gives the names whose difference is more than chance."""
    print(f"{'':16} {'mean':>9} {'median':>9} {'90 %':>9}    difference to a wrong password, 99 % interval    ratio")
    told_apart = []
    for name, title in NAMES.items():
        own = seconds[name]
        deciles = statistics.quantiles(own, n=10)
        line = f"{title:16} {ms(statistics.mean(own))} {ms(statistics.median(own))} {ms(deciles[8])}"
        if name != WRONG:
            differences = [one - wrong for one, wrong in zip(own, seconds[WRONG])]
            mean = statistics.mean(differences)
            half = QUANTILE * statistics.stdev(differences) / math.sqrt(len(differences))
            ratio = statistics.mean(own) / statistics.mean(seconds[WRONG])
            holds_zero = abs(mean) <= half
            verdict = "holds 0" if holds_zero else "DOES NOT HOLD 0"
            line += f"    {1000 * mean:+.3f} ms, {1000 * (mean - half):+.3f} to {1000 * (mean + half):+.3f}: {verdict}"
            line += f"    {ratio:.4f}"
            if not holds_zero:
                told_apart.append(title)
        print(line)
    return told_apart


def ms(seconds):
    return f"{1000 * seconds:6.2f} ms"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}, {arguments.rounds} failed logins of each kind after {WARM_UP}")

    with Server(*NO_LIMITS) as server:
        prepare(server)
        seconds = measure(server.url, arguments.rounds, random.Random(arguments.seed))
    told_apart = report(seconds)
    if told_apart:
        sys.exit(f"the time tells a wrong password from: {', '.join(told_apart)}")
    print("the time tells none of them from a wrong password")


main()
