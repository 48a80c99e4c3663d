"""Makes docs/performance.md, its plots and its files of figures, of what the measurements have left in `target/bench`.

Every number of the page comes from there, or from its files where there is nothing newer. A row of the table that is
missing is said to be, a section that is missing is left out, and nothing is written by hand.

    bench_report.py [--into FOLDER]
"""

import argparse
import json
import pathlib
import statistics

import provenance
from figures import amount_of, promise_of, result_of, spread
from plots import bars, lines
from server import ROOT

HEAD = """# Performance

<!-- Written by `cargo xtask bench report`; an edit by hand is lost. -->

What the hot paths cost, each beside the bare work that it cannot do without, measured in the same run on the same
machine. A ratio says more than a number of requests a second, which is mostly about the machine. A figure is the
median of its rounds, with the least and the most in brackets; so is a result, which compares the two of each round.
"""

HOW = """## How it is measured

The server runs on one core of its own, the load and everything else on the others; logins, the crowd, memory and the
start have all cores. The cost of a request is the CPU time of the server's process, by the kernel's exact account, divided
by the number of answers. Where others use the machine, too, it moves all the same; so a figure and what it is compared with
are taken in turn, and compared round by round. Answers of another status than the expected one fail the run.

- The ceiling is the same program with the cargo feature `ceiling`, which adds routes that answer fixed bytes of the
  same size, with the same headers, behind the same layers. What is compared with it is asked of that program, too. No
  released program has them.
- Users in turn are rows in the database, with tokens signed by a key that the server is given. The next token is one
  that was not used for as long as there are others. The memories of the server have places for 131,072 tokens and as
  many sessions, so the promises about users in turn are about fewer; `--long` adds a size beyond that, for which
  nothing is promised.
- Each refresh presents the token that the one before has brought, on a database whose commits survive a power cut; what
  it is compared with runs the same UPDATE and the same SELECT in a transaction, and commits it as durably.
- Memory is what the process has of the machine's (RSS), pages of the program's own file included. After load it is that
  beyond that after the first hashes, each 19 MiB that the server keeps for the next one.
- No work can be faster than a part of it: logins than the hash alone, a request than its layers. Where it seems to be, by
  more than a tenth, the machine did something else meanwhile, and the row is not measured.
- The wait for `me` is taken at a fixed rate. A request that is late because those before it are waited for counts from
  the moment at which it was due, so a server that stops for a while does not look fast.
- The load is the program in `xtask/measuring`; nothing in the server knows of it.

To measure again, on a machine that does nothing else:

```sh
cargo xtask bench speed --dist        # some 20 minutes; --long adds an hour of load and more users
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
    plots = folder / "performance"
    speed = provenance.found("speed")
    assert speed, "nothing was measured yet: cargo xtask bench speed"
    published = {"speed": speed}
    sections = [HEAD, about_the_run(speed), table(speed, plots), growth(speed["findings"], plots)]
    for name, section in (("functions", functions), ("build", build), ("allocators", allocators), ("peers", peers)):
        if measured := provenance.found(name):
            published[name] = measured
            sections += [section(measured), taken_with(measured)]
    sections.append(HOW)
    (folder / "performance.md").write_text("\n".join(sections))
    for name, measured in published.items():
        (plots / f"{name}.json").write_text(json.dumps(measured, indent=1) + "\n")
    print(f"written: {folder / 'performance.md'}")


def about_the_run(speed):
    machine, program, length = speed["machine"], speed["program"], speed["length"]
    text = (
        f"Last measured on {program['day']}: commit {commit_of(program)}, {program['rustc']}, profile"
        f" `{program['profile']}`; {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']:g} GiB,"
        f" Linux {machine['kernel']}, {machine['file_system']}, load average {machine['load_before']:.1f} before the"
        " first row;"
        f" {length['rounds']} rounds of {length['seconds']:g} s. Rows of former runs are there as well where their sources"
        " are the same; each says how it was taken: how many values, commit, and load average before it.\n"
    )
    if speed["failures"]:
        text += f"\nNot measured, since they failed: {', '.join(speed['failures'])}.\n"
    return text


def commit_of(program):
    return f"`{program['commit']}`{' with changes' if program['changed'] else ''}"


def taken_with(measured):
    """A line about a section, whose figures may be of another day than the table."""
    machine, program = measured["machine"], measured["program"]
    where = f"{machine['processor']}, {machine['cores']} cores, Linux {machine['kernel']}"
    how = f"{program['rustc']}; {where}, load average {machine['load_before']:.1f} before"
    return f"Measured on {program['day']}: commit {commit_of(program)}, {how}.\n"


def taken_of(finding):
    taken, values = finding["taken"], len(finding["ours"])
    return f"{values} value{'s' if values > 1 else ''}, {commit_of(taken)}, load {taken['load_average']:.1f}"


def verdict_of(finding):
    if finding["impossible"]:
        return f"not measured: no more than {finding['bound']:g} is possible"
    return {True: "holds", False: "**does not hold**", None: ""}[finding["held"]]


def table(speed, plots):
    """The promises, then what is there for orientation; and a plot of the promises. Every row has a line."""
    findings = [finding for finding in speed["findings"] if not finding["growth"]]
    rows = ["## The table", "", "| row | work | measured | compared with | result | promised | | taken |"]
    rows += ["| --- " * 8 + "|"]
    for finding in findings:
        theirs = f"{finding['against']}: {spread(finding['theirs'])}" if finding["theirs"] else ""
        result = result_of(finding)
        work = finding["work"] + (f" ({finding['remark']})" if finding["remark"] else "")
        measured = f"{spread(finding['ours'])} {finding['unit']}"
        cells = [finding["row"], work, measured, theirs, result, promise_of(finding), verdict_of(finding)]
        cells.append(taken_of(finding))
        rows.append(f"| {' | '.join(cells)} |")
    rows += [f"| {name} | | | | | | {why} | |" for name, why in missing(speed)]
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


def missing(speed):
    """The names of rows that have failed or are not there, and which of both. What a row has found before it failed is
    there."""
    there = {finding["row"] for finding in speed["findings"]}
    for name in speed["rows"]:
        if name in speed["failures"]:
            yield name, "**failed**; the rest is not measured" if name in there else "not measured: **failed**"
        elif name not in there:
            yield name, "not measured"


def bar(finding, direction):
    result = amount_of(finding["result"], finding["result_unit"])
    name = finding["work"].replace("`", "")
    if finding["against"].startswith("nginx"):
        name += ", nginx"
    return name, finding["result"], finding[direction], finding["held"], f"{result} of {finding[direction]:g}"


def growth(findings, plots):
    """What each request costs where there is ten times as much, and ten times that."""
    grown = [finding for finding in findings if finding["growth"]]
    rows = ["## How costs grow", ""]
    rows += ["The CPU time of one request where there are more users, sessions, tokens or connections. The bound of"]
    rows += [
        "the growth is that of a logarithm, and a tenth for chance, from each size to the next and from the first to"
    ]
    rows += [
        "the last; shown is the pair that comes closest to it. More users than the server remembers have no bound.",
        "",
    ]
    rows += ["| work | of what | CPU time of each, in microseconds | growth | bound | | taken |", "| --- " * 7 + "|"]
    for finding in grown:
        points = finding["growth"]
        costs = "; ".join(
            f"{size:,}{' (no bound)' if size > points['promised'] else ''}: {spread(values)}"
            for size, values in zip(points["sizes"], points["values"])
        )
        verdict = f"{verdict_of(finding)} | {taken_of(finding)}"
        result = result_of(finding)
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
    head = ["", *measured["names"], "beside ours"]
    rows = ["## Allocators", "", f"| {' | '.join(head)} |", "| --- " * len(head) + "|"]
    rows += [f"| {' | '.join(row.values())} |" for row in measured["rows"]]
    return "\n".join(rows) + "\n"


def peers(measured):
    """Other programs on the same work."""
    head = ["", *measured["works"]]
    rows = [
        "## Others on the same work",
        "",
        measured["remark"],
        "",
        f"| {' | '.join(head)} |",
        "| --- " * len(head) + "|",
    ]
    rows += [f"| {peer['name']} | {' | '.join(peer['figures'])} |" for peer in measured["peers"]]
    rows += ["", *(f"- {peer['name']}: {peer['about']}." for peer in measured["peers"])]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
