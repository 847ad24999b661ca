"""How much slower the candidate's service is than the approved one, both asked in the same run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pytest_model_check.candidates.service import Service
from pytest_model_check.candidates.stopwatch import rounds
from pytest_model_check.errors import CandidateError
from pytest_model_check.gate.context import Context
from pytest_model_check.judgement.latency import QUANTILES, is_settled, judge_latency
from pytest_model_check.judgement.statistics import Floats
from pytest_model_check.judgement.verdicts import Label, MetricVerdict

WARM_UP = 3  # rounds that do not count: connections are known by then, and caches filled
LOOKS = ((100, 0.6), (200, 0.2), (400, 0.2))  # rounds, and the share of the chance to err: until it is settled


def judge(context: Context, metrics: Sequence[MetricVerdict]) -> tuple[MetricVerdict, ...]:
    """Judge the latency of a check's service, where a margin is named and something is approved.

    Parameters
    ----------
    context : Context
        The check, and what is approved.
    metrics : sequence of MetricVerdict
        What was found of its answers.

    Raises
    ------
    CandidateError
        If a service stops to answer on the way.
    """
    candidate, baseline = context.check.candidate, context.approval.baseline
    if not isinstance(candidate, Service) or candidate.latency_margin is None or baseline is None:
        return ()
    if baseline.service is None:
        (alone,) = _Timing(context, [candidate]).first(LOOKS[0][0])
        reason = "the approved model is no service; pytest --model-check --update-baselines records this one's address"
        return tuple(
            MetricVerdict(name, "missing", candidate=-float(np.quantile(alone, quantile)), reason=reason)
            for name, quantile in QUANTILES.items()
        )
    url = baseline.service.url
    if url == candidate.address.url:
        if all(metric.verdict == "identical" for metric in metrics):
            return _both("identical", "it is the approved service itself")
        return _both("incomparable", f"{url} was the approved service's address, and another one answers there now")
    approved = candidate.at(baseline.service)
    try:
        approved.seconds(context.data.X.head(1), context.cross_validation.classes)
    except CandidateError as error:
        return _both("incomparable", f"the approved service does not answer: {error.message}")
    timing = _Timing(context, [approved, candidate])
    found: tuple[MetricVerdict, ...] = ()
    for number, share in LOOKS:
        before, now = timing.first(number)
        judged = judge_latency(before, now, candidate.latency_margin, alpha_fraction=share)
        settled = {metric.metric: metric for metric in found if is_settled(metric)}
        found = tuple(settled.get(metric.metric, metric) for metric in judged)
        if all(map(is_settled, found)):
            break
    return found


def _both(label: Label, reason: str) -> tuple[MetricVerdict, ...]:
    return tuple(MetricVerdict(name, label, reason=reason) for name in QUANTILES)


class _Timing:
    """Services that are timed side by side, for as long as it takes."""

    def __init__(self, context: Context, services: Sequence[Service]) -> None:
        rows = context.data.X.iloc[context.cross_validation.splits[0].test]
        self._rounds = rounds(services, rows, context.cross_validation.classes)
        self._progress = context.progress_of("timing the services")
        self._seconds: list[list[float]] = []
        for _ in range(WARM_UP):
            next(self._rounds)

    def first(self, number: int) -> Floats:
        """Return the seconds of the first so many rounds, service by service."""
        while len(self._seconds) < number:
            self._seconds.append(next(self._rounds))
            self._progress(len(self._seconds), number)
        times: Floats = np.array(self._seconds).T
        return times
