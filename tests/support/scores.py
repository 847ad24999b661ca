"""Scores made of influence values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pytest_model_check.judgement.scores import Scores
from pytest_model_check.judgement.statistics import split_variances


def scores(
    psi: ArrayLike,
    kind: str = "mean",
    min_standard_error: float = 0.0,
    clusters: NDArray[Any] | None = None,
    folds: int = 2,
) -> Scores:
    """Bring rows to scores, in folds of neighbours."""
    psi = np.atleast_2d(np.asarray(psi, dtype=float))
    parts = np.array_split(np.arange(psi.shape[1]), folds)
    splits = np.stack([psi[:, part].mean(axis=1) for part in parts], axis=1)
    weights = np.array([len(part) for part in parts]) / psi.shape[1]
    fold = np.repeat(np.arange(folds), [len(part) for part in parts])
    variances = split_variances(psi, fold) if len(psi) > 1 else np.zeros(folds)
    return Scores(
        "defined", psi, clusters, False, splits, variances, weights, kind, min_standard_error, split_of_row=fold
    )
