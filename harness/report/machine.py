"""Verdicts -> JSON: the contract that machines read. Keys may be added, never changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import isfinite
from typing import Any

from harness.judge import Drift, MetricVerdict, Verdict

SCHEMA = 1
_NUMBERS = (
    "baseline", "candidate", "delta", "low", "high", "margin", "resolution", "dummy", "floor", "blocked", "seeds",
)  # fmt: skip


def render(
    verdicts: Sequence[Verdict], passed: bool, against: str | None = None, *, problems: Sequence[str] = ()
) -> str:
    """Write the report of a run.

    Parameters
    ----------
    verdicts : sequence of Verdict
        In the order of the tests.
    passed : bool
        Whether the release may go out.
    against : str, optional
        Where the baselines come from, if not from the working tree.
    problems : sequence of str
        What went wrong beside the checks: the run was interrupted, nothing was collected.
    """
    report = {
        "schema": SCHEMA,
        "passed": passed,
        "against": against,
        "problems": list(problems),
        "checks": [to_dict(v) for v in verdicts],
    }
    return json.dumps(report, indent=2, allow_nan=False) + "\n"


def to_dict(verdict: Verdict) -> dict[str, Any]:
    """Give a verdict as plain types: what JSON and pytest-xdist's channel take."""
    return {
        "name": verdict.name,
        "nodeid": verdict.nodeid,
        "verdict": verdict.verdict,
        "passed": verdict.passed,
        "message": verdict.message,
        "advice": verdict.advice,
        "accepted": verdict.accepted,
        "data": {"path": verdict.data_path, "md5": verdict.data_md5, "rows": verdict.rows},
        "fits": verdict.fits,
        "seconds": round(verdict.seconds, 3),
        "flips": verdict.flips and {"lost": verdict.flips[0], "won": verdict.flips[1], "rows": list(verdict.flipped)},
        "metrics": [
            {"metric": metric.metric, "slice": metric.slice, "verdict": metric.verdict}
            | {key: _number(getattr(metric, key)) for key in _NUMBERS}
            | {"reason": metric.reason, "folds": [[_number(old), _number(new)] for old, new in metric.folds]}
            | {"drift": metric.drift and asdict(metric.drift), "losses": list(metric.losses)}
            for metric in verdict.metrics
        ],
    }


def _number(value: float | None) -> float | None:
    """Give a plain number; JSON knows neither NaN nor infinity, and a number that is none is missing."""
    return None if value is None or not isfinite(value) else value if isinstance(value, int) else float(value)


def from_dict(plain: Mapping[str, Any]) -> Verdict:
    """Rebuild what `to_dict` gave."""
    return Verdict(
        name=plain["name"],
        nodeid=plain["nodeid"],
        verdict=plain["verdict"],
        passed=plain["passed"],
        message=plain["message"],
        advice=plain["advice"],
        accepted=plain["accepted"],
        data_path=plain["data"]["path"],
        data_md5=plain["data"]["md5"],
        rows=plain["data"]["rows"],
        fits=plain["fits"],
        seconds=plain["seconds"],
        metrics=tuple(
            MetricVerdict(
                **{
                    **metric,
                    "folds": tuple((old, new) for old, new in metric["folds"]),
                    "drift": metric["drift"] and Drift(**metric["drift"]),
                    "losses": tuple(metric["losses"]),
                }
            )
            for metric in plain["metrics"]
        ),
        flips=plain["flips"] and (plain["flips"]["lost"], plain["flips"]["won"]),
        flipped=tuple(plain["flips"]["rows"]) if plain["flips"] else (),
    )
