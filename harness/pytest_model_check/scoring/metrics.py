"""Predictions -> scores: every metric as one influence value per row, and never a new fit."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from pytest_model_check.checks.check import Metric
from pytest_model_check.data.dataset import Truth
from pytest_model_check.errors import PromiseError
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement import statistics
from pytest_model_check.judgement.numbers import fold_label
from pytest_model_check.judgement.scores import Array, Carriers, Scores
from pytest_model_check.scoring.few_rows import MIN_ROWS, carriers, composition, few_labels, folds_of, repeats
from pytest_model_check.scoring.jackknife import FoldError, class_codes
from pytest_model_check.scoring.strategies import Strategy, strategy_of


def score(predictions: Predictions, metric: Metric, truth: Truth) -> Scores:
    """Score stored predictions.

    Parameters
    ----------
    predictions : Predictions
        Of one model.
    metric : Metric
        Any scikit-learn scorer.
    truth : Truth
        The target of all rows of the data set, and which of them depend on each other.

    Returns
    -------
    Scores
        Means of per-row losses: the row's own term over all rows. Anything else inside each fold, fold scores weighted
        by rows: ROC AUC by DeLong's placement values, the median error by its influence function, any other scorer by
        the jackknife. The largest error has none, and the score of its fold for every row.

    Raises
    ------
    PromiseError
        If the scorer can't score these predictions, or gives no finite number; if all rows depend on each other.
    """
    split, weights = predictions.split, weights_of(predictions, truth)
    scored, kept = _that_count(predictions, weights)
    y, mass = truth.y[scored.row], None if weights is None else weights[kept]
    together = None if truth.clusters is None else truth.clusters[scored.row]
    strategy = strategy_of(metric, scored, y, together, mass, is_time_series=truth.is_time_series)
    slots = np.zeros((predictions.seeds, len(split)))
    for seed in range(predictions.seeds):
        try:
            slots[seed, kept], together = strategy.influence(seed)
        except Exception as error:  # a user's own function raises what it likes; so does a warning made an error
            text = re.sub(r"_Replay\w+", "it", " ".join(str(error).split())) or type(error).__name__
            if isinstance(error, FoldError):
                text = f"fold {fold_label(error.split, folds_of(predictions))}: {text}"
            raise PromiseError(
                f"metric {metric.name} can't score this candidate: {text}",
                _advice(metric, predictions),
            ) from error
    if not np.isfinite(slots).all():
        raise PromiseError(f"metric {metric.name} is not a finite number", "Name another metric.")
    psi, row_clusters = _per_row(slots, _of_all(together, kept, len(split)), predictions.row)
    if row_clusters is not None and len(np.unique(row_clusters)) < 2:
        raise PromiseError(
            f"metric {metric.name} can't be judged: all rows that are predicted depend on each other",
            "groups= and time= need rows of two groups, or of two days, that are predicted.",
        )
    row_weights = None if weights is None else _of_rows(weights, predictions.row)
    sizes = np.bincount(split, weights=weights)
    scores = Scores(
        _defined(strategy, truth),
        psi if row_weights is None else _weighted(psi, row_weights),
        row_clusters,
        truth.is_time_series,
        np.stack([np.bincount(split, weights=values if weights is None else weights * values) for values in slots])
        / sizes,
        np.zeros(len(sizes)),
        sizes / sizes.sum(),
        strategy.kind,
        strategy.min_standard_error(),
        repeats(predictions),
        split_of_row=predictions.split_of_row,
        row_weights=row_weights,
    )
    if strategy.kind == "rank":
        scores = replace(scores, carriers=_carriers(scores, metric, predictions, truth.y[predictions.row], weights))
    elif strategy.kind == "jackknife":
        scores = replace(scores, by_folds=_is_sparse(metric, scored, y, mass))
    return replace(scores, row_variances=row_variances(scores, slots, split, weights))


def _advice(metric: Metric, predictions: Predictions) -> str:
    """Describe which metric would do: of two labels the positive one has to be named, of more an average."""
    function, classes = metric.scorer._score_func, predictions.classes
    takes = inspect.signature(function).parameters
    if classes is not None and len(classes) > 2 and function is sk.roc_auc_score:
        return "Name how the classes are compared: roc_auc_ovr, roc_auc_ovo, or one of these with _weighted."
    if classes is not None and len(classes) > 2 and metric.scorer._kwargs.get("average") == "binary":
        return f"Name an average over the classes: {metric.name}_macro, {metric.name}_weighted or {metric.name}_micro."
    if classes is not None and len(classes) == 2 and "pos_label" in takes and 1 not in classes.tolist():
        response = metric.scorer._response_method
        how = "" if response == "predict" else f", response_method={response!r}"
        return (
            "Name the label that counts as positive, perhaps "
            f"metrics=make_scorer({function.__name__}{how}, pos_label={classes.tolist()[-1]!r})."
        )
    return "Name a metric that fits what the candidate answers: " + ", ".join(predictions.responses) + "."


def weights_of(predictions: Predictions, truth: Truth) -> Array | None:
    """Return how much each slot counts, the mean over rows being 1; None: all count the same."""
    if truth.sample_weight is None:
        return None
    predicted = np.flatnonzero(np.bincount(predictions.row))
    rows = truth.sample_weight[predicted]
    if rows.min() == rows.max():
        return None
    relative = truth.sample_weight / rows.max()  # the mean of large numbers could be infinite
    return np.asarray(relative[predictions.row] / relative[predicted].mean())


def _that_count(predictions: Predictions, weights: Array | None) -> tuple[Predictions, slice | NDArray[np.intp]]:
    """Leave out the slots whose weight is 0: they have no part in a score, and are no evidence."""
    if weights is None or weights.all():
        return predictions, slice(None)
    kept = np.flatnonzero(weights)
    answers = {name: values[:, kept] for name, values in predictions.responses.items()}
    columns = (predictions.row[kept], predictions.repeat[kept], predictions.fold[kept])
    scored = Predictions(*columns, answers, predictions.classes)
    if scored.split.max() < predictions.split.max():
        raise PromiseError("all rows of a fold have the sample weight 0", "Use fewer folds, or drop such rows.")
    return scored, kept


def _of_all(clusters: NDArray[np.int64] | None, kept: slice | NDArray[np.intp], slots: int) -> NDArray[np.int64] | None:
    """Return the slots that were left out a number too; which one does not matter, for they don't count."""
    if clusters is None or isinstance(kept, slice):
        return clusters
    whole = np.full(slots, clusters.min())
    whole[kept] = clusters
    return whole


