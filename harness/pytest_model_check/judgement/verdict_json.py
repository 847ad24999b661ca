"""A verdict <-> plain types, as the JSON report has it and as it travels between processes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import isfinite
from typing import Any

from pytest_model_check.judgement import explain
from pytest_model_check.judgement.compared import (
    ChangedRows,
    Compared,
    DataVersion,
    Differences,
    Leak,
    Moved,
    ScoreGrid,
)
from pytest_model_check.judgement.quality import MetricQuality, RecordingQuality
from pytest_model_check.judgement.verdicts import (
    Acceptance,
    Concessions,
    Cost,
    Drift,
    Loss,
    MetricVerdict,
    Times,
    Verdict,
    Weakening,
)

# The numbers of a metric: the key in JSON, which is a contract, and the field.
_NUMBERS = {
    key: key
    for key in (
        "baseline", "candidate", "delta", "low", "high", "margin", "resolution", "resolution_reused", "dummy", "floor",
    )
} | {"blocked": "probability_inconclusive", "seeds": "seeds"}  # fmt: skip


def to_dict(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as plain types: what JSON and pytest-xdist's channel take."""
    compared, concessions, differences = verdict.compared, verdict.concessions, verdict.differences
    changed, environment = differences.changed_rows, compared.environment
    return {
        "name": verdict.name,
        "nodeid": verdict.nodeid,
        "verdict": verdict.verdict,
        "passed": verdict.passed,
        "message": verdict.message,
        "advice": verdict.advice,
        "accepted": concessions.accepted,
        "weakened": list(concessions.weakened),
        "standing": [acceptance_to_dict(acceptance) for acceptance in concessions.standing],
        "wider": list(concessions.wider),
        "moved": differences.moved and _moved(differences.moved),
        "data": {key: value for key, value in asdict(compared.data).items() if value is not None},
        "fits": verdict.cost.fits,
        "seconds": round(verdict.cost.seconds, 3),
        "served": verdict.cost.served,
        "uncached": verdict.cost.uncached,
        "times": verdict.cost.times and {name: round(took, 3) for name, took in asdict(verdict.cost.times).items()},
        "flips": changed and _flips(changed),
        "environment": [{"package": package, "then": then, "now": now} for package, then, now in environment],
        "models": {
            "released": compared.released,
            "candidate": compared.candidate,
            "released_features": compared.released_features and list(compared.released_features),
        },
        "protocol": dict(compared.protocol),
        "recording": compared.recording,
        "reused": compared.reused,
        "learner": compared.learner,
        "folds": list(compared.folds),
        "origin": compared.origin,
        "provenance": list(compared.provenance),
        "sealed": compared.sealed,
        "leaks": [asdict(leak) | {"columns": list(leak.columns)} for leak in compared.leaks],
        "charts": dict(differences.charts),
        "metrics": [_metric(metric) for metric in verdict.metrics],
        "quality": verdict.quality and asdict(verdict.quality),
    }


def _flips(changed: ChangedRows) -> dict[str, Any]:
    plain: dict[str, Any] = {"lost": changed.lost, "won": changed.won, "rows": list(changed.examples)}
    if changed.lost_weight is not None:
        plain |= {"lost_weight": changed.lost_weight, "won_weight": changed.won_weight}
    return plain


def _flips_from(plain: Mapping[str, Any]) -> ChangedRows:
    return ChangedRows(
        plain["lost"], plain["won"], tuple(plain["rows"]), plain.get("lost_weight"), plain.get("won_weight")
    )


def acceptance_to_dict(acceptance: Acceptance) -> dict[str, Any]:
    """Return what was accepted as plain types: the words of it, and the values."""
    return {
        "generation": acceptance.generation,
        "reason": acceptance.reason,
        "message": explain.accepted(acceptance),
        "metrics": list(acceptance.metrics),
        "weakened": [explain.weakening(weaker) for weaker in acceptance.weakened],
        "closed": acceptance.closed,
        "kind": acceptance.kind,
        "losses": [asdict(loss) for loss in acceptance.losses],
        "weaker_terms": [asdict(weaker) for weaker in acceptance.weakened],
        "said": acceptance.said,
    }


def _acceptance_from(plain: Mapping[str, Any]) -> Acceptance:
    return Acceptance(
        plain["generation"],
        plain["reason"],
        plain["kind"],
        tuple(Loss(**loss) for loss in plain["losses"]),
        tuple(Weakening(**weaker) for weaker in plain["weaker_terms"]),
        plain["said"],
        plain["closed"],
    )


