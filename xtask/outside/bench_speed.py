"""Measures the table of speed, row by row: each figure beside what it is compared with, taken in turn in the same run.

A row that fails leaves the others standing. All figures go to a file of JSON, of which `bench_report.py` makes the page
of the documentation; rows that the file has already stay in it where they are about the same sources.

    bench_speed.py [ROW]... [--long | --brief] [--report-only] [--output FILE] [--before FILE]
"""

import argparse
import collections
import json
import os
import pathlib
import sys
import time
import traceback

import provenance
import speed_growth
import speed_requests
import speed_resources
import speed_writes
from figures import amount_of, promise_of, result_of, spread
from measures import Length, step_aside
from provenance import FIGURES

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

# More users than the 131,072 that the memories of the server have places for.
LONG = Length(moved=1_000_000, load_seconds=3600, beyond=300_000)
# To see that everything works; the figures are not worth much.
BRIEF = Length(rounds=2, seconds=0.3, users=2_000, connections=500, moved=2_000, load_seconds=3)

# What is built into the program, and what measures it: where these are the same, so is what the figures are about.
MEASURING = ["bare_commits", "bench_copy", "bench_idle", "crowd", "installation", "measures", "nginx"]
MEASURING += ["speed_growth", "speed_requests", "speed_resources", "speed_writes"]
SOURCES = [*provenance.SOURCES, "xtask/measuring", *(f"xtask/outside/{name}.py" for name in MEASURING)]

# A result that is worse than before by more than this is one that has become worse.
TOLERANCE = 0.1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; else all")
    lengths = parser.add_mutually_exclusive_group()
    lengths.add_argument("--long", action="store_const", const=LONG, dest="length")
    lengths.add_argument("--brief", action="store_const", const=BRIEF, dest="length")
    parser.add_argument("--report-only", action="store_true", help="a promise that does not hold is no failure")
    parser.add_argument(
        "--output", type=pathlib.Path, help="where figures go; those of --brief have a file of their own"
    )
    parser.add_argument("--before", type=pathlib.Path, help="the file of a former run, to compare with")
    arguments = parser.parse_args()
    unknown = [row for row in arguments.rows if row not in ROWS]
    if unknown:
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    before = json.loads(arguments.before.read_text()) if arguments.before else None
    length = arguments.length or Length()
    output = arguments.output or FIGURES / ("speed-brief.json" if length is BRIEF else "speed.json")
    step_aside()
    rows = arguments.rows or list(ROWS)
    findings, failures = [], []
    # As they are now: others may commit while it is measured.
    about = {"machine": provenance.machine(), "program": program(), "length": vars(length), "rows": list(ROWS)}
    assert about["machine"]["file_system"] != "tmpfs", "figures of a disk need one: set TMPDIR to a folder on a disk"
    other_findings, other_failures = of_other_rows(output, rows, about)
    for name in rows:
        measured(name, length, about["program"], findings, failures)
        save(output, about, other_findings + findings, other_failures + failures)
    wrong = [f"failed: {failure}" for failure in failures]
    wrong += worse(before, findings) if before else []
    if not arguments.report_only:
        wrong += [f"does not hold: {finding['work']}" for finding in findings if finding["held"] is False]
        wrong += [f"not measured: {finding['work']}" for finding in findings if finding["impossible"]]
    print(f"figures: {output}")
    if wrong:
        sys.exit("\n".join(wrong))


def measured(name, length, program, findings, failures):
    """Measures a row and prints what comes of it, line by line. Each finding has with it how it was measured."""
    print(f"--- {name}", flush=True)
    began = time.monotonic()
    taken = {"rounds": length.rounds, "seconds": length.seconds, "load_average": os.getloadavg()[0]}
    taken |= {name: program[name] for name in ("commit", "changed")}
    try:
        for finding in ROWS[name](length):
            findings.append({"row": name, **finding.to_json(), "taken": taken})
            print(line_of(findings[-1]), flush=True)
    except Exception:
        failures.append(name)
        print(traceback.format_exc(), flush=True)
    print(f"    {time.monotonic() - began:.0f} s", flush=True)


