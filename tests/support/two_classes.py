"""Predictions of two classes, fold by fold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pytest_model_check.fitting.predictions import Predictions


def of_folds(
    responses: Mapping[str, NDArray[Any]], classes: NDArray[Any] | None, *, folds: int = 1, repeats: int = 1
) -> Predictions:
    """Predictions of rows 0 to n-1 in each repeat, dealt into folds in turn."""
    slots = next(iter(responses.values())).shape[1]
    row = np.tile(np.arange(slots // repeats), repeats)
    return Predictions(row, np.repeat(np.arange(repeats), slots // repeats), row % folds, responses, classes)


def two_classes(
    seed: int, rows: int = 400, folds: int = 1, seeds: int = 1, digits: int = 6
) -> tuple[NDArray[np.int64], Predictions]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, rows)
    p = np.round(np.clip(rng.normal(0.35 + 0.3 * y, 0.2, (seeds, rows)), 0.001, 0.999), digits)
    responses = {"predict": (p > 0.5).astype(int), "predict_proba": np.stack([1 - p, p], axis=2)}
    return y, of_folds(responses, np.array([0, 1]), folds=folds)
