"""The quality of a baseline as a yardstick, from its record alone."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_model_check.baselines.record import Baseline, BaselineMetric
from pytest_model_check.judgement.plan import Pilot
from pytest_model_check.judgement.quality import MetricQuality, RecordingQuality, metric_quality


def pilot(metric: BaselineMetric, rows: int) -> Pilot:
    """Return what a plan is made from."""
    return Pilot(metric.score, metric.standard_error, rows, metric.noise_reference)


def quality(baseline: Baseline, alternatives: Mapping[str, BaselineMetric] | None = None) -> RecordingQuality:
    """Return the quality of a baseline; `alternatives` are common metrics that the check does not have."""
    return RecordingQuality(
        metrics_quality(baseline.metrics, baseline.rows),
        metrics_quality(alternatives or {}, baseline.rows),
        folds=baseline.folds,
        groups=baseline.protocol.groups,
        time=baseline.protocol.time,
        effective_rows=baseline.effective_rows,
    )


def metrics_quality(metrics: Mapping[str, BaselineMetric], rows: int) -> tuple[MetricQuality, ...]:
    """Return the quality of those that are judged."""
    return tuple(
        metric_quality(name, pilot(metric, rows), metric.margin, metric.folds)
        for name, metric in metrics.items()
        if metric.margin is not None
    )
