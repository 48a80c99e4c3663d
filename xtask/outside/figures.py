"""Figures as words, for the terminal and for the page: medians with their spread, amounts, promises."""

import statistics


def spread(values, unit=""):
    """The median of the values, with the least and the most where there are several."""
    shown = amount_of(statistics.median(values), unit)
    return shown if len(values) == 1 else f"{shown} ({amount_of(min(values))} to {amount_of(max(values))})"


def result_of(finding):
    """The result, with that of the least and of the most of its rounds."""
    return spread(finding.get("results") or [finding["result"]], finding["result_unit"])


def amount_of(value, unit=""):
    """A number with as many digits as say something."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}{'' if unit == 'x' else ' '}{unit}".rstrip()


def promise_of(finding):
    bounds = (("at least", finding["at_least"]), ("at most", finding["at_most"]))
    return "".join(f"{word} {bound:g}" for word, bound in bounds if bound is not None)
