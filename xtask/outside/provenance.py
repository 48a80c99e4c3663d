"""Of which program figures are taken, on what machine and when; and where they are kept for `bench_report.py`."""

import json
import os
import pathlib
import platform
import subprocess
import tempfile
import time

from measures import CORES
from server import ROOT

FIGURES = pathlib.Path(os.environ["VESTIBULE_FIGURES"])
# What the page of the documentation was made of last: what is measured on another machine does not have to be again.
PUBLISHED = ROOT / "docs/performance"

# What is built into the program.
SOURCES = ["crates", "web/dist", "Cargo.toml", "Cargo.lock", "deploy/link-in-order"]


def now():
    """To be asked before what is measured, as others may commit meanwhile."""
    return {"machine": machine(), "program": program(SOURCES)}


def machine():
    """What it was measured on, without the names of anything that is somebody's."""
    model = [line.partition(": ")[2] for line in lines_of("/proc/cpuinfo") if line.startswith("model name")]
    memory = next(int(line.split()[1]) for line in lines_of("/proc/meminfo") if line.startswith("MemTotal"))
    return {
        "processor": model[0] if model else platform.machine(),
        "cores": len(CORES),
        "memory_gib": round(memory / 2**20, 1),
        "kernel": platform.release().partition("-")[0],
        "file_system": asked("stat", "--file-system", "--format=%T", tempfile.gettempdir()),
        "load_before": os.getloadavg()[0],
    }


def program(sources):
    """The commit, and whether any of the sources is another than there."""
    return {
        "commit": asked("git", "rev-parse", "--short=10", "HEAD"),
        "changed": bool(asked("git", "status", "--porcelain", *sources)),
        "day": time.strftime("%-d %B %Y", time.gmtime()),
        "rustc": asked("rustc", "--version").partition(" (")[0],
    }


def keep(name, taken, measured):
    """Leaves figures where the report finds them."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    (FIGURES / f"{name}.json").write_text(json.dumps({**taken, **measured}, indent=1) + "\n")


def found(name):
    """The figures that were taken last, here or for the page as it is; none where there are none."""
    for folder in (FIGURES, PUBLISHED):
        file = folder / f"{name}.json"
        if file.exists():
            return json.loads(file.read_text())
    return None


def asked(*command):
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def lines_of(path):
    return pathlib.Path(path).read_text().splitlines()
