"""A verdict <-> plain types, as the JSON report has it and as it travels between processes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from math import isfinite
from typing import Any

from pytest_model_check.judgement.verdicts import Acceptance, Drift, MetricVerdict, Moved, ScoreGrid, Verdict

_NUMBERS = (
    "baseline", "candidate", "delta", "low", "high", "margin", "resolution", "resolution_reused", "dummy", "floor",
    "blocked", "seeds",
)  # fmt: skip


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
        "weakened": list(verdict.weakened),
        "standing": [
            asdict(one) | {"metrics": list(one.metrics), "weakened": list(one.weakened)} for one in verdict.standing
        ],
        "moved": verdict.moved and _moved(verdict.moved),
        "data": {"path": verdict.data_path, "md5": verdict.data_md5, "rows": verdict.rows},
        "fits": verdict.fits,
        "seconds": round(verdict.seconds, 3),
        "flips": verdict.flips and {"lost": verdict.flips[0], "won": verdict.flips[1], "rows": list(verdict.flipped)},
        "environment": [{"package": package, "then": then, "now": now} for package, then, now in verdict.environment],
        "models": {"released": verdict.released, "candidate": verdict.candidate},
        "protocol": dict(verdict.protocol),
        "recording": verdict.recording,
        "reused": verdict.reused,
        "charts": dict(verdict.charts),
        "metrics": [
            {"metric": metric.metric, "slice": metric.slice, "verdict": metric.verdict}
            | {key: _number(getattr(metric, key)) for key in _NUMBERS}
            | {"reason": metric.reason, "folds": [[_number(old), _number(new)] for old, new in metric.folds]}
            | {"drift": metric.drift and asdict(metric.drift), "losses": list(metric.losses)}
            for metric in verdict.metrics
        ],
    }


def _moved(moved: Moved) -> dict[str, Any]:
    plain = asdict(moved)
    grids = plain.pop("score_grids")
    return plain | {
        "corners": [
            {key: value if key == "metric" else _number(value) for key, value in grid.items()} for grid in grids
        ]
    }


def _moved_from(plain: Mapping[str, Any]) -> Moved:
    others = {key: value for key, value in plain.items() if key != "corners"}
    return Moved(**others, score_grids=tuple(ScoreGrid(**grid) for grid in plain["corners"]))


def _number(value: float | None) -> float | None:
    """Give a plain number; JSON knows neither NaN nor infinity, and a number that is none is missing."""
    return None if value is None or not isfinite(value) else value if isinstance(value, int) else float(value)


def from_dict(plain: Mapping[str, Any]) -> Verdict:
    """Rebuild what `to_dict` gave."""
    data, flips, moved = plain["data"], plain["flips"], plain["moved"]
    return Verdict(
        name=plain["name"],
        nodeid=plain["nodeid"],
        verdict=plain["verdict"],
        passed=plain["passed"],
        message=plain["message"],
        advice=plain["advice"],
        accepted=plain["accepted"],
        weakened=tuple(plain["weakened"]),
        standing=tuple(
            Acceptance(**{**one, "metrics": tuple(one["metrics"]), "weakened": tuple(one["weakened"])})
            for one in plain["standing"]
        ),
        moved=moved and _moved_from(moved),
        data_path=data["path"],
        data_md5=data["md5"],
        rows=data["rows"],
        fits=plain["fits"],
        seconds=plain["seconds"],
        metrics=tuple(_metric(metric) for metric in plain["metrics"]),
        flips=flips and (flips["lost"], flips["won"]),
        flipped=tuple(flips["rows"]) if flips else (),
        environment=tuple((one["package"], one["then"], one["now"]) for one in plain["environment"]),
        released=plain["models"]["released"],
        candidate=plain["models"]["candidate"],
        protocol=plain["protocol"],
        recording=plain["recording"],
        reused=plain["reused"],
        charts=plain["charts"],
    )


def _metric(plain: Mapping[str, Any]) -> MetricVerdict:
    return MetricVerdict(
        **{
            **plain,
            "folds": tuple((old, new) for old, new in plain["folds"]),
            "drift": plain["drift"] and Drift(**plain["drift"]),
            "losses": tuple(plain["losses"]),
        }
    )
