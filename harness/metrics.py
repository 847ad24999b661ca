"""Predictions -> scores: every metric as one influence value per row, and never a new fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from harness import statistics
from harness.check import Metric
from harness.errors import PromiseError
from harness.predictions import Predictions
from harness.replay import Array, SeedAnswers, jackknife

LOG_LOSS_CLIP = 1e-3  # without it single rows own the result (benchmarks: false alarms up to 11%)


@dataclass(frozen=True)
class Scores:
    """One metric of one model, brought to a number per row whose mean is the metric.

    Parameters
    ----------
    definition : str
        How the metric was computed; two models are comparable only under the same definition.
    psi : ndarray of shape (n_seeds, n_rows)
        Influence values; a row's repeats are averaged first, so that a row counts once.
    units : ndarray of shape (n_rows,) or None
        Rows that depend on each other, or whose values were found together, share a unit; None: each stands alone.
    serial : bool
        Whether the units are periods, and neighbouring ones depend on each other too.
    splits : ndarray of shape (n_seeds, n_splits)
        The score in each fold of each repeat.
    weights : ndarray of shape (n_splits,)
        Each split's share of the rows; they sum to 1.
    kind : {'zero_one', 'mean', 'rank', 'jackknife'}
        Which family the metric belongs to, for the degenerate cases.
    grain : float
        The standard error of the smallest change there is: one row for hits, one swapped pair for ranks; 0 where a
        change can be as small as it likes.
    """

    definition: str
    psi: Array
    units: NDArray[np.int64] | None
    serial: bool
    splits: Array
    weights: Array
    kind: str
    grain: float

    @property
    def score(self) -> float:
        """The metric, averaged over seeds."""
        return float(self.psi.mean())

    @property
    def independent(self) -> Array:
        """One value per independent unit, shape (n_seeds, n_units), with the same mean: what intervals are made of."""
        if self.units is None:
            return self.psi
        score = self.psi.mean(axis=1, keepdims=True)
        unit = np.unique(self.units, return_inverse=True)[1]
        sums = np.stack([np.bincount(unit, weights=values) for values in self.psi - score])
        return np.asarray(score + sums * (sums.shape[1] / self.psi.shape[1]))

    @property
    def folds(self) -> Array:
        """The metric in each split, averaged over seeds; shape (n_splits,)."""
        return np.asarray(self.splits.mean(axis=0))

    def first(self, seeds: int) -> Scores:
        """Keep the first `seeds` seeds."""
        return replace(self, psi=self.psi[:seeds], splits=self.splits[:seeds])


def score(
    predictions: Predictions,
    target: NDArray[Any],
    metric: Metric,
    units: NDArray[np.int64] | None = None,
    *,
    serial: bool = False,
) -> Scores:
    """Score stored predictions.

    Parameters
    ----------
    predictions : Predictions
        Of one model.
    target : ndarray of shape (n_rows of the data set,)
        The truth.
    metric : Metric
        Any scikit-learn scorer.
    units : ndarray of shape (n_rows of the data set,) or None
        Rows with the same number depend on each other (a group, a day).
    serial : bool
        Whether the units are periods, numbered in their order.

    Returns
    -------
    Scores
        Means of per-row losses: the row's own term over all rows. ROC AUC (binary): DeLong's placement values inside
        each fold, fold scores weighted by rows. Any other scorer: the jackknife inside each fold.

    Raises
    ------
    PromiseError
        If the scorer can't score these predictions, or gives no finite number; if all rows depend on each other.
    """
    truth = target[predictions.row]
    split = predictions.split
    sizes = np.bincount(split)
    together = None if units is None else units[predictions.row]
    definition, kind, influence = _influence(metric, predictions, truth, split, together)
    slots = np.empty((predictions.seeds, len(split)))
    for seed in range(predictions.seeds):
        try:
            slots[seed], together = influence(seed)
        except Exception as error:  # a user's own function raises what it likes; so does a warning made an error
            text = re.sub(r"_Replay\w+", "it", " ".join(str(error).split())) or type(error).__name__
            raise PromiseError(
                f"metric {metric.name} can't score this candidate: {text}",
                "Name a metric that fits what the candidate answers: " + ", ".join(predictions.responses) + ".",
            ) from error
    if not np.isfinite(slots).all():
        raise PromiseError(f"metric {metric.name} is not a finite number", "Name another metric.")
    psi, row_units = _per_row(slots, together, predictions.row)
    if row_units is not None and len(np.unique(row_units)) < 2:
        raise PromiseError(
            f"metric {metric.name} can't be judged: all rows that are predicted depend on each other",
            "groups= and time= need rows of two groups, or of two days, that are predicted.",
        )
    splits = np.stack([np.bincount(split, weights=values) / sizes for values in slots])
    grain = _grain(kind, truth, split)
    return Scores(definition, psi, row_units, serial, splits, sizes / sizes.sum(), kind, grain)


def _grain(kind: str, truth: NDArray[Any], split: NDArray[np.int64]) -> float:
    if kind == "zero_one":
        return 1 / len(truth)
    if kind != "rank":
        return 0.0
    sizes = np.bincount(split)
    positive = np.bincount(split, weights=truth == np.unique(truth)[1])
    return float(np.sqrt(2) / len(truth) * np.mean(sizes / (positive * (sizes - positive))))


def definition(predictions: Predictions, target: NDArray[Any], metric: Metric) -> str:
    """Say how `score` computes a metric, without computing it."""
    return _influence(metric, predictions, target[predictions.row], predictions.split, None)[0]


Influence = Callable[[int], tuple[Array, NDArray[np.int64] | None]]


def _influence(
    metric: Metric,
    predictions: Predictions,
    truth: NDArray[Any],
    split: NDArray[np.int64],
    units: NDArray[np.int64] | None,
) -> tuple[str, str, Influence]:
    """Choose the way to influence values: (definition, kind, function of the seed)."""
    scorer, name = metric.scorer, _described(metric)
    function, classes = scorer._score_func, predictions.classes
    known = next((known for known in _ROW_LOSSES if _is(scorer, known)), None)
    if known is not None and classes is not None:
        label, kind, loss = _ROW_LOSSES[known]
        return f"mean of {label} per row", kind, lambda seed: (loss(SeedAnswers(predictions, seed), truth), units)
    if function in _MULTIOUTPUT and scorer._response_method == "predict" and scorer._kwargs.keys() <= {"alpha"}:
        # one sample of n outputs: scikit-learn then gives the loss of every row
        def rowwise(seed: int) -> tuple[Array, NDArray[np.int64] | None]:
            answers = predictions.responses["predict"][seed]
            losses = function(truth[None], answers[None], multioutput="raw_values", **scorer._kwargs)
            return scorer._sign * losses, units

        return f"mean of {name} per row", "mean", rowwise
    if function is sk.roc_auc_score and _ranks(scorer) and classes is not None and len(classes) == 2:
        positive = truth == classes[1]

        def ranked(seed: int) -> tuple[Array, NDArray[np.int64] | None]:
            values = np.empty(len(truth))
            answers = SeedAnswers(predictions, seed).ranking(scorer._response_method)
            for k in range(split.max() + 1):
                inside = split == k
                if positive[inside].all() or not positive[inside].any():
                    raise ValueError(f"all rows of split {k + 1} are of one class, and there is nothing to rank")
                values[inside] = statistics.delong_placements(positive[inside], answers[inside])
            return values, units

        return "ROC AUC inside each fold, weighted by rows", "rank", ranked
    if _is(scorer, "r2"):
        return (
            f"{name} inside each fold, weighted by rows",
            "mean",
            lambda seed: (_r2(SeedAnswers(predictions, seed)["predict"], truth, split), units),
        )
    return (
        f"{name} inside each fold, weighted by rows",
        "jackknife",
        lambda seed: jackknife(scorer, SeedAnswers(predictions, seed), truth, split, units, predictions.row),
    )


def _described(metric: Metric) -> str:
    """Give the metric's name with its options: fbeta_score of another beta is another metric."""
    options, name = metric.scorer._kwargs, metric.name
    if not options or (name in sk.get_scorer_names() and options == sk.get_scorer(name)._kwargs):
        return name
    listed = ", ".join(f"{key}={value!r}" for key, value in sorted(options.items()))
    return f"{name}({re.sub(' at 0x[0-9a-f]+', '', listed)})"  # an address is another one in every run


