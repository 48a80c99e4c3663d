"""What the peers of `bench_peers.py` stand on, exactly as the lock files beside them say, and its versions.

It is installed outside the repository, and apart from what the scripts of this folder use: some of it would change how
those behave, and some of it needs older versions of what they could have.
"""

import shutil
import subprocess
import sys


class Python:
    """A Python with the packages of a file of requirements, in its own folder."""

    def __init__(self, requirements, folder):
        self.program = folder / "bin/python"
        installed = folder / requirements.name
        if same_bytes(requirements, installed):
            return
        run(sys.executable, "-m", "venv", "--clear", folder)
        quietly = ["--quiet", "--disable-pip-version-check"]
        run(self.program, "-m", "pip", "install", *quietly, "--requirement", requirements)
        shutil.copy(requirements, installed)

    def versions(self, *packages):
        """Of the packages that are installed, and of Python, as words."""
        program = "import sys, importlib.metadata as there; print(*map(there.version, sys.argv[1:]))"
        versions = output_of(self.program, "-c", program, *packages).split()
        words = [f"{package} {version}" for package, version in zip(packages, versions)]
        return ", ".join([*words, output_of(self.program, "--version")])


class Node:
    """A copy of a folder with a program and its package.json; Node looks for packages beside the program.

    Some have parts in C++, which are compiled where nobody has done so for this system before.
    """

    def __init__(self, source, folder):
        assert shutil.which("npm"), "Node.js with npm is needed"
        self.folder = folder
        lock, installed = source / "package-lock.json", folder / "node_modules/.installed-lock.json"
        is_installed = same_bytes(lock, installed)
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
        if not is_installed:
            run("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", folder)
            shutil.copy(lock, installed)

    def versions(self, *packages):
        """Of the packages that are installed, and of Node, as words."""
        version = "JSON.parse(fs.readFileSync(`node_modules/${name}/package.json`)).version"
        script = f"for (const name of process.argv.slice(1)) console.log(name, {version})"
        words = output_of("node", "--eval", script, *packages, cwd=self.folder).splitlines()
        return ", ".join([*words, f"Node {output_of('node', '--version').removeprefix('v')}"])


def same_bytes(left, right):
    return right.exists() and left.read_bytes() == right.read_bytes()


def run(*command):
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True)


def output_of(*command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, **more).stdout.strip()
