"""The record of a baseline <-> its JSON: plain, sorted, sealed by a digest of itself; older schemas are migrated."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, get_args

from pytest_model_check.baselines.json_reader import MalformedError, Reader
from pytest_model_check.baselines.migrations import MIGRATIONS
from pytest_model_check.baselines.record import Baseline, BaselineMetric, StoredAnchor
from pytest_model_check.baselines.terms import Protocol
from pytest_model_check.checks.declared import Address, ServiceProtocol
from pytest_model_check.checks.reader_options import reader_options
from pytest_model_check.errors import PromiseError
from pytest_model_check.judgement import explain
from pytest_model_check.judgement.margins import MarginKind, skill_share
from pytest_model_check.judgement.noise import NoiseReference
from pytest_model_check.judgement.own_scorers import OwnScorer
from pytest_model_check.judgement.verdicts import Acceptance, AcceptanceKind, Label, Loss, Term, Weakening
from pytest_model_check.settings import Rules

SCHEMA = 3
ORIGINS = ("refitted", "loaded", "asked", "elsewhere")


def to_json(baseline: Baseline) -> dict[str, Any]:
    """Return what the file holds: plain, sorted when written, numbers rounded to 10 digits."""
    plain = {
        "schema": SCHEMA,
        "name": baseline.name,
        "nodeid": baseline.nodeid,
        "candidate": baseline.candidate,
        "learner": baseline.learner,
        "data": {
            "files": [{"path": path, "md5": md5} for path, md5 in baseline.data],
            "rows": baseline.rows,
            **({} if baseline.effective_rows is None else {"effective_rows": _round(baseline.effective_rows)}),
            "target_digest": baseline.target_digest,
            "columns": dict(baseline.columns),
        },
        "protocol": baseline.protocol.plain()
        | {"test_train_ratio": _round(baseline.test_train_ratio)}
        | ({"folds": list(baseline.folds)} if baseline.folds else {}),
        "metrics": {name: _metric_to_json(baseline, metric) for name, metric in baseline.metrics.items()},
        "predictions": {
            "md5": baseline.predictions_md5,
            "seeds": baseline.seeds,
            "entropy": baseline.entropy,
            "classes": None if baseline.classes is None else list(baseline.classes),
        },
        "generation": baseline.generation,
        "environment": dict(baseline.environment),
        "history": [_acceptance_to_json(acceptance) for acceptance in baseline.history],
        "reused": baseline.reused,
        "formerly": list(baseline.formerly),
        "description": baseline.description,
        "caveats": list(baseline.caveats),
        **({} if baseline.origin == "refitted" else {"origin": baseline.origin}),
        **({} if baseline.service is None else {"service": asdict(baseline.service)}),
    }
    return plain | {"digest": seal(plain)}


def seal(plain: Mapping[str, Any]) -> str:
    """Digest everything else in the file: an edit, or a merge of two recordings, is no recording."""
    rest = {key: value for key, value in plain.items() if key != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()[:16]


def to_text(baseline: Baseline) -> str:
    """Format the file."""
    return json.dumps(to_json(baseline), indent=2, sort_keys=True, allow_nan=False) + "\n"


def from_json(plain: Any) -> Baseline:
    """Rebuild what `to_json` returned, now or in an earlier version of pytest-model-check.

    The reason of a margin is for people: it is written, and never read.

    Raises
    ------
    MalformedError
        If a key is missing or holds something else, or the schema is a newer one.
    """
    schema = Reader(plain).get("schema", int, least=1)
    if schema > SCHEMA:
        raise MalformedError(
            f"key schema is {schema}, newer than this version of pytest-model-check reads ({SCHEMA}): upgrade it"
        )
    for migrate in MIGRATIONS[schema - 1 :]:
        plain = migrate(plain)
    reader = Reader(plain)
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
        data=tuple((file.relative_path("path"), file.get("md5", str)) for file in data.each("files")),
        rows=data.get("rows", int, least=1),
        effective_rows=data.get("effective_rows", float, least=1) if "effective_rows" in data.value else None,
        target_digest=data.get("target_digest", str),
        protocol=protocol_from_json(reader.sub("protocol")),
        test_train_ratio=reader.sub("protocol").get("test_train_ratio", float, least=1e-9),
        folds=reader.sub("protocol").counts("folds") if "folds" in reader.sub("protocol").value else (),
        metrics={name: _metric_from_json(metrics.sub(name)) for name in metrics.value},
        seeds=predictions.get("seeds", int, least=1),
        entropy=predictions.get("entropy", int, least=0),
        generation=reader.get("generation", int, least=1),
        classes=None if classes is None else tuple(classes),
        predictions_md5=predictions.get("md5", str),
        environment=_texts(reader.sub("environment")),
        history=tuple(_acceptance_from_json(entry) for entry in reader.each("history")),
        reused=reader.get("reused", int, least=0),
        formerly=reader.texts("formerly"),
        columns=_texts(data.sub("columns")),
        description=reader.get("description", str),
        caveats=reader.texts("caveats"),
        origin=reader.label("origin", ORIGINS) if "origin" in reader.value else "refitted",
        service=_address_from_json(reader.sub("service")) if "service" in reader.value else None,
    )


def _address_from_json(reader: Reader) -> Address:
    return Address(
        reader.get("url", str),
        reader.label("protocol", get_args(ServiceProtocol)),
        reader.get("output", str, optional=True),
        reader.get("token", str, optional=True),
    )


def _texts(reader: Reader) -> dict[str, str]:
    return {name: reader.get(name, str) for name in reader.value}


def protocol_from_json(reader: Reader) -> Protocol:
    """Rebuild what `Protocol.plain` returned."""
    return Protocol(
        cv=reader.get("cv", str),
        target=reader.get("target", str),
        features=None if reader.get("features", list, optional=True) is None else reader.texts("features"),
        groups=reader.get("groups", str, optional=True),
        time=reader.get("time", str, optional=True),
        slices=reader.texts("slices"),
        seeds=reader.get("seeds", int, optional=True, least=1),
        rules=Rules(
            inconclusive_passes=reader.label("inconclusive", ("fail", "pass")) == "pass",
            folds_suffice=reader.label("without_predictions", ("fail", "folds")) == "folds",
        ),
        season=reader.get("season", int, least=2) if "season" in reader.value else None,
        sample_weight=reader.get("sample_weight", str) if "sample_weight" in reader.value else None,
        latency_margin=reader.get("latency_margin", float, least=0) if "latency_margin" in reader.value else None,
        read=_read_from_json(reader) if "read" in reader.value else None,
    )


def _read_from_json(reader: Reader) -> dict[str, Any] | None:
    """Rebuild the reader options: whoever judges reads the rows by them."""
    try:
        return reader_options(reader.get("read", dict))
    except PromiseError as error:
        raise MalformedError(f"the key protocol.read holds no reader options: {error.message}") from error


def _acceptance_to_json(acceptance: Acceptance) -> dict[str, Any]:
    return asdict(acceptance) | {
        "losses": [_loss_to_json(loss) for loss in acceptance.losses],
        "weakened": [_rounded(asdict(weaker)) for weaker in acceptance.weakened],
    }


def _acceptance_from_json(reader: Reader) -> Acceptance:
    return Acceptance(
        generation=reader.get("generation", int, least=1),
        reason=reader.get("reason", str),
        kind=reader.label("kind", get_args(AcceptanceKind)),
        losses=tuple(_loss_from_json(loss) for loss in reader.each("losses")),
        weakened=tuple(_weakening_from_json(weaker) for weaker in reader.each("weakened")),
        said=reader.get("said", str),
        closed=reader.get("closed", int, optional=True, least=1),
    )


def _loss_to_json(loss: Loss) -> dict[str, Any]:
    plain = _rounded(asdict(loss))
    if not loss.on_old_data:
        del plain["on_old_data"]
    return plain


def _loss_from_json(reader: Reader) -> Loss:
    return Loss(
        metric=reader.get("metric", str),
        verdict=reader.label("verdict", get_args(Label), optional=True),
        slice=reader.get("slice", str, optional=True),
        **{key: reader.get(key, float, optional=True) for key in ("delta", "low", "high", "margin")},
        since=reader.get("since", int, optional=True, least=1),
        on_old_data="on_old_data" in reader.value and reader.get("on_old_data", bool),
    )


def _weakening_from_json(reader: Reader) -> Weakening:
    return Weakening(
        term=reader.label("term", get_args(Term)),
        name=reader.get("name", str),
        before=reader.text_or_number("before"),
        after=reader.text_or_number("after"),
    )


def _metric_to_json(baseline: Baseline, metric: BaselineMetric) -> dict[str, Any]:
    anchor, score, dummy = metric.anchor, _round(metric.score), metric.noise_reference.dummy
    reason = explain.margin_reason(
        metric.margin_kind,
        rows=baseline.rows,
        effective_rows=baseline.effective_rows,
        skill_share=skill_share(score, None if dummy is None else _round(dummy)),
        seeds=baseline.protocol.seeds,
    )
    return {
        "score": score,
        "standard_error": _round(metric.standard_error),
        "folds": [_round(fold) for fold in metric.folds],
        "definition": metric.definition,
        "margin": {
            "value": None if metric.margin is None else _round(metric.margin),
            "kind": metric.margin_kind,
            "reason": reason,
        },
        **_noise_to_json(metric.noise_reference),
        "anchor": None
        if anchor is None
        else {
            "since": anchor.since,
            "score": _round(anchor.score),
            "folds": [_round(fold) for fold in anchor.folds],
            **_noise_to_json(anchor.noise_reference),
        },
        **({} if metric.scorer is None else {"scorer": _scorer_to_json(metric.scorer)}),
    }


def _scorer_to_json(scorer: OwnScorer) -> dict[str, Any]:
    return {"code": scorer.code, "fixed_answers": [_round(score) for score in scorer.fixed_answers]}


def _scorer_from_json(reader: Reader) -> OwnScorer:
    return OwnScorer(reader.get("code", str), reader.numbers("fixed_answers"))


def _metric_from_json(reader: Reader) -> BaselineMetric:
    margin = reader.sub("margin")
    return BaselineMetric(
        score=reader.get("score", float),
        standard_error=reader.get("standard_error", float, least=0),
        folds=reader.numbers("folds"),
        definition=reader.get("definition", str),
        margin=margin.get("value", float, optional=True),
        margin_kind=margin.label("kind", get_args(MarginKind)),
        noise_reference=_noise_from_json(reader),
        anchor=None
        if reader.get("anchor", dict, optional=True) is None
        else StoredAnchor(
            since=reader.sub("anchor").get("since", int, least=1),
            score=reader.sub("anchor").get("score", float),
            folds=reader.sub("anchor").numbers("folds"),
            noise_reference=_noise_from_json(reader.sub("anchor")),
        ),
        scorer=_scorer_from_json(reader.sub("scorer")) if "scorer" in reader.value else None,
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


def _noise_from_json(reader: Reader) -> NoiseReference:
    noise = reader.sub("noise")
    dof = noise.get("degrees_of_freedom", float, optional=True, least=1)
    return NoiseReference(
        dummy=reader.get("dummy", float, optional=True),
        noise=noise.get("beyond_rows", float, least=0),
        dof=math.inf if dof is None else dof,
        runs=noise.get("seeds", int, optional=True, least=1),
        floor=noise.get("floor", float, least=0),
    )


def _round(number: float) -> float:
    return float(f"{number:.10g}")


def _rounded(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _round(value) if isinstance(value, float) else value for key, value in plain.items()}
