"""Fills the disk under the released program, and empties it again, while clients are at work.

The disk is a small one of its own, in memory, mounted where nobody but this script and its server see it. Reading has
to go on, writing has to be refused for the true reason, and with room comes all of it back, without a restart.

    full_disk.py [--rounds N] [--promptly] [--seed N]
"""

import argparse
import contextlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

from checks import Checks, expect, the_database_is_sound
from client import Client
from echo_app import EchoApp
from load import (
    LATE_LOOKS,
    LATE_REPEATS,
    MOST_REFUSED,
    PASSWORD,
    Account,
    Unanswered,
    a_broken_promise_is_found,
    nothing_acknowledged_is_lost,
)
from server import NO_LIMITS, Server
from workload import MEMBERS_PAGE, WRITES, Watch, Workload, is_refusal, since

CLIENTS = 6
DISK_BYTES = 12 * 2**20
PAGE = 4096

# What is promised for a write that finds no room, in seconds; without `--promptly`, so much later than another write is
# done, and a server answers that has nothing to do, on this machine, which may be doing all sorts of things.
REFUSED_WITHIN = 1.0
# What is promised for every answer, on a machine that has the time.
ANSWERED_WITHIN = 5.0
# How much slower the process may be than one that has nothing to do to say that it lives, under this load.
ALIVE_WITHIN = 2.0
# For what takes a moment on any machine.
PATIENCE = 60
# So many answers tell that one can read.
ENOUGH_READ = 20
# So often one may try what can be done but once, and find room for it.
TRIES = 5


