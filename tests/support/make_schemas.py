"""Writes the JSON Schemas of report, baselines and evidence, from the records and from what is written here.

What the writers write as it stands in a record is that record; where a writer chooses other keys, they are a
`TypedDict` below. What a key means is taken from the docstring of its record. Run it after a key is added.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypedDict, cast

import msgspec
import pytest_model_check
from msgspec import Meta
from pytest_model_check.baselines.baseline_json import SCHEMA as BASELINE_SCHEMA
from pytest_model_check.baselines.record import Baseline, BaselineMetric, StoredAnchor
from pytest_model_check.baselines.terms import Protocol
from pytest_model_check.checks import toml
from pytest_model_check.checks.declared import Address
from pytest_model_check.evidence.bundle import SCHEMA as EVIDENCE_SCHEMA
from pytest_model_check.evidence.record import Bundle, Evidence, Promise, Said
from pytest_model_check.judgement.compared import ChangedRows, Compared, DataVersion, Leak, Moved, ScoreGrid
from pytest_model_check.judgement.margins import Margin, MarginKind
from pytest_model_check.judgement.noise import NoiseReference
from pytest_model_check.judgement.own_scorers import OwnScorer
from pytest_model_check.judgement.quality import RecordingQuality
from pytest_model_check.judgement.verdicts import (
    Acceptance,
    AcceptanceKind,
    Concessions,
    Cost,
    Drift,
    Label,
    Loss,
    MetricVerdict,
    Run,
    Times,
    Verdict,
    Weakening,
)
from pytest_model_check.report.json_report import SCHEMA as REPORT_SCHEMA

SCHEMAS = Path(pytest_model_check.__file__).parent / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class DataKeys(TypedDict):
    """Which version of the data the models were compared on."""

    path: str
    md5: str
    rows: int
    effective_rows: NotRequired[float]
    repeated: NotRequired[int]


class FlipKeys(TypedDict):
    """The rows that one model answers right and the other wrong."""

    lost: int
    won: int
    rows: Annotated[tuple[int, ...], Meta(description="The first that were lost, by position in the data, from 0.")]
    lost_weight: NotRequired[float]
    won_weight: NotRequired[float | None]


class AcceptanceKeys(TypedDict):
    """A loss, or a weaker promise, that somebody accepted with a reason."""

    generation: int
    reason: str
    message: Annotated[str, Meta(description="What was accepted, in words.")]
    metrics: Annotated[tuple[str, ...], Meta(description="The metrics that did not pass, each once.")]
    weakened: Annotated[tuple[str, ...], Meta(description="The promises that became weaker, in words.")]
    closed: int | None
    kind: AcceptanceKind
    losses: tuple[Loss, ...]
    weaker_terms: Annotated[tuple[Weakening, ...], Meta(description="The promises that became weaker, as values.")]
    said: str


class MovedKeys(TypedDict):
    """The data is another version than the baseline's: both models on both versions."""

    before: str
    after: str
    commit: str
    reason: str
    repeated_before: int
    repeated_after: int
    corners: Annotated[tuple[ScoreGrid, ...], Meta(description="By metric: whether the data got harder.")]


class EnvironmentKeys(TypedDict):
    """What computes another version than when the baseline was recorded."""

    package: str
    then: str
    now: str


class ModelKeys(TypedDict):
    """Both models, as scikit-learn prints them."""

    released: str
    candidate: str
    released_features: list[str] | None


class MetricKeys(TypedDict):
    """The verdict of one metric, on all rows or on one slice."""

    metric: str
    slice: Annotated[str | None, Meta(description="Of which rows; null: of all.")]
    verdict: Label
    baseline: float | None
    candidate: float | None
    delta: Annotated[float | None, Meta(description="Candidate less baseline: below 0 is a loss.")]
    low: Annotated[float | None, Meta(description="95% sure that the true change is above it.")]
    high: Annotated[float | None, Meta(description="99.75% sure that the true change is below it.")]
    margin: Annotated[float | None, Meta(description="The loss that is harmless.")]
    resolution: float | None
    resolution_reused: float | None
    dummy: Annotated[float | None, Meta(description="What a learner scores that looks at no feature.")]
    floor: float | None
    blocked: Annotated[float | None, Meta(description="The chance that an equally good candidate would not pass.")]
    seeds: int | None
    reason: str
    folds: tuple[tuple[float | None, float | None], ...]
    drift: Drift | None
    losses: tuple[int, ...]
    on_old_data: NotRequired[MetricKeys]


