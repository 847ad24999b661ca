"""Comparison: the candidate's predictions against the approved ones, metric by metric, slice by slice. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.baselines import Baseline, BaselineMetric
from harness.check import Check, Metric
from harness.dataset import Dataset
from harness.errors import IncomparableError, PromiseError
from harness.judge import MetricVerdict, identical, judge_metric, judge_slices, raise_alarms
from harness.metrics import Scores, definition, score
from harness.predictions import Predictions

SLICE_ROWS = 50  # a smaller slice could raise no alarm that anybody should believe
SLICE_VALUES = 50
START_ANEW = "To start anew on what there is now, delete its JSON file and run pytest --model-check --update-baselines."


def require_same_data(check: Check, baseline: Baseline, data: Dataset) -> None:
    """Refuse to compare across versions of the data.

    Raises
    ------
    IncomparableError
        Naming the file that differs.
    """
    before, now = dict(baseline.data), dict(data.files)
    if before != now:
        changed = next(path for path in dict.fromkeys([*now, *before]) if before.get(path) != now.get(path))
        versions = [version[:8] if version else "absent" for version in (before.get(changed), now.get(changed))]
        raise IncomparableError(
            f"{check.name}: the baseline is of other data: {changed} was {versions[0]}, is {versions[1]}",
            f"A comparison would mix the data's change with the model's. {START_ANEW}",
        )
    if (baseline.rows, baseline.target_digest) != (data.rows, data.target_digest):
        raise IncomparableError(
            f"{check.name}: load= or target= give other rows than the baseline's "
            f"({data.rows:,}, not {baseline.rows:,})",
            f"The files are the same. {START_ANEW}",
        )


def compare(
    check: Check, data: Dataset, baseline: Baseline, approved: Predictions, candidate: Predictions
) -> tuple[MetricVerdict, ...]:
    """Judge the candidate's predictions against the approved ones, metric by metric.

    Both sets of metrics must be equal: one that only the baseline has, or only the check, is missing.

    Raises
    ------
    IncomparableError
        If the two do not predict the same rows in the same folds.
    """
    if not approved.same_slots(candidate):
        raise IncomparableError(
            f"{check.name}: the baseline was recorded with other rows, folds or classes",
            f"It says cv={baseline.protocol.get('cv')}. {START_ANEW}",
        )
    same = approved.first(candidate.seeds).agrees(candidate)
    promised = {metric.name: metric for metric in check.metrics}
    found = []
    for name in dict.fromkeys([*promised, *baseline.metrics]):
        stored, metric = baseline.metrics.get(name), promised.get(name)
        if metric is None:
            reason = "the baseline has it, the check does not: a promise was dropped"
            found.append(MetricVerdict(name, "missing", baseline=stored.score if stored else None, reason=reason))
        elif stored is None:
            reason = "the baseline does not have it yet; pytest --model-check --update-baselines records it"
            new = score(candidate, data.y, metric, data.units)
            found.append(MetricVerdict(name, "missing", candidate=new.score, reason=reason))
        elif stored.definition != (now := definition(candidate, data.y, metric)):
            reason = f"the baseline's is the {stored.definition}, this one the {now}"
            found.append(MetricVerdict(name, "incomparable", baseline=stored.score, reason=reason))
        elif same:
            found.append(identical(name, stored.score, stored.folds, stored.yardstick, metric.margin))
        else:
            old, new = (score(side, data.y, metric, data.units) for side in (approved, candidate))
            found.append(_judged(stored, old, new, metric))
    return (*found, *_slices(check, data, baseline, approved, candidate, found))


def _judged(stored: BaselineMetric, old: Scores, new: Scores, metric: Metric) -> MetricVerdict:
    """Judge a metric, if the approved predictions still score what the baseline says: its function may have changed."""
    if abs(old.score - stored.score) > 1e-6 * abs(stored.score - stored.yardstick.dummy):
        reason = f"the approved predictions score {old.score:.6g} now, the baseline says {stored.score:.6g}"
        return MetricVerdict(metric.name, "incomparable", baseline=stored.score, reason=f"{reason}: another metric")
    return judge_metric(metric.name, old, new, stored.yardstick, metric.margin)


def _slices(
    check: Check,
    data: Dataset,
    baseline: Baseline,
    approved: Predictions,
    candidate: Predictions,
    found: Sequence[MetricVerdict],
) -> tuple[MetricVerdict, ...]:
    """Judge every metric, where it was judged at all, on the rows of each slice."""
    judged = {one.metric: one for one in found if one.resolution is not None}
    metrics = [metric for metric in check.metrics if metric.name in judged]
    predicted = np.zeros(data.rows, dtype=bool)
    predicted[candidate.row] = True
    alarms: list[tuple[MetricVerdict, float]] = []
    for metric in metrics if check.slices else ():
        scored = []
        for name, keep in _values(check, data):
            if (keep & predicted).sum() < SLICE_ROWS:
                continue
            try:
                old, new = (score(side.of_rows(keep), data.y, metric, data.units) for side in (approved, candidate))
            except PromiseError:  # one class only in a fold, say: what has no score here raises no alarm
                continue
            scored.append((name, old, new))
        alarms += judge_slices(
            scored, judged[metric.name], baseline.metrics[metric.name].yardstick, int(predicted.sum())
        )
    return raise_alarms(alarms)


def _values(check: Check, data: Dataset) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Give each slice's name and rows: ``region=north``."""
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
