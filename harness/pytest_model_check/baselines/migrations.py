"""The JSON of baselines that earlier versions of pytest-model-check recorded -> today's. Pure.

Earlier schemas keep words where today's has values. Here, and nowhere else, those words are read once more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from pytest_model_check.baselines.json_reader import Reader
from pytest_model_check.judgement.verdicts import Loss, Weakening

_Plain = Mapping[str, Any]
_RULES = ("inconclusive", "without_predictions")
_COLUMNS = ("cv", "target", "features", "groups", "time")


def _to_2(plain: _Plain) -> dict[str, Any]:
    """Nothing could be accepted or renamed before; whether the data moved between recordings was not kept."""
    generation = Reader(plain).get("generation", int, least=1)
    data = {**Reader(plain).get("data", dict), "columns": {}}
    return {**plain, "schema": 2, "data": data, "history": [], "reused": generation - 1, "formerly": []}


def _to_3(plain: _Plain) -> dict[str, Any]:
    """Protocol, margins and acceptances were words before."""
    reader = Reader(plain)
    protocol, metrics, predictions = reader.sub("protocol"), reader.sub("metrics"), reader.sub("predictions")
    reasons = {name: metrics.sub(name).sub("margin").get("reason", str) for name in metrics.value}
    splits = max((len(metrics.sub(name).get("folds", list)) for name in metrics.value), default=1)
    seeds = protocol.value.get("seeds")
    if seeds is None and reader.get("learner", str) != "deterministic":
        seeds = predictions.get("seeds", int, least=1)  # of the others, schema 1 tells only whether there was one
    elif seeds is None and any("seed noise not measured" in reason for reason in reasons.values()):
        seeds = 1
    return {
        **plain,
        "schema": 3,
        "description": protocol.value.get("description", ""),
        "caveats": protocol.value.get("caveats", []),
        "protocol": {
            **{column: protocol.value.get(column) for column in _COLUMNS},
            **({} if protocol.value.get("season") is None else {"season": protocol.value["season"]}),
            "slices": protocol.value.get("slices", []),
            "seeds": seeds,
            **{rule: protocol.value.get(rule, "fail") for rule in _RULES},
            "test_train_ratio": ratio_of_splitter(protocol.get("cv", str), splits),
        },
        "metrics": {name: {**metrics.sub(name).value, "margin": _margin(metrics.sub(name))} for name in reasons},
        "history": list(_history(reader)),
    }


def _margin(metric: Reader) -> dict[str, Any]:
    margin = metric.sub("margin")
    value, reason = margin.get("value", float, optional=True), margin.get("reason", str)
    if value is None:
        return {"value": None, "kind": "single_row" if "single row" in reason else "few_rows"}
    named, limited = reason.startswith("named"), reason.startswith("the noise floor")
    return {"value": value, "kind": "named" if named else "noise_floor" if limited else "skill_share"}


def _history(reader: Reader) -> Iterator[dict[str, Any]]:
    names = (*reader.texts("formerly"), reader.get("name", str))
    for entry in reader.each("history"):
        message, metrics = entry.get("message", str), entry.texts("metrics")
        for name in names:
            message = message.removeprefix(f"{name}: ")
        if message.startswith("retired: the check was given up"):
            kind, metrics = "retired", ()
        elif metrics:
            kind = "loss"
        else:
            kind = "promise" if message.startswith("the promise was weakened") else "incomparable"
        yield {
            "generation": entry.get("generation", int),
            "reason": entry.get("reason", str),
            "closed": entry.get("closed", int, optional=True),
            "kind": kind,
            "losses": [asdict(Loss(name)) for name in metrics],
            "weakened": [asdict(Weakening("said", words)) for words in entry.texts("weakened")],
            "said": message if kind in ("loss", "incomparable") else "",
        }


def ratio_of_splitter(cv: str, splits: int) -> float:
    """Return the rows of a test fold per row that it was trained with, as far as the splitter's words tell.

    Parameters
    ----------
    cv : str
        The splitter, as scikit-learn prints it.
    splits : int
        How many there are in all repeats.
    """
    named = re.search(r"n_splits=(\d{1,4})", cv)
    folds = max(2, int(named[1]) if named else splits)
    if "TimeSeriesSplit" in cv:  # the first fold is trained with as many rows as it predicts
        return sum(1 / fold for fold in range(1, folds + 1)) / folds
    if "ShuffleSplit" in cv:
        part = re.search(r"test_size=(0?\.\d{1,9})", cv)
        share = float(part[1]) if part else 0.2
        return share / (1 - share)
    return 1 / (folds - 1)


MIGRATIONS: tuple[Callable[[_Plain], dict[str, Any]], ...] = (_to_2, _to_3)  # the first leads from schema 1 to 2
