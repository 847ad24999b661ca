"""A verdict -> the properties of its test in JUnit's XML, as plain types: pytest-xdist carries no others."""

from __future__ import annotations

from math import isfinite

from pytest_model_check.judgement.verdicts import Verdict
from pytest_model_check.report.text import visible


def properties(verdict: Verdict) -> list[tuple[str, object]]:
    """Return verdict and passed, and of each metric the difference with the bounds that decide."""
    name = visible(verdict.name)
    pairs: list[tuple[str, object]] = [
        (f"{name}.verdict", verdict.verdict),
        (f"{name}.passed", bool(verdict.passed)),
    ]
    for metric in verdict.metrics:
        for key in ("delta", "low", "high"):
            value = getattr(metric, key)
            if value is not None and isfinite(value):
                pairs.append((f"{name}.{visible(metric.label)}.{key}", float(value)))
    return pairs