def _is(scorer: Any, name: str) -> bool:
    """Whether a scorer computes what scikit-learn's scorer of this name does."""
    known = sk.get_scorer(name)
    return (
        scorer._score_func is known._score_func
        and scorer._sign == known._sign
        and scorer._response_method == known._response_method
        and not scorer._kwargs
    )


def _ranks(scorer: Any) -> bool:
    """Whether a scorer of ROC AUC is a plain one that ranks by a score, and not by the predicted labels."""
    methods = scorer._response_method
    methods = {methods} if isinstance(methods, str) else set(methods)
    return scorer._sign > 0 and not scorer._kwargs and methods <= {"decision_function", "predict_proba"}


def _hit(answers: SeedAnswers, truth: NDArray[Any]) -> Array:
    return np.asarray(answers["predict"] == truth, dtype=float)


def _log_loss(answers: SeedAnswers, truth: NDArray[Any]) -> Array:
    return np.log(np.maximum(answers.of_truth(truth), LOG_LOSS_CLIP))


def _brier(answers: SeedAnswers, truth: NDArray[Any]) -> Array:
    classes = answers.predictions.classes
    assert classes is not None
    errors = ((answers["predict_proba"] - (truth[:, None] == classes)) ** 2).sum(axis=1)
    return np.asarray(-errors / (2 if len(classes) == 2 else 1))  # as scikit-learn's scale_by_half="auto"


