"""Few rows of a class in a fold: what is then judged by folds, and what is reported only. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement.numbers import fold_label
from pytest_model_check.judgement.robust_variance import Strata
from pytest_model_check.judgement.scores import Array, Carriers
from pytest_model_check.scoring.jackknife import class_codes

MIN_ROWS = 5  # of a class, or of a label, in each fold: of fewer, pseudo-values say little (benchmarks/coverage.py)
MIN_FOLDS = 5  # that can tell how sure a score is: of fewer, Student's t is too wide to find anything


@dataclass(frozen=True)
class Composition:
    """How many rows of each class the folds hold.

    Parameters
    ----------
    classes : ndarray
        The labels.
    counts : ndarray, shape (n_splits, n_classes)
        Rows of each class in each split; of weighted rows, how many of equal weight would say as much.
    totals : ndarray, shape (n_classes,)
        Rows of each class that are predicted at all, in the same way.
    folds : tuple of int
        How many splits each repeat has.
    """

    classes: NDArray[Any]
    counts: Array
    totals: Array
    folds: tuple[int, ...]

    def few_in_all(self) -> str:
        """Describe which class is too rare to be ranked; empty if none is."""
        rarest = int(self.totals.argmin())
        if self.totals[rarest] >= MIN_ROWS:
            return ""
        return f"{_rows(self.totals[rarest])} of class {self.classes[rarest]}, and it takes {MIN_ROWS}"

    def few_in_a_fold(self, *, is_time_series: bool) -> str:
        """Describe which class is too rare in a fold, where the folds can't help either; empty if none is."""
        enough = f"{MIN_ROWS} rows of each class in every fold"
        split, rarest = np.unravel_index(self.counts.argmin(), self.counts.shape)
        if self.counts[split, rarest] >= MIN_ROWS or (min(self.folds) >= MIN_FOLDS and not is_time_series):
            return ""
        where = f"fold {fold_label(int(split), self.folds)}"
        found = f"{_rows(self.counts[split, rarest])} of class {self.classes[rarest]} in {where}"
        return f"{found}, and it takes {enough}" + ("" if is_time_series else f", or {MIN_FOLDS} folds")


def composition(predictions: Predictions, truth: NDArray[Any], weights: Array | None = None) -> Composition:
    """Count the classes of the rows that are predicted; truth and weights are those of the slots."""
    assert predictions.classes is not None
    classes, codes = predictions.classes, class_codes(truth, predictions.classes)
    slot = np.full(int(predictions.row.max()) + 1, -1)
    slot[predictions.row] = np.arange(len(predictions.row))
    last = slot[slot >= 0]  # of each row
    totals = counts(codes[last], np.zeros(len(last), dtype=np.int64), len(classes), _of(weights, last))[0]
    return Composition(classes, counts(codes, predictions.split, len(classes), weights), totals, folds_of(predictions))


def repeats(predictions: Predictions) -> NDArray[np.int64]:
    """Return the repeat that each split is of."""
    of_split = np.empty(int(predictions.split.max()) + 1, dtype=np.int64)
    of_split[predictions.split] = predictions.repeat
    return of_split


def folds_of(predictions: Predictions) -> tuple[int, ...]:
    """Return how many folds each repeat has."""
    return tuple(np.bincount(repeats(predictions)).tolist())


def counts(codes: NDArray[np.intp], split: NDArray[np.int64], classes: int, weights: Array | None = None) -> Array:
    """Count the codes in each split, shape (n_splits, n_classes); -1 is none.

    Of weighted slots, count how many of equal weight would say as much (Kish's effective sample size).
    """
    cell, cells = split * classes, (int(split.max()) + 1) * classes
    cell += codes
    if codes.min() < 0:
        known = codes >= 0
        cell, weights = cell[known], None if weights is None else weights[known]
    if weights is None:
        return np.bincount(cell, minlength=cells).reshape(-1, classes).astype(np.float64)
    sums, squares = (np.bincount(cell, weights=weights**power, minlength=cells) for power in (1, 2))
    effective = np.divide(sums**2, squares, out=np.zeros(cells), where=squares > 0)
    return np.asarray(effective.round(6).reshape(-1, classes))  # equal weights make whole numbers


def _of(weights: Array | None, slots: NDArray[np.intp]) -> Array | None:
    return None if weights is None else weights[slots]


def few_labels(predictions: Predictions, weights: Array | None = None) -> bool:
    """Whether a seed gives some label to too few rows of a fold."""
    assert predictions.classes is not None
    split, classes = predictions.split, predictions.classes
    return any(
        counts(class_codes(answers, classes), split, len(classes), weights).min() < MIN_ROWS
        for answers in predictions.responses["predict"]
    )


def carriers(
    codes: NDArray[np.intp], split: NDArray[np.int64], row: NDArray[np.int64], weights: Array | None = None
) -> Carriers:
    """Find the rows that carry what folds differ by: those of the rarest class in each.

    Parameters
    ----------
    codes, split, row : ndarray of int, shape (n_slots,)
        The class, the split and the row of each slot; every split holds a row of each class.
    weights : ndarray of shape (n_slots,) or None
        How much each slot counts, the mean over rows being 1; None: all count the same.
    """
    classes = int(codes.max()) + 1
    rarest = counts(codes, split, classes, weights).argmin(axis=1)
    splits = int(split.max()) + 1
    cell = (split * classes + codes).astype(np.min_scalar_type(splits * classes))  # there may be millions
    held = np.bincount(cell, weights=weights, minlength=splits * classes).reshape(-1, classes)
    stands_for = held.sum(axis=1)[:, None] / held
    place, times = _places(row)
    if times.max() == 1 and weights is None:
        cell_of_row = np.empty_like(cell)
        cell_of_row[place] = cell
        strata = Strata(cell_of_row, np.arange(held.size) % classes, stands_for.ravel())
    else:
        of_row = np.empty(len(times), dtype=np.intp)
        of_row[place] = codes
        of_slots = stands_for.ravel()[cell] if weights is None else stands_for.ravel()[cell] * weights
        strata = Strata.of_rows(of_row, np.bincount(place, weights=of_slots) / times)
    carry = np.arange(classes) == rarest[:, None]
    return Carriers(place, cell, np.where(carry, stands_for, 0.0), strata, weights)


def _places(row: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Count the rows over those that are predicted; return each slot's, and how often each is predicted."""
    times = np.bincount(row)
    if times.all():
        return row, times
    return (np.cumsum(times > 0) - 1)[row], times[times > 0]


def _rows(count: float) -> str:
    if count % 1:
        return f"there are, by their weights, {count:.1f} rows"
    return f"there {'is 1 row' if count == 1 else f'are {count:.0f} rows'}"
