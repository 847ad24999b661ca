"""What metrics need to be judged, and what is said before anything is fitted where they lack it."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from pytest_model_check.checks.check import Metric
from pytest_model_check.data.dataset import Truth
from pytest_model_check.errors import PromiseError
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.scoring.closed_forms import UNWEIGHTED
from pytest_model_check.scoring.few_rows import composition
from pytest_model_check.scoring.metrics import weights_of
from pytest_model_check.scoring.strategies import judgeable, require_supervised, strategy_of


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
    kind = strategy_of(metric, predictions, y).kind
    if kind == "rank":
        return composition(predictions, y, weights).few_in_all()
    if kind == "jackknife":
        return composition(predictions, y, weights).few_in_a_fold(is_time_series=truth.is_time_series)
    return ""
