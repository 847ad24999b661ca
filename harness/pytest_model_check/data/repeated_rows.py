"""Rows that stand both among those that a fold is fitted on and those that it predicts."""

from __future__ import annotations

import numpy as np

from pytest_model_check.data.splits import CrossValidation


def count(cv: CrossValidation) -> int:
    """Count the rows that are predicted by a fit that has seen the same row: all features and the target are equal.

    Features that are equal beside another target give no answer away. Neither are near copies counted.
    """
    import pandas as pd

    data = cv.dataset
    if not data.X.shape[1]:
        return 0
    try:
        hashes = pd.util.hash_pandas_object(data.X, index=False).to_numpy()
        hashes = hashes * np.uint64(31) + pd.util.hash_array(data.y)
    except TypeError:  # values that can't be hashed, as load= may give them: lists, arrays
        return 0
    _, codes, sizes = np.unique(hashes, return_inverse=True, return_counts=True)
    if len(sizes) == data.rows:
        return 0
    repeated = np.zeros(data.rows, dtype=bool)
    for split in cv.splits:
        fitted = np.zeros(len(sizes), dtype=bool)
        fitted[codes[split.train]] = True
        repeated[split.test] |= fitted[codes[split.test]]
    return int(repeated.sum())