class Disk:
    """A file system of its own, and a file on it that takes all room or none."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.ballast = self.folder / "ballast"

    def __enter__(self):
        size = f"size={DISK_BYTES}"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "vestibule-test", self.folder], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "--lazy", self.folder], check=True)

    def fill(self, left=0):
        """Takes all room but for so many bytes."""
        with open(self.ballast, "ab", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(PAGE))
        if left:
            os.truncate(self.ballast, self.ballast.stat().st_size - left)

    def free(self):
        self.ballast.unlink()

    def room(self):
        return shutil.disk_usage(self.folder).free


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--promptly", action="store_true", help="refusals within 1 s, whatever the machine does")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    apart()
    print(f"seed {arguments.seed}")

    checks = Checks()
    chance = random.Random(arguments.seed)
    server = Server(*NO_LIMITS, LATE_REPEATS, LATE_LOOKS)
    with tempfile.TemporaryDirectory(prefix="vestibule-disk-") as folder, Disk(folder) as disk:
        server.data = disk.folder / "data"
        with server:
            ada = Account("ada@example.org")
            ada.register(Client(server.url))
            known = [ada]
            for number in range(1, arguments.rounds + 1):
                known += fill_once(checks, server, disk, ada, chance, number, arguments.promptly)
            checks.run("a broken promise is found", a_broken_promise_is_found, server.url, "example.net")
            expect(server.stop(), 0)
            checks.run_all([the_database_is_sound], server.data / "vestibule.db")
            server.start()
            checks.run("all of it is there after a restart", nothing_acknowledged_is_lost, server.url, known)
    checks.finish()


def apart():
    """Goes on in a name space of its own, in which a file system may be mounted that no one else sees."""
    inside = "VESTIBULE_TEST_APART"
    if inside in os.environ:
        return
    for unshare in (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]):
        may = subprocess.run([*unshare, "true"], capture_output=True, check=False)
        if may.returncode == 0:
            os.environ[inside] = "yes"
            os.execvp(unshare[0], [*unshare, sys.executable, *sys.argv])
    print("a name space for mounts is needed, as root has it and others where the kernel allows user name spaces")
    print(may.stderr.decode(errors="replace"), "0 passed, 1 failed", sep="\n")
    sys.exit(1)


def fill_once(checks, server, disk, ada, chance, number, promptly):
    """Load, no room, load, room again; returns the accounts that were asked for."""
    eve = Account(f"eve-{number}@example.org")
    eve.register(Client(server.url))
    for _ in range(TRIES):
        eve.login(Client(server.url))
    newcomers = [Account(f"newcomer-{number}-{each}@example.org") for each in range(TRIES)]
    with (
        EchoApp() as at_rest,
        Watch(at_rest.url, "/") as still,
        Watch(server.url, "/livez") as alive,
        Watch(server.url, "/readyz") as ready,
        # Who has a session and keeps it, as the others may lose theirs and get no new one.
        Watch(server.url, MEMBERS_PAGE, token=ada.sessions[0].access) as member,
        Workload(server.url, CLIENTS, chance.random()) as load,
    ):
        load.wait_for_more(100, PATIENCE)
        # Sometimes all at once, sometimes within what the log of the database still takes.
        disk.fill(left=chance.choice([0, 1, 5, 40]) * PAGE)
        load.wait_for(lambda asked: any(one.refusal for one in asked), PATIENCE)
        full = time.monotonic()
        load.wait_for_more(300, PATIENCE)
        member.wait_for(lambda asked: len(since(asked, full)) > ENOUGH_READ, PATIENCE)
        left = disk.room()
        checks.run_all([each_kind_of_write_is_refused], server.url, newcomers, eve)
        checks.run_all([a_login_says_nothing_of_the_password], server.url, ada)
        disk.free()
        freed = time.monotonic()
        load.wait_for(lambda asked: written_kinds(asked, freed) == WRITES, PATIENCE)
        load.wait_for_more(100, PATIENCE)

    slowest = max((asked.seconds for asked in load.asked if asked.refusal), default=0)
    noise = max(asked.seconds for asked in still.asked)
    took = f"the slowest refusal took {slowest:.2f} s, and the slowest answer of a server at rest {noise:.2f} s"
    print(f"-- round {number}: {len(load.asked)} answers, {left} bytes left; {took}", flush=True)
    failures = [failure for recorder in (load, still, alive, ready, member) for failure in recorder.failures]
    checks.run("every answer is a success or a refusal", expect, failures, [])
    checks.run_all([writes_are_refused_for_want_of_storage_and_at_once], load, promptly, noise)
    checks.run_all([reading_goes_on], load.during(full, freed) + member.during(full, freed))
    checks.run("each kind of write succeeds again", expect, written_kinds(load.asked, freed), WRITES)
    checks.run_all([the_process_lives_and_stays_ready_throughout], alive, ready, noise)
    accounts = [*load.accounts, *newcomers, eve]
    checks.run_all([nothing_acknowledged_is_lost], server.url, accounts)
    return accounts


def written_kinds(asked, freed):
    return {one.what for one in since(asked, freed) if one.what in WRITES and not one.refusal}


def writes_are_refused_for_want_of_storage_and_at_once(load, promptly, noise):
    usual = max(asked.seconds for asked in load.asked if asked.what in WRITES and not asked.refusal)
    within = REFUSED_WITHIN if promptly else min(REFUSED_WITHIN + usual, ANSWERED_WITHIN) + noise
    held_up = [asked for asked in load.asked if asked.refusal and is_refusal(asked.refusal, 503, "unavailable")]
    assert len(held_up) <= (0 if promptly else CLIENTS + len(load.asked) * MOST_REFUSED), held_up
    for asked in load.asked:
        if asked.refusal and asked not in held_up:
            assert asked.what in WRITES and is_refusal(asked.refusal, 507, "storage_full"), asked
            assert asked.seconds < within, (asked, usual, noise)


def reading_goes_on(asked):
    read = [one for one in asked if one.what not in WRITES and not one.refusal]
    assert len(read) > ENOUGH_READ, f"only {len(read)} answers"


def each_kind_of_write_is_refused(url, newcomers, eve):
    """To somebody who asks for each: others may have lost their sessions, and get no new ones."""
    client, newcomers, sessions = Client(url), iter(newcomers), iter(eve.sessions[1:])
    for write in [
        lambda: next(newcomers).register(client),
        lambda: eve.login(client),
        lambda: eve.sessions[0].renew(client),
        lambda: eve.rename(client, "a name for which there is no room"),
        lambda: next(sessions).end(client),
    ]:
        refusal = in_the_end(lambda: refused(write))
        assert is_refusal(refusal, 507, "storage_full"), refusal


def refused(write):
    """The refusal, if it was one."""
    try:
        write()
    except Unanswered as unanswered:
        # What a busy machine holds up is to be tried again.
        return None if unanswered.was_refused else unanswered.args[0]


def in_the_end(ask):
    """What comes of it when there is an answer as wanted, since something small may still find room for a moment."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := ask()):
        assert time.monotonic() < deadline, "there is room again and again"
    return answer


def a_login_says_nothing_of_the_password(url, ada):
    """Right, wrong and unknown are the same answer while none of them can be put on record."""
    client = Client(url)

    def answers_without_room():
        answers = [
            client.login(ada.email, PASSWORD),
            client.login(ada.email, "another long and uncommon sentence"),
            client.login("nobody@example.org", PASSWORD),
        ]
        return {answer.status for answer in answers} == {507} and answers

    expect(len({answer.bytes for answer in in_the_end(answers_without_room)}), 1)


def the_process_lives_and_stays_ready_throughout(alive, ready, noise):
    refused = [asked for asked in alive.asked + ready.asked if asked.refusal]
    expect(refused, [])
    slowest = max(asked.seconds for asked in alive.asked)
    assert slowest < ALIVE_WITHIN + noise, (slowest, noise)


main()