def _of_rows(weights: Array, row: NDArray[np.int64]) -> Array:
    """Return the weights of the rows that are predicted."""
    whole = np.zeros(int(row.max()) + 1)
    whole[row] = weights
    return whole[np.bincount(row) > 0]


def _weighted(psi: Array, weights: Array) -> Array:
    """Bring values whose weighted mean is the metric to such whose plain mean is: a row is as far off as it counts."""
    means = (psi @ weights / len(weights))[:, None]
    return np.asarray(means + weights * (psi - means))


def _defined(strategy: Strategy, truth: Truth) -> str:
    return strategy.definition if truth.sample_weight is None else f"{strategy.definition}, with sample weights"


def row_variances(scores: Scores, slots: Array, split: NDArray[np.int64], weights: Array | None = None) -> Array:
    """Return how much the score of each split varies over the seeds because its rows do, as the judge sees them.

    Parameters
    ----------
    scores : Scores
        Its values by fold.
    slots : ndarray of shape (n_seeds, n_slots)
        Its influence values.
    split : ndarray of int, shape (n_slots,)
        The split of each slot.
    weights : ndarray of shape (n_slots,) or None
        How much each slot counts; None: all count the same.
    """
    if len(slots) < 2:
        return np.zeros(len(scores.weights))
    of_folds = scores.splits.var(axis=0, ddof=1)
    if scores.by_folds:
        return np.asarray(of_folds)  # all of it: the folds tell
    variances = statistics.split_variances(slots, split, weights)
    if scores.carriers is not None:
        variances += of_folds * scores.carriers.squared_loads() / np.bincount(split, weights=weights) ** 2
    return variances


def _carriers(
    scores: Scores, metric: Metric, predictions: Predictions, truth: NDArray[Any], weights: Array | None
) -> Carriers | None:
    """Find which rows carry what folds differ by; None where a class has a single row, which tells nothing of it."""
    assert predictions.classes is not None
    found = carriers(class_codes(truth, predictions.classes), predictions.split, predictions.row, weights)
    counted, classes = found.strata.loads[found.strata.cells] > 0, predictions.classes
    codes = found.strata.codes[found.strata.cells[counted]]
    if np.bincount(codes).min() < 2:
        return None  # and `unjudgeable` says so
    if scores.clusters is not None and not scores.is_time_series:
        clusters = np.bincount(np.unique(scores.clusters[counted] * len(classes) + codes) % len(classes))
        if clusters.min() < 2:
            raise PromiseError(
                f"metric {metric.name} can't be judged: all rows of class {classes[clusters.argmin()]} that are "
                "predicted depend on each other",
                "groups= needs rows of each class in two groups.",
            )
    return found


def _is_sparse(metric: Metric, predictions: Predictions, truth: NDArray[Any], weights: Array | None) -> bool:
    """Whether a class, or a label that is scored, has too few rows in a fold for pseudo-values to be believed."""
    if predictions.classes is None:
        return False
    if composition(predictions, truth, weights).counts.min() < MIN_ROWS:
        return True
    return metric.scorer._response_method == "predict" and few_labels(predictions, weights)


def definition(predictions: Predictions, metric: Metric, truth: Truth) -> str:
    """Describe how `score` computes a metric, without computing it."""
    return _defined(strategy_of(metric, predictions, truth.y[predictions.row]), truth)


def _per_row(
    slots: Array, clusters: NDArray[np.int64] | None, row: NDArray[np.int64]
) -> tuple[Array, NDArray[np.int64] | None]:
    """Average a row's repeats; all of them have the same unit."""
    counts = np.bincount(row)
    predicted = counts > 0
    psi = np.empty((len(slots), int(predicted.sum())))
    for mean, values in zip(psi, slots, strict=True):
        sums = np.bincount(row, weights=values)
        mean[:] = np.divide(sums, counts, out=sums, where=predicted)[predicted]
    if clusters is None:
        return psi, None
    of_row = np.empty(len(counts), dtype=np.int64)
    of_row[row] = clusters
    return psi, of_row[predicted]
