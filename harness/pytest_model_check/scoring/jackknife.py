"""Stored predictions answer any scorer as the fitted model would, and again with rows left out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import ceil, isfinite, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.metaestimators import available_if

from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement.scores import Array

JACKKNIFE_GROUPS = 200  # over all folds: by so many a standard error is known to 5%
FOLD_GROUPS = (20, 100)  # of one fold, at least and at most: a fold of fewer rows leaves out one at a time


@dataclass(frozen=True)
class SeedAnswers:
    """The responses of one seed."""

    predictions: Predictions
    seed: int

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self.predictions.responses:
            raise ValueError(f"it needs {name}, which the candidate does not have")
        return np.asarray(self.predictions.responses[name][self.seed])

    def ranking(self, methods: str | Sequence[str]) -> Array:
        """Return what ROC AUC ranks by: the first that the candidate has, in the scorer's order of preference.

        Shape (n_slots,) for two classes, else (n_slots, n_classes).
        """
        methods = (methods,) if isinstance(methods, str) else methods
        answers = self[next((name for name in methods if name in self.predictions.responses), methods[-1])]
        return answers[:, 1] if answers.ndim == 2 and answers.shape[1] == 2 else answers

    def of_truth(self, truth: NDArray[Any]) -> Array:
        """Return the probability given to each row's own class."""
        assert self.predictions.classes is not None
        columns = class_codes(truth, self.predictions.classes)[:, None]
        return np.take_along_axis(np.asarray(self["predict_proba"], dtype=float), columns, axis=1)[:, 0]


def class_codes(labels: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.intp]:
    """Return the place of each label among the classes, -1 for any other label."""
    import pandas as pd  # it hashes: to compare a million strings with each other takes three times as long

    known, given = (pd.Index(values, dtype=values.dtype) for values in (classes, labels))
    return np.asarray(known.get_indexer(given), dtype=np.intp)


class FoldError(ValueError):
    """What can't be scored in one fold; `split` is its number over all repeats, from 0."""

    def __init__(self, split: int, message: str) -> None:
        super().__init__(message)
        self.split = split


