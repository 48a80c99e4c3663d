"""Moves an installation from engine to engine with `vestibule copy`, which is killed on the way again and again.

However often it was killed, whichever server went down under it: nobody can run on half a copy, the source is as it
was, both sides end up the same by the word of the engines' own programs, and nobody is logged out.

    moves.py [--users N] [--kills N] [--seed N]
"""

import argparse
import contextlib
import hashlib
import itertools
import os
import pty
import random
import signal
import subprocess
import time

from checks import Checks, expect, expect_answer
from databases import Another, Database
from installation import Installation, figures

# About as long as opening both databases takes, in seconds.
BEGINNING = 0.08


def content(database):
    """The source, to be compared with itself: the bytes of a file, what a server says otherwise."""
    path = getattr(database, "path", None)
    return hashlib.sha256(path.read_bytes()).digest() if path else figures(database)


def is_refused(home, target):
    """Every command must refuse a target that holds part of a copy, and say what to do."""
    for command in (["user", "list"], ["serve", "--listen", "127.0.0.1:0"], ["migrate", "status"], ["keys", "rotate"]):
        status, said = home.run(*command, "--database-url", target.url)
        expect(status, 2)
        assert "unfinished copy" in said, said


def verify(home, source, target):
    """What the program finds when it compares the two."""
    return home.run(*home.copy(source, target, "--verify-only"))


def same_on_both_sides(home, source, target):
    expect(figures(target), figures(source))
    status, said = verify(home, source, target)
    expect(status, 0)
    assert "equal but for the event `copied`" in said, said


class Move:
    """One direction: copied, killed on the way, gone on with to the end."""

    def __init__(self, home, chance, source, target):
        self.home, self.chance, self.source, self.target = home, chance, source, target
        self.before = content(source)
        self.call = home.copy(source, target)
        self.endings = []

    def interrupted(self, end, lines):
        """Ends a run after so many lines on its progress; after none, at some moment of its beginning."""
        process = self.home.begin(*self.call)
        said = []
        for line in iter(process.stdout.readline, "") if lines else []:
            said.append(line)
            if sum("copying:" in line for line in said) == lines:
                break
        if not lines:
            time.sleep(self.chance.uniform(0, BEGINNING))
        end(process)
        said.append(process.stdout.read())
        self.endings.append(process.wait(timeout=60))
        assert "panicked" not in "".join(said), said

    def has_ended(self):
        return self.endings[-1:] == [0]

    def run(self, *flags):
        """Runs it undisturbed; a lock of a killed run is given back a moment after its end."""
        for _ in range(100):
            status, said = self.home.run(*self.call, *flags)
            if status == 0 or "in use by" not in said:
                break
            time.sleep(0.1)
        expect(status, 0)
        return said

    def is_unfinished(self):
        """Whether the target bears the mark; before it does, it is simply empty."""
        return "gone on with" in self.run("--dry-run")

    def to_the_end(self):
        if not self.has_ended():
            self.run()

    def source_is_as_it_was(self):
        expect(content(self.source), self.before)


def kill(process):
    process.kill()


def interrupt(process):
    process.send_signal(signal.SIGINT)


def end_again_and_again(move, kills):
    """Every end leaves either a target that is empty or one that is refused."""
    seen = 0
    for number in range(kills):
        # The first at the beginning, when there may be no mark yet; of the others a few by Ctrl-C.
        end = interrupt if number % 3 == 2 else kill
        move.interrupted(end, move.chance.choice([1, 2]) if number else 0)
        if move.has_ended():
            break
        if end is interrupt:
            expect(move.endings[-1], 1)
        if move.is_unfinished():
            seen += 1
            is_refused(move.home, move.target)
    assert seen, f"no run was ended within the copy: {move.endings}"
    print(f"-- {len(move.endings)} runs ended, {seen} of them within the copy", flush=True)


def nobody_is_logged_out(home, target):
    with home.serve(target) as server:
        client = home.client(server)
        answer = client.refresh(home.refresh_token)
        expect_answer(answer, 200)
        home.refresh_token = answer["refresh_token"]
        expect_answer(client.me(answer["access_token"]), 200)
        expect_answer(client.me(home.session["access_token"]), 200)
        expect(client.ask("GET", "/api/auth/me", {"Cookie": home.cookie}).status, 200)


