"""Measures functions of the hot paths by criterion, and keeps their means for the report.

What is measured stands in `xtask/measuring/benches`; criterion compares each run with the one before by itself.

    bench_functions.py [FILTER]
"""

import json
import os
import subprocess
import sys
import time

import provenance
from provenance import FIGURES
from server import ROOT


def main():
    taken, began = provenance.now(), time.time()
    command = ["cargo", "bench", "--package", "measuring", "--bench", "functions", "--", *sys.argv[1:]]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "CRITERION_HOME": str(FIGURES / "criterion")}, check=True)
    # Each has a folder, also those of former runs that are measured no more.
    files = [file for file in (FIGURES / "criterion").glob("*/new/estimates.json") if file.stat().st_mtime >= began]
    functions = sorted(map(figures_of, files), key=lambda function: function["mean"])
    assert functions, "criterion has measured nothing"
    provenance.keep("functions", taken, {"functions": functions})


def figures_of(file):
    """The mean of a function in nanoseconds, and the interval in which it is at 95 %."""
    mean = json.loads(file.read_text())["mean"]
    name = json.loads((file.parent / "benchmark.json").read_text())["full_id"]
    interval = mean["confidence_interval"]
    return {
        "name": name,
        "mean": mean["point_estimate"],
        "least": interval["lower_bound"],
        "most": interval["upper_bound"],
    }


main()
