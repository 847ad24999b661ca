"""Scores: one metric of one set of predictions, by row and by fold. Records."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.judgement import statistics

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """One metric of one model, brought to a number per row whose mean is the metric.

    Parameters
    ----------
    definition : str
        How the metric was computed; two models are comparable only under the same definition.
    psi : ndarray of shape (n_seeds, n_rows)
        Influence values; a row's repeats are averaged first, so that a row counts once.
    clusters : ndarray of shape (n_rows,) or None
        Rows that depend on each other, or whose values were found together, share a unit; None: each stands alone.
    is_time_series : bool
        Whether the clusters are periods, and neighbouring ones depend on each other too.
    splits : ndarray of shape (n_seeds, n_splits)
        The score in each fold of each repeat.
    row_variances : ndarray of shape (n_splits,)
        How much the score of each split varies over the seeds because its rows do; 0 where there is one seed.
    weights : ndarray of shape (n_splits,)
        Each split's share of the rows; they sum to 1.
    kind : {'zero_one', 'mean', 'rank', 'jackknife', 'extreme'}
        Which family the metric belongs to, for the degenerate cases.
    min_standard_error : float
        The standard error of the smallest change there is: one row for hits, one swapped pair for ranks; 0 where a
        change can be as small as it likes.
    """

    definition: str
    psi: Array
    clusters: NDArray[np.int64] | None
    is_time_series: bool
    splits: Array
    row_variances: Array
    weights: Array
    kind: str
    min_standard_error: float

    @property
    def score(self) -> float:
        """The metric, averaged over seeds."""
        return float(self.psi.mean())

    @property
    def noise(self) -> statistics.SeedNoise:
        """The noise of the seeds; it takes at least two."""
        return statistics.seed_noise(self.splits, self.weights, self.row_variances)

    @property
    def folds(self) -> Array:
        """The metric in each split, averaged over seeds; shape (n_splits,)."""
        return np.asarray(self.splits.mean(axis=0))

    def first(self, seeds: int) -> Scores:
        """Keep the first `seeds` seeds."""
        return replace(self, psi=self.psi[:seeds], splits=self.splits[:seeds])
