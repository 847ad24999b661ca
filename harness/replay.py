"""Replay: stored predictions answer any scorer as the fitted model would, and again with rows left out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.metaestimators import available_if

from harness.predictions import Predictions

Array = NDArray[np.float64]
JACKKNIFE_GROUPS = 100  # per fold, at most: smaller folds leave out one row at a time


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
        """Give what ROC AUC ranks by: the first that the candidate has, in the scorer's order of preference."""
        methods = (methods,) if isinstance(methods, str) else methods
        answers = self[next((name for name in methods if name in self.predictions.responses), methods[-1])]
        return np.asarray(answers if answers.ndim == 1 else answers[:, 1])

    def of_truth(self, truth: NDArray[Any]) -> Array:
        """Give the probability given to each row's own class."""
        assert self.predictions.classes is not None
        columns = np.searchsorted(self.predictions.classes, truth)
        return np.asarray(self["predict_proba"][np.arange(len(truth)), columns])


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


def jackknife(
    scorer: Any,
    answers: SeedAnswers,
    truth: NDArray[Any],
    split: NDArray[np.int64],
    units: NDArray[np.int64] | None,
    row: NDArray[np.int64],
) -> tuple[Array, NDArray[np.int64]]:
    """Find pseudo-values: leave out a unit (or a hundredth of the units) at a time and score what remains.

    References
    ----------
    .. [1] Tukey, "Bias and confidence in not-quite large samples", Ann. Math. Stat. 29 (1958) 614.
    .. [2] Shao and Wu, "A general theory for jackknife variance estimation", Ann. Stat. 17 (1989) 1176.
    """
    model = (_ReplayRegressor if answers.predictions.classes is None else _ReplayClassifier)(answers)
    left_out = _left_out(split, units, row)
    psi = np.empty(len(truth))
    for k in range(split.max() + 1):
        slots = np.flatnonzero(split == k)
        whole = float(scorer(model, slots, truth[slots]))
        group = np.unique(left_out[slots], return_inverse=True)[1]
        groups = int(group.max()) + 1
        if groups < 2:
            raise ValueError(f"split {k + 1} holds one group only, and nothing remains without it")
        pseudo = np.empty(groups)
        with warnings.catch_warnings():  # the whole fold has warned, if there is reason to
            warnings.simplefilter("ignore")
            for g in range(groups):
                rest = slots[group != g]
                odds = len(rest) / (len(slots) - len(rest))
                pseudo[g] = whole + odds * (whole - float(scorer(model, rest, truth[rest])))
        values = pseudo[group]
        psi[slots] = values + (whole - values.mean())  # centred: the mean is the score itself, without jackknife bias
    return psi, left_out


def _left_out(split: NDArray[np.int64], units: NDArray[np.int64] | None, row: NDArray[np.int64]) -> NDArray[np.int64]:
    """Say what is left out together: a unit, or where a fold has too many of them, each hundredth one.

    A row keeps its number in every repeat. Otherwise its repeats would be averaged with those of rows that count as
    independent of it, which hides their spread: the standard error of ten repeats came out at a third.
    """
    unit = np.unique(row if units is None else units, return_inverse=True)[1].astype(np.int64)
    most = max(len(np.unique(unit[split == k])) for k in range(split.max() + 1))
    if most <= JACKKNIFE_GROUPS:
        return unit
    if units is None and len(np.unique(row)) == len(row):  # without repeats every fold has hundredths of its own
        place = np.empty_like(split)
        for k in range(split.max() + 1):
            place[split == k] = np.arange(np.count_nonzero(split == k)) % JACKKNIFE_GROUPS
        return split * JACKKNIFE_GROUPS + place
    return unit % JACKKNIFE_GROUPS
