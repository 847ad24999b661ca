"""A run -> flat names with numbers and texts, as experiment trackers take them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import isfinite
from typing import TypeVar

from pytest_model_check.errors import ModelCheckError
from pytest_model_check.judgement.verdicts import Run
from pytest_model_check.report.text import cut, visible

NUMBERS = ("candidate", "baseline", "delta", "low", "high", "margin")
Value = TypeVar("Value")
LONGEST = 500  # characters of a text: what every tracker takes


def metrics(run: Run) -> dict[str, float]:
    """Return every number of a run, by ``check/metric/number`` or ``check/metric/slice/number``.

    Raises
    ------
    ModelCheckError
        If two names are one where only letters, digits and ``_-. /`` are left.
    """
    return _unique(_metrics(run))


def params(run: Run) -> dict[str, str]:
    """Return what was judged, and how, by ``check/what``.

    Raises
    ------
    ModelCheckError
        As `metrics` does.
    """
    return _unique(_params(run))


def _metrics(run: Run) -> Iterator[tuple[str, float]]:
    yield "passed", float(run.passed)
    for check in run.checks:
        yield _key(check.name, "passed"), float(check.passed)
        for metric in check.metrics:
            names = [check.name, metric.metric, *([] if metric.slice is None else [metric.slice])]
            for number in NUMBERS:
                value: float | None = getattr(metric, number)
                if value is not None and isfinite(value):
                    yield _key(*names, number), float(value)


def _params(run: Run) -> Iterator[tuple[str, str]]:
    yield "against", run.against or "the baselines in the working tree"
    for check in run.checks:
        data = check.compared.data
        told = {
            "verdict": check.verdict,
            "model": check.compared.candidate,
            "data": data.path,
            "md5": data.md5,
            "accepted": check.concessions.accepted or "",
        }
        yield from ((_key(check.name, key), cut(visible(value), LONGEST)) for key, value in told.items() if value)


def _key(*names: str) -> str:
    return "/".join(re.sub(r"[^\w\-. ]", "_", name, flags=re.ASCII) for name in names)


def _unique(pairs: Iterator[tuple[str, Value]]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for key, value in pairs:
        if key in found:
            raise ModelCheckError(
                f"two names of this report are {key} to an experiment tracker",
                "It knows letters, digits and _-. alone: rename the check or the slice.",
            )
        found[key] = value
    return found
