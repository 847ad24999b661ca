"""The rows that one model answers right and the other wrong. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement.compared import ChangedRows

EXAMPLES = 5  # rows that a failure names


def count(
    approved: Predictions, candidate: Predictions, y: NDArray[Any], sample_weight: NDArray[np.float64] | None = None
) -> ChangedRows | None:
    """Count the rows that are wrong now and were right, and those the other way round; name the first ones.

    A row is right where most of its answers are, over seeds and repeats. None for regression. Rows of weight 0 don't
    count.
    """
    if candidate.classes is None:
        return None
    before = _is_right(approved.first(candidate.seeds), y)  # as many seeds, or ties would count as wrong
    after = _is_right(candidate, y)
    rows = np.unique(candidate.row)
    lost, won = rows[before & ~after], rows[after & ~before]
    if sample_weight is None:
        return ChangedRows(len(lost), len(won), tuple(lost[:EXAMPLES].tolist()))
    lost, won = (changed[sample_weight[changed] > 0] for changed in (lost, won))
    shares = sample_weight / sample_weight[rows].sum()
    parts = (float(f"{shares[changed].sum():.6g}") for changed in (lost, won))
    return ChangedRows(len(lost), len(won), tuple(lost[:EXAMPLES].tolist()), *parts)


def _is_right(predictions: Predictions, y: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether each row that is predicted is predicted right, by most of its seeds and repeats."""
    hits = (predictions.responses["predict"] == y[predictions.row]).mean(axis=0)
    place = np.unique(predictions.row, return_inverse=True)[1]
    right: NDArray[np.bool_] = np.bincount(place, weights=hits) > np.bincount(place) / 2
    return right
