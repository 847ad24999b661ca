"""Scores: one metric of one set of predictions, by row and by fold. Records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.errors import PromiseError
from pytest_model_check.judgement import statistics
from pytest_model_check.judgement.robust_variance import Strata

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Carriers:
    """Rows that carry what their fold differs from the others by, where influence values are centred inside folds.

    A fold centres the values of each class on a mean of its own, and of m values that hides one m-th of their variance:
    all of it where there is one. What is hidden shows between the folds. So the rows of the fold's rarest class carry
    the fold's difference, each as much as it counts in its class's mean.

    Parameters
    ----------
    row, cell : ndarray of int, shape (n_slots,)
        The row of each slot (counted over those that are predicted), and its place in `loads`, flattened.
    loads : ndarray of shape (n_splits, n_classes)
        How many times a slot of each split and class carries its fold's difference: ``n_k / m`` if the class is the
        rarest of the fold, with m of its n_k slots, else 0. Of weighted rows, by their weights.
    strata : Strata
        The classes of the rows.
    weights : ndarray of shape (n_slots,) or None
        How much each slot counts, the mean over rows being 1; None: all count the same.
    """

    row: NDArray[np.int64]
    cell: NDArray[np.integer]
    loads: Array
    strata: Strata
    weights: Array | None = None

    def spread(self, rows: Array, differences: Array) -> Array:
        """Let the carriers carry the folds' differences, which the influence values of all rows hold once."""
        of_cells = (self.loads - 1) * differences[:, None]
        carried: Array = np.bincount(self.row, weights=self._weighted(of_cells)).astype(np.float64, copy=False)
        carried /= np.bincount(self.row)
        carried += rows
        return carried

    def squared_loads(self) -> Array:
        """Return the sum of the squares of what the slots of each split carry."""
        splits, classes = self.loads.shape
        if self.weights is None:
            counts = np.bincount(self.cell, minlength=self.loads.size).reshape(self.loads.shape)
            return np.asarray((counts * self.loads**2).sum(axis=1))
        carried = self._weighted(self.loads)
        return np.asarray(np.bincount(self.cell // classes, weights=carried**2, minlength=splits), dtype=np.float64)

    def _weighted(self, of_cells: Array) -> Array:
        """Return what each slot has of the values of its cell."""
        of_slots: Array = of_cells.ravel()[self.cell]
        return of_slots if self.weights is None else of_slots * self.weights


@dataclass(frozen=True)
class Scores:
    """One metric of one model, brought to a number per row whose mean is the metric.

    Parameters
    ----------
    definition : str
        How the metric was computed; two models are comparable only under the same definition.
    psi : ndarray of shape (n_seeds, n_rows)
        Influence values; a row's repeats are averaged first, so that a row counts once. Of weighted rows, how far a
        row is from the metric is taken times its weight over the mean weight, so that their plain mean is the metric.
    clusters : ndarray of shape (n_rows,) or None
        Rows that depend on each other, or whose values were found together, share a unit; None: each stands alone.
    is_time_series : bool
        Whether the clusters are periods, and neighbouring ones depend on each other too.
    splits : ndarray of shape (n_seeds, n_splits)
        The score in each fold of each repeat.
    row_variances : ndarray of shape (n_splits,)
        How much the score of each split varies over the seeds because its rows do; 0 where there is one seed.
    weights : ndarray of shape (n_splits,)
        Each split's share of the rows, or of their weight; they sum to 1.
    kind : {'zero_one', 'mean', 'rank', 'jackknife', 'extreme'}
        Which family the metric belongs to, for the degenerate cases.
    min_standard_error : float
        The standard error of the smallest change there is: one row for hits, one swapped pair for ranks; 0 where a
        change can be as small as it likes.
    repeats : ndarray of int, shape (n_splits,), or None
        Which repeat of the cross-validation each split is of; None: all are of one.
    by_folds : bool
        Whether a class, or a label that is answered, has too few rows in a fold for the influence values to be
        believed: then the folds have to tell how sure the score is.
    carriers : Carriers or None
        Of ranks: which rows carry what the folds differ by.
    split_of_row : ndarray of int, shape (n_rows,), or None
        The first split that held the row out; None: not known.
    row_weights : ndarray of shape (n_rows,) or None
        How much each row counts, the mean being 1; None: all count the same.
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
    repeats: NDArray[np.int64] | None = None
    by_folds: bool = False
    carriers: Carriers | None = None
    split_of_row: NDArray[np.integer] | None = None
    row_weights: Array | None = None

    @property
    def effective_rows(self) -> float:
        """How many rows of equal weight would say as much of a mean."""
        rows = self.psi.shape[1]
        return rows if self.row_weights is None else float(rows**2 / (self.row_weights @ self.row_weights))

    @cached_property
    def _strata(self) -> Strata | None:
        """The classes whose means are added, with what each row counts in them."""
        if self.carriers is not None:
            return self.carriers.strata
        if self.row_weights is None:
            return None
        return Strata.of_rows(np.zeros(len(self.row_weights), dtype=np.intp), self.row_weights)

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

    def standard_error(self, rows: Array, folds: Array) -> statistics.StandardError:
        """Return the standard error of a score like this one, or of a difference of two.

        Parameters
        ----------
        rows : ndarray of shape (n_rows,)
            Its influence values.
        folds : ndarray of shape (n_splits,)
            Its value in each split.

        Raises
        ------
        PromiseError
            If the folds would have to tell, and there are not two.
        """
        if self.by_folds:
            if not self.has_folds:
                raise PromiseError(
                    "a class, or a label that is answered, has too few rows, and a single fold can't tell how sure its "
                    "score is",
                    "Use five folds or more (cv=5), or a metric that sees every row, e.g. neg_brier_score.",
                )
            return statistics.fold_standard_error(folds, self.weights, self.repeats, is_time_series=self.is_time_series)
        if self.carriers is not None:
            rows = self.carriers.spread(rows, folds - folds @ self.weights)
        return statistics.standard_error(rows, self.clusters, is_time_series=self.is_time_series, strata=self._strata)

    def pooled_standard_error(self, rows: Array, folds: Array) -> statistics.StandardError:
        """Return the root mean square of the standard errors of several: of shape (n, n_rows) and (n, n_splits)."""
        if self.by_folds or self._strata is not None:
            return statistics.pooled([self.standard_error(*values) for values in zip(rows, folds, strict=True)])
        return statistics.pooled_standard_error(rows, self.clusters, is_time_series=self.is_time_series)

    @property
    def error_between_seeds(self) -> statistics.StandardError:
        """The standard error of the difference of two seeds, as rows (or folds) show it; it takes at least two."""
        seeds = len(self.psi)
        rows, folds = self.psi - self.psi[0], self.splits - self.splits[0]  # of equal seeds zero, not rounding noise
        error = self.pooled_standard_error(rows - rows.mean(axis=0), folds - folds.mean(axis=0))
        return replace(error, se=sqrt(2 * seeds / (seeds - 1)) * error.se)

    @property
    def has_folds(self) -> bool:
        """Whether every repeat has folds to compare."""
        return int(np.bincount(np.zeros(len(self.weights), int) if self.repeats is None else self.repeats).min()) > 1

    def as_sparse_as(self, other: Scores) -> Scores:
        """Be judged by folds, where the other has to be."""
        return replace(self, by_folds=self.by_folds or other.by_folds)

    def first(self, seeds: int) -> Scores:
        """Keep the first `seeds` seeds."""
        return replace(self, psi=self.psi[:seeds], splits=self.splits[:seeds])