class CheckKeys(TypedDict):
    """The verdict of one check."""

    name: str
    nodeid: str
    verdict: Label
    passed: Annotated[bool, Meta(description="Whether the release may go out with it.")]
    message: str
    advice: str
    accepted: str | None
    weakened: tuple[str, ...]
    standing: tuple[AcceptanceKeys, ...]
    wider: tuple[str, ...]
    moved: MovedKeys | None
    data: DataKeys
    fits: int
    seconds: float
    served: int
    uncached: str
    times: Times | None
    flips: FlipKeys | None
    environment: tuple[EnvironmentKeys, ...]
    models: ModelKeys
    protocol: Mapping[str, Any]
    recording: int
    reused: int
    learner: str
    folds: tuple[int, ...]
    origin: str
    provenance: tuple[str, ...]
    sealed: str
    leaks: tuple[Leak, ...]
    charts: Annotated[Mapping[str, Any], Meta(description="What the page draws; no row's content is in it.")]
    metrics: tuple[MetricKeys, ...]
    quality: RecordingQuality | None


class Report(TypedDict):
    """What `--model-check-report FILE.json` writes."""

    schema: int
    passed: bool
    against: str | None
    problems: tuple[str, ...]
    retired: tuple[str, ...]
    silent: Mapping[str, str]
    collected: tuple[str, ...]
    checks: tuple[CheckKeys, ...]


class FileKeys(TypedDict):
    """A file of the data, by its path from pytest's rootdir."""

    path: str
    md5: str


class BaselineDataKeys(TypedDict):
    """The version of the data."""

    files: tuple[FileKeys, ...]
    rows: int
    effective_rows: NotRequired[float]
    target_digest: str
    columns: Mapping[str, str]


class ProtocolKeys(TypedDict):
    """How a check is judged."""

    cv: str
    target: str
    features: tuple[str, ...] | None
    groups: str | None
    time: str | None
    season: NotRequired[int]
    sample_weight: NotRequired[str]
    read: NotRequired[Mapping[str, Any]]
    slices: tuple[str, ...]
    seeds: int | None
    latency_margin: NotRequired[float]
    inconclusive: Annotated[Literal["fail", "pass"], Meta(description="What the data can't decide.")]
    without_predictions: Annotated[
        Literal["fail", "folds"], Meta(description="Whether fold scores will do where predictions can't be had.")
    ]


class BaselineProtocolKeys(ProtocolKeys):
    """How the baseline is judged."""

    test_train_ratio: float
    folds: NotRequired[tuple[int, ...]]


class MarginKeys(TypedDict):
    """The loss of a metric that is harmless."""

    value: float | None
    kind: MarginKind
    reason: Annotated[str, Meta(description="In words; it is written, and never read.")]


class NoiseKeys(TypedDict):
    """What chance alone does to a metric."""

    beyond_rows: Annotated[float, Meta(description="Standard deviation of a single run beyond what its rows show.")]
    degrees_of_freedom: Annotated[float | None, Meta(description="Of that; null: infinitely many.")]
    seeds: Annotated[int | None, Meta(description="With how many it was averaged; null: no random numbers.")]
    floor: float


class AnchorKeys(TypedDict):
    """The earlier baseline that losses are added up from."""

    since: int
    score: float
    folds: tuple[float, ...]
    dummy: float | None
    noise: NoiseKeys


class ScorerKeys(TypedDict):
    """A scorer of the project's own: what it is known by."""

    code: str
    fixed_answers: tuple[float, ...]


class BaselineMetricKeys(TypedDict):
    """One metric of a baseline."""

    score: float
    standard_error: float
    folds: tuple[float, ...]
    definition: str
    margin: MarginKeys
    dummy: Annotated[float | None, Meta(description="What a learner scores that looks at no feature.")]
    noise: NoiseKeys
    anchor: AnchorKeys | None
    scorer: NotRequired[ScorerKeys]


class PredictionKeys(TypedDict):
    """What `baselines/NAME.parquet` holds."""

    md5: Annotated[str, Meta(description="Of the file, as DVC knows it.")]
    seeds: int
    entropy: int
    classes: tuple[str | int | float | bool, ...] | None


class BaselineFile(TypedDict):
    """What `baselines/NAME.json` holds: the record of what was approved."""

    schema: int
    name: str
    nodeid: str
    candidate: str
    learner: str
    data: BaselineDataKeys
    protocol: BaselineProtocolKeys
    metrics: Mapping[str, BaselineMetricKeys]
    predictions: PredictionKeys
    generation: int
    environment: Mapping[str, str]
    history: tuple[Acceptance, ...]
    reused: int
    formerly: tuple[str, ...]
    description: str
    caveats: tuple[str, ...]
    origin: NotRequired[str]
    service: NotRequired[Address]
    digest: Annotated[str, Meta(description="Of everything else in the file: what is edited by hand is no recording.")]


class Manifest(TypedDict):
    """What `evidence.json` holds: what a run says, and the digests of what it left."""

    schema: int
    passed: bool
    against: Annotated[str | None, Meta(description="Where its baselines came from, if not from the working tree.")]
    problems: tuple[str, ...]
    said: tuple[Said, ...]
    checks: Annotated[Mapping[str, str], Meta(description="By name, the SHA-256 of `checks/NAME.json`.")]


