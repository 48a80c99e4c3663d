"""Does what README.md shows: runs the commands of its `console` blocks and compares what they print.

A line that starts with `$ ` is a command (a backslash at its end continues it); the lines below it are its output. That
which builds and starts the program is tried by itself, in this tree, on a port and in a folder of its own.
"""

import re
import subprocess
import tempfile

from checks import Checks, expect
from server import ROOT, Server

SHOWN_URL = "http://localhost:8080"
END = "-- end of output --"


def sessions(text):
    """The console blocks, each a list of pairs of command and output."""
    for block in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        block = block.replace("\\\n", "\\\0")
        pairs = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
        yield [(command.replace("\\\0", "\\\n"), output) for command, output in pairs]


def starts_the_program(session):
    return any(command.startswith(("cargo ", "git ", "vestibule ")) for command, _ in session)


def becomes_ready(command, environment):
    """Whether a command of this tree starts the server, which is ended then."""
    with tempfile.TemporaryDirectory(prefix="vestibule-") as folder:
        started = subprocess.Popen(
            ["bash", "-c", f"exec {command} --listen=127.0.0.1:0 --data-dir={folder}/data"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        with started:
            ready = any('"event":"ready"' in line for line in iter(started.stdout.readline, ""))
            started.terminate()
            # What it says at its end must not fill the pipe.
            started.communicate(timeout=60)
    assert ready, f"{command} ended with {started.returncode}"


def outputs(commands):
    """What each command prints; all of them share one folder and one shell, and with it variables."""
    script = "".join(f"{command}\necho '{END}'\n" for command in commands)
    with tempfile.TemporaryDirectory() as folder:
        ran = subprocess.run(["bash", "-eu"], input=script, cwd=folder, capture_output=True, text=True, timeout=120)
    printed = ran.stdout.split(END + "\n")
    return printed + [f"(not run) {ran.stderr}"] * len(commands)


checks = Checks()
with Server() as server:
    for command in re.findall(r"^\$ (cargo run .*)$", (ROOT / "README.md").read_text(), re.MULTILINE):
        checks.run(command, becomes_ready, command, server.environment)
    readme = (ROOT / "README.md").read_text().replace(SHOWN_URL, server.url)
    shown = [pair for session in sessions(readme) if not starts_the_program(session) for pair in session]
    printed = outputs([command for command, _ in shown])
    for (command, output), actual in zip(shown, printed):
        checks.run(command, expect, actual, output)
checks.finish()
