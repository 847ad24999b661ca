"""ROC AUC by DeLong's placement values inside each fold. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from pytest_model_check.judgement import statistics
from pytest_model_check.judgement.scores import Array
from pytest_model_check.scoring.few_rows import counts as counts_of
from pytest_model_check.scoring.jackknife import FoldError, class_codes, in_folds


@dataclass(frozen=True)
class Contests:
    """Of which one-against-others comparisons a ROC AUC is the mean.

    Parameters
    ----------
    column : ndarray of int, shape (n_contests,)
        The class whose rows should get the higher scores.
    playing : ndarray of bool, shape (n_contests, n_classes)
        It, and the classes that it is compared with.
    owning : ndarray of bool of the same shape, or None
        The classes whose share of the rows is the contest's weight; None: all weigh the same.
    """

    column: NDArray[np.intp]
    playing: NDArray[np.bool_]
    owning: NDArray[np.bool_] | None

    def weights(self, shares: Array) -> Array:
        """Return each contest's weight where the classes have these shares of the rows, shape (n_contests, ...)."""
        if self.owning is None:
            return np.full((len(self.column), *shares.shape[1:]), 1 / len(self.column))
        return np.asarray(self.owning @ shares / self.owning[:, 0].sum())

    def min_standard_error(
        self, codes: NDArray[np.intp], split: NDArray[np.int64], weights: Array | None = None
    ) -> float:
        """Return the standard error of one exchanged pair, in the contest where it counts least."""
        counts = counts_of(codes, split, self.playing.shape[1], weights)
        rows = counts.sum(axis=1)
        own = counts.T[self.column]
        others = self.playing @ counts.T - own
        moved = (self.weights(counts.T / rows) * rows / (own * others)).min(axis=0)
        return float(np.sqrt(2) / rows.sum() * moved.mean())


def contests(scorer: Any, classes: NDArray[Any] | None) -> Contests | None:
    """Return the contests of a scorer of ROC AUC; None: it is none, or one with options of its own."""
    methods, options = scorer._response_method, dict(scorer._kwargs)
    average, scheme = options.pop("average", "macro"), options.pop("multi_class", "raise")
    ranks = {methods} if isinstance(methods, str) else set(methods)
    if (
        scorer._score_func is not sk.roc_auc_score
        or classes is None
        or scorer._sign < 0
        or options
        or not ranks <= {"decision_function", "predict_proba"}
        or average not in ("macro", "weighted")
        or scheme not in ("raise", "ovr", "ovo")
    ):
        return None
    if len(classes) == 2:
        return Contests(np.array([1]), np.ones((1, 2), dtype=bool), None)
    if scheme == "raise" or methods != "predict_proba":
        return None
    each = np.eye(len(classes), dtype=bool)
    if scheme == "ovr":
        column, playing, owning = np.arange(len(classes)), np.ones_like(each), each
    else:
        column, other = np.nonzero(~each)
        playing = owning = each[column] | each[other]
    return Contests(column, playing, owning if average == "weighted" else None)


def roc_auc(
    scores: Array,
    truth: NDArray[Any],
    classes: NDArray[Any],
    split: NDArray[np.int64],
    contests: Contests,
    weights: Array | None = None,
) -> Array:
    """Return DeLong's placement values inside each fold, averaged over the contests as scikit-learn does.

    A weight is a share of the rows, and so an estimate: its own influence is that of a mean.

    References
    ----------
    .. [1] Hand and Till, "A simple generalisation of the area under the ROC curve for multiple class classification
       problems", Machine Learning 45 (2001) 171.
    """
    codes, psi = class_codes(truth, classes), np.zeros(len(truth))
    for k, slots in enumerate(in_folds(split)):
        code, weight = codes[slots], None if weights is None else weights[slots]
        counts = np.bincount(code, weights=weight, minlength=len(classes))
        rows = counts.sum()
        if (counts == rows).any():
            raise FoldError(k, "all its rows are of one class, and there is nothing to rank")
        if (counts == 0).any():
            raise FoldError(k, f"it holds no row of class {classes[counts.argmin()]}")
        auc, shares = np.empty(len(contests.column)), contests.weights(counts / rows)
        for j, (column, playing) in enumerate(zip(contests.column, contests.playing, strict=True)):
            part = slice(None) if playing.all() else np.flatnonzero(playing[code])
            ranked = scores[slots] if scores.ndim == 1 else scores[slots, column]
            mass = None if weight is None else weight[part]
            placed = statistics.delong_placements(code[part] == column, ranked[part], mass)
            auc[j] = np.average(placed, weights=mass)
            playing_rows = len(placed) if mass is None else mass.sum()
            psi[slots[part]] += shares[j] * rows / playing_rows * (placed - auc[j])
        psi[slots] += (auc @ contests.weights(np.eye(len(classes))))[code]
    return psi
