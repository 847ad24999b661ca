"""The record of a baseline <-> its JSON: plain, sorted, sealed by a digest of itself; older schemas are migrated."""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pytest_model_check.baselines.record import Baseline, BaselineMetric, StoredAnchor
from pytest_model_check.judgement.noise import NoiseReference
from pytest_model_check.judgement.verdicts import Acceptance

SCHEMA = 2
_KINDS = {int: "whole number", float: "number", str: "text", list: "list", dict: "object"}


def to_json(baseline: Baseline) -> dict[str, Any]:
    """Give what the file holds: plain, sorted when written, numbers rounded to 10 digits."""
    plain = {
        "schema": SCHEMA,
        "name": baseline.name,
        "nodeid": baseline.nodeid,
        "candidate": baseline.candidate,
        "learner": baseline.learner,
        "data": {
            "files": [{"path": path, "md5": md5} for path, md5 in baseline.data],
            "rows": baseline.rows,
            "target_digest": baseline.target_digest,
            "columns": dict(baseline.columns),
        },
        "protocol": dict(baseline.protocol),
        "metrics": {
            name: {
                "score": _round(m.score),
                "standard_error": _round(m.standard_error),
                "folds": [_round(fold) for fold in m.folds],
                "definition": m.definition,
                "margin": {"value": None if m.margin is None else _round(m.margin), "reason": m.margin_reason},
                **_noise_to_json(m.noise_reference),
                "anchor": None
                if m.anchor is None
                else {
                    "since": m.anchor.since,
                    "score": _round(m.anchor.score),
                    "folds": [_round(fold) for fold in m.anchor.folds],
                    **_noise_to_json(m.anchor.noise_reference),
                },
            }
            for name, m in baseline.metrics.items()
        },
        "predictions": {
            "md5": baseline.predictions_md5,
            "seeds": baseline.seeds,
            "entropy": baseline.entropy,
            "classes": None if baseline.classes is None else list(baseline.classes),
        },
        "generation": baseline.generation,
        "environment": dict(baseline.environment),
        "history": [
            asdict(one) | {"metrics": list(one.metrics), "weakened": list(one.weakened)} for one in baseline.history
        ],
        "reused": baseline.reused,
        "formerly": list(baseline.formerly),
    }
    return plain | {"digest": seal(plain)}


