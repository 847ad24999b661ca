"""Words: numbers as people read them, and the sentence that says a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, isfinite, log10

from harness.judge import MetricVerdict, Verdict, worst

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
    because = f"; {metric.reason}" if metric.reason else ""
    if metric.drifted:
        return f"{name} is {metric.verdict}: {_drift(metric)}"
    match metric.verdict:
        case "identical":
            return "identical to the baseline"
        case "recorded":
            return f"recorded, {name} {number(metric.candidate, places)}"
        case "worse":
            loss = f"{number(-delta, places)} ({number(-high, places)} to {number(-low, places)})"
            return f"{name} is worse by {loss}, {margin}{because}"
        case "inconclusive":
            change = f"{number(delta, places, sign=True)} ({interval(metric)})"
            return f"{name} is inconclusive: {change}, {margin}{because}"
        case "held":
            change = f"{number(delta, places, sign=True)} ({interval(metric)})"
            return f"{name} held{' with loss' if high < 0 else ''}: {change}, {margin}{because}"
        case "better":
            return f"{name} is better by {number(delta, places)} ({interval(metric)}){because}"
        case _:
            return f"{name} is {metric.verdict}: {metric.reason}"


def _drift(metric: MetricVerdict) -> str:
    """Say what small losses have added up to."""
    assert metric.drift is not None
    drift, places = metric.drift, decimals(metric)
    change = f"{number(drift.delta, places, sign=True)} ({number(drift.low, places, sign=True)} to "
    return (
        f"{change}{number(drift.high, places, sign=True)}) since recording {drift.since} scored "
        f"{number(drift.score, places)}, margin in all {number(drift.margin, places)}"
    )


def advice(
    metrics: Sequence[MetricVerdict], rows: int, flips: tuple[int, int] | None = None, flipped: Sequence[int] = ()
) -> str:
    """Say of each metric that does not pass where the loss sits, and what to do.

    Parameters
    ----------
    metrics : sequence of MetricVerdict
        Of one check.
    rows : int
        How many rows the data has.
    flips, flipped : see `harness.judge.Verdict`
        Which rows are wrong now.
    """
    failing = [one for one in metrics if one.decides and one.verdict in ("worse", "inconclusive")]
    lines = [
        f"{one.label}: {_where(one, [s for s in metrics if s.slice is not None and s.metric == one.metric])}{_todo(one, rows)}"
        for one in failing
        if one.margin is not None
    ]
    if failing and flips and any(flips):
        lines.append(changed_rows(flips, flipped))
    return "\n".join(lines)


def changed_rows(flips: tuple[int, int], flipped: Sequence[int]) -> str:
    """Say how many rows are wrong now that were right, and which."""
    lost, won = flips
    text = f"{_rows(lost)} wrong now that {'was' if lost == 1 else 'were'} right, {won:,} the other way round"
    if not flipped:
        return f"{text}."
    return f"{text}: {named(flipped)}{', ...' if lost > len(flipped) else ''} (counted from 0)."


def drifts(verdict: Verdict) -> list[str]:
    """Say for each metric that has lost since its anchor how much, and how much is harmless in all."""
    return [
        f"{verdict.name}: {metric.metric} {_drift(metric)}"
        for metric in verdict.metrics
        if metric.drift is not None and metric.drift.delta < 0
    ]


def _rows(count: int) -> str:
    return f"{count:,} row is" if count == 1 else f"{count:,} rows are"


def named(rows: Sequence[int]) -> str:
    """Name rows by their position."""
    return ("row " if len(rows) == 1 else "rows ") + ", ".join(map(str, rows))


def _where(metric: MetricVerdict, slices: Sequence[MetricVerdict]) -> str:
    """Say in which folds and slices a loss sits."""
    places = decimals(metric)
    scores = f"{number(metric.baseline, places)} -> {number(metric.candidate, places)}"
    changes = [new - old for old, new in metric.folds]
    parts = [scores]
    if len(changes) > 1 and min(changes) < 0:
        worst_fold = min(range(len(changes)), key=changes.__getitem__)
        lower = sum(change < 0 for change in changes)
        where = f"lower in {lower} of {len(changes)} folds"
        parts.append(f"{where}, most in fold {worst_fold + 1} ({number(changes[worst_fold], places, sign=True)})")
    known = [one for one in slices if metric.slice is None and one.delta is not None]
    worst_slice = min(known, key=lambda one: one.delta or 0.0, default=None)
    if worst_slice is not None and (worst_slice.delta or 0.0) < 0:
        parts.append(f"most on {worst_slice.slice} ({number(worst_slice.delta, places, sign=True)})")
    return "; ".join(parts) + ". "


def _todo(metric: MetricVerdict, rows: int) -> str:
    """Say what to do about a metric that does not pass."""
    places = decimals(metric)
    if metric.drifted:
        return "It holds against the last baseline; small losses have added up. Win some of them back."
    if metric.candidate is not None and metric.dummy is not None and metric.candidate <= metric.dummy:
        return "A dummy that looks at no feature does as well: there is no skill to release."
    if metric.verdict == "worse":
        return "Find what the change lost (-v shows folds, slices and rows), or keep the released model."
    assert metric.margin is not None
    margin, resolution = number(metric.margin, places), number(metric.resolution, places)
    chance = (
        "" if metric.blocked is None else f"; an equally good model would be blocked in {metric.blocked:.0%} of cases"
    )
    if metric.resolution is None or metric.resolution <= metric.margin:
        return f"The data can't tell whether the loss is below the margin of {margin}. More repeats or more data would."
    if metric.floor is not None and metric.margin >= metric.floor > 0:
        return (
            f"It disagrees with the baseline on more rows than the baseline's own reruns do, as another learner would: "
            f"resolution {resolution}, margin {margin}{chance}. Name a margin of {resolution}, or use more repeats or "
            f"about {_rows_needed(rows, metric):,} rows."
        )
    return (
        f"Underpowered: margin {margin}, resolution {resolution}{chance}. "
        f"{'neg_log_loss sees more; or use' if metric.metric == 'accuracy' else 'Use'} more repeats, or about "
        f"{_rows_needed(rows, metric):,} rows, or name a margin of {resolution}."
    )


def _rows_needed(rows: int, metric: MetricVerdict) -> int:
    """Rows at which the resolution would be the margin, in two digits: noise falls with the root of the rows."""
    assert metric.resolution is not None
    assert metric.margin is not None
    needed = rows * (metric.resolution / metric.margin) ** 2
    unit = 10 ** (floor(log10(needed)) - 1)
    return int(ceil(needed / unit) * unit)
