"""A verdict -> the properties of its test in JUnit's XML, as plain types: pytest-xdist carries no others."""

from __future__ import annotations

from math import isfinite

from pytest_model_check.judgement.verdicts import Verdict


def properties(verdict: Verdict) -> list[tuple[str, object]]:
    """Give verdict and passed, and of each metric the difference with the bounds that decide."""
    found: list[tuple[str, object]] = [
        (f"{verdict.name}.verdict", verdict.verdict),
        (f"{verdict.name}.passed", bool(verdict.passed)),
    ]
    for metric in verdict.metrics:
        for key in ("delta", "low", "high"):
            value = getattr(metric, key)
            if value is not None and isfinite(value):
                found.append((f"{verdict.name}.{metric.label}.{key}", float(value)))
    return found