def _metric(metric: MetricVerdict) -> dict[str, Any]:
    return (
        {"metric": metric.metric, "slice": metric.slice, "verdict": metric.verdict}
        | {key: _number(getattr(metric, field)) for key, field in _NUMBERS.items()}
        | {"reason": metric.reason, "folds": [[_number(old), _number(new)] for old, new in metric.folds]}
        | {"drift": metric.drift and asdict(metric.drift), "losses": list(metric.losses)}
        | ({} if metric.on_old_data is None else {"on_old_data": _metric(metric.on_old_data)})
    )


def _moved(moved: Moved) -> dict[str, Any]:
    plain = asdict(moved)
    grids = plain.pop("score_grids")
    return plain | {
        "corners": [
            {key: value if key == "metric" else _number(value) for key, value in grid.items()} for grid in grids
        ]
    }


def _names(plain: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if plain is None else tuple(plain)


def _number(value: float | None) -> float | None:
    """Return a plain number; JSON knows neither NaN nor infinity, and a number that is none is missing."""
    return None if value is None or not isfinite(value) else value if isinstance(value, int) else float(value)


def from_dict(plain: Mapping[str, Any]) -> Verdict:
    """Rebuild what `to_dict` returned."""
    changed, moved = plain["flips"], plain["moved"]
    return Verdict(
        name=plain["name"],
        nodeid=plain["nodeid"],
        verdict=plain["verdict"],
        passed=plain["passed"],
        message=plain["message"],
        advice=plain["advice"],
        metrics=tuple(_metric_from(metric) for metric in plain["metrics"]),
        compared=Compared(
            data=DataVersion(**plain["data"]),
            released=plain["models"]["released"],
            candidate=plain["models"]["candidate"],
            protocol=plain["protocol"],
            released_features=_names(plain["models"].get("released_features")),
            recording=plain["recording"],
            reused=plain["reused"],
            environment=tuple((each["package"], each["then"], each["now"]) for each in plain["environment"]),
            learner=plain["learner"],
            folds=tuple(plain["folds"]),
            origin=plain["origin"],
            provenance=tuple(plain["provenance"]),
            sealed=plain["sealed"],
            leaks=tuple(Leak(each["kind"], tuple(each["columns"]), each["rows"]) for each in plain.get("leaks", ())),
        ),
        concessions=Concessions(
            accepted=plain["accepted"],
            weakened=tuple(plain["weakened"]),
            standing=tuple(_acceptance_from(acceptance) for acceptance in plain["standing"]),
            wider=tuple(plain["wider"]),
        ),
        differences=Differences(
            changed_rows=changed and _flips_from(changed),
            moved=moved and _moved_from(moved),
            charts=plain["charts"],
        ),
        cost=Cost(
            plain["fits"],
            plain["seconds"],
            plain["times"] and Times(**plain["times"]),
            plain["served"],
            plain["uncached"],
        ),
        quality=plain["quality"] and _recording_quality_from(plain["quality"]),
    )


def _recording_quality_from(plain: Mapping[str, Any]) -> RecordingQuality:
    lists = {key: _quality_from(plain[key]) for key in ("metrics", "alternatives")}
    return RecordingQuality(**{**plain, **lists, "folds": tuple(plain["folds"])})


def _quality_from(metrics: Sequence[Mapping[str, Any]]) -> tuple[MetricQuality, ...]:
    return tuple(
        MetricQuality(**{**metric, "outlying_folds": tuple((fold, score) for fold, score in metric["outlying_folds"])})
        for metric in metrics
    )


def _metric_from(plain: Mapping[str, Any]) -> MetricVerdict:
    return MetricVerdict(
        metric=plain["metric"],
        verdict=plain["verdict"],
        slice=plain["slice"],
        **{field: plain[key] for key, field in _NUMBERS.items()},
        folds=tuple((old, new) for old, new in plain["folds"]),
        drift=plain["drift"] and Drift(**plain["drift"]),
        losses=tuple(plain["losses"]),
        reason=plain["reason"],
        on_old_data=_metric_from(plain["on_old_data"]) if "on_old_data" in plain else None,
    )


def _moved_from(plain: Mapping[str, Any]) -> Moved:
    others = {key: value for key, value in plain.items() if key != "corners"}
    return Moved(**others, score_grids=tuple(ScoreGrid(**grid) for grid in plain["corners"]))
