"""Does what README.md shows: runs the commands of its `console` blocks and compares what they print.

A line that starts with `$ ` is a command (a backslash at its end continues it); the lines below it are
its output. Commands that start the program are left out: the program runs already.
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


def outputs(commands):
    """What each command prints; all of them share one folder and one shell, and with it variables."""
    script = "".join(f"{command}\necho '{END}'\n" for command in commands)
    with tempfile.TemporaryDirectory() as folder:
        ran = subprocess.run(
            ["bash", "-eu"], input=script, cwd=folder, capture_output=True, text=True, timeout=120
        )
    printed = ran.stdout.split(END + "\n")
    return printed + [f"(not run) {ran.stderr}"] * len(commands)


checks = Checks()
with Server() as server:
    readme = (ROOT / "README.md").read_text().replace(SHOWN_URL, server.url)
    shown = [pair for session in sessions(readme) if not starts_the_program(session) for pair in session]
    printed = outputs([command for command, _ in shown])
    for (command, output), actual in zip(shown, printed):
        checks.run(command, expect, actual, output)
checks.finish()