def in_folds(split: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """Return the slots of each split."""
    return np.split(np.argsort(split, kind="stable"), np.cumsum(np.bincount(split))[:-1])


def _stored(name: str) -> Callable[[Any], bool]:
    return lambda replay: name in replay.answers.predictions.responses


class _Replay(BaseEstimator):  # type: ignore[misc]
    """Stand in for the fitted model: ask it about slots, and it answers what was stored."""

    def __init__(self, answers: SeedAnswers) -> None:
        self.answers = answers
        self.classes_ = answers.predictions.classes

    def __sklearn_is_fitted__(self) -> bool:
        return True

    @available_if(_stored("predict"))  # type: ignore[untyped-decorator]
    def predict(self, slots: NDArray[np.int64]) -> NDArray[Any]:
        return self.answers["predict"][slots]

    @available_if(_stored("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, slots: NDArray[np.int64]) -> NDArray[Any]:
        return self.answers["predict_proba"][slots]

    @available_if(_stored("decision_function"))  # type: ignore[untyped-decorator]
    def decision_function(self, slots: NDArray[np.int64]) -> NDArray[Any]:
        return self.answers["decision_function"][slots]


class _ReplayClassifier(ClassifierMixin, _Replay):  # type: ignore[misc]
    pass


class _ReplayRegressor(RegressorMixin, _Replay):  # type: ignore[misc]
    pass


def replayed(answers: SeedAnswers) -> Any:
    """Return what a scorer takes for the fitted model: it is asked about slots."""
    return (_ReplayRegressor if answers.predictions.classes is None else _ReplayClassifier)(answers)


def jackknife(
    scorer: Any,
    answers: SeedAnswers,
    truth: NDArray[Any],
    split: NDArray[np.int64],
    clusters: NDArray[np.int64] | None,
    row: NDArray[np.int64],
    weights: Array | None = None,
    *,
    is_time_series: bool = False,
) -> tuple[Array, NDArray[np.int64] | None]:
    """Find pseudo-values: leave out some rows at a time, and score what remains of their fold.

    Labels: rows of one class that are given the same label can't be told apart, so that one scoring for each such pair
    stands for every row, exactly. Everything else: a unit, or where a fold has too many of them, a share of
    its clusters at a time; their rows then count as one. Which of the two it is, depends on nothing that differs
    between models. Weighted rows are left out by their weight; of those that can't be told apart, the
    mean of their weights.

    Returns
    -------
    psi : ndarray of shape (n_slots,)
        Their mean over a fold, by weight, is the fold's score.
    clusters : ndarray of shape (n_slots,) or None
        Slots that depend on each other, or were left out together.

    References
    ----------
    .. [1] Tukey, "Bias and confidence in not-quite large samples", Ann. Math. Stat. 29 (1958) 614.
    .. [2] Shao and Wu, "A general theory for jackknife variance estimation", Ann. Stat. 17 (1989) 1176.
    """
    classes, model = answers.predictions.classes, replayed(answers)

    def score(slots: NDArray[np.intp], mass: Array | None = None) -> float:
        if mass is None:
            return float(scorer(model, slots, truth[slots]))
        there = mass > 0
        return float(scorer(model, slots[there], truth[slots[there]], sample_weight=mass[there]))

    labels = [] if classes is None else [class_codes(truth, classes)]
    if classes is not None and scorer._response_method == "predict":
        labels.append(class_codes(answers["predict"], classes) + 1)
    one_each = classes is not None and len(labels) == 2 and len(classes) ** 2 <= FOLD_GROUPS[1]
    if one_each:
        group = labels[0] * (labels[1].max() + 1) + labels[1]
    else:
        group = clusters = _left_out(split, clusters, row, is_time_series=is_time_series)
    psi = np.empty(len(truth))
    for slots in in_folds(split):
        mass = None if weights is None else weights[slots]
        whole = score(slots, mass)
        number = np.unique(group[slots], return_inverse=True)[1]
        groups = in_folds(number)
        with warnings.catch_warnings():  # the whole fold has warned, if there is reason to
            warnings.simplefilter("ignore")
            if mass is None:
                left_out = [members[:1] if one_each else members for members in groups]
                pseudo = [_pseudo_value(score, whole, slots, some, labels) for some in left_out]
            else:
                pseudo = [
                    _weighted_pseudo_value(score, whole, slots, mass, some, labels, one_each=one_each)
                    for some in groups
                ]
        values = np.array(pseudo)[number]
        psi[slots] = values + (
            whole - np.average(values, weights=mass)
        )  # centred: the mean is the score itself, without jackknife bias
    return psi, clusters


def _pseudo_value(
    score: Callable[[NDArray[np.intp]], float],
    whole: float,
    slots: NDArray[np.intp],
    left_out: NDArray[np.intp],
    labels: Sequence[NDArray[np.intp]],
) -> float:
    """Extrapolate from the score without some of a fold's slots to that of them alone.

    Where they are the last of a class or of a label, or the rest has no score, they are counted twice instead: without
    its only positive row a fold's precision is nothing, or another question, and says little about the row.
    """
    rest = np.delete(slots, left_out)
    less = nan
    if not any(_loses_one(codes[slots], left_out) for codes in labels):
        with suppress(Exception):  # of a user's own function, say, that can't do with one row only
            less = score(rest)
    if isfinite(less):
        return whole + len(rest) / len(left_out) * (whole - less)
    more = np.concatenate([slots, slots[left_out]])
    return whole + len(more) / len(left_out) * (score(more) - whole)


def _weighted_pseudo_value(
    score: Callable[[NDArray[np.intp], Array], float],
    whole: float,
    slots: NDArray[np.intp],
    mass: Array,
    group: NDArray[np.intp],
    labels: Sequence[NDArray[np.intp]],
    *,
    one_each: bool,
) -> float:
    """Extrapolate as `_pseudo_value` does, from less of the weight of a group: all, or that of one row of it."""
    part = 1 / len(group) if one_each else 1.0
    share = part * float(mass[group].sum()) / float(mass.sum())

    def scaled(factor: float) -> Array:
        other = mass.copy()
        other[group] *= factor
        return other

    less = nan
    left_out = group[:1] if one_each else group
    if not any(_loses_one(codes[slots], left_out) for codes in labels):
        with suppress(Exception):  # of a user's own function, say, that can't do with one row only
            less = score(slots, scaled(0.0 if part == 1 else 1 - part))
    if isfinite(less):
        return whole + (1 / share - 1) * (whole - less)
    return whole + (1 / share + 1) * (score(slots, scaled(1 + part)) - whole)


def _loses_one(codes: NDArray[np.intp], left_out: NDArray[np.intp]) -> bool:
    """Whether a code is among those left out only."""
    counts = np.bincount(codes)
    gone = np.bincount(codes[left_out], minlength=len(counts))
    return bool(((gone > 0) & (gone == counts)).any())


def _left_out(
    split: NDArray[np.int64], clusters: NDArray[np.int64] | None, row: NDArray[np.int64], *, is_time_series: bool
) -> NDArray[np.int64]:
    """Name what is left out together: a cluster, or where a fold has too many of them, every n-th one of them.

    A row keeps its number in every repeat. Otherwise its repeats would be averaged with those of rows that count as
    independent of it, which hides their spread: the standard error of ten repeats came out at a third. Periods that are
    left out together are neighbours, so that the groups follow each other in time too.
    """
    unit = np.unique(row if clusters is None else clusters, return_inverse=True)[1].astype(np.int64)
    folds = [np.unique(unit[slots], return_inverse=True) for slots in in_folds(split)]
    sizes = np.array([len(inside) for inside, _ in folds])
    everywhere = int(unit.max()) + 1
    apart = sizes.sum() == everywhere  # no unit is in two folds
    least, most = FOLD_GROUPS
    groups = min(most, max(least, ceil(JACKKNIFE_GROUPS / len(folds)))) if apart else most
    if sizes.max() <= groups:
        return unit
    if is_time_series:
        return unit * (groups * len(folds)) // everywhere
    if not apart:
        return unit % groups
    place = np.empty_like(split)
    for slots, (_, number) in zip(in_folds(split), folds, strict=True):
        place[slots] = number % groups
    return split * groups + place
