"""Predictions -> scores: every metric as one influence value per row, and never a new fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from harness import statistics
from harness.check import Metric
from harness.errors import PromiseError
from harness.predictions import Predictions
from harness.replay import Array, SeedAnswers, class_codes, in_folds, jackknife

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
    row_variances : ndarray of shape (n_splits,)
        How much the score of each split varies over the seeds because its rows do; 0 where there is one seed.
    weights : ndarray of shape (n_splits,)
        Each split's share of the rows; they sum to 1.
    kind : {'zero_one', 'mean', 'rank', 'jackknife', 'extreme'}
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
    row_variances: Array
    weights: Array
    kind: str
    grain: float

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
        Means of per-row losses: the row's own term over all rows. Anything else inside each fold, fold scores weighted
        by rows: ROC AUC by DeLong's placement values, the median error by its influence function, any other scorer by
        the jackknife. The largest error has none, and the score of its fold for every row.

    Raises
    ------
    PromiseError
        If the scorer can't score these predictions, or gives no finite number; if all rows depend on each other.
    """
    truth = target[predictions.row]
    split = predictions.split
    sizes = np.bincount(split)
    together = None if units is None else units[predictions.row]
    way = _way(metric, predictions, truth, together, serial=serial)
    slots = np.empty((predictions.seeds, len(split)))
    for seed in range(predictions.seeds):
        try:
            slots[seed], together = way.influence(seed)
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
    variances = statistics.split_variances(slots, split) if len(slots) > 1 else np.zeros(len(sizes))
    return Scores(way.definition, psi, row_units, serial, splits, variances, sizes / sizes.sum(), way.kind, way.grain())


def definition(predictions: Predictions, target: NDArray[Any], metric: Metric) -> str:
    """Say how `score` computes a metric, without computing it."""
    return _way(metric, predictions, target[predictions.row]).definition


def judgeable(metric: Metric) -> bool:
    """Whether a metric can be judged, and not only reported: one that hangs on a single row has no standard error."""
    return metric.scorer._score_func is not sk.max_error


@dataclass(frozen=True)
class _Way:
    """How a metric is computed.

    Parameters
    ----------
    definition, kind : str
        As in `Scores`.
    influence : callable
        The seed's influence values, slot by slot, and the units of the slots.
    grain : callable
        As in `Scores`.
    """

    definition: str
    kind: str
    influence: Callable[[int], tuple[Array, NDArray[np.int64] | None]]
    grain: Callable[[], float] = lambda: 0.0


def require_judgeable(metrics: Sequence[Metric]) -> None:
    """Refuse, before anything is fitted, metrics that could decide nothing.

    Raises
    ------
    PromiseError
        If a metric can't score predictions, if one that is only reported has a margin, or if all are only reported.
    """
    for metric in metrics:
        require_supervised(metric)
        if metric.margin is not None and not judgeable(metric):
            raise PromiseError(
                f"{metric.name} hangs on a single row: it can be reported, but no margin of it can be defended",
                f"Give the others theirs one by one, and no margin=: metrics={{..., {metric.name!r}: None}}.",
            )
    if not any(map(judgeable, metrics)):
        raise PromiseError(
            f"nothing would be judged: {', '.join(metric.name for metric in metrics)} hangs on a single row, and is "
            "only reported",
            "Name another metric beside it, e.g. neg_mean_absolute_error.",
        )


def require_supervised(metric: Metric) -> None:
    """Refuse what is no metric of one target's predictions.

    Raises
    ------
    PromiseError
        Naming the metric, and what it is.
    """
    function = metric.scorer._score_func
    if getattr(function, "__module__", "").startswith("sklearn.metrics.cluster"):
        reason = (
            f"{function.__name__} compares clusterings, not predictions with a truth: the labels' names don't matter"
        )
    elif metric.scorer._kwargs.get("average") == "samples":
        reason = "it averages over the many labels that a row has in a multilabel problem, and a check has one target"
    else:
        return
    raise PromiseError(
        f"metric {metric.name} can't score predictions: {reason}",
        "Name a metric of classification or of regression, e.g. f1_macro or r2.",
    )


