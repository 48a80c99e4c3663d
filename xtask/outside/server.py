"""The released program as a child process: started on a port that stays its own, ended by a signal to itself alone.

It knows the command line and the ready line; what is asked of the server is up to the scripts.
"""

import collections
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading

from ports import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Settings of whoever runs the tests are not for the server under test.
SETTINGS = ("VESTIBULE_", "DATABASE_URL", "PORT", "OTEL_")

# Tests act as hundreds of clients from one address.
NO_LIMITS = [
    "--limits-register-per-ip=off",
    "--limits-login-per-account=off",
    "--limits-login-per-ip=off",
    "--limits-refresh-per-ip=off",
]


class DidNotStart(RuntimeError):
    """The program has ended, or said nothing for too long, instead of serving."""


class Server:
    """`with Server() as server:` serves the example site with its members' area protected, or another one; without a
    site, what stands in its place is among the flags.

    `database` is a URL, of a server otherwise than by default; `variables` are more settings in the environment;
    `under` is what to put before its command line, of a program that becomes the server.
    A panic anywhere in the server fails the script, even where the client got a proper answer, and so does its end
    where nobody has asked for it.
    """

    def __init__(
        self, *flags, site=ROOT / "examples/site", protect="/members/**", database=None, variables=None, under=()
    ):
        self.under = under
        self.flags = [*(["--site", str(site)] if site else []), "--protect", protect, *flags]
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
        self.environment |= variables or {}
        if database:
            self.environment["VESTIBULE_DATABASE_URL"] = database
        self.folder = tempfile.TemporaryDirectory(prefix="vestibule-")
        self.data = pathlib.Path(self.folder.name) / "data"
        self.listen = f"127.0.0.1:{free_port()}"
        self.url = None
        self.ready = {}
        self.process = None
        self.was_ended = False
        self.reader = None
        self.log = collections.deque(maxlen=200)
        self.panics = []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, failure, *_):
        try:
            if self.process.poll() is None:
                status = self.stop()
                assert failure or status == 0, f"SIGTERM ended the server with {status}"
            assert failure or self.was_ended, f"the server has ended by itself, with {self.process.returncode}"
            assert failure or not self.panics, self.panics
        except BaseException:
            self.print_log()
            raise
        finally:
            self.folder.cleanup()
        if failure:
            self.print_log()

    def start(self):
        """Starts the server, again on the address it had before, and waits for its ready line."""
        self.url = None
        self.was_ended = False
        command = [*self.under, os.environ["VESTIBULE_BINARY"], "serve"]
        command += ["--listen", self.listen, "--data-dir", str(self.data)]
        self.process = subprocess.Popen(
            command + self.flags,
            cwd=self.folder.name,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        found = threading.Event()
        self.reader = threading.Thread(target=self._read, args=[self.process.stdout, found], daemon=True)
        self.reader.start()
        if not found.wait(timeout=60) or self.url is None:
            self.print_log()
            self.kill()
            raise DidNotStart("the server printed no ready line")

    def command(self, *arguments):
        """Runs another command of the program beside the server, with its settings, and returns what it prints."""
        ended = subprocess.run(
            [os.environ["VESTIBULE_BINARY"], *arguments, "--data-dir", str(self.data), *self.flags],
            cwd=self.folder.name,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def memory_kib(self, figure="VmRSS"):
        """Physical memory that the process holds, or has held at the most (`VmHWM`), in KiB.

        What the kernel keeps for its sockets is not in it.
        """
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith(f"{figure}:"))
        return int(line.split()[1])

    def stop(self):
        """Asks the server to end and returns its exit code, its last lines having been read."""
        self._is_about_to_be_ended()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self.reader.join()
        return status

    def kill(self):
        """SIGKILL: no handler runs, nothing is written after it."""
        self._is_about_to_be_ended()
        self.process.kill()
        self.process.wait()

    def print_log(self):
        print("--- the server's last lines", *self.log, "---", sep="\n", flush=True)

    def _is_about_to_be_ended(self):
        """By us, unless it is too late for that."""
        self.was_ended |= self.process.poll() is None

    def _read(self, lines, found):
        for line in lines:
            self.log.append(line.rstrip()[:500])
            if "panicked" in line:
                self.panics.append(line.rstrip())
            if '"event":"ready"' in line:
                self.ready = ready = json.loads(line)
                self.url, self.listen = ready["url"], ready["listen"]
                found.set()
        found.set()
