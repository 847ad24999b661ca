"""The promise: what a check promises now, against what its approved baseline promised. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.baselinejson import Baseline
from harness.check import Check

ROOM = 1e-6  # relative: a margin that went through JSON is no wider one
PARTS = ("target", "groups", "time")  # of the protocol: the columns with a part to play


def protocol(check: Check, splitter: str, *, inconclusive_passes: bool) -> dict[str, Any]:
    """Say how a check is judged, as a baseline keeps it.

    Parameters
    ----------
    check : Check
        The promise.
    splitter : str
        What made the splits, in words.
    inconclusive_passes : bool
        Whether what the data can't decide passes.
    """
    return {
        "cv": splitter,
        "target": check.target,
        "features": None if check.features is None else list(check.features),
        "groups": check.groups,
        "time": check.time,
        "slices": list(check.slices),
        "seeds": check.seeds,
        "inconclusive": "pass" if inconclusive_passes else "fail",
    }


def weakened(check: Check, baseline: Baseline, *, inconclusive_passes: bool) -> tuple[str, ...]:
    """Say how a check promises less than its baseline: a wider margin, a dropped metric or slice, another protocol.

    The model's own business, its features and parameters, is no part of the promise. Other folds can't be compared at
    all (`harness.comparison`).
    """
    return tuple(_weakened(check, baseline, inconclusive_passes))


def _weakened(check: Check, baseline: Baseline, inconclusive_passes: bool) -> Iterator[str]:
    promised = {metric.name: metric for metric in check.metrics}
    for name, stored in baseline.metrics.items():
        if name not in promised:
            yield f"the metric {name} was dropped"
            continue
        named = promised[name].margin
        if stored.margin is None or (named is None and not stored.margin_reason.startswith("named")):
            continue  # a default margin is measured with the baseline
        margin = stored.yardstick.margin(stored.score, named)
        if margin > stored.margin * (1 + ROOM):
            yield f"the margin of {name} is {margin:.4g}, was {stored.margin:.4g}"
    before = baseline.protocol
    yield from (f"the slice {column} was dropped" for column in before.get("slices", ()) if column not in check.slices)
    for part in PARTS:
        was, now = before.get(part), getattr(check, part)
        if was != now:
            yield f"{part}= is {now or 'not named'}, was {was or 'not named'}"
    if check.seeds < before.get("seeds", 1):
        yield f"seeds= is {check.seeds}, was {before['seeds']}"
    if inconclusive_passes and before.get("inconclusive", "fail") == "fail":
        yield "model_check_inconclusive is pass, was fail"
