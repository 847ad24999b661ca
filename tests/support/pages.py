"""Checks as the page gets them, full of one word."""

from __future__ import annotations

from typing import Any

from pytest_model_check.baselines.history import Recording
from pytest_model_check.git import Commit
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
    PASSING,
    Acceptance,
    Concessions,
    Cost,
    Drift,
    Label,
    Loss,
    MetricVerdict,
    Verdict,
    Weakening,
)
from pytest_model_check.scoring.charts import charts as draw_charts

from support import lives
from support.two_classes import two_classes

DATA = DataVersion("data/churn.csv", "0" * 32, 4000)
FOLDS = ((0.93, 0.91), (0.94, 0.92), (0.92, 0.93))


def metric(label: Label = "worse", name: str = "roc_auc", part: str | None = None, **more: Any) -> MetricVerdict:
    usual: dict[str, Any] = {
        "baseline": 0.93, "candidate": 0.91, "delta": -0.02, "low": -0.027, "high": -0.013, "margin": 0.005,
        "resolution": 0.008, "dummy": 0.5, "resolution_reused": 0.012, "floor": 0.004,
        "probability_inconclusive": 0.31, "seeds": 3, "folds": FOLDS, "losses": (3, 14),
    }  # fmt: skip
    return MetricVerdict(name, label, part, **usual | more)


def check(
    name: str = "churn",
    *metrics: MetricVerdict,
    label: Label | None = None,
    passed: bool | None = None,
    charts: dict[str, Any] | None = None,
    **more: Any,
) -> Verdict:
    label = label or (metrics[0].verdict if metrics else "error")
    passed = label in PASSING if passed is None else passed
    records: dict[str, Any] = {
        "compared": Compared(DATA), "differences": Differences(charts=charts or {}), "cost": Cost(30, 2.0),
    }  # fmt: skip
    sentence = f"{name}: {label}, in one sentence"
    return Verdict(
        name, f"test_models.py::test_{name}", label, passed, sentence, "Mend it.\nSoon.", metrics, **records | more
    )


def full(word: str = "x", charts: dict[str, Any] | None = None) -> Verdict:
    """Return a check that has everything, with `word` wherever a project's own words stand."""
    return check(
        word,
        metric(name=word, drift=Drift(2, 0.94, -0.03, -0.035, -0.02, 0.005), reason=word),
        metric("worse", word, word),
        metric("reported", word, f"{word}=2", delta=0.01),
        passed=True,
        compared=Compared(
            DATA,
            word,
            word,
            {"cv": word, "slices": [word], "groups": None},
            3,
            7,
            environment=((word, word, word),),
            leaks=(Leak("feature", (word,)), Leak("groups", (word,), 9), Leak("time", (word, word))),
        ),
        concessions=Concessions(
            word,
            (word,),
            (
                Acceptance(2, word, "loss", (Loss(word, "worse"),), (Weakening("said", word),)),
                Acceptance(1, word, "incomparable", said=word),
            ),
        ),
        differences=Differences(
            ChangedRows(3, 1, (1, 2, 3)),
            Moved(word, word, word, (ScoreGrid(word, 0.94, 0.93, None, 0.91),), word),
            charts or drawings(word),
        ),
        quality=RecordingQuality((quality(word),), (quality(word),)),
    )


def quality(name: str = "x") -> MetricQuality:
    """Return a metric that can hardly fail."""
    return MetricQuality(name, 0.9, 0.12, 0.4, 0.12, 0.01, 0.2, 0.1, 0.2, 500, 720, ((3, 0.4),))


def drawings(word: str = "x") -> dict[str, Any]:
    y, old = two_classes(0)
    drawn = draw_charts(y, old, two_classes(1)[1])
    return drawn | {"positive": word, "confusion": drawn["confusion"] | {"labels": [word, f"{word}2"]}}


def recordings(word: str = "x") -> list[Recording]:
    """Return three recordings, each with a loss that was accepted; before the last, the data moved."""
    return [
        Recording(
            Commit("1c27f56ab0d9" * 3, word, f"2026-0{k}-01T10:00:00+00:00", word),
            lives.baseline(
                generation=k,
                data=(("data/churn.csv", "1" * 32 if k == 3 else "0" * 32),),
                metrics={word: lives.metric(0.9 + k / 100, standard_error=0.004)},
                history=(lives.accepted(k, word),),
            ),
        )
        for k in (1, 2, 3)
    ]
