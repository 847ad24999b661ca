"""Few rows of a class in a fold: what is then judged by folds, and what is reported only. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement.robust_variance import Strata
from pytest_model_check.judgement.scores import Carriers
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
    counts : ndarray of int, shape (n_splits, n_classes)
        Rows of each class in each split.
    totals : ndarray of int, shape (n_classes,)
        Rows of each class that are predicted at all.
    folds : int
        How many splits the repeat that has the fewest of them has.
    """

    classes: NDArray[Any]
    counts: NDArray[np.int64]
    totals: NDArray[np.int64]
    folds: int

    def few_in_all(self) -> str:
        """Say which class is too rare to be ranked; empty if none is."""
        rarest = int(self.totals.argmin())
        if self.totals[rarest] >= MIN_ROWS:
            return ""
        return f"{_rows(self.totals[rarest])} of class {self.classes[rarest]}, and it takes {MIN_ROWS}"

    def few_in_a_fold(self, *, is_time_series: bool) -> str:
        """Say which class is too rare in a fold, where the folds can't help either; empty if none is."""
        enough = f"{MIN_ROWS} rows of each class in every fold"
        split, rarest = np.unravel_index(self.counts.argmin(), self.counts.shape)
        if self.counts[split, rarest] >= MIN_ROWS or (self.folds >= MIN_FOLDS and not is_time_series):
            return ""
        where = f"{_rows(self.counts[split, rarest])} of class {self.classes[rarest]} in split {split + 1}"
        return f"{where}, and it takes {enough}" + ("" if is_time_series else f", or {MIN_FOLDS} folds")


def composition(predictions: Predictions, truth: NDArray[Any]) -> Composition:
    """Count the classes of the rows that are predicted."""
    assert predictions.classes is not None
    classes, codes = predictions.classes, class_codes(truth, predictions.classes)
    of_row = np.full(int(predictions.row.max()) + 1, -1)
    of_row[predictions.row] = codes
    totals = np.bincount(of_row[of_row >= 0], minlength=len(classes))
    folds = int(np.bincount(repeats(predictions)).min())
    return Composition(classes, counts(codes, predictions.split, len(classes)), totals, folds)


def repeats(predictions: Predictions) -> NDArray[np.int64]:
    """Return the repeat that each split is of."""
    of_split = np.empty(int(predictions.split.max()) + 1, dtype=np.int64)
    of_split[predictions.split] = predictions.repeat
    return of_split


def counts(codes: NDArray[np.intp], split: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Count the codes in each split, shape (n_splits, n_classes); -1 is none."""
    cells = split * classes
    cells += codes
    if codes.min() < 0:
        cells = cells[codes >= 0]
    return np.bincount(cells, minlength=(int(split.max()) + 1) * classes).reshape(-1, classes)


def few_labels(predictions: Predictions) -> bool:
    """Whether a seed gives some label to too few rows of a fold."""
    assert predictions.classes is not None
    return any(
        counts(class_codes(answers, predictions.classes), predictions.split, len(predictions.classes)).min() < MIN_ROWS
        for answers in predictions.responses["predict"]
    )


def carriers(codes: NDArray[np.intp], split: NDArray[np.int64], row: NDArray[np.int64]) -> Carriers:
    """Find the rows that carry what folds differ by: those of the rarest class in each.

    Parameters
    ----------
    codes, split, row : ndarray of int, shape (n_slots,)
        The class, the split and the row of each slot; every split holds a row of each class.
    """
    classes = int(codes.max()) + 1
    held = counts(codes, split, classes)
    cell = (split * classes + codes).astype(np.min_scalar_type(held.size))  # there may be millions
    stands_for = held.sum(axis=1)[:, None] / held
    place, times = _places(row)
    if times.max() == 1:
        cell_of_row = np.empty_like(cell)
        cell_of_row[place] = cell
        strata = Strata(cell_of_row, np.arange(held.size) % classes, stands_for.ravel())
    else:
        of_row = np.empty(len(times), dtype=np.intp)
        of_row[place] = codes
        strata = Strata.of_rows(of_row, np.bincount(place, weights=stands_for.ravel()[cell]) / times)
    rarest = np.arange(classes) == held.argmin(axis=1)[:, None]
    return Carriers(place, cell, np.where(rarest, stands_for, 0.0), strata)


def _places(row: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Count the rows over those that are predicted; return each slot's, and how often each is predicted."""
    times = np.bincount(row)
    if times.all():
        return row, times
    return (np.cumsum(times > 0) - 1)[row], times[times > 0]


def _rows(count: int) -> str:
    return f"there {'is 1 row' if count == 1 else f'are {count} rows'}"
