"""Makes a TypeScript and a Python client of the API's description, by the commands of the guide, and pays a visit by each.

What a visit consists of stands in `xtask/clients`, and is compiled there against what was made.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

from checks import Checks
from server import ROOT, SETTINGS, Server

GUIDE = ROOT / "docs/guides/api-clients.md"
CLIENTS = ROOT / "xtask/clients"
# Packages are here already, of the versions that we have chosen.
INSTALLS = ("npm install ", "pip install ")


class Reader:
    """Somebody in a folder, with the programs of the guide."""

    def __init__(self, server, folder):
        self.folder = pathlib.Path(folder)
        programs = self.folder / "programs"
        programs.mkdir()
        (programs / "vestibule").symlink_to(pathlib.Path(os.environ["VESTIBULE_BINARY"]).resolve())
        (self.folder / "node_modules").symlink_to(CLIENTS / "node_modules")
        for name in ("package.json", "tsconfig.json", "walk.ts", "walk.py"):
            (self.folder / name).write_text((CLIENTS / name).read_text())
        kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
        self.environment = {
            **kept,
            "PATH": f"{programs}:{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "vestibule-client"),
            "VESTIBULE_URL": server.url,
        }

    def run(self, *commands):
        for command in commands:
            ran = subprocess.run(
                ["bash", "-eu", "-c", command],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=300,
            )
            assert ran.returncode == 0, f"{command}: {ran.stdout}"

    def follows(self, section):
        """The commands of a section: what is indented there, and is no part of a listing."""
        text = re.sub(r"^```.*?^```$", "", GUIDE.read_text(), flags=re.MULTILINE | re.DOTALL)
        chapter = re.search(rf"^## {section}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        commands = re.findall(r"^    (\S.*)$", chapter[1], re.MULTILINE)
        generating = [command for command in commands if not command.startswith(INSTALLS)]
        assert len(generating) == 2, generating
        self.run(*generating)


def a_typescript_client_is_made_and_compiles(reader):
    reader.follows("TypeScript")
    reader.run("npx tsc --project tsconfig.json")


def the_typescript_client_logs_in_and_out(reader):
    reader.run("node built/walk.js")


def a_python_client_is_made_and_its_types_fit(reader):
    reader.follows("Python")
    reader.run("mypy --strict walk.py vestibule-client/vestibule_client")


def the_python_client_logs_in_and_out(reader):
    reader.run("python walk.py")


checks = Checks()
with Server() as server, tempfile.TemporaryDirectory() as folder:
    checks.run_all(
        [
            a_typescript_client_is_made_and_compiles,
            the_typescript_client_logs_in_and_out,
            a_python_client_is_made_and_its_types_fit,
            the_python_client_logs_in_and_out,
        ],
        Reader(server, folder),
    )
checks.finish()
