"""The slices of the data: the groups of rows in which a loss raises an alarm. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_model_check.baselines.record import Baseline
from pytest_model_check.checks.check import Check, Metric
from pytest_model_check.data.dataset import Dataset, effective_number
from pytest_model_check.errors import PromiseError
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.judgement.judge import judge_slices, raise_alarms
from pytest_model_check.judgement.scores import Scores
from pytest_model_check.judgement.verdicts import MetricVerdict
from pytest_model_check.scoring.metrics import score
from pytest_model_check.scoring.requirements import unjudgeable

SLICE_ROWS = 50  # by what weights leave of them: a smaller slice could raise no alarm that anybody should believe
SLICE_VALUES = 50


def judge(
    check: Check,
    data: Dataset,
    baseline: Baseline,
    approved: Predictions,
    candidate: Predictions,
    metrics: Sequence[MetricVerdict],
) -> tuple[MetricVerdict, ...]:
    """Judge every metric, where it was judged by its rows at all, on the rows of each slice.

    Parameters
    ----------
    check, data : Check, Dataset
        The promise, and its rows.
    baseline : Baseline
        Knows the noise of each metric.
    approved, candidate : Predictions
        Of the same rows in the same folds.
    metrics : sequence of MetricVerdict
        What was found on all rows.
    """
    whole = {metric.metric: metric for metric in metrics if metric.resolution is not None}
    if not check.slices or not whole:
        return ()
    weights = np.ones(data.rows) if data.sample_weight is None else data.sample_weight
    counted = np.zeros(data.rows, dtype=bool)
    counted[candidate.row] = weights[candidate.row] > 0
    named = [(name, rows & counted) for name, rows in _masks(check, data)]
    masks = [(name, rows) for name, rows in named if rows.any() and effective_number(weights[rows]) >= SLICE_ROWS]
    alarms: list[tuple[MetricVerdict, float]] = []
    for metric in check.metrics:
        if metric.name in whole:
            scores = list(_scores(data, metric, approved, candidate, masks))
            alarms += judge_slices(scores, whole[metric.name], baseline.metrics[metric.name].noise_reference)
    return raise_alarms(alarms)


def _scores(
    data: Dataset,
    metric: Metric,
    approved: Predictions,
    candidate: Predictions,
    masks: Sequence[tuple[str, NDArray[np.bool_]]],
) -> Iterator[tuple[str, Scores, Scores]]:
    for name, rows in masks:
        sides = [side.of_rows(rows) for side in (approved, candidate)]
        try:
            if unjudgeable(metric, sides[0], data.truth):
                continue
            old, new = (score(side, metric, data.truth) for side in sides)
        except PromiseError:  # one class only in a fold, say: what has no score here raises no alarm
            continue
        if new.has_folds or not new.as_sparse_as(old).by_folds:
            yield name, old, new


def _masks(check: Check, data: Dataset) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield each slice's name and rows: ``region=north``."""
    for column in check.slices:
        values = data.slices[column].astype(object).where(data.slices[column].notna(), "missing").to_numpy()
        different = sorted(set(values.tolist()), key=str)
        if len(different) > SLICE_VALUES:
            raise PromiseError(
                f"slices= names {column!r}, which has {len(different)} different values",
                f"Name a column with at most {SLICE_VALUES}, or make one in load= (age -> decade).",
            )
        for value in different:
            yield f"{column}={value}", values == value
