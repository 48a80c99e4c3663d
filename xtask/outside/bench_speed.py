"""Measures the table of speed, row by row: each figure beside what it is compared with, taken in turn in the same run.

A row that fails leaves the others standing. All figures go to a file of JSON, of which `bench_report.py` makes the page
of the documentation.

    bench_speed.py [ROW]... [--long | --brief] [--report-only] [--output FILE] [--before FILE]
"""

import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import time
import traceback

import speed_growth
import speed_requests
import speed_resources
import speed_writes
from figures import amount_of, promise_of, spread
from measures import CORES, Length, step_aside
from server import ROOT

ROWS = {
    "me": speed_requests.me,
    "many": speed_requests.many,
    "gate": speed_requests.gate,
    "refresh": speed_writes.refresh,
    "refresh-postgres": speed_writes.refresh_postgres,
    "logins": speed_writes.logins,
    "beside-logins": speed_writes.beside_logins,
    "crowd": speed_resources.crowd,
    "idle": speed_resources.idle,
    "start": speed_resources.start,
    "connections": speed_resources.connections,
    "copy": speed_resources.copy,
    "binary": speed_resources.binary,
    "growth": speed_growth.growth,
}

LONG = Length(moved=1_000_000, load_seconds=3600)
# To see that everything works; the figures are not worth much.
BRIEF = Length(rounds=2, seconds=0.3, users=2_000, connections=500, moved=2_000, load_seconds=3)

# Where measurements leave what the report is made of.
FIGURES = pathlib.Path(os.environ["VESTIBULE_FIGURES"])

# A result that is worse than before by more than this is one that has become worse.
TOLERANCE = 0.1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; else all")
    lengths = parser.add_mutually_exclusive_group()
    lengths.add_argument("--long", action="store_const", const=LONG, dest="length")
    lengths.add_argument("--brief", action="store_const", const=BRIEF, dest="length")
    parser.add_argument("--report-only", action="store_true", help="a promise that does not hold is no failure")
    parser.add_argument("--output", type=pathlib.Path, default=FIGURES / "speed.json")
    parser.add_argument("--before", type=pathlib.Path, help="the file of a former run, to compare with")
    arguments = parser.parse_args()
    unknown = [row for row in arguments.rows if row not in ROWS]
    if unknown:
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    before = json.loads(arguments.before.read_text()) if arguments.before else None
    length = arguments.length or Length()
    step_aside()
    rows = arguments.rows or list(ROWS)
    findings, failures = [], []
    others = of_other_rows(arguments.output, rows)
    for name in rows:
        measured(name, length, findings, failures)
        save(arguments.output, length, others + findings, failures)
    wrong = [f"failed: {failure}" for failure in failures]
    wrong += become_worse(before, findings) if before else []
    if not arguments.report_only:
        wrong += [f"does not hold: {finding['work']}" for finding in findings if finding["held"] is False]
    print(f"figures: {arguments.output}")
    if wrong:
        sys.exit("\n".join(wrong))


def measured(name, length, findings, failures):
    """Measures a row and prints what comes of it, line by line."""
    print(f"--- {name}", flush=True)
    began = time.monotonic()
    try:
        for finding in ROWS[name](length):
            findings.append({"row": name, **finding.to_json()})
            print(line_of(findings[-1]), flush=True)
    except Exception:
        failures.append(name)
        print(traceback.format_exc(), flush=True)
    print(f"    {time.monotonic() - began:.0f} s", flush=True)


def line_of(finding):
    """A finding for the terminal."""
    verdict = {True: "holds", False: "DOES NOT HOLD", None: ""}[finding["held"]]
    line = f"{finding['work']}\n    {spread(finding['ours'])} {finding['unit']}"
    if finding["theirs"]:
        line += f"\n    {spread(finding['theirs'])} {finding['against']}"
    line += f"\n    {amount_of(finding['result'], finding['result_unit'])} {promise_of(finding)} {verdict}"
    return line + (f"\n    ({finding['remark']})" if finding["remark"] else "")


def become_worse(before, findings):
    """Lines about results that are worse than those of a former run, beyond what chance does."""
    former = {(finding["work"], finding["against"]): finding["result"] for finding in before["findings"]}
    for finding in findings:
        result, old = finding["result"], former.get((finding["work"], finding["against"]))
        if old is None or finding["held"] is None:
            continue
        is_worse = result < old * (1 - TOLERANCE) if finding["at_least"] is not None else result > old * (1 + TOLERANCE)
        if is_worse and result != old:
            yield f"worse than before: {finding['work']}: {amount_of(result)} after {amount_of(old)}"


def of_other_rows(file, rows):
    """What the file holds of other rows, if it is about the same program: they are not lost where some are measured
    again."""
    if not file.exists():
        return []
    former = json.loads(file.read_text())
    # Whatever else was committed since, the sources are what is measured.
    is_same = all(former["program"].get(name) == program()[name] for name in ("sources", "profile"))
    return [finding for finding in former["findings"] if is_same and finding["row"] not in rows]


def save(file, length, findings, failures):
    file.parent.mkdir(parents=True, exist_ok=True)
    written = {
        "machine": machine(),
        "program": program(),
        "length": vars(length),
        "findings": list(findings),
        "failures": failures,
    }
    order = list(ROWS)
    written["findings"].sort(key=lambda finding: order.index(finding["row"]))
    file.write_text(json.dumps(written, indent=1) + "\n")


def machine():
    """What it was measured on, without the names of anything that is somebody's."""
    model = [line.partition(": ")[2] for line in lines_of("/proc/cpuinfo") if line.startswith("model name")]
    memory = next(int(line.split()[1]) for line in lines_of("/proc/meminfo") if line.startswith("MemTotal"))
    return {
        "processor": model[0] if model else platform.machine(),
        "cores": len(CORES),
        "memory_gib": round(memory / 2**20, 1),
        "kernel": platform.release().partition("-")[0],
        "load_before": os.getloadavg()[0],
    }


def program():
    asked = lambda *command: subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    return {
        "commit": asked("git", "rev-parse", "--short=10", "HEAD"),
        "sources": asked("git", "rev-parse", "--short=10", "HEAD:crates"),
        "changed": bool(asked("git", "status", "--porcelain", "crates")),
        "day": time.strftime("%-d %B %Y", time.gmtime()),
        "rustc": asked("rustc", "--version").partition(" (")[0],
        "profile": os.environ["VESTIBULE_PROFILE"],
    }


def lines_of(path):
    return pathlib.Path(path).read_text().splitlines()


if __name__ == "__main__":
    main()
