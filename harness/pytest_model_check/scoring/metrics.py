"""Predictions -> scores: every metric as one influence value per row, and never a new fit."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from pytest_model_check.checks.check import Metric
from pytest_model_check.checks.describe import describe
from pytest_model_check.checks.item_score import ItemScore
from pytest_model_check.data.dataset import Truth, effective_number
from pytest_model_check.errors import PromiseError
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement import statistics
from pytest_model_check.judgement.numbers import fold_label
from pytest_model_check.judgement.scores import Array, Carriers, Scores
from pytest_model_check.scoring.closed_forms import IN_FOLD, MULTIOUTPUT, ROW_LOSSES, UNWEIGHTED
from pytest_model_check.scoring.few_rows import MIN_ROWS, carriers, composition, few_labels, folds_of, repeats
from pytest_model_check.scoring.jackknife import FoldError, SeedAnswers, class_codes, in_folds, jackknife
from pytest_model_check.scoring.roc_auc import contests, roc_auc


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
    strategy = _strategy(metric, scored, y, together, mass, is_time_series=truth.is_time_series)
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


def _defined(strategy: _Strategy, truth: Truth) -> str:
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
    return _defined(_strategy(metric, predictions, truth.y[predictions.row]), truth)


def judgeable(metric: Metric) -> bool:
    """Whether a metric can be judged, and not only reported: one that hangs on a single row has no standard error."""
    return metric.scorer._score_func is not sk.max_error


def unjudgeable(metric: Metric, predictions: Predictions, truth: Truth) -> str:
    """Describe why a metric of these rows in these folds can only be reported; empty if it can be judged.

    Parameters
    ----------
    metric : Metric
        Any scikit-learn scorer.
    predictions : Predictions
        The rows and folds; no answer is looked at, because what is judged may not depend on it.
    truth : Truth
        The target of all rows of the data set.
    """
    if not judgeable(metric):
        return "it hangs on a single row"
    if predictions.classes is None:
        return ""
    y, weights = truth.y[predictions.row], weights_of(predictions, truth)
    kind = _strategy(metric, predictions, y).kind
    if kind == "rank":
        return composition(predictions, y, weights).few_in_all()
    if kind == "jackknife":
        return composition(predictions, y, weights).few_in_a_fold(is_time_series=truth.is_time_series)
    return ""


@dataclass(frozen=True)
class _Strategy:
    """How a metric is computed.

    Parameters
    ----------
    definition, kind : str
        As in `Scores`.
    influence : callable
        The seed's influence values, slot by slot, and the clusters of the slots.
    min_standard_error : callable
        As in `Scores`.
    """

    definition: str
    kind: str
    influence: Callable[[int], tuple[Array, NDArray[np.int64] | None]]
    min_standard_error: Callable[[], float] = lambda: 0.0


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


def require_enough_rows(metrics: Sequence[Metric], predictions: Predictions, truth: Truth) -> None:
    """Refuse, before anything is fitted, metrics that could decide nothing with these rows in these folds.

    Raises
    ------
    PromiseError
        If one that can only be reported has a margin, or if all can only be reported.
    """
    reasons = {metric.name: unjudgeable(metric, predictions, truth) for metric in metrics}
    folds = "" if truth.is_time_series else "use more folds (cv=5), "
    advice = f"Get more rows, {folds}or name a metric that sees every row, e.g. neg_brier_score"
    for metric in metrics:
        if metric.margin is not None and reasons[metric.name]:
            raise PromiseError(
                f"{metric.name} can be reported, but no margin of it can be defended: {reasons[metric.name]}",
                f"{advice}. Or give it none, and the others theirs one by one: metrics={{..., {metric.name!r}: None}}.",
            )
    if all(reasons.values()):
        raise PromiseError(
            "nothing would be judged: " + "; ".join(f"{name}: {reason}" for name, reason in reasons.items()),
            f"{advice}.",
        )


def require_weighable(metrics: Sequence[Metric], classes: NDArray[Any] | None) -> None:
    """Refuse, before anything is fitted, metrics that can't take sample weights.

    Raises
    ------
    PromiseError
        Naming the metric.
    """
    for metric in metrics:
        scorer = metric.scorer
        one_against_one = scorer._kwargs.get("multi_class") == "ovo" and classes is not None and len(classes) > 2
        takes = "sample_weight" in inspect.signature(scorer._score_func).parameters
        if not takes or one_against_one or scorer._score_func in UNWEIGHTED:
            raise PromiseError(
                f"metric {metric.name} can't be judged with sample weights",
                "Name one that can, e.g. neg_mean_absolute_error or roc_auc_ovr, or leave sample_weight= out. A "
                "function of your own takes them as its parameter sample_weight.",
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


def _strategy(
    metric: Metric,
    predictions: Predictions,
    truth: NDArray[Any],
    clusters: NDArray[np.int64] | None = None,
    weights: Array | None = None,
    *,
    is_time_series: bool = False,
) -> _Strategy:
    """Choose the strategy to a metric's influence values: their mean, by weight, is the metric."""
    require_supervised(metric)
    scorer, name, split = metric.scorer, _described(metric), predictions.split
    if isinstance(scorer, ItemScore):
        return _of_items(scorer, name, predictions, clusters, weights)
    function, classes = scorer._score_func, predictions.classes
    known = next((known for known in ROW_LOSSES if _is(scorer, known)), None)
    if known is not None and classes is not None:
        label, kind, loss = ROW_LOSSES[known]
        return _Strategy(
            f"mean of {label} per row",
            kind,
            lambda seed: (loss(SeedAnswers(predictions, seed), truth), clusters),
            lambda: 1 / (len(truth) if weights is None else effective_number(weights)) if kind == "zero_one" else 0.0,
        )
    if function in MULTIOUTPUT and scorer._response_method == "predict" and scorer._kwargs.keys() <= {"alpha"}:
        # one sample of n outputs: scikit-learn then gives the loss of every row
        def rowwise(seed: int) -> tuple[Array, NDArray[np.int64] | None]:
            answers = predictions.responses["predict"][seed]
            losses = function(truth[None], answers[None], multioutput="raw_values", **scorer._kwargs)
            return scorer._sign * losses, clusters

        return _Strategy(f"mean of {name} per row", "mean", rowwise)
    inside = f"{name} inside each fold, weighted by rows"
    pairs = contests(scorer, classes)
    if pairs is not None and classes is not None:
        return _Strategy(
            inside if scorer._kwargs else "ROC AUC inside each fold, weighted by rows",
            "rank",
            lambda seed: (
                roc_auc(
                    SeedAnswers(predictions, seed).ranking(scorer._response_method),
                    truth,
                    classes,
                    split,
                    pairs,
                    weights,
                ),
                clusters,
            ),
            lambda: pairs.min_standard_error(class_codes(truth, classes), split, weights),
        )
    if function in IN_FOLD and scorer._response_method == "predict" and not scorer._kwargs:
        return _Strategy(
            inside,
            "mean" if judgeable(metric) else "extreme",
            lambda seed: (
                _in_folds(scorer, SeedAnswers(predictions, seed)["predict"], truth, split, weights),
                clusters,
            ),
        )
    return _Strategy(
        inside,
        "jackknife",
        lambda seed: jackknife(
            scorer,
            SeedAnswers(predictions, seed),
            truth,
            split,
            clusters,
            predictions.row,
            weights,
            is_time_series=is_time_series,
        ),
    )


