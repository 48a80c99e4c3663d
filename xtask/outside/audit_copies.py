"""The audit log in a file and at a real rsyslogd: every event, in order, while files are renamed, the syslog is away and
the server is killed.

The database is the measure: what its table holds is what has to be found. Negative control: before the syslog listens
nothing of it is found there, and the metrics say so.
"""

import json
import os
import pathlib
import sqlite3
import subprocess
import urllib.request

from checks import Checks, expect, until
from client import Client
from ports import free_port
from server import NO_LIMITS, Server

PASSWORD = "correct horse battery staple"
RSYSLOGD = os.environ["VESTIBULE_RSYSLOGD"]

# What it is given is kept as it came, a message to a line.
CONFIGURATION = """
global(workDirectory="{folder}")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{folder}/log" UseSpecialParser="off" UseSysTimeStamp="off" RateLimit.Interval="0")
template(name="kept" type="string" string="%pri% %app-name% %msgid% %timestamp:::date-rfc3339% %msg%\\n")
action(type="omfile" file="{folder}/messages" template="kept")
"""


class Syslog:
    """A rsyslogd of our own on a socket in `folder`."""

    def __init__(self, folder):
        self.folder = folder
        self.process = None

    def start(self):
        configuration = self.folder / "rsyslog.conf"
        configuration.write_text(CONFIGURATION.format(folder=self.folder))
        command = [RSYSLOGD, "-n", "-f", str(configuration), "-i", str(self.folder / "pid")]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def end(self):
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=30)

    def messages(self):
        """What has arrived: priority, program, kind and event of each message."""
        kept = self.folder / "messages"
        lines = kept.read_text().splitlines() if kept.exists() else []
        split = [line.split(" ", 4) for line in lines]
        return [(pri, program, kind, json.loads(event)) for pri, program, kind, _, event in split]


class Scene:
    """A server that copies its audit log, and what can be read of it."""

    def __init__(self, server, folder):
        self.server = server
        self.syslog = Syslog(folder)
        self.file = folder / "audit.jsonl"
        self.renamed = folder / "audit.jsonl.1"

    def recorded(self):
        """The ids of the events in the database, in the order in which they happened."""
        with sqlite3.connect(f"file:{self.server.data}/vestibule.db?mode=ro", uri=True) as database:
            rows = database.execute("SELECT hex(id) FROM audit_events ORDER BY at, id")
            return [row.lower() for (row,) in rows]

    def copied(self):
        """The events in the files, those of the renamed one first."""
        lines = []
        for file in (self.renamed, self.file):
            if file.exists():
                lines += file.read_text().splitlines()
        return [json.loads(line) for line in lines]

    def metric(self, name, to):
        metrics = urllib.request.urlopen(self.server.ready["metrics"], timeout=30).read().decode()
        series = f'{name}{{to="{to}"}} '
        values = [line.removeprefix(series) for line in metrics.splitlines() if line.startswith(series)]
        expect(len(values), 1)
        return float(values[0])

    def happen(self, name):
        """Three events: somebody registers, mistypes the password, and logs in."""
        client = Client(self.server.url)
        email = f"{name}@example.org"
        expect(client.register(email, PASSWORD).status, 201)
        expect(client.login(email, "something else entirely").status, 401)
        expect(client.login(email, PASSWORD).status, 200)


def ids(events):
    return [event["id"].replace("-", "") for event in events]


def every_event_is_in_the_file_once_and_in_order(scene):
    for number in range(5):
        scene.happen(f"user{number}")
    scene.server.command("user", "disable", "user0@example.org")
    until(lambda: len(scene.copied()) >= 16, "the events in the file")
    expect(ids(scene.copied()), scene.recorded())
    expect(oct(scene.file.stat().st_mode & 0o777), "0o600")
    kinds = [event["event"] for event in scene.copied()[:3]]
    expect(kinds, ["registered", "login_failed", "login"])
    expect(scene.copied()[-1]["actor"], {"kind": "operator", "id": None})


def a_syslog_that_is_away_is_told_of_once_and_gets_all_of_it_later(scene):
    expect(scene.metric("vestibule_audit_copy_failing", "syslog"), 1)
    expect(scene.metric("vestibule_audit_copy_failing", "file"), 0)
    told = [line for line in scene.server.log if "cannot be copied to the syslog" in line]
    expect(len(told), 1)
    expect(scene.syslog.messages(), [])
    scene.syslog.start()
    until(lambda: len(scene.syslog.messages()) >= 16, "the events at the syslog")
    messages = scene.syslog.messages()
    expect(ids(event for *_, event in messages), scene.recorded())
    # Severities 6 and 5 of the facility 10.
    expect(
        [(pri, program, kind) for pri, program, kind, _ in messages[:2]],
        [
            ("86", "vestibule", "registered"),
            ("85", "vestibule", "login_failed"),
        ],
    )
    until(lambda: scene.metric("vestibule_audit_copy_failing", "syslog") == 0, "the metric")


def a_file_that_is_renamed_is_followed_by_a_new_one(scene):
    scene.file.rename(scene.renamed)
    scene.happen("after")
    until(lambda: len(scene.copied()) == len(scene.recorded()), "the events in the new file")
    expect(ids(scene.copied()), scene.recorded())
    expect(len(scene.file.read_text().splitlines()), 3)


def what_happens_right_before_the_end_is_written_before_it(scene):
    scene.happen("last")
    expect(scene.server.stop(), 0)
    expect(ids(scene.copied()), scene.recorded())
    scene.server.start()


def a_killed_server_leaves_no_event_out(scene):
    scene.happen("before")
    scene.server.kill()
    scene.server.start()
    scene.happen("behind")
    expect(scene.server.stop(), 0)
    # What was written before the kill may be there twice, and none out of order.
    expect(list(dict.fromkeys(ids(scene.copied()))), scene.recorded())
    until(
        lambda: list(dict.fromkeys(ids(event for *_, event in scene.syslog.messages()))) == scene.recorded(),
        "the events at the syslog",
    )
    scene.server.start()


def main():
    checks = Checks()
    server = Server(*NO_LIMITS, f"--metrics-listen=127.0.0.1:{free_port()}")
    folder = pathlib.Path(server.folder.name)
    scene = Scene(server, folder)
    server.flags += ["--audit-file", str(scene.file), "--audit-syslog", f"unix:{folder}/log"]
    with server:
        try:
            checks.run_all(
                [
                    every_event_is_in_the_file_once_and_in_order,
                    a_syslog_that_is_away_is_told_of_once_and_gets_all_of_it_later,
                    a_file_that_is_renamed_is_followed_by_a_new_one,
                    what_happens_right_before_the_end_is_written_before_it,
                    a_killed_server_leaves_no_event_out,
                ],
                scene,
            )
        finally:
            scene.syslog.end()
    checks.finish()


if __name__ == "__main__":
    main()
