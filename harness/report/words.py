"""Words: numbers as people read them, and the sentence that says a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, isfinite, log10

from harness.judge import MetricVerdict, worst

MISSING = "-"


def decimals(metric: MetricVerdict) -> int:
    """How many decimals this metric's numbers need: two significant digits of its margin, or of the smallest number."""
    sizes = [abs(x) for x in (metric.margin, metric.delta, metric.candidate, metric.baseline) if x]
    if not sizes:
        return 3
    return max(0, 1 - floor(log10(sizes[0])))


def number(value: float | None, places: int, *, sign: bool = False) -> str:
    """Write a number with so many decimals; a dash where there is none."""
    if value is None or not isfinite(value):
        return MISSING
    if 10**-places <= 2 * abs(value) and (places > 9 or abs(value) >= 1e15):  # as 2.1e-11, to the same place
        digits = min(6, max(0, places + floor(log10(abs(value)))))
        return f"{value:{'+' if sign else ''}.{digits}e}"
    places = min(places, 9)
    text = f"{value:{'+' if sign else ''},.{places}f}"
    # a rounded zero has no direction
    return f"{0:.{places}f}" if not any(digit in text for digit in "123456789") else text


def interval(metric: MetricVerdict) -> str:
    """Write the bounds that decide: low to high."""
    places = decimals(metric)
    if metric.low is None or metric.high is None:
        return MISSING
    return f"{number(metric.low, places, sign=True)} to {number(metric.high, places, sign=True)}"


def duration(seconds: float) -> str:
    """Write a time as people say it."""
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def sentence(name: str, metrics: Sequence[MetricVerdict]) -> str:
    """Say the verdict of a check in one line that stands alone, from its worst metric."""
    deciding = [metric for metric in metrics if metric.decides]
    decisive = next(one for one in deciding if one.verdict == worst([metric.verdict for metric in deciding]))
    others = sum(metric.verdict == decisive.verdict for metric in deciding) - 1
    more = f" (and {others} more)" if others and decisive.verdict not in ("identical", "recorded") else ""
    return f"{name}: {_clause(decisive)}{more}"


def _clause(metric: MetricVerdict) -> str:
    places, name = decimals(metric), metric.label
    margin = f"margin {number(metric.margin, places)}"
    low, high = metric.low or 0.0, metric.high or 0.0
    delta = metric.delta or 0.0
    match metric.verdict:
        case "identical":
            return "identical to the baseline"
        case "recorded":
            return f"recorded, {name} {number(metric.candidate, places)}"
        case "worse":
            loss = f"{number(-delta, places)} ({number(-high, places)} to {number(-low, places)})"
            return f"{name} is worse by {loss}, {margin}"
        case "inconclusive":
            change = f"{number(delta, places, sign=True)} ({interval(metric)})"
            return f"{name} is inconclusive: {change}, {margin}" + (f"; {metric.reason}" if metric.reason else "")
        case "held":
            return f"{name} held: {number(delta, places, sign=True)} ({interval(metric)}), {margin}"
        case "better":
            return f"{name} is better by {number(delta, places)} ({interval(metric)})"
        case _:
            return f"{name} is {metric.verdict}: {metric.reason}"


def advice(metrics: Sequence[MetricVerdict], rows: int) -> str:
    """Say what to do about each metric that does not pass."""
    lines = []
    for metric in (one for one in metrics if one.decides):
        places = decimals(metric)
        if metric.verdict == "worse":
            lines.append(
                f"{metric.label}: {number(metric.baseline, places)} -> {number(metric.candidate, places)}. "
                "Find what the change lost (-v shows the folds), or keep the released model."
            )
        elif metric.verdict == "inconclusive" and metric.margin is not None and metric.resolution is not None:
            if metric.resolution > metric.margin:
                lines.append(
                    f"{metric.metric}: underpowered: margin {number(metric.margin, places)}, "
                    f"resolution {number(metric.resolution, places)} - "
                    + ("neg_log_loss sees more; or use " if metric.metric == "accuracy" else "use ")
                    + f"more repeats, or about {_rows_needed(rows, metric):,} rows."
                )
            else:
                lines.append(
                    f"{metric.metric}: the data can't tell whether the loss is below the margin of "
                    f"{number(metric.margin, places)}. More repeats or more data would."
                )
    return "\n".join(lines)


def _rows_needed(rows: int, metric: MetricVerdict) -> int:
    """Rows at which the resolution would be the margin, in two digits: noise falls with the root of the rows."""
    assert metric.resolution is not None
    assert metric.margin is not None
    needed = rows * (metric.resolution / metric.margin) ** 2
    unit = 10 ** (floor(log10(needed)) - 1)
    return int(ceil(needed / unit) * unit)
