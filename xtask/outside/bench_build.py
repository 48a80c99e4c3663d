"""Measures what it takes to build the program from nothing, and counts what it is built of.

The build has a folder of its own, so nothing that was built before helps it; its sources are there already.

    bench_build.py [--profile PROFILE]...
"""

import argparse
import os
import pathlib
import resource
import subprocess
import tempfile
import time

import provenance
from provenance import FIGURES
from server import ROOT

LINKER = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--profile", action="append", choices=["dev", "release", "dist"])
    taken = provenance.now()
    rows = [["crates of our own, linked into the program", str(len(crates("--prefix=none", ours=True)))]]
    rows += [["crates of others, linked into the program", str(len(crates("--prefix=none", ours=False)))]]
    for profile in parser.parse_args().profile or ["release", "dist"]:
        rows += built(profile)
        for name, value in rows[-3:]:
            print(f"{name:60} {value}", flush=True)
    provenance.keep("build", taken, {"rows": rows})


def crates(*flags, ours):
    """Those that the program has on this system; what is for building or testing alone is not among them."""
    command = ["cargo", "tree", "--package", "vestibule", "--edges", "normal", *flags]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = {line.removesuffix(" (*)") for line in ended.stdout.splitlines() if line}
    # A crate of the workspace is shown with its folder.
    return {line for line in lines if (" (/" in line and "proc-macro" not in line) == ours}


def built(profile):
    with tempfile.TemporaryDirectory(prefix="vestibule-build-", dir=FIGURES) as folder:
        # As releases are linked; LINKER is read on the processors where they are linked in order.
        linker = {LINKER: os.environ["VESTIBULE_LINKER"]} if profile == "dist" else {}
        before, began = cpu_of_children(), time.monotonic()
        subprocess.run(
            ["cargo", "build", "--profile", profile, "--package", "vestibule", "--target-dir", folder],
            cwd=ROOT,
            env=os.environ | linker,
            check=True,
        )
        seconds, used = time.monotonic() - began, cpu_of_children() - before
        program = pathlib.Path(folder) / ("debug" if profile == "dev" else profile) / "vestibule"
        size = program.stat().st_size / 2**20
    cores = len(os.sched_getaffinity(0))
    return [
        [f"clean build, profile `{profile}`, {cores} cores", f"{seconds / 60:.1f} min"],
        ["its CPU time", f"{used / 60:.1f} min"],
        [f"the program, profile `{profile}`", f"{size:.1f} MiB"],
    ]


def cpu_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


main()
