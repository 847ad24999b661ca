"""The rows that one model answers right and the other wrong. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.fitting.predictions import Predictions


def is_right(predictions: Predictions, target: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether each row that is predicted is predicted right, by most of its seeds and repeats."""
    hits = (predictions.responses["predict"] == target[predictions.row]).mean(axis=0)
    place = np.unique(predictions.row, return_inverse=True)[1]
    right: NDArray[np.bool_] = np.bincount(place, weights=hits) > np.bincount(place) / 2
    return right