def line_of(finding):
    """A finding for the terminal."""
    verdict = {True: "holds", False: "DOES NOT HOLD", None: ""}[finding["held"]]
    if finding["impossible"]:
        verdict = f"NOT MEASURED, as no more than {finding['bound']:g} is possible"
    line = f"{finding['work']}\n    {spread(finding['ours'])} {finding['unit']}"
    if finding["theirs"]:
        line += f"\n    {spread(finding['theirs'])} {finding['against']}"
    line += f"\n    {result_of(finding)} {promise_of(finding)} {verdict}"
    return line + (f"\n    ({finding['remark']})" if finding["remark"] else "")


def worse(before, findings):
    """Lines about what is worse than in a former run, or about there being nothing to compare; says how much is."""
    promised = {key: finding for key, finding in by_place(findings).items() if share_of_promise(finding) is not None}
    former = by_place(before["findings"])
    pairs = [(finding, former[key]) for key, finding in promised.items() if is_comparable(finding, former.get(key))]
    print(f"{len(pairs)} compared, {len(promised) - len(pairs)} not", flush=True)
    if not pairs:
        return ["nothing was compared with the former run"]
    return [line for finding, old in pairs for line in become_worse(finding, old)]


def by_place(findings):
    """Findings by their row and their place in it: their words have sizes, which another length has otherwise."""
    found, places = {}, collections.Counter()
    for finding in findings:
        found[finding["row"], places[finding["row"]]] = finding
        places[finding["row"]] += 1
    return found


def is_comparable(finding, old):
    """Whether there is such a former finding, and it is of the same kind; and neither is beyond what is possible."""
    if old is None or share_of_promise(old) is None or old["result_unit"] != finding["result_unit"]:
        return False
    return not finding["impossible"] and not old.get("impossible")


def share_of_promise(finding):
    """How much of its promise a result is: some promises grow with the sizes. `None` where there is none."""
    bounds = [bound for bound in (finding["at_least"], finding["at_most"]) if bound is not None]
    return finding["result"] / bounds[0] if bounds else None


def become_worse(finding, old):
    """A line if a result is worse than the former one, beyond what chance does."""
    result, former = share_of_promise(finding), share_of_promise(old)
    # Some results are differences, and may be below nothing.
    chance = TOLERANCE * abs(former)
    if result < former - chance if finding["at_least"] is not None else result > former + chance:
        shown = [f"{amount_of(one['result'])} ({promise_of(one)})" for one in (finding, old)]
        yield f"worse than before: {finding['work']}: {shown[0]} after {shown[1]}"


def of_other_rows(file, rows, about):
    """The findings and the failures that the file holds of other rows, if it is about the same program on the same
    machine: they are not lost where some are measured again."""
    if not file.exists():
        return [], []
    former = json.loads(file.read_text())
    if not is_of_same_program(former["program"], about["program"]) or not is_same_machine(former, about):
        aside = file.rename(file.with_stem(f"{file.stem}-former"))
        print(f"what was measured of another program, by other scripts or elsewhere is in {aside} now", flush=True)
        return [], []
    findings = [finding for finding in former["findings"] if finding["row"] not in rows]
    return findings, [name for name in former["failures"] if name not in rows]


def is_of_same_program(former, program):
    """Whether both are about the same sources as they were committed, whatever else was committed since."""
    is_same = all(former.get(name) == program[name] for name in ("sources", "profile", "rustc"))
    return is_same and not former["changed"] and not program["changed"]


def is_same_machine(former, about):
    names = ("processor", "cores", "kernel", "file_system")
    return all(former["machine"].get(name) == about["machine"][name] for name in names)


def save(file, about, findings, failures):
    file.parent.mkdir(parents=True, exist_ok=True)
    order = list(ROWS)
    # Rows may be there no more since the file was written.
    findings = sorted((one for one in findings if one["row"] in order), key=lambda one: order.index(one["row"]))
    failures = sorted((name for name in failures if name in order), key=order.index)
    file.write_text(json.dumps({**about, "findings": findings, "failures": failures}, indent=1) + "\n")


def program():
    sources = {path: provenance.asked("git", "rev-parse", "--short=10", f"HEAD:{path}") for path in SOURCES}
    return {**provenance.program(SOURCES), "sources": sources, "profile": os.environ["VESTIBULE_PROFILE"]}


if __name__ == "__main__":
    main()
