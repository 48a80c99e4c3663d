"""What systemd hears of the server, by a socket of ours that stands for systemd's: that it is ready, well, reading its
files again, and ending; and that a server that is stuck says nothing. And what systemd says of the unit that is printed.

Negative control: without the socket's name in its environment the server runs and says nothing.
"""

import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

from checks import Checks, expect
from server import SETTINGS, Server

# After how long without a word systemd would take the server for dead, in seconds.
WATCHDOG = 2
PATIENCE = 60

# What `systemd-analyze security` may find at the most, in tenths; docs/guides/systemd.md says what it finds.
EXPOSURE = 15


class Supervisor:
    """The socket, at a path or, behind an `@`, at a name without a file."""

    def __init__(self, name):
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if name.startswith("@") else name)
        self.socket.settimeout(PATIENCE)

    def variables(self, watchdog=True):
        variables = {"NOTIFY_SOCKET": self.name}
        return variables | ({"WATCHDOG_USEC": str(WATCHDOG * 1_000_000)} if watchdog else {})

    def heard(self):
        """The next message, as a table."""
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())

    def heard_but_beats(self):
        """The next message that is not a sign of life."""
        while "WATCHDOG" in (message := self.heard()):
            pass
        return message

    def hears_a_beat(self):
        expect(self.heard(), {"WATCHDOG": "1"})

    def forget(self):
        """What was sent before, and nobody has read yet."""
        self.socket.setblocking(False)
        try:
            while self.socket.recv(4096):
                pass
        except BlockingIOError:
            self.socket.settimeout(PATIENCE)

    def close(self):
        self.socket.close()


def a_server_tells_of_its_whole_life_in_order(name):
    supervisor = Supervisor(name)
    with Server(variables=supervisor.variables()) as server:
        ready = supervisor.heard()
        expect(ready, {"READY": "1", "STATUS": f"ready on {server.url}"})
        for _ in range(3):
            supervisor.hears_a_beat()
        server.process.send_signal(signal.SIGHUP)
        reloading = supervisor.heard_but_beats()
        expect(sorted(reloading), ["MONOTONIC_USEC", "RELOADING"])
        began = int(reloading["MONOTONIC_USEC"])
        assert 0 <= time.monotonic_ns() // 1000 - began < PATIENCE * 1_000_000, "another clock"
        expect(supervisor.heard_but_beats(), ready)
        expect(server.stop(), 0)
        expect(supervisor.heard_but_beats()["STOPPING"], "1")
    supervisor.close()


def a_server_that_is_stuck_says_nothing(name):
    supervisor = Supervisor(name)
    with Server(variables=supervisor.variables()) as server:
        expect(supervisor.heard()["READY"], "1")
        supervisor.hears_a_beat()
        server.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, server.process.pid, os.WSTOPPED | os.WNOWAIT)
        supervisor.forget()
        supervisor.socket.settimeout(2 * WATCHDOG)
        try:
            message = supervisor.heard()
        except TimeoutError:
            message = None
        server.process.send_signal(signal.SIGCONT)
        expect(message, None)
        supervisor.socket.settimeout(PATIENCE)
        supervisor.hears_a_beat()
    supervisor.close()


def nothing_is_said_of_health_where_nobody_waits_for_it(name):
    supervisor = Supervisor(name)
    with Server(variables=supervisor.variables(watchdog=False)) as server:
        expect(supervisor.heard()["READY"], "1")
        expect(server.stop(), 0)
        expect(supervisor.heard()["STOPPING"], "1")
    supervisor.close()


def a_server_without_a_supervisor_runs(_):
    for variables in [{}, {"NOTIFY_SOCKET": "/nonexistent/socket", "WATCHDOG_USEC": "100000"}]:
        with Server(variables=variables) as server:
            assert server.url


