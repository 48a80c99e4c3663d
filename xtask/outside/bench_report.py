"""Makes docs/performance.md, its plots and its file of figures, of what the measurements have left in `target/bench`.

Every number of the page comes from there: what is missing is left out of the page, and nothing is written by hand.

    bench_report.py [--into FOLDER]
"""

import argparse
import json
import os
import pathlib
import statistics

from figures import amount_of, promise_of, spread
from plots import bars, lines
from server import ROOT

FIGURES = pathlib.Path(os.environ["VESTIBULE_FIGURES"])

HEAD = """# Performance

<!-- Written by `cargo xtask bench report`; an edit by hand is lost. -->

What the hot paths cost, each beside the bare work that it cannot do without, measured in the same run on the same
machine. A ratio says more than a number of requests a second, which is mostly about the machine. A figure is the
median of its rounds, with the least and the most in brackets.
"""

HOW = """## How it is measured

The server runs on one core of its own, the load and everything else on the others; logins, the crowd and the start have
all cores. The cost of a request is the CPU time of the server's process, by the kernel's exact account, divided by the
number of answers; so what else the machine does matters little. A figure and what it is compared with are taken in
turn, round after round. Answers other than the expected one fail the run.

- The ceiling is the same program with the cargo feature `ceiling`, which adds routes that answer fixed bytes of the same
  size, with the same headers, behind the same layers. No released program has them.
- Users in turn are rows in the database, with tokens signed by a key that the server is given. The next token is one
  that was not used for as long as there are others.
- Each refresh presents the token that the one before has brought, on a database whose commits survive a power cut; what
  it is compared with makes the same commits.
- The wait for `me` is taken at a fixed rate. A request that is late because those before it are waited for counts from
  the moment at which it was due, so a server that stops for a while does not look fast.
- The load is the program in `xtask/measuring`; nothing in the server knows of it.

To measure again, on a machine that does nothing else:

```sh
cargo xtask bench speed --dist        # some 20 minutes; --long adds an hour of load and a million users
cargo xtask bench speed me gate       # rows by name
cargo xtask bench speed --before docs/performance/speed.json   # and fail where something has become worse
cargo xtask bench report              # this page
```
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--into", type=pathlib.Path, default=ROOT / "docs")
    folder = parser.parse_args().into
    (folder / "performance").mkdir(parents=True, exist_ok=True)
    speed = json.loads((FIGURES / "speed.json").read_text())
    plots = folder / "performance"
    sections = [HEAD, about_the_run(speed), table(speed["findings"], plots), growth(speed["findings"], plots)]
    for name, section in (("functions.json", functions), ("build.json", build), ("allocators.json", allocators), ("peers.json", peers)):
        if (FIGURES / name).exists():
            sections.append(section(json.loads((FIGURES / name).read_text())))
    sections.append(HOW)
    (folder / "performance.md").write_text("\n".join(sections))
    (plots / "speed.json").write_text(json.dumps(speed, indent=1) + "\n")
    print(f"written: {folder / 'performance.md'}")


def about_the_run(speed):
    machine, program, length = speed["machine"], speed["program"], speed["length"]
    changed = " with changes" if program["changed"] else ""
    text = (
        f"Measured on {program['day']}: commit `{program['commit']}`{changed}, {program['rustc']}, profile"
        f" `{program['profile']}`; {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']:g} GiB, Linux"
        f" {machine['kernel']}, load average {machine['load_before']:.1f} before the first row; {length['rounds']} rounds of"
        f" {length['seconds']:g} s.\n"
    )
    if speed["failures"]:
        text += f"\nNot measured, since they failed: {', '.join(speed['failures'])}.\n"
    return text


def table(findings, plots):
    """The promises, then what is there for orientation; and a plot of the promises."""
    findings = [finding for finding in findings if not finding["growth"]]
    rows = ["## The table", "", "| work | measured | compared with | result | promised | |", "| --- | --- | --- | --- | --- | --- |"]
    for finding in findings:
        theirs = f"{finding['against']}: {spread(finding['theirs'])}" if finding["theirs"] else ""
        result = amount_of(finding["result"], finding["result_unit"])
        verdict = {True: "holds", False: "**does not hold**", None: ""}[finding["held"]]
        work = finding["work"] + (f" ({finding['remark']})" if finding["remark"] else "")
        measured = f"{spread(finding['ours'])} {finding['unit']}"
        rows.append(f"| {work} | {measured} | {theirs} | {result} | {promise_of(finding)} | {verdict} |")
    promised = [finding for finding in findings if finding["held"] is not None]
    for name, title, direction in (
        ("at-least", "Promised: at least so much (longer is better)", "at_least"),
        ("at-most", "Promised: at most so much (shorter is better)", "at_most"),
    ):
        shown = [bar(finding, direction) for finding in promised if finding[direction] is not None]
        if shown:
            (plots / f"{name}.svg").write_text(bars(title, shown))
            rows += ["", f"![{title}](performance/{name}.svg)"]
    return "\n".join(rows) + "\n"


def bar(finding, direction):
    result = amount_of(finding["result"], finding["result_unit"])
    name = finding["work"].replace("`", "")
    if finding["against"].startswith("nginx"):
        name += ", nginx"
    return name, finding["result"], finding[direction], finding["held"], f"{result} of {finding[direction]:g}"


def growth(findings, plots):
    """What each request costs where there is ten times as much, and ten times that."""
    grown = [finding for finding in findings if finding["growth"]]
    rows = ["## How costs grow", "", "The CPU time of one request where there are more users, sessions, tokens or connections. The bound of the"]
    rows += ["growth is that of a logarithm, and a tenth for chance.", ""]
    rows += ["| work | of what | CPU time of each, in microseconds | growth | bound | |", "| --- | --- | --- | --- | --- | --- |"]
    for finding in grown:
        points = finding["growth"]
        costs = "; ".join(
            f"{size:,}: {spread(values)}" for size, values in zip(points["sizes"], points["values"])
        )
        verdict = "holds" if finding["held"] else "**does not hold**"
        result = amount_of(finding["result"], "x")
        rows.append(f"| {points['work']} | {points['of']} | {costs} | {result} | {finding['at_most']:g}x | {verdict} |")
    series = [(series_name(finding["growth"]), points_of(finding["growth"])) for finding in grown]
    # A login is so much dearer than all others that it has no place on their axis.
    series = [(name, points) for name, points in series if not name.startswith("login")]
    if series:
        title = "CPU time of one request, in microseconds"
        (plots / "growth.svg").write_text(lines(title, "users, sessions and tokens; or connections", series))
        rows += ["", f"![{title}](performance/growth.svg)"]
    return "\n".join(rows) + "\n"


def series_name(points):
    return f"{points['work'].replace('`', '')}, by {points['of']}"


def points_of(points):
    return [
        (size, min(values), statistics.median(values), max(values))
        for size, values in zip(points["sizes"], points["values"])
    ]


def functions(measured):
    """Functions that a request goes through, with the interval in which their mean is."""
    rows = ["## Functions", "", "| function | mean | 95 % interval |", "| --- | --- | --- |"]
    for one in measured["functions"]:
        interval = f"{time_of(one['least'])} to {time_of(one['most'])}"
        rows.append(f"| {one['name']} | {time_of(one['mean'])} | {interval} |")
    return "\n".join(rows) + "\n"


def time_of(nanoseconds):
    for size, unit in ((1e6, "ms"), (1e3, "us"), (1, "ns")):
        if nanoseconds >= size:
            return amount_of(nanoseconds / size, unit)
    return amount_of(nanoseconds, "ns")


def build(measured):
    """What it takes to build the program from nothing."""
    rows = ["## Build", "", "| | |", "| --- | --- |"]
    rows += [f"| {name} | {value} |" for name, value in measured["rows"]]
    return "\n".join(rows) + "\n"


def allocators(measured):
    """What other allocators would bring."""
    head = ["", *measured["names"], "beside the system's"]
    rows = ["## Allocators", "", f"| {' | '.join(head)} |", "| --- " * len(head) + "|"]
    rows += [f"| {' | '.join(row.values())} |" for row in measured["rows"]]
    return "\n".join(rows) + "\n"


def peers(measured):
    """Other programs on the same work."""
    head = ["", *measured["works"]]
    rows = ["## Others on the same work", "", measured["remark"], "", f"| {' | '.join(head)} |", "| --- " * len(head) + "|"]
    rows += [f"| {peer['name']} | {' | '.join(peer['figures'])} |" for peer in measured["peers"]]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
