"""Numbers as people read them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, isfinite, log10

from pytest_model_check.judgement.verdicts import MetricVerdict

MISSING = "-"


def decimals(metric: MetricVerdict) -> int:
    """How many decimals this metric's numbers need: two significant digits of its margin, or of the smallest number."""
    sizes = [abs(x) for x in (metric.margin, metric.delta, metric.candidate, metric.baseline) if x and isfinite(x)]
    if not sizes:
        return 3
    return max(0, 1 - floor(log10(sizes[0])))


def number(value: float | None, places: int, *, sign: bool = False) -> str:
    """Format a number with so many decimals; a dash where there is none."""
    if value is None or not isfinite(value):
        return MISSING
    if 10**-places <= 2 * abs(value) and (places > 9 or abs(value) >= 1e15):  # as 2.1e-11, to the same place
        digits = min(6, max(0, places + floor(log10(abs(value)))))
        return f"{value:{'+' if sign else ''}.{digits}e}"
    places = min(places, 9)
    text = f"{value:{'+' if sign else ''},.{places}f}"
    # a rounded zero has no direction
    return f"{0:.{places}f}" if not any(digit in text for digit in "123456789") else text


def plain(metric: MetricVerdict, value: float | None) -> str:
    """Format a number in a metric's unit, with the decimals that all its numbers have."""
    return number(value, decimals(metric))


def signed(metric: MetricVerdict, value: float | None) -> str:
    """Format a difference in a metric's unit, with its sign."""
    return number(value, decimals(metric), sign=True)


def between(low: float, high: float, places: int, *, sign: bool = False) -> str:
    """Format an interval: low to high."""
    return f"{number(low, places, sign=sign)} to {number(high, places, sign=sign)}"


def interval(metric: MetricVerdict) -> str:
    """Format the bounds that decide: low to high."""
    places = decimals(metric)
    if metric.low is None or metric.high is None:
        return MISSING
    return between(metric.low, metric.high, places, sign=True)


def change(metric: MetricVerdict) -> str:
    """Format the difference, and the bounds that decide behind it."""
    delta = number(metric.delta, decimals(metric), sign=True)
    bounds = MISSING if metric.verdict == "identical" else interval(metric)
    return delta if bounds == MISSING else f"{delta} ({bounds})"


def percentage(share: float | None) -> str:
    """Format a share as whole percents; a dash where there is none."""
    return MISSING if share is None or not isfinite(share) else f"{share:.0%}"


def fold_label(place: int, folds: Sequence[int] = ()) -> str:
    """Name a split by its fold, counted from 1, and by its repeat where there are several.

    Parameters
    ----------
    place : int
        Which split of all repeats, counted from 0.
    folds : sequence of int
        How many folds each repeat has.
    """
    if len(folds) > 1:
        for repeat, size in enumerate(folds, start=1):
            if place < size:
                return f"{place + 1} of repeat {repeat}"
            place -= size
    return str(place + 1)


def count(number: int, noun: str, nouns: str = "") -> str:
    """Format so many of a thing."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def times(count: int) -> str:
    """Format how often something was done."""
    return "once" if count == 1 else f"{count:,} times"


def duration(seconds: float) -> str:
    """Format a time as people say it."""
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
