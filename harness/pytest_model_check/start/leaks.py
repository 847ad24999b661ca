"""Columns that know too much: each alone predicts the target almost perfectly."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

ALMOST = 0.99  # of what a dummy leaves to be explained
SAME_ORDER = 0.999  # rank correlation with the target: it is the target by another scale
MOST_ROWS = 4000  # that are looked at
FEWEST_ROWS = 40  # fewer prove nothing


def leaks(table: pd.DataFrame, columns: Iterable[str], y: NDArray[Any], task: str) -> list[str]:
    """Return the columns by which a small tree, fitted on half of the rows, explains nearly all of the other half."""
    rows = np.random.default_rng(0).permutation(len(y))[:MOST_ROWS]
    if len(rows) < FEWEST_ROWS:
        return []
    return [name for name in columns if _explained(table[name].iloc[rows], y[rows], task) > ALMOST]


def _explained(column: pd.Series[Any], y: NDArray[Any], task: str) -> float:
    """Return the share of the dummy's error that the column takes away, out of sample."""
    import pandas as pd
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    numbers = column if pd.api.types.is_numeric_dtype(column) else pd.Series(pd.factorize(column)[0])
    x, half = numbers.to_numpy(dtype=float, na_value=np.nan).reshape(-1, 1), len(y) // 2
    if task == "classification":
        labels, codes = np.unique(y, return_inverse=True)
        tree = DecisionTreeClassifier(max_leaf_nodes=max(4, 2 * len(labels)), random_state=0)
        wrong = (tree.fit(x[:half], codes[:half]).predict(x[half:]) != codes[half:]).mean()
        dummy = (codes[half:] != np.bincount(codes[:half]).argmax()).mean()
    else:
        tree = DecisionTreeRegressor(min_samples_leaf=2, random_state=0)
        wrong = ((tree.fit(x[:half], y[:half]).predict(x[half:]) - y[half:]) ** 2).mean()
        dummy = ((y[half:] - y[:half].mean()) ** 2).mean()
        if abs(numbers.rank().corr(pd.Series(y, index=numbers.index).rank())) > SAME_ORDER:
            return 1.0
    return 1 - float(wrong) / float(dummy) if dummy > 0 else 0.0