def on_a_terminal_there_is_a_bar_with_rate_and_time_left(home, target):
    terminal, inside = pty.openpty()
    process = home.begin(*home.copy(home.source, target), stdout=subprocess.DEVNULL, stderr=inside)
    os.close(inside)
    shown = b""
    # The other end is closed when the program has ended.
    with contextlib.suppress(OSError):
        while piece := os.read(terminal, 65536):
            shown += piece
    os.close(terminal)
    expect(process.wait(timeout=60), 0)
    for word in (b"copying", b"comparing", b"rows, ", b"/s", b" left"):
        assert word in shown, shown[-2000:]


def server_goes_down(home, chance, target):
    """The target's server is killed under a copy, which fails; then both go on."""
    move = Move(home, chance, home.source, target)
    move.interrupted(lambda _: target.kill(), 1)
    expect(move.endings, [1])
    target.start()
    move.to_the_end()
    same_on_both_sides(home, home.source, target)


def a_copy_that_was_tampered_with_does_not_pass(home, source, target):
    """The control: both ways to compare must fail when one letter of one row is another one."""
    change = "UPDATE users SET email = '{}' WHERE email_key = 'user-1@example.org'"
    target.ask(change.format("Vser-1@example.org"))
    status, said = verify(home, source, target)
    expect(status, 1)
    assert "DIFFERENT" in said, said
    target.ask(change.format("User-1@example.org"))
    target.ask("UPDATE sessions SET generation = generation + 1 WHERE user_agent LIKE 'Mozilla%'")
    assert figures(target) != figures(source), "the figures do not tell"
    target.ask("UPDATE sessions SET generation = generation - 1 WHERE user_agent LIKE 'Mozilla%'")
    same_on_both_sides(home, source, target)


def without_its_mark_half_a_copy_is_not_refused(home, chance, target):
    """The control: the look that finds a half copy refused must fail where the mark is missing."""
    move = Move(home, chance, home.source, target)
    move.interrupted(kill, 1)
    is_refused(home, target)
    target.ask("DELETE FROM meta WHERE name = 'unfinished_copy'")
    try:
        is_refused(home, target)
    except AssertionError:
        return
    raise AssertionError("a copy without a mark is refused all the same, so the look proves nothing")


def through_all_engines(checks, home, chance, servers, kills):
    """Each of the six directions once, and back to a file; each target is the source of the next move."""
    postgres, mariadb = servers
    stations = [
        ("SQLite", home.source),
        ("PostgreSQL", postgres),
        ("MariaDB", mariadb),
        ("SQLite", home.file("second.db")),
        ("MariaDB", Another(mariadb, "second")),
        ("PostgreSQL", Another(postgres, "second")),
        ("SQLite", home.file("third.db")),
    ]
    for (one, source), (other, target) in itertools.pairwise(stations):
        where = f"{one} to {other}"
        move = Move(home, chance, source, target)
        checks.run(f"{where}: ended anywhere, it is no half target", end_again_and_again, move, kills)
        checks.run(f"{where}: it comes to its end", move.to_the_end)
        checks.run(f"{where}: the source is as it was", move.source_is_as_it_was)
        checks.run(f"{where}: both sides are the same", same_on_both_sides, home, source, target)
        checks.run(f"{where}: nobody is logged out", nobody_is_logged_out, home, target)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    checks, chance = Checks(), random.Random(arguments.seed)
    servers = Database("postgres"), Database("mariadb")
    with Installation() as home:
        home.fill(arguments.users)
        through_all_engines(checks, home, chance, servers, arguments.kills)
        for server in servers:
            target = Another(server, "fallen")
            name = f"{server.engine}: killed under a copy, it only ends the run"
            checks.run(name, server_goes_down, home, chance, target)
        checks.run_all([on_a_terminal_there_is_a_bar_with_rate_and_time_left], home, home.file("bar.db"))
        target = home.file("tampered.db")
        expect(home.run(*home.copy(home.source, target))[0], 0)
        checks.run_all([a_copy_that_was_tampered_with_does_not_pass], home, home.source, target)
        control = without_its_mark_half_a_copy_is_not_refused
        checks.run_all([control], home, chance, home.file("unmarked.db"))
    checks.finish()


main()
