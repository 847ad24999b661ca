"""What harmless refits can make of a comparison: replicates, recombined split by split. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from pytest_model_check.judgement.statistics import Floats, half_widths

DRAWS = 20_000  # of recombined refits; the quantile that is read off them has some twenty beyond it


def lower_bounds(
    changes: npt.ArrayLike,
    split_of_row: NDArray[np.integer],
    noise: float,
    dof: float,
    *,
    level: float = 0.95,
    min_standard_error: float = 0.0,
    effective_rows: float | None = None,
) -> Floats:
    """Return the lower confidence bounds that refits without a real loss would get against their baseline.

    In every split the refit is another one of the replicates: each split is fitted by itself, so every such refit could
    have come about. A few replicates thus tell what thousands would do, and where few rows make the metric (they jump
    when one training row is missing) the bounds are as skewed as the metric is.

    Parameters
    ----------
    changes : array_like of shape (B, n)
        Influence values of B replicates less those of the baseline, in the metric's unit.
    split_of_row : ndarray of int of shape (n,)
        Which split held the row out.
    noise, dof : float
        Standard deviation that is beyond what rows show, and its degrees of freedom, as for `statistics.half_width`.
    level : float, default 0.95
        One-sided confidence of the bounds, in [0.5, 1).
    min_standard_error : float, default 0
        The standard error of the smallest change there is.
    effective_rows : float, optional
        How many rows of equal weight would say as much; by default as many as there are.

    Returns
    -------
    ndarray of shape (DRAWS,)
        Always the same ones for the same arguments.
    """
    changes = np.asarray(changes, dtype=np.float64)
    replicates, n = changes.shape
    sums = np.stack([np.bincount(split_of_row, weights=change) for change in changes])
    squares = np.stack([np.bincount(split_of_row, weights=change**2) for change in changes])
    rng = np.random.default_rng(0)
    total, square = np.zeros(DRAWS), np.zeros(DRAWS)
    for k in range(sums.shape[1]):  # one at a time: leave-one-out has as many splits as rows
        drawn = rng.integers(replicates, size=DRAWS)
        total += sums[drawn, k]
        square += squares[drawn, k]
    rows = np.maximum((square - total**2 / n) / (n * (n - 1)), min_standard_error**2)
    bounds: Floats = total / n - half_widths(
        level, np.sqrt(rows), noise, dof, rows_dof=max(1.0, (effective_rows or n) - 1)
    )
    return bounds