class PromisedMetricKeys(TypedDict):
    """A metric, and the margin that its owner named."""

    metric: str
    margin: Annotated[float | None, Meta(description="Null: the default.")]


class PromiseKeys(TypedDict):
    """What the check promises."""

    protocol: ProtocolKeys
    metrics: tuple[PromisedMetricKeys, ...]
    loads: bool


class PredictionDigests(TypedDict):
    """The SHA-256 of each Parquet file; null: there is none."""

    candidate: str | None
    on_old_data: str | None
    recording: str | None
    replicates: str | None


class EvidenceFile(TypedDict):
    """What `checks/NAME.json` of the evidence holds: what was promised and found of one check."""

    schema: int
    name: str
    nodeid: str
    candidate: str
    promise: PromiseKeys
    data: tuple[FileKeys, ...]
    entropy: int | None
    recording_entropy: int | None
    learner: str
    claims_sealed: Annotated[bool, Meta(description="Whether the run says that its fits were sealed.")]
    predictions: PredictionDigests


FILES: Mapping[str, tuple[type, int]] = {
    "report": (Report, REPORT_SCHEMA),
    "baseline": (BaselineFile, BASELINE_SCHEMA),
    "evidence": (Manifest, EVIDENCE_SCHEMA),
    "evidence-check": (EvidenceFile, EVIDENCE_SCHEMA),
}

# Whose docstrings say what the keys mean.
RECORDS: Mapping[str, tuple[type, ...]] = {
    "Report": (Run,),
    "CheckKeys": (Verdict, Compared, Concessions, Cost),
    "MetricKeys": (MetricVerdict,),
    "DataKeys": (DataVersion,),
    "FlipKeys": (ChangedRows,),
    "AcceptanceKeys": (Acceptance,),
    "MovedKeys": (Moved,),
    "BaselineFile": (Baseline,),
    "BaselineDataKeys": (Baseline,),
    "BaselineProtocolKeys": (Protocol, Baseline),
    "ProtocolKeys": (Protocol,),
    "BaselineMetricKeys": (BaselineMetric,),
    "AnchorKeys": (StoredAnchor, NoiseReference),
    "NoiseKeys": (NoiseReference,),
    "MarginKeys": (Margin,),
    "PredictionKeys": (Baseline,),
    "ScorerKeys": (OwnScorer,),
    "Manifest": (Bundle,),
    "PromiseKeys": (Promise,),
    "EvidenceFile": (Evidence,),
} | {record.__name__: (record,) for record in (Acceptance, Drift, Loss, ScoreGrid, Times, Weakening)}


def schema(name: str) -> dict[str, Any]:
    """Return the schema of a file; a key that it does not name is an error."""
    shape, version = FILES[name]
    (_,), parts = msgspec.json.schema_components([shape], ref_template="#/$defs/{name}")
    definitions = cast("dict[str, dict[str, Any]]", parts)
    for title, part in definitions.items():
        _close(title, part, keeps_optional=title.endswith(("Keys", "File")))
    whole = definitions.pop(shape.__name__)
    whole["properties"]["schema"] = {"const": version, "description": "The version of this format."}
    whole["title"] = f"pytest-model-check: {name}"
    return {"$schema": DIALECT, **whole, "$defs": dict(sorted(definitions.items()))}


def _close(title: str, part: dict[str, Any], *, keeps_optional: bool) -> None:
    part["description"] = part["description"].split("\n")[0]
    part["additionalProperties"] = False
    for record in RECORDS.get(title, ()):
        for key, words in parameters(record).items():
            if key in part["properties"]:
                part["properties"][key].setdefault("description", words)
    if keeps_optional:
        return
    # what a record leaves out at will, its writer does not
    part["required"] = [key for key in part["properties"] if (title, key) != ("Loss", "on_old_data")]
    for value in part["properties"].values():
        value.pop("default", None)


def parameters(record: type) -> dict[str, str]:
    """Return what the numpydoc of a record says of each of its fields."""
    _, _, text = (inspect.getdoc(record) or "").partition("Parameters\n----------\n")
    found: dict[str, str] = {}
    for names, words in re.findall(r"^(\S[^:\n]*) : .*\n((?:    .*\n?)*)", text, re.MULTILINE):
        found |= dict.fromkeys(names.split(", "), re.sub(r"\bNone\b", "null", " ".join(words.split())))
    return found


def text(name: str) -> str:
    """Format the file of a schema."""
    return json.dumps(SCHEMA_OF[name](), indent=2, ensure_ascii=False) + "\n"


SCHEMA_OF: Mapping[str, Callable[[], Mapping[str, Any]]] = {
    **{name: partial(schema, name) for name in FILES},
    "model-checks": toml.schema,
}


def main() -> None:
    """Write the schemas into the package."""
    SCHEMAS.mkdir(exist_ok=True)
    for name in SCHEMA_OF:
        (SCHEMAS / f"{name}.json").write_text(text(name), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
