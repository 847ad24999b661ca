"""Predictions made of random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pytest_model_check.checks.check import Metric
from pytest_model_check.data.dataset import Truth
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement.scores import Scores
from pytest_model_check.scoring import metrics
from sklearn import metrics as sk


def metric(scorer: Any, name: str | None = None) -> Metric:
    """Promise a metric as `make_check` would."""
    if isinstance(scorer, str):
        return Metric(scorer, sk.get_scorer(scorer), None)
    return Metric(name or scorer._score_func.__name__, scorer, None)


def score(
    predictions: Predictions,
    y: NDArray[Any],
    metric: Metric,
    clusters: NDArray[Any] | None = None,
    *,
    is_time_series: bool = False,
) -> Scores:
    """Score predictions of rows with this truth."""
    return metrics.score(predictions, metric, Truth(y, clusters, is_time_series))


def standard_error(found: Scores) -> float:
    """Return the standard error that the judge would take of one model's score."""
    return found.standard_error(found.psi.mean(axis=0), found.folds).se


def binary(
    rows: int = 400,
    seed: int = 0,
    seeds: int = 1,
    folds: int = 4,
    repeats: int = 1,
    labels: tuple[Any, Any] = ("no", "yes"),
) -> tuple[Predictions, NDArray[Any]]:
    """Simulate a classifier of two classes, without fitting one; its seeds differ a little."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(rows) % 2)
    merit = 2 * y - 1 + rng.normal(0, 1.5, rows)
    row = np.concatenate([rng.permutation(rows) for _ in range(repeats)])
    slots = np.tile(np.arange(rows) * folds // rows, repeats)
    decision = merit[row] + rng.normal(0, 0.1, (seeds, rows * repeats))
    p = 1 / (1 + np.exp(-decision))
    classes = np.array(labels, dtype=object if isinstance(labels[0], str) else None)
    answers = {
        "predict": classes[(decision > 0).astype(int)],
        "predict_proba": np.stack([1 - p, p], axis=2),
        "decision_function": decision,
    }
    repeat = np.repeat(np.arange(repeats), rows)
    return Predictions(row, repeat, slots, answers, classes), classes[y]


def regression(rows: int = 200, seed: int = 0, folds: int = 4) -> tuple[Predictions, NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    y = rng.gamma(3, 1, rows)
    answers = {"predict": (y + rng.normal(0, 0.7, rows))[None]}
    row = np.arange(rows)
    return Predictions(row, row * 0, row * folds // rows, answers, None), y
