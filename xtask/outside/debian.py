"""An empty Debian in a folder, made by debootstrap from where this machine has its packages."""

import re
import subprocess

SUITE = "bookworm"


def run(*command, **options):
    subprocess.run([str(word) for word in command], check=True, stdin=subprocess.DEVNULL, **options)


def debian(folder, *options):
    """Makes one, with the packages that `--include=` names."""
    places = subprocess.check_output(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(COMPONENT)"], text=True
    )
    found = re.search(rf"^(\S+) {SUITE} main$", places, re.MULTILINE)
    command = ["debootstrap", "--variant=minbase", *options, SUITE, folder]
    run(*command, *([found.group(1)] if found else []), stdout=subprocess.DEVNULL)
