"""How each metric comes to its influence values: a mean over rows, ranks, a closed form in a fold, or the jackknife."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from pytest_model_check.checks.check import Metric
from pytest_model_check.checks.describe import describe
from pytest_model_check.checks.item_score import ItemScore
from pytest_model_check.data.dataset import effective_number
from pytest_model_check.errors import PromiseError
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement.scores import Array
from pytest_model_check.scoring.closed_forms import IN_FOLD, MULTIOUTPUT, ROW_LOSSES
from pytest_model_check.scoring.jackknife import FoldError, SeedAnswers, class_codes, in_folds, jackknife
from pytest_model_check.scoring.roc_auc import contests, roc_auc


@dataclass(frozen=True)
class Strategy:
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


def strategy_of(
    metric: Metric,
    predictions: Predictions,
    truth: NDArray[Any],
    clusters: NDArray[np.int64] | None = None,
    weights: Array | None = None,
    *,
    is_time_series: bool = False,
) -> Strategy:
    """Choose the strategy to a metric's influence values: their mean, by weight, is the metric."""
    require_supervised(metric)
    scorer, name, split = metric.scorer, _described(metric), predictions.split
    if isinstance(scorer, ItemScore):
        return _of_items(scorer, name, predictions, clusters, weights)
    function, classes = scorer._score_func, predictions.classes
    known = next((known for known in ROW_LOSSES if _is(scorer, known)), None)
    if known is not None and classes is not None:
        label, kind, loss = ROW_LOSSES[known]
        return Strategy(
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

        return Strategy(f"mean of {name} per row", "mean", rowwise)
    inside = f"{name} inside each fold, weighted by rows"
    pairs = contests(scorer, classes)
    if pairs is not None and classes is not None:
        return Strategy(
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
        return Strategy(
            inside,
            "mean" if judgeable(metric) else "extreme",
            lambda seed: (
                _in_folds(scorer, SeedAnswers(predictions, seed)["predict"], truth, split, weights),
                clusters,
            ),
        )
    return Strategy(
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


def judgeable(metric: Metric) -> bool:
    """Whether a metric can be judged, and not only reported: one that hangs on a single row has no standard error."""
    return metric.scorer._score_func is not sk.max_error


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


def _of_items(
    scorer: ItemScore,
    name: str,
    predictions: Predictions,
    clusters: NDArray[np.int64] | None,
    weights: Array | None,
) -> Strategy:
    """Take the finished scores of the items as they are."""
    values = predictions.responses.get(scorer.response)
    hits = values is not None and bool(np.isin(values, (0, 1)).all())

    def finished(seed: int) -> tuple[Array, NDArray[np.int64] | None]:
        if values is None:
            raise ValueError(f"the results hold no finished score {scorer.column}")
        return scorer.sign * values[seed], clusters

    return Strategy(
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
