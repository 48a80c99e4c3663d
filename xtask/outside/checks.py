"""Runs checks one after the other and counts them; the last line is `N passed, N failed`."""

import sqlite3
import sys
import threading
import time
import traceback


class Checks:
    """Each check is a function that raises where it fails; its name is the sentence it proves.

    Several threads may run checks at once.
    """

    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.counting = threading.Lock()

    def run(self, name, check, *arguments):
        try:
            check(*arguments)
        except Exception:
            with self.counting:
                self.failed += 1
                print(f"FAIL  {name}", traceback.format_exc(), sep="\n", flush=True)
        else:
            with self.counting:
                self.passed += 1
                print(f"ok    {name}", flush=True)

    def run_all(self, checks, *arguments):
        for check in checks:
            self.run(check.__name__.replace("_", " "), check, *arguments)

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed or not self.passed else 0)


def expect(actual, *wanted):
    """Fails with what came instead."""
    assert actual in wanted, f"{actual!r} instead of {' or '.join(map(repr, wanted))}"


def expect_answer(answer, status, code=None):
    """Fails where status, or the code of a problem document, is another one."""
    assert answer.status == status, f"{answer!r} instead of {status}"
    if code is not None:
        assert answer["code"] == code, f"{answer!r} instead of {code}"


def until(condition, what):
    """Waits for something that comes without a word, such as what a server looks for each second."""
    deadline = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < deadline, f"not within 40 s: {what}"
        time.sleep(0.05)


def the_database_is_sound(path):
    expect(unsound(path), [])


def unsound(path):
    """What is wrong inside a SQLite database, if anything is."""
    try:
        with sqlite3.connect(path) as database:
            damage = [line for (line,) in database.execute("PRAGMA integrity_check") if line != "ok"]
            return damage + [f"a broken reference: {row}" for row in database.execute("PRAGMA foreign_key_check")]
    except sqlite3.DatabaseError as refusal:
        return [str(refusal)]
