"""Plots as SVG, with the standard library alone: lines over a logarithmic axis, and bars beside a mark.

They are read on light and on dark pages, and have no size in pixels that would cut a long label. What is plotted is up to
the scripts.
"""

import html
import math

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; }
.faint { fill: #57606a; }
.axis { stroke: #8c959f; stroke-width: 1; }
.grid { stroke: #d0d7de; stroke-width: 1; }
.line { fill: none; stroke-width: 2; }
.spread { stroke-width: 1.5; opacity: .6; }
.held { fill: #0969da; } .lost { fill: #bf5700; }
.mark { stroke: #24292f; stroke-width: 2; }
.c0 { stroke: #0969da; } .c1 { stroke: #bf5700; } .c2 { stroke: #1a7f37; } .c3 { stroke: #8250df; } .c4 { stroke: #a40e26; }
.f0 { fill: #0969da; } .f1 { fill: #bf5700; } .f2 { fill: #1a7f37; } .f3 { fill: #8250df; } .f4 { fill: #a40e26; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .faint { fill: #9198a1; } .axis { stroke: #6e7681; } .grid { stroke: #30363d; }
  .mark { stroke: #e6edf3; } .held { fill: #4493f8; } .lost { fill: #f0883e; }
  .c0 { stroke: #4493f8; } .c1 { stroke: #f0883e; } .c2 { stroke: #3fb950; } .c3 { stroke: #ab7df8; } .c4 { stroke: #ff7b72; }
  .f0 { fill: #4493f8; } .f1 { fill: #f0883e; } .f2 { fill: #3fb950; } .f3 { fill: #ab7df8; } .f4 { fill: #ff7b72; }
}
"""
WIDTH = 720
COLOURS = 5


def lines(title, across, series):
    """Each series is a name and a list of points `(x, least, middle, most)`; both axes are logarithmic, as a cost that
    grows with the logarithm of a number is nearly flat there and one that grows with the number is a steep line."""
    left, top, bottom, height = 70, 40, 45 + 18 * len(series), 260
    every = [point for _, points in series for point in points]
    widest = [min(point[0] for point in every), max(point[0] for point in every)]
    lowest, highest = decades(min(point[1] for point in every), max(point[3] for point in every))
    x = lambda value: left + (WIDTH - left - 30) * share(value, *widest)
    y = lambda value: top + height * (1 - share(value, lowest, highest))
    drawn = [text(left, 22, title, "title")]
    for tick in ticks(lowest, highest):
        drawn.append(line(left, y(tick), WIDTH - 30, y(tick), "grid"))
        drawn.append(text(left - 8, y(tick) + 4, number(tick), "faint", "end"))
    for tick in sorted({point[0] for point in every}):
        drawn.append(text(x(tick), top + height + 18, number(tick), "faint", "middle"))
    drawn.append(line(left, top + height, WIDTH - 30, top + height, "axis"))
    drawn.append(text(WIDTH - 30, top + height + 34, across, "faint", "end"))
    for index, (name, points) in enumerate(series):
        colour = index % COLOURS
        path = " ".join(f"{x(at):.1f},{y(middle):.1f}" for at, _, middle, _ in points)
        drawn.append(f'<polyline class="line c{colour}" points="{path}"/>')
        for at, least, middle, most in points:
            drawn.append(line(x(at), y(least), x(at), y(most), f"spread c{colour}"))
            drawn.append(f'<circle class="f{colour}" cx="{x(at):.1f}" cy="{y(middle):.1f}" r="3.5"/>')
        below = top + height + 52 + 18 * index
        drawn.append(f'<rect class="f{colour}" x="{left}" y="{below - 9}" width="12" height="10"/>')
        drawn.append(text(left + 20, below, name))
    return picture(top + height + bottom, title, drawn)


def bars(title, rows):
    """Each row is a name, a result, what was promised of it, whether that holds, and both as words. A bar is the share of
    the promise that was reached, or used up; the mark is the promise."""
    left, top, step = 330, 40, 26
    widest = 1.05 * max(1, *(min(reached(*row[1:3]), 3) for row in rows))
    x = lambda value: left + (WIDTH - left - 130) * min(value, widest) / widest
    drawn = [text(10, 22, title, "title")]
    for index, (name, result, promise, held, words) in enumerate(rows):
        y = top + step * index
        drawn.append(text(left - 10, y + 13, name if len(name) < 50 else name[:48] + "…", anchor="end"))
        width = x(reached(result, promise)) - left
        drawn.append(
            f'<rect class="{"held" if held else "lost"}" x="{left}" y="{y + 2}" width="{width:.1f}" height="15"/>'
        )
        drawn.append(text(max(left + width, x(1)) + 8, y + 14, words, "faint"))
    drawn.append(line(x(1), top - 6, x(1), top + step * len(rows), "mark"))
    drawn.append(text(x(1), top - 10, "promised", "faint", "middle"))
    return picture(top + step * len(rows) + 14, title, drawn)


def reached(result, promise):
    return max(0, result) / promise


def decades(least, most):
    """Bounds of an axis: the next 1, 2 or 5 times a power of ten on either side."""
    steps = [step * 10.0**power for power in range(-6, 10) for step in (1, 2, 5)]
    below = max(step for step in steps if step <= least)
    above = min(step for step in steps if step >= most and step > below)
    return below, above


def ticks(lowest, highest):
    steps = [step * 10.0**power for power in range(-6, 10) for step in (1, 2, 5)]
    return [step for step in steps if lowest <= step * 1.0001 and step <= highest * 1.0001]


def share(value, lowest, highest):
    """Where a value is between two others, on a logarithmic axis."""
    return math.log(value / lowest) / math.log(highest / lowest)


def number(value):
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def line(x1, y1, x2, y2, kind):
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def text(x, y, words, kind="", anchor="start"):
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(words)}</text>'


def picture(height, title, drawn):
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" role="img">'
    named = f"<title>{html.escape(title)}</title>"
    return "\n".join([head, named, f"<style>{STYLE}</style>", *drawn, "</svg>"]) + "\n"