_RowLoss = tuple[str, str, Callable[[SeedAnswers, NDArray[Any]], Array]]
_ROW_LOSSES: Mapping[str, _RowLoss] = {
    "accuracy": ("hits", "zero_one", _hit),
    "neg_log_loss": (f"log loss, clipped at {LOG_LOSS_CLIP:g},", "mean", _log_loss),
    "neg_brier_score": ("Brier score", "mean", _brier),
}
_MULTIOUTPUT = {
    sk.mean_squared_error,
    sk.mean_absolute_error,
    sk.mean_absolute_percentage_error,
    sk.mean_squared_log_error,
    sk.mean_pinball_loss,
}


def _r2(predicted: NDArray[Any], truth: NDArray[Any], split: NDArray[np.int64]) -> Array:
    """Give `jackknife`'s pseudo-values of R2 in closed form: a default should not cost a thousand calls."""
    psi = np.empty(len(truth))
    for k in range(split.max() + 1):
        inside = split == k
        y, rows = truth[inside].astype(float), int(inside.sum())
        errors, squares = (y - predicted[inside]) ** 2, (y - y.mean()) ** 2
        # what the other rows spread around their own mean
        total = squares.sum() - rows / max(rows - 1, 1) * squares
        if squares.sum() == 0 or (total <= 1e-12 * squares.sum()).any():
            raise ValueError(f"the rows of split {k + 1} have hardly two different targets, and R2 is undefined")
        whole = 1 - errors.sum() / squares.sum()
        values = whole + (rows - 1) * (whole - (1 - (errors.sum() - errors) / total))
        psi[inside] = values + (whole - values.mean())
    return psi


def _per_row(
    slots: Array, units: NDArray[np.int64] | None, row: NDArray[np.int64]
) -> tuple[Array, NDArray[np.int64] | None]:
    """Average a row's repeats; all of them have the same unit."""
    rows, index, counts = np.unique(row, return_inverse=True, return_counts=True)
    psi = np.stack([np.bincount(index, weights=values) / counts for values in slots])
    if units is None:
        return psi, None
    of_row = np.empty(len(rows), dtype=np.int64)
    of_row[index] = units
    return psi, of_row
