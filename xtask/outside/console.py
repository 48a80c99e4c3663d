"""Does what the console blocks of a document show: runs commands, compares what they print, leaves a server running.

A line that begins with `$ ` is a command; the lines below it are its output, in which `…` stands for anything. Which
blocks of which document are run, and where, is up to the scripts.
"""

import os
import pathlib
import re
import signal
import subprocess
import textwrap
import threading

from checks import expect
from server import SETTINGS

SHOWN_URL = "http://localhost:8080"
# A build may be among the commands; in seconds.
LONGEST = 3600


def environment_with_program(folder):
    """The environment of a reader for whom `vestibule` is the program under test, without settings of anybody's."""
    programs = pathlib.Path(folder) / "programs"
    programs.mkdir()
    (programs / "vestibule").symlink_to(pathlib.Path(os.environ["VESTIBULE_BINARY"]).resolve())
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    return {**kept, "PATH": f"{programs}:{os.environ['PATH']}"}


def blocks(text):
    """The console blocks of a document, those in lists as well."""
    for indented in re.findall(r"^ *```console\n.*?^ *```$", text, re.MULTILINE | re.DOTALL):
        yield textwrap.dedent(indented).removeprefix("```console\n").removesuffix("```")


def commands(block):
    """The commands of a block, each with its output; a backslash at the end of a line continues it."""
    return re.findall(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)


class Console:
    """A shell in a folder. Wherever a document shows the address of a server, it is that of the one left running."""

    def __init__(self, folder, environment):
        self.folder = folder
        self.environment = environment
        self.server, self.url = None, None
        self.variables = ""

    def run(self, command, output):
        """Runs a command and compares what it prints with what is shown, if anything is."""
        if re.search(r"\b(vestibule|--) serve\b", command):
            self.serve(command)
            return
        command = command.replace(SHOWN_URL, self.url or SHOWN_URL)
        ran = subprocess.run(
            ["bash", "-eu", "-c", self.variables + command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST,
        )
        assert ran.returncode == 0, f"exit code {ran.returncode}: {ran.stdout}{ran.stderr}"
        assert fits(output, ran.stdout), f"{ran.stdout}{ran.stderr} instead of {output}"
        # Each command has a shell of its own, which is told of those before it.
        if re.match(r"\w+=", command):
            self.variables += command + "\n"

    def serve(self, command):
        """Starts a server and waits until it says where it listens."""
        assert self.server is None, "the document starts a server beside another one"
        self.server = subprocess.Popen(
            ["bash", "-c", f"exec env {command}"],
            cwd=self.folder,
            # The port is any that is free; what tokens say of their issuer is as in the document.
            env={**self.environment, "VESTIBULE_LISTEN": "127.0.0.1:0", "VESTIBULE_PUBLIC_URL": SHOWN_URL},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        lines = []
        for line in self.server.stdout:
            lines.append(line)
            found = re.search(r'"listen":"([^"]+)"', line)
            if found:
                self.url = f"http://{found[1]}"
                threading.Thread(target=self.server.stdout.read, daemon=True).start()
                return
        raise AssertionError(f"the server did not start: {''.join(lines)}")

    def ctrl_c(self):
        server, self.server = self.server, None
        server.send_signal(signal.SIGINT)
        expect(server.wait(timeout=60), 0)

    def close(self):
        """Ends the server if one is left."""
        if self.server:
            self.server.kill()
            self.server.wait()


def fits(shown, printed):
    """Whether the text is the one that is shown, `…` standing for anything."""
    pattern = ".*".join(re.escape(part) for part in re.sub(r"\s+", " ", shown).strip().split("…"))
    return not shown.strip() or re.fullmatch(pattern, re.sub(r"\s+", " ", printed).strip(), re.DOTALL)
