"""pytest-model-check: the regression test for a model's accuracy.

What is exported here is what annotations and scripts may name; everything else may change. Nothing is imported before
it is used: a run of pytest without ``--model-check`` stays free.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_model_check import properties, strategies
    from pytest_model_check.candidates.adapters import caret, weka
    from pytest_model_check.candidates.artifact import Artifact
    from pytest_model_check.candidates.program import Program
    from pytest_model_check.candidates.results import Results
    from pytest_model_check.candidates.service import Service
    from pytest_model_check.checks.model_check import ModelCheck
    from pytest_model_check.errors import (
        BaselineError,
        CandidateError,
        DataError,
        EngineError,
        EvidenceError,
        IncomparableError,
        MissingBaselineError,
        ModelCheckError,
        OldCodeError,
        PromiseError,
        UnavailableError,
    )
    from pytest_model_check.judgement import statistics
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
        Label,
        Loss,
        MetricVerdict,
        Run,
        Times,
        Verdict,
        Weakening,
    )
    from pytest_model_check.report.json_report import read_report

__all__ = [
    "Acceptance",
    "Artifact",
    "BaselineError",
    "CandidateError",
    "ChangedRows",
    "Compared",
    "Concessions",
    "Cost",
    "DataError",
    "DataVersion",
    "Differences",
    "Drift",
    "EngineError",
    "EvidenceError",
    "IncomparableError",
    "Label",
    "Leak",
    "Loss",
    "MetricQuality",
    "MetricVerdict",
    "MissingBaselineError",
    "ModelCheck",
    "ModelCheckError",
    "Moved",
    "OldCodeError",
    "Program",
    "PromiseError",
    "RecordingQuality",
    "Results",
    "Run",
    "ScoreGrid",
    "Service",
    "Times",
    "UnavailableError",
    "Verdict",
    "Weakening",
    "caret",
    "properties",
    "read_report",
    "statistics",
    "strategies",
    "weka",
]


_HOMES = (
    "errors",
    "judgement.compared",
    "judgement.quality",
    "judgement.verdicts",
    "checks.model_check",
    "candidates.program",
    "candidates.results",
    "candidates.adapters",
    "candidates.artifact",
    "candidates.service",
    "report.json_report",
)


def __getattr__(name: str) -> Any:
    if name == "statistics":
        return import_module("pytest_model_check.judgement.statistics")
    if name in ("properties", "strategies"):
        return import_module(f"pytest_model_check.{name}")
    for home in _HOMES if name in __all__ else ():
        module = import_module(f"pytest_model_check.{home}")
        if hasattr(module, name):
            return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