def _way(
    metric: Metric,
    predictions: Predictions,
    truth: NDArray[Any],
    units: NDArray[np.int64] | None = None,
    *,
    serial: bool = False,
) -> _Way:
    """Choose the way to a metric's influence values."""
    require_supervised(metric)
    scorer, name, split = metric.scorer, _described(metric), predictions.split
    function, classes = scorer._score_func, predictions.classes
    known = next((known for known in _ROW_LOSSES if _is(scorer, known)), None)
    if known is not None and classes is not None:
        label, kind, loss = _ROW_LOSSES[known]
        return _Way(
            f"mean of {label} per row",
            kind,
            lambda seed: (loss(SeedAnswers(predictions, seed), truth), units),
            lambda: 1 / len(truth) if kind == "zero_one" else 0.0,
        )
    if function in _MULTIOUTPUT and scorer._response_method == "predict" and scorer._kwargs.keys() <= {"alpha"}:
        # one sample of n outputs: scikit-learn then gives the loss of every row
        def rowwise(seed: int) -> tuple[Array, NDArray[np.int64] | None]:
            answers = predictions.responses["predict"][seed]
            losses = function(truth[None], answers[None], multioutput="raw_values", **scorer._kwargs)
            return scorer._sign * losses, units

        return _Way(f"mean of {name} per row", "mean", rowwise)
    inside = f"{name} inside each fold, weighted by rows"
    contests = _contests(scorer, classes)
    if contests is not None and classes is not None:
        return _Way(
            inside if scorer._kwargs else "ROC AUC inside each fold, weighted by rows",
            "rank",
            lambda seed: (
                _auc(SeedAnswers(predictions, seed).ranking(scorer._response_method), truth, classes, split, contests),
                units,
            ),
            lambda: contests.grain(class_codes(truth, classes), split),
        )
    if function in _IN_FOLD and scorer._response_method == "predict" and not scorer._kwargs:
        return _Way(
            inside,
            "mean" if judgeable(metric) else "extreme",
            lambda seed: (_in_folds(scorer, SeedAnswers(predictions, seed)["predict"], truth, split), units),
        )
    return _Way(
        inside,
        "jackknife",
        lambda seed: jackknife(
            scorer, SeedAnswers(predictions, seed), truth, split, units, predictions.row, serial=serial
        ),
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


@dataclass(frozen=True)
class _Contests:
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
        """Give each contest's weight where the classes have these shares of the rows, shape (n_contests, ...)."""
        if self.owning is None:
            return np.full((len(self.column), *shares.shape[1:]), 1 / len(self.column))
        return np.asarray(self.owning @ shares / self.owning[:, 0].sum())

    def grain(self, codes: NDArray[np.intp], split: NDArray[np.int64]) -> float:
        """Give the standard error of one exchanged pair, in the contest where it counts least."""
        counts = np.stack([np.bincount(codes[slots], minlength=self.playing.shape[1]) for slots in in_folds(split)])
        rows = counts.sum(axis=1)
        own = counts.T[self.column]
        others = self.playing @ counts.T - own
        moved = (self.weights(counts.T / rows) * rows / (own * others)).min(axis=0)
        return float(np.sqrt(2) / len(codes) * moved.mean())


def _contests(scorer: Any, classes: NDArray[Any] | None) -> _Contests | None:
    """Give the contests of a scorer of ROC AUC; None: it is none, or one with options of its own."""
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
        return _Contests(np.array([1]), np.ones((1, 2), dtype=bool), None)
    if scheme == "raise" or methods != "predict_proba":
        return None
    each = np.eye(len(classes), dtype=bool)
    if scheme == "ovr":
        column, playing, owning = np.arange(len(classes)), np.ones_like(each), each
    else:
        column, other = np.nonzero(~each)
        playing = owning = each[column] | each[other]
    return _Contests(column, playing, owning if average == "weighted" else None)


def _auc(
    scores: Array, truth: NDArray[Any], classes: NDArray[Any], split: NDArray[np.int64], contests: _Contests
) -> Array:
    """Give DeLong's placement values inside each fold, averaged over the contests as scikit-learn does.

    A weight is a share of the rows, and so an estimate: its own influence is that of a mean.

    References
    ----------
    .. [1] Hand and Till, "A simple generalisation of the area under the ROC curve for multiple class classification
       problems", Machine Learning 45 (2001) 171.
    """
    codes, psi = class_codes(truth, classes), np.zeros(len(truth))
    for k, slots in enumerate(in_folds(split)):
        code, rows = codes[slots], len(slots)
        counts = np.bincount(code, minlength=len(classes))
        if (counts == rows).any():
            raise ValueError(f"all rows of split {k + 1} are of one class, and there is nothing to rank")
        if (counts == 0).any():
            raise ValueError(f"split {k + 1} holds no row of class {classes[counts.argmin()]}")
        auc, weights = np.empty(len(contests.column)), contests.weights(counts / rows)
        for j, (column, playing) in enumerate(zip(contests.column, contests.playing, strict=True)):
            part = slice(None) if playing.all() else np.flatnonzero(playing[code])
            ranked = scores[slots] if scores.ndim == 1 else scores[slots, column]
            placed = statistics.delong_placements(code[part] == column, ranked[part])
            auc[j] = placed.mean()
            psi[slots[part]] += weights[j] * rows / len(placed) * (placed - auc[j])
        psi[slots] += (auc @ contests.weights(np.eye(len(classes))))[code]
    return psi


def _hit(answers: SeedAnswers, truth: NDArray[Any]) -> Array:
    return np.asarray(answers["predict"] == truth, dtype=float)


def _log_loss(answers: SeedAnswers, truth: NDArray[Any]) -> Array:
    likelihoods = answers.of_truth(truth)
    return np.asarray(np.log(np.maximum(likelihoods, LOG_LOSS_CLIP, out=likelihoods), out=likelihoods))


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


def _in_folds(scorer: Any, predicted: NDArray[Any], truth: NDArray[Any], split: NDArray[np.int64]) -> Array:
    """Find influence values fold by fold; centred: their mean is the score that the scorer itself gives."""
    psi = np.empty(len(truth))
    for k, slots in enumerate(in_folds(split)):
        y, answers = truth[slots], predicted[slots]
        try:
            values = _IN_FOLD[scorer._score_func](y.astype(float), answers)
            whole = float(scorer._score_func(y, answers))
        except ValueError as error:
            raise ValueError(f"split {k + 1}: {error}") from error
        psi[slots] = scorer._sign * (values + (whole - values.mean()))
    return psi


def _r2(y: Array, answers: Array) -> Array:
    """Give `jackknife`'s pseudo-values in closed form; the only row that differs from all others is counted twice."""
    rows, errors, squares = len(y), (y - answers) ** 2, (y - y.mean()) ** 2
    if y.min() == y.max():
        raise ValueError("all its targets are equal, and R2 is undefined")
    alone = squares * rows / (rows - 1) >= squares.sum() * (1 - 1e-12)
    step = np.where(alone, 1, -1)  # of the row's number
    spread = squares.sum() + step * rows / (rows + step) * squares  # around the mean of the rows that are there then
    whole = 1 - errors.sum() / squares.sum()
    return np.asarray(whole + step * (rows + step) * (1 - (errors.sum() + step * errors) / spread - whole))


def _root_mean(squares: Array) -> Array:
    """Give `jackknife`'s pseudo-values of the root of a mean in closed form."""
    rows, whole = len(squares), np.sqrt(squares.mean())
    rest = np.sqrt(np.maximum(squares.sum() - squares, 0) / max(rows - 1, 1))
    return np.asarray(whole + (rows - 1) * (whole - rest))


def _root_mean_squared_log(y: Array, answers: Array) -> Array:
    with np.errstate(all="ignore"):  # scikit-learn refuses what has no logarithm
        return _root_mean((np.log1p(y) - np.log1p(answers)) ** 2)


def _median(errors: Array) -> Array:
    """Give the influence values of a median: on which side of it a value lies, over twice the density there.

    The density is that between the quantiles on both sides, as far away as Hall and Sheather say (at 95%). Where many
    values tie (whole-numbered answers), the median jumps from one to the next, and that gap has to do.

    References
    ----------
    .. [1] Hall and Sheather, "On the distribution of a studentized quantile", J. R. Stat. Soc. B 50 (1988) 381.
    .. [2] Koenker, "Quantile regression", Cambridge University Press (2005), 3.4.
    """
    middle, rows = np.median(errors), len(errors)
    bandwidth = min((1.959964**2 * 1.5 / (2 * np.pi)) ** (1 / 3) * rows ** (-1 / 3), 0.5)
    low, high = np.quantile(errors, [0.5 - bandwidth, 0.5 + bandwidth])
    below, above = errors[errors < middle], errors[errors > middle]
    gap = (above.min() if above.size else middle) - (below.max() if below.size else middle)
    sparsity = max((high - low) / (2 * bandwidth), gap * np.sqrt(rows))
    lower = min(errors <= middle, errors < middle, key=lambda half: abs(half.mean() - 0.5))
    return np.asarray(middle + (0.5 - lower) * sparsity)


_IN_FOLD: Mapping[Callable[..., float], Callable[[Array, Array], Array]] = {
    sk.r2_score: _r2,
    sk.root_mean_squared_error: lambda y, answers: _root_mean((y - answers) ** 2),
    sk.root_mean_squared_log_error: _root_mean_squared_log,
    sk.median_absolute_error: lambda y, answers: _median(np.abs(y - answers)),
    sk.max_error: lambda y, answers: np.zeros(len(y)),  # it hangs on a single row, and no spread says how far
}


def _per_row(
    slots: Array, units: NDArray[np.int64] | None, row: NDArray[np.int64]
) -> tuple[Array, NDArray[np.int64] | None]:
    """Average a row's repeats; all of them have the same unit."""
    counts = np.bincount(row)
    predicted = counts > 0
    psi = np.empty((len(slots), int(predicted.sum())))
    for mean, values in zip(psi, slots, strict=True):
        sums = np.bincount(row, weights=values)
        mean[:] = np.divide(sums, counts, out=sums, where=predicted)[predicted]
    if units is None:
        return psi, None
    of_row = np.empty(len(counts), dtype=np.int64)
    of_row[row] = units
    return psi, of_row[predicted]