def _of_items(
    scorer: ItemScore,
    name: str,
    predictions: Predictions,
    clusters: NDArray[np.int64] | None,
    weights: Array | None,
) -> _Strategy:
    """Take the finished scores of the items as they are."""
    values = predictions.responses.get(scorer.response)
    hits = values is not None and bool(np.isin(values, (0, 1)).all())

    def finished(seed: int) -> tuple[Array, NDArray[np.int64] | None]:
        if values is None:
            raise ValueError(f"the results hold no finished score {scorer.column}")
        return scorer.sign * values[seed], clusters

    return _Strategy(
        f"mean of {name} per item",
        "zero_one" if hits else "mean",
        finished,
        lambda: 1 / (len(predictions.row) if weights is None else effective_number(weights)) if hits else 0.0,
    )


def _described(metric: Metric) -> str:
    """Return the metric's name with its options: fbeta_score of another beta is another metric."""
    options, name = metric.scorer._kwargs, metric.name
    if not options or (name in sk.get_scorer_names() and options == sk.get_scorer(name)._kwargs):
        return name
    listed = ", ".join(f"{key}={text}" for key, text in sorted(described_options(options).items()))
    return f"{name}({listed})"


def described_options(options: Mapping[str, Any]) -> dict[str, str]:
    """Describe the options of a scored function: the same in every run, where sets and addresses are not."""
    texts = {key: describe(of) if isinstance(of, set | frozenset) else repr(of) for key, of in options.items()}
    return {key: re.sub(" at 0x[0-9a-f]+", "", text) for key, text in texts.items()}


def _is(scorer: Any, name: str) -> bool:
    """Whether a scorer computes what scikit-learn's scorer of this name does."""
    known = sk.get_scorer(name)
    return (
        scorer._score_func is known._score_func
        and scorer._sign == known._sign
        and scorer._response_method == known._response_method
        and not scorer._kwargs
    )


def _in_folds(
    scorer: Any, predicted: NDArray[Any], truth: NDArray[Any], split: NDArray[np.int64], weights: Array | None
) -> Array:
    """Find influence values fold by fold; centred: their mean is the score that the scorer itself gives."""
    psi = np.empty(len(truth))
    for k, slots in enumerate(in_folds(split)):
        y, answers = truth[slots], predicted[slots]
        try:
            mass = np.ones(len(slots)) if weights is None else weights[slots]
            values = IN_FOLD[scorer._score_func](y.astype(float), answers, mass)
            whole = float(scorer._score_func(y, answers, **({} if weights is None else {"sample_weight": mass})))
        except ValueError as error:
            raise FoldError(k, str(error)) from error
        psi[slots] = scorer._sign * (values + (whole - np.average(values, weights=mass)))
    return psi


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