def seal(plain: Mapping[str, Any]) -> str:
    """Digest everything else in the file: an edit, or a merge of two recordings, is no recording."""
    rest = {key: value for key, value in plain.items() if key != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()[:16]


def to_text(baseline: Baseline) -> str:
    """Give the file's text."""
    return json.dumps(to_json(baseline), indent=2, sort_keys=True, allow_nan=False) + "\n"


def from_json(plain: Any) -> Baseline:
    """Rebuild what `to_json` gave, now or in an earlier version of pytest-model-check."""
    schema = _Reader(plain, ()).get("schema", int, least=1)
    if schema > SCHEMA:
        raise MalformedError(
            f"key schema is {schema}, newer than this version of pytest-model-check reads ({SCHEMA}): upgrade it"
        )
    for migrate in _MIGRATIONS[schema - 1 :]:
        plain = migrate(plain)
    reader = _Reader(plain, ())
    data, predictions = reader.sub("data"), reader.sub("predictions")
    metrics = reader.sub("metrics")
    classes = predictions.get("classes", list, optional=True)
    if not all(
        isinstance(label, str | int) or (isinstance(label, float) and math.isfinite(label)) for label in classes or ()
    ):
        raise MalformedError("the key predictions.classes holds something else than labels")
    return Baseline(
        name=reader.get("name", str),
        nodeid=reader.get("nodeid", str),
        candidate=reader.get("candidate", str),
        learner=reader.get("learner", str),
        data=tuple((file.get("path", str), file.get("md5", str)) for file in data.each("files")),
        rows=data.get("rows", int, least=1),
        target_digest=data.get("target_digest", str),
        protocol=reader.get("protocol", dict),
        metrics={name: _metric_from_json(metrics.sub(name)) for name in metrics.value},
        seeds=predictions.get("seeds", int, least=1),
        entropy=predictions.get("entropy", int, least=0),
        generation=reader.get("generation", int, least=1),
        classes=None if classes is None else tuple(classes),
        predictions_md5=predictions.get("md5", str),
        environment=reader.get("environment", dict),
        history=tuple(_acceptance_from_json(one) for one in reader.each("history")),
        reused=reader.get("reused", int, least=0),
        formerly=reader.texts("formerly"),
        columns=_texts(data.sub("columns")),
    )


def _to_2(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing could be accepted or renamed before; whether the data moved between recordings was not kept."""
    generation = _Reader(plain, ()).get("generation", int, least=1)
    data = {**_Reader(plain, ()).get("data", dict), "columns": {}}
    return {**plain, "schema": 2, "data": data, "history": [], "reused": generation - 1, "formerly": []}


def _texts(reader: _Reader) -> dict[str, str]:
    return {name: reader.get(name, str) for name in reader.value}


def _acceptance_from_json(reader: _Reader) -> Acceptance:
    return Acceptance(
        generation=reader.get("generation", int, least=1),
        reason=reader.get("reason", str),
        message=reader.get("message", str),
        metrics=reader.texts("metrics"),
        weakened=reader.texts("weakened"),
        closed=reader.get("closed", int, optional=True, least=1),
    )


def _metric_from_json(reader: _Reader) -> BaselineMetric:
    margin = reader.sub("margin")
    return BaselineMetric(
        score=reader.get("score", float),
        standard_error=reader.get("standard_error", float, least=0),
        folds=reader.numbers("folds"),
        definition=reader.get("definition", str),
        margin=margin.get("value", float, optional=True),
        margin_reason=margin.get("reason", str),
        noise_reference=_noise_from_json(reader),
        anchor=None
        if reader.get("anchor", dict, optional=True) is None
        else StoredAnchor(
            since=reader.sub("anchor").get("since", int, least=1),
            score=reader.sub("anchor").get("score", float),
            folds=reader.sub("anchor").numbers("folds"),
            noise_reference=_noise_from_json(reader.sub("anchor")),
        ),
    )


def _noise_to_json(noise_reference: NoiseReference) -> dict[str, Any]:
    return {
        "dummy": None if noise_reference.dummy is None else _round(noise_reference.dummy),
        "noise": {
            "beyond_rows": _round(noise_reference.noise),
            "degrees_of_freedom": None if math.isinf(noise_reference.dof) else _round(noise_reference.dof),
            "seeds": noise_reference.runs,
            "floor": _round(noise_reference.floor),
        },
    }


def _noise_from_json(reader: _Reader) -> NoiseReference:
    noise = reader.sub("noise")
    dof = noise.get("degrees_of_freedom", float, optional=True, least=1)
    return NoiseReference(
        dummy=reader.get("dummy", float, optional=True),
        noise=noise.get("beyond_rows", float, least=0),
        dof=math.inf if dof is None else dof,
        runs=noise.get("seeds", int, optional=True, least=1),
        floor=noise.get("floor", float, least=0),
    )


class MalformedError(Exception):
    """A key of the JSON that is missing or holds something else."""


@dataclass(frozen=True)
class _Reader:
    """Read a key, or say which one is wrong."""

    value: Any
    path: tuple[str, ...]

    def get(self, key: str, kind: Any, *, optional: bool = False, least: float = -sys.float_info.max) -> Any:
        where = ".".join((*self.path, key))
        if not isinstance(self.value, dict):
            raise MalformedError(f"{'.'.join(self.path) or 'the file'} is no object")
        if key not in self.value:
            raise MalformedError(f"the key {where} is missing")
        value = self.value[key]
        if value is None and optional:
            return None
        if not isinstance(value, (int, float) if kind is float else kind) or isinstance(value, bool):
            raise MalformedError(f"the key {where} is {value!r}, which is no {_KINDS[kind]}")
        if kind in (int, float) and not least <= value <= sys.float_info.max:  # false of NaN too
            raise MalformedError(f"the key {where} can't be {value!r}")
        return kind(value)

    def numbers(self, key: str) -> tuple[float, ...]:
        return self._all(key, float)

    def texts(self, key: str) -> tuple[str, ...]:
        return self._all(key, str)

    def _all(self, key: str, kind: Any) -> tuple[Any, ...]:
        inside = _Reader({f"{key}[{i}]": value for i, value in enumerate(self.get(key, list))}, self.path)
        return tuple(inside.get(name, kind) for name in inside.value)

    def sub(self, key: str) -> _Reader:
        return _Reader(self.get(key, dict), (*self.path, key))

    def each(self, key: str) -> Iterator[_Reader]:
        for i, value in enumerate(self.get(key, list)):
            yield _Reader(value, (*self.path, f"{key}[{i}]"))


def _round(number: float) -> float:
    return float(f"{number:.10g}")


_MIGRATIONS = (_to_2,)  # the first leads from schema 1 to 2
