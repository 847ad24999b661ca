"""The promise: what a check promises now, against what its approved baseline promised. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.baselinejson import Baseline
from harness.check import Check

ROOM = 1e-6  # relative: a margin that went through JSON is no wider one
WORDS = ("description", "caveats")
PARTS = ("target", "groups", "time")  # of the protocol: the columns with a part to play


@dataclass(frozen=True)
class Rules:
    """What the ini file says of evidence that falls short; either is a weaker promise.

    Parameters
    ----------
    inconclusive_passes : bool
        What the data can't decide passes.
    folds_suffice : bool
        Fold scores will do where the approved predictions can't be had.
    """

    inconclusive_passes: bool = False
    folds_suffice: bool = False

    @property
    def laxer(self) -> dict[str, str]:
        """By ini key, what is not its strict value, fail."""
        values = {
            "inconclusive": "pass" * self.inconclusive_passes,
            "without_predictions": "folds" * self.folds_suffice,
        }
        return {key: value for key, value in values.items() if value}


STRICT = Rules()


def protocol(check: Check, splitter: str, rules: Rules) -> dict[str, Any]:
    """Say how a check is judged, as a baseline keeps it.

    Parameters
    ----------
    check : Check
        The promise.
    splitter : str
        What made the splits, in words.
    rules : Rules
        The ini file's.
    """
    return {
        "cv": splitter,
        "target": check.target,
        "features": None if check.features is None else list(check.features),
        "groups": check.groups,
        "time": check.time,
        "slices": list(check.slices),
        "seeds": check.seeds,
        "inconclusive": rules.laxer.get("inconclusive", "fail"),
        "without_predictions": rules.laxer.get("without_predictions", "fail"),
    }


def words(check: Check) -> dict[str, Any]:
    """Give the author's words, as a baseline keeps them beside its protocol: they promise nothing."""
    return {"description": check.description, "caveats": list(check.caveats)}


def weakened(check: Check, baseline: Baseline, rules: Rules) -> tuple[str, ...]:
    """Say how a check promises less than its baseline: a wider margin, a dropped metric or slice, another protocol.

    The model's own business, its features and parameters, is no part of the promise. Other folds can't be compared at
    all (`harness.comparison`).
    """
    laxer = (
        f"model_check_{key} is {value}, was fail"
        for key, value in rules.laxer.items()
        if baseline.protocol.get(key, "fail") == "fail"
    )
    return (*_weakened(check, baseline), *laxer)


def _weakened(check: Check, baseline: Baseline) -> Iterator[str]:
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
