"""What a check promises, against what its approved baseline promised. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_model_check.baselines.record import Baseline
from pytest_model_check.checks.check import Check
from pytest_model_check.settings import Rules

NAMED = "named in the check"
ROOM = 1e-6  # relative: a margin that went through JSON is no wider one
WORDS = ("description", "caveats")
PARTS = ("target", "groups", "time")  # of the protocol: the columns with a part to play


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
        **({} if check.season is None else {"season": check.season}),
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
    all (`pytest_model_check.gate.paired`).
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
        margin = stored.noise_reference.margin(stored.score, named)
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


def weaker(old: Baseline, new: Baseline) -> tuple[str, ...]:
    """Say how a baseline promises less than an earlier one of the same check.

    A default margin that a new recording measured anew is no weaker promise; one that somebody named is.
    """
    found = []
    for name, before in old.metrics.items():
        after = new.metrics.get(name)
        if after is None:
            found.append(f"the metric {name} was dropped")
        elif before.margin is not None and after.margin is None:
            found.append(f"{name} is reported only, and no longer judged")
        elif before.margin is not None and after.margin is not None:
            by_hand = NAMED in (before.margin_reason, after.margin_reason)
            if by_hand and after.margin > before.margin * (1 + ROOM):
                found.append(f"the margin of {name} is {after.margin:.4g}, was {before.margin:.4g}")
    then, now = old.protocol, new.protocol
    kept = _texts(now.get("slices"))
    found += [f"the slice {one} was dropped" for one in _texts(then.get("slices")) if one not in kept]
    for key in ("cv", *PARTS):
        if then.get(key) != now.get(key):
            found.append(f"{key}= is {now.get(key) or 'not named'}, was {then.get(key) or 'not named'}")
    if now.get("seeds", 1) < then.get("seeds", 1):
        found.append(f"seeds= is {now.get('seeds', 1)}, was {then['seeds']}")
    if (then.get("inconclusive", "fail"), now.get("inconclusive", "fail")) == ("fail", "pass"):
        found.append("model_check_inconclusive is pass, was fail")
    return tuple(found)


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else []
