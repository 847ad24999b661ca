"""The candidate on the data as they were: where these have moved, it must hold there too."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pytest_model_check.baselines.record import Baseline
from pytest_model_check.data import dataset, repeated_rows, splits
from pytest_model_check.errors import EvidenceError, ModelCheckError
from pytest_model_check.fitting.predictions import Predictions
from pytest_model_check.gate import slices
from pytest_model_check.gate.context import Context
from pytest_model_check.gate.paired import PairedJudge, require_same_rows
from pytest_model_check.gate.sequential import Judge
from pytest_model_check.judgement.verdicts import PASSING, MetricVerdict
from pytest_model_check.old_code.moved_data import CarriedOver

FAILED = "the candidate can't run on the old data"


@dataclass(frozen=True)
class OnOldData:
    """How the candidate compares with what is approved, on the data that it was approved on.

    Parameters
    ----------
    metrics : tuple of MetricVerdict
        On all rows and on slices; empty where it can't be measured there.
    reason : str
        Why not.
    repeated : int
        How many of the rows are predicted by a fit that has seen the same row.
    fits : int
        Made for it.
    predictions : Predictions or None
        The candidate's there.
    """

    metrics: tuple[MetricVerdict, ...] = ()
    reason: str = ""
    repeated: int = 0
    fits: int = 0
    predictions: Predictions | None = None


def judge(context: Context, baseline: Baseline, carried: CarriedOver, judge_there: Judge) -> OnOldData:
    """Judge the candidate on the old data as if nothing had moved."""
    check, root, versions = context.check, carried.old_root, dict(baseline.data)
    try:
        data = dataset.read(check, root, lambda path: versions[os.path.relpath(path, root).replace(os.sep, "/")])
        require_same_rows(check, baseline, data)
        there = replace(context, cross_validation=splits.make_cross_validation(check, data))
        judged = judge_there(there, baseline, PairedJudge(check, there.cross_validation, baseline, carried.before))
        both = carried.before.predictions, judged.predictions
        on_slices = slices.judge(check, data, baseline, *both, judged.metrics)
    except KeyError as error:
        return OnOldData(reason=f"{FAILED}: the check reads {error} now")
    except EvidenceError:  # it is not the candidate's fault
        raise
    except ModelCheckError as error:
        return OnOldData(reason=f"{FAILED}: {error.message.removeprefix(f'{check.name}: ')}")
    repeated = repeated_rows.count(there.cross_validation)
    return OnOldData(judged.metrics + on_slices, "", repeated, judged.fits, judged.predictions)


def both(metrics: Sequence[MetricVerdict], before: OnOldData) -> tuple[MetricVerdict, ...]:
    """Return the verdicts on both versions of the data: what passes on the new one has to pass on the old one too."""
    return tuple(_both(metrics, before))


def _both(metrics: Sequence[MetricVerdict], before: OnOldData) -> Iterator[MetricVerdict]:
    failing = {(metric.metric, metric.slice): metric for metric in _failing(before.metrics)}
    for metric in metrics:
        then = failing.pop((metric.metric, metric.slice), None)
        if before.reason and metric.slice is None:
            then = MetricVerdict(metric.metric, "incomparable", reason=before.reason)
        passes = not metric.decides or metric.verdict in PASSING
        if then is None or metric.verdict == "reported" or metric.is_new or not passes:
            yield metric
        else:
            yield replace(metric, verdict=then.verdict, on_old_data=then)
    for (name, part), then in failing.items():  # the new data have no such rows any more
        if part is not None:
            yield MetricVerdict(name, then.verdict, part, on_old_data=then)


def _failing(metrics: Iterable[MetricVerdict]) -> Iterator[MetricVerdict]:
    return (metric for metric in metrics if metric.decides and not metric.is_new and metric.verdict not in PASSING)
