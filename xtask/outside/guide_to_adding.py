"""Does what docs/guides/add-a-resource.md says, in a copy of this tree: no line of it may have become false.

A block of Rust is a new file, whose path is the line before. A block of differences is changes of files, and each of
them must find the lines that it stands between. The commands of console blocks are run.

    guide_to_adding.py FOLDER              all of it, in a copy that takes the place of FOLDER
    guide_to_adding.py --briefly FOLDER    the commands left out, but for those that look at the code without running it

Where cargo builds is up to the environment: in the place where it has built the tree itself, only a little is left to do.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

from checks import Checks, expect
from console import Console, commands
from server import ROOT, SETTINGS

GUIDE = ROOT / "docs/guides/add-a-resource.md"
BLOCK = re.compile(r"^(?:`([^`\n]+)`:\n\n)?```(rust|diff|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What needs nothing but the types of what the code depends on.
BRIEF = ("cargo fmt", "cargo clippy")
# Stands for a number that a command gives out.
NUMBER = "NNNN"


class Tree:
    """A copy of all files of the repository that are not ignored, as they are at this moment."""

    def __init__(self, folder):
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
        for name in filter(None, names):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                # With its times, by which cargo knows what it has built.
                shutil.copy2(ROOT / name, folder / name)
        # The rules of the repository are asked of what git lists.
        subprocess.run(["git", "init", "--quiet", folder], check=True)
        self._become_another()

    def _become_another(self):
        """Makes it a version of its own.

        Cargo knows a package by its place in the workspace and its version, wherever the workspace is. It would take
        what it has built of the one tree, which has paths of that in it, for what it would build of the other.
        """
        manifest = self.folder / "Cargo.toml"
        text, changes = re.subn(r'^(version = "[^"]+)"$', r'\1-guide"', manifest.read_text(), flags=re.MULTILINE)
        assert changes == 1, f"the workspace has {changes} versions"
        manifest.write_text(text)

    def add(self, path, text):
        with (self.folder / path).open("x") as file:
            file.write(text)

    def change(self, path, hunks):
        file = self.only(path)
        text = file.read_text()
        for hunk in hunks:
            text = changed(text, hunk)
        file.write_text(text)

    def only(self, path):
        """The one file of this path, in which a number may be any."""
        files = list(self.folder.glob(path.replace(NUMBER, "[0-9]" * len(NUMBER))))
        assert len(files) == 1, f"{path}: {len(files)} files"
        return files[0]


def changed(text, hunk):
    """The text with a hunk's new lines in it, which stand where its others do, and nowhere else."""
    kept_or = {mark: [line[1:] for line in hunk if line[:1] in ("", " ", mark)] for mark in "-+"}
    before, after = kept_or["-"], kept_or["+"]
    lines = text.split("\n")
    places = [at for at in range(len(lines)) if lines[at : at + len(before)] == before]
    wanted = "\n".join(before)
    assert places, f"these lines are no longer there, so the guide needs others:\n{wanted}"
    assert len(places) == 1, f"these lines are there {len(places)} times, so the guide needs more of them:\n{wanted}"
    lines[places[0] : places[0] + len(before)] = after
    return "\n".join(lines)


def a_change_that_does_not_fit_is_refused():
    for text in ["one\nthree\n", "one\ntwo\none\ntwo\n"]:
        try:
            taken = changed(text, [" one", "+new", " two"])
        except AssertionError:
            continue
        raise AssertionError(f"{text!r} became {taken!r}")
    expect(changed("one\ntwo\nthree\n", [" one", "-two", "+new"]), "one\nnew\nthree\n")


def changes(block):
    """The files of a block of differences, each with its hunks."""
    for path, body in re.findall(r"^\+\+\+ (\S+)\n((?:(?!\+\+\+ ).*\n)*)", block, re.MULTILINE):
        yield path, [hunk.strip("\n").split("\n") for hunk in re.split(r"^@@\n", body, flags=re.MULTILINE)]


def steps(guide, tree, console, briefly):
    """What the guide asks for, in its order: a name, what does it, and of what."""
    for path, kind, block in BLOCK.findall(guide):
        if kind == "rust":
            assert path, f"no path stands before the block that begins with {block[:80]}"
            yield path, tree.add, [path, block]
        elif kind == "diff":
            for path, hunks in changes(block):
                # Whoever runs no command has no number.
                if not (briefly and NUMBER in path):
                    yield path, tree.change, [path, hunks]
        else:
            for command, output in commands(block):
                if not briefly or command.startswith(BRIEF):
                    yield command, console.run, [command, output]


def follow(folder, briefly):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    tree = Tree(folder)
    console = Console(tree.folder, environment)
    checks = Checks()
    checks.run_all([a_change_that_does_not_fit_is_refused])
    try:
        for name, does, arguments in steps(GUIDE.read_text(), tree, console, briefly):
            checks.run(name, does, *arguments)
            # What comes after builds on it.
            if checks.failed:
                break
    finally:
        console.close()
    checks.finish()


def main():
    *flags, folder = sys.argv[1:]
    follow(pathlib.Path(folder), "--briefly" in flags)


main()
