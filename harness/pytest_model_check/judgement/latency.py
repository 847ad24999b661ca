"""Two services' latencies, measured in turn in the same run -> verdicts on their median and 95th percentile. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

import numpy as np

from pytest_model_check.judgement import statistics
from pytest_model_check.judgement.judge import Difference, classify
from pytest_model_check.judgement.statistics import Floats
from pytest_model_check.judgement.verdicts import MetricVerdict

QUANTILES: Mapping[str, float] = {"neg_latency_median": 0.5, "neg_latency_p95": 0.95}  # higher is better, as everywhere


def judge_latency(
    approved: Floats, candidate: Floats, margin: float, *, alpha_fraction: float = 1.0
) -> tuple[MetricVerdict, ...]:
    """Judge how much slower a service is than the approved one.

    Parameters
    ----------
    approved, candidate : ndarray of shape (n_pairs,)
        Seconds of their requests, pair by pair: both of a pair ask the same, one right after the other, so that a busy
        machine slows both.
    margin : float
        The harmless loss, as a share of the approved service's latency.
    alpha_fraction : float
        The share of the chance to err that this look may spend.

    Returns
    -------
    tuple of MetricVerdict
        In seconds, as `pytest_model_check.judgement.judge.classify` has it.
    """
    return tuple(
        _judge(name, quantile, approved, candidate, margin, alpha_fraction) for name, quantile in QUANTILES.items()
    )


def is_settled(metric: MetricVerdict) -> bool:
    """Whether more rounds would change nothing: it passes, or is sure to be slower by more than the margin."""
    assert metric.high is not None
    assert metric.margin is not None
    return metric.verdict in ("held", "better") or metric.high <= -metric.margin


def _judge(
    name: str, quantile: float, approved: Floats, candidate: Floats, margin: float, alpha_fraction: float
) -> MetricVerdict:
    before, now = (-float(np.quantile(seconds, quantile)) for seconds in (approved, candidate))
    error = statistics.quantile_difference_error(candidate, approved, quantile)
    found = Difference(now - before, error.se, error.dof, 0.0, inf)
    low, high = found.bounds(alpha_fraction)
    harmless = margin * -before
    return MetricVerdict(
        name,
        classify(low, high, harmless),
        baseline=before,
        candidate=now,
        delta=found.delta,
        low=low,
        high=high,
        margin=harmless,
        resolution=found.resolution(),
        probability_inconclusive=found.blocked(harmless, alpha_fraction) if harmless > 0 else None,
    )