def a_hang_up_has_the_log_level_read_again_and_names_what_waits(name):
    supervisor = Supervisor(name)
    server = Server(variables=supervisor.variables(watchdog=False))
    settings = pathlib.Path(server.folder.name) / "vestibule.toml"
    settings.write_text('[log]\nlevel = "warn"\n')
    with server:
        supervisor.heard()
        said = lambda: "\n".join(server.log)
        for text in [
            '[log]\nlevel = "debug"\n[password]\nmin_length = 12\n',
            '[log]\nlevel = "loud"\n',
        ]:
            settings.write_text(text)
            server.process.send_signal(signal.SIGHUP)
            expect(sorted(supervisor.heard()), ["MONOTONIC_USEC", "RELOADING"])
            expect(supervisor.heard()["READY"], "1")
        expect(server.stop(), 0)
    assert "the log level is debug" in said(), said()
    assert "count from the next start on: password.min_length" in said(), said()
    assert "cannot be read again" in said() and "loud" in said(), said()
    # It stayed as it was, so the end is told of, which is of the level `info`.
    assert "Shutting down" in said(), said()
    supervisor.close()


def printed(folder, **settings):
    """The unit that is printed for these settings, with this program in it."""
    file = pathlib.Path(folder) / "vestibule.toml"
    file.write_text("".join(f'{name} = "{value}"\n' for name, value in settings.items()))
    program = os.environ["VESTIBULE_BINARY"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    command = [program, "print", "systemd", "--config", str(file)]
    unit = subprocess.check_output(command, cwd=folder, env=environment, text=True, timeout=PATIENCE)
    assert unit.count("/usr/local/bin/vestibule") == 1, unit
    path = pathlib.Path(folder) / "vestibule.service"
    path.write_text(unit.replace("/usr/local/bin/vestibule", program))
    return path


def analyze(*arguments):
    ended = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=PATIENCE)
    return ended.returncode, ended.stdout + ended.stderr


def the_unit_that_is_printed_is_taken_by_systemd_without_a_word(folder):
    for settings in [
        {"public_url": "https://id.example.org"},
        {"public_url": "https://id.example.org", "listen": "0.0.0.0:443", "data_dir": "/srv/own data"},
        {"public_url": "https://id.example.org", "data_dir": "/srv/a b", "audit.file": "/var/log/c d/audit.jsonl"},
    ]:
        path = printed(folder, **settings)
        expect(analyze("verify", "--man=no", str(path)), (0, ""))
    path.write_text(path.read_text().replace("Type=notify", "Type=notifying"))
    _, said = analyze("verify", "--man=no", str(path))
    assert "notifying" in said, f"anything is taken: {said}"


def the_unit_leaves_little_to_whoever_gets_hold_of_the_server(folder):
    path = printed(folder, public_url="https://id.example.org")
    status, said = analyze("security", "--offline=yes", "--no-pager", f"--threshold={EXPOSURE}", str(path))
    [line] = [line for line in said.splitlines() if "Overall exposure level" in line]
    print(f"-- {line.strip()}", flush=True)
    expect(status, 0)


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="vestibule-notify-") as folder:
        for number, name in enumerate([f"{folder}/notify", f"@vestibule-notify-{os.getpid()}"]):
            checks.run(
                f"a server tells of its whole life in order ({'a name' if number else 'a file'})",
                a_server_tells_of_its_whole_life_in_order,
                name,
            )
        for number, check in enumerate(
            [
                a_server_that_is_stuck_says_nothing,
                nothing_is_said_of_health_where_nobody_waits_for_it,
                a_server_without_a_supervisor_runs,
                a_hang_up_has_the_log_level_read_again_and_names_what_waits,
            ]
        ):
            checks.run_all([check], f"{folder}/{number}")
        checks.run_all(
            [
                the_unit_that_is_printed_is_taken_by_systemd_without_a_word,
                the_unit_leaves_little_to_whoever_gets_hold_of_the_server,
            ],
            folder,
        )
    checks.finish()


main()
